"""One engine for all exercises. An exercise is data: its solution, the probes it is tried on, and its mistakes."""

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from helpers.checks import answers
from helpers.checks.attempt import Attempt, Endless, NotYet, Ours, Stopped, undisturbed
from helpers.checks.verdict import NOT_YET, capital, not_yet, right, wrong

CONSTANT = "Your function gives the same whatever its arguments are: does it use them, or names from outside? "


class Mistake:
    """A mistake that students make: what to say, and wrong solutions that make it, called like the solution."""

    def __init__(self, words, *gives):
        self.words, self.gives = words, gives


@dataclass(frozen=True)
class Sign:
    """A mistake known by its result: `seen(value, *probe)` is true on all probes whose answer is not right."""

    words: str
    seen: Callable


@dataclass(frozen=True, eq=False)
class Exercise:
    """An exercise that asks for a function; calling it judges an answer.

    task: the exercise's number, the function's line, and what it returns
    solution: a right answer
    probes: a function that returns a list of tuples of arguments, the smallest first
    praise: the message for a right answer
    also: other right answers, {their message: functions}
    mistakes: a list of `Mistake` and `Sign`, of which the first that fits is named
    untouched: what the exercise's own faulty lines do, if there are any; still_so: the message for that
    read: converts a result to a form that `same` compares, or raises `answers.Unreadable`
    observe: takes an `Attempt` and a probe, and returns what is judged; by default what the attempt returns
    may_change: the names of the arguments that the answer is supposed to change
    setting: takes a probe and returns words for it, "with 10 of 19 answers right"; by default "for X = …, size = …"
    """

    task: str
    solution: Callable
    probes: Callable
    praise: str
    also: dict = field(default_factory=dict)
    mistakes: list = field(default_factory=list)
    untouched: Callable | None = None
    still_so: str = "Not done yet: change the marked line, then run the cell again."
    read: Callable = answers.tensor
    same: Callable = answers.same
    observe: Callable = lambda attempt, *probe: attempt(*probe)
    difference: Callable = answers.difference
    may_change: tuple = ()
    setting: Callable | None = None

    @property
    def __doc__(self):
        return f"Exercise {self.task}"

    def __call__(self, answer=None, *more):
        """The verdict on a student's function."""
        if more:
            return wrong(f"Hand over one thing, the function, not {len(more) + 1}.")
        if answers.all_dots(answer):
            return NOT_YET
        if not callable(answer) or isinstance(answer, (torch.Tensor, torch.nn.Module)):
            return wrong(
                f"Hand over the function itself, its name without brackets, but this is {answers.kind(answer)}."
            )
        if isinstance(answer, type):
            return wrong(f"Hand over a function, but this is {answers.kind(answer)}.")
        attempt = Attempt(answer, list(inspect.signature(self.solution).parameters), self.may_change)
        try:
            with undisturbed():  # also for our own functions and for the probes
                return self._judge(attempt)
        except NotYet:
            return NOT_YET
        except Endless as endless:
            return wrong(_sentence(endless.words))

    def outcome(self, function, probe):
        """The result of one of our own functions for a probe, ready to be compared, or the `Stopped` that ended it."""
        return self._try(Ours(function), probe)

    def _judge(self, attempt):
        probes = self.probes()
        given = [self._try(attempt, probe) for probe in probes]
        expected = [self.outcome(self.solution, probe) for probe in probes]
        differing = [i for i in range(len(probes)) if not self.agree(given[i], expected[i])]
        if self.untouched and differing and self._gives(self.untouched, probes, given):
            return not_yet(self.still_so)
        praise = self.praise if not differing else self._other_way(probes, given)
        if praise:
            return self._manners(attempt, probes[0], given[0], right(praise))
        first = next((i for i in differing if isinstance(given[i], Stopped)), differing[0])
        said = self._said(attempt, probes[first], given[first], expected[first])
        stopped = isinstance(given[first], Stopped)
        differing_given = [] if attempt.manners else [(given[i], probes[i]) for i in differing]  # bad manners say more
        known = self._known(differing_given, probes, given)
        if known:
            return wrong(f"{_sentence(known)} {_sentence(capital(said) + _early_return(attempt))}")
        if stopped and given[first].error is not None:
            elsewhere = f" (called with {self._named(probes[first])})" if len(differing) < len(probes) else ""
            return wrong(_sentence(said + elsewhere))
        constant = CONSTANT if self._constant(given, expected) else ""
        unknown = wrong(constant + _sentence(capital(said) + _early_return(attempt)))
        return self._manners(attempt, probes[first], given[first], unknown)

    def _constant(self, given, expected):
        """True if all probes have the same answer but should not."""
        some = not any(isinstance(value, Stopped) for value in given)
        same = [all(self.agree(value, values[0]) for value in values) for values in (given, expected)]
        return some and same == [True, False]

    def _try(self, attempt, probe):
        try:
            return self.read(self.observe(attempt, *probe))
        except Endless:
            raise
        except Stopped as stopped:
            return stopped
        except answers.Unreadable as unreadable:
            return Stopped(str(unreadable))

    def agree(self, value, other):
        """True if two outcomes are the same; two that stopped are, if they stopped with the same kind of error."""
        if isinstance(value, Stopped) or isinstance(other, Stopped):
            errors = [type(getattr(one, "error", None)) for one in (value, other)]
            return type(value) is type(other) and errors[0] is errors[1] and value.error is not None
        return self.same(value, other)

    def _gives(self, function, probes, given):
        """True if the answer does the same as `function` on all probes."""
        return all(self.agree(self.outcome(function, probe), value) for probe, value in zip(probes, given, strict=True))

    def _other_way(self, probes, given):
        ways = ((praise, function) for praise, functions in self.also.items() for function in functions)
        return next((praise for praise, function in ways if self._gives(function, probes, given)), None)

    def _known(self, differing, probes, given):
        """The words of the first mistake that gives all of `given`, or whose sign is wherever they differ; or None."""
        for mistake in self.mistakes:
            if isinstance(mistake, Sign):
                seen = [not isinstance(value, Stopped) and mistake.seen(value, *probe) for value, probe in differing]
                if seen and all(seen):
                    return mistake.words
            elif any(self._gives(function, probes, given) for function in mistake.gives):
                return mistake.words
        return None

    def _manners(self, attempt, probe, before, verdict):
        """A verdict on side effects of the function; `verdict` if there are none."""
        attempt.seed = 1
        repeatable = self.agree(before, before)  # False for NaN, and for an answer that stopped
        again = self._try(attempt, probe) if repeatable else None
        if attempt.manners:
            return wrong(_sentence(attempt.manners[0]))
        if again is not None and not self.agree(again, before):
            return wrong(
                "Called twice with the same arguments, your function gives two different answers: does it draw random "
                "numbers, or use what an earlier call left in a name outside of it?"
            )
        return verdict

    def _said(self, attempt, probe, value, expected):
        """The probe, and how the result differs from the expected one."""
        if not isinstance(value, Stopped):
            call = self.setting(*probe) if self.setting else f"for {self._named(probe)}"
            return f"{call} {self.difference(value, expected)}"
        if value.error is None and "nothing (None)" in value.words:
            return attempt.returns_nothing()
        return value.words

    def _named(self, probe):
        names = inspect.signature(self.solution).parameters
        return ", ".join(f"{name} = {answers.shown(value)}" for name, value in zip(names, probe, strict=False))


def _sentence(words):
    return words if words.endswith((".", "?", "!")) else words + "."


def _early_return(attempt):
    """A remark if a `return` is inside a loop and not below an `if`: the first turn is then the last."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(attempt.function)))
    except (OSError, TypeError, SyntaxError):
        return ""
    loops = [node for node in ast.walk(tree) if isinstance(node, (ast.For, ast.While))]
    early = any(isinstance(line, ast.Return) for loop in loops for line in loop.body)
    return ". Your `return` is inside the loop, so the first turn is the last: indent it less" if early else ""


def checked(check):
    """Decorate a check that is not an `Exercise`, such as one of a network: an answer that stops gets a verdict."""

    @functools.wraps(check)
    def judged(*given, **named):
        try:
            inspect.signature(check).bind(*given, **named)
        except TypeError:
            line = f"{check.__name__}{inspect.signature(check)}"
            return wrong(f"Keep the check's line as the exercise has it, checks.{line}: it got {len(given)}.")
        try:
            return NOT_YET if given and answers.all_dots(given[0]) else check(*given, **named)
        except NotYet:
            return NOT_YET
        except Stopped as stopped:
            return wrong(_sentence(stopped.words))
        except answers.Unreadable as unreadable:
            return wrong(_sentence(str(unreadable)))

    return judged
