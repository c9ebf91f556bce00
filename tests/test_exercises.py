"""What holds for every exercise's table by itself."""

import itertools
import pkgutil
import re
from pathlib import Path

import pytest
import torch

from helpers import checks
from helpers.checks import answers
from helpers.checks.exercise import Exercise, Mistake
from helpers.checks.verdict import NOT_YET

CHAPTERS = [name for _, name, _ in pkgutil.iter_modules(checks.__path__) if name.startswith("chapter")]
MODULES = [vars(__import__(f"helpers.checks.{name}", fromlist=[name])) for name in CHAPTERS]
EXERCISES = [
    exercise
    for module in MODULES
    for exercise in (*module.values(), *module["BLANKS"].values())
    if isinstance(exercise, Exercise)
]


@pytest.fixture(params=EXERCISES, ids=lambda exercise: exercise.task.partition(";")[0])
def exercise(request):
    return request.param


def gives(exercise, function):
    return [exercise.outcome(function, probe) for probe in exercise.probes()]


def mistakes_of(exercise):
    """Each wrong solution with its words."""
    return [(m.words, function) for m in exercise.mistakes if isinstance(m, Mistake) for function in m.gives]


def alike(exercise, some, others):
    return all(exercise.agree(a, b) for a, b in zip(some, others, strict=True))


def test_the_solution_is_right_and_the_dots_are_not_an_answer(exercise):
    assert exercise(exercise.solution).message == exercise.praise
    assert exercise(...) == NOT_YET
    assert exercise(lambda *arguments: ...) == NOT_YET


def test_the_exercises_own_lines_are_not_judged_as_an_attempt(exercise):
    if exercise.untouched:
        assert exercise(exercise.untouched).right is None


def test_each_mistake_differs_from_the_solution_and_from_those_with_other_words(exercise):
    right = [(praise, function) for praise, functions in exercise.also.items() for function in functions]
    all_ways = [(exercise.praise, exercise.solution), *right, *mistakes_of(exercise)]
    given = [(words, gives(exercise, function)) for words, function in all_ways]
    for (words, some), (other_words, others) in itertools.combinations(given, 2):
        assert words == other_words or not alike(exercise, some, others), (words, other_words)


def test_each_mistake_is_named_when_it_is_made(exercise):
    for words, function in dict(reversed(mistakes_of(exercise))).items():  # of each, its first wrong solution
        verdict = exercise(function)
        assert verdict.right is False and words in verdict.message, (words, verdict)


def test_bad_manners_of_a_right_answer_are_named(exercise):
    def answer(*arguments):
        value = exercise.solution(*arguments)
        torch.set_grad_enabled(False)
        return value

    verdict = exercise(answer)
    assert verdict.right is False and "switched off" in verdict.message


def test_an_endless_answer_is_waited_for_once(exercise, monkeypatch):
    monkeypatch.setattr("helpers.checks.attempt.SECONDS", 0.2)
    calls = []

    def answer(*arguments):
        calls.append(arguments)
        while True:
            pass

    assert "did not come to an end" in exercise(answer).message and len(calls) == 1


@pytest.mark.parametrize("nonsense", [None, 3, 3.5, "text", [], {}, int, max, print, lambda: None, lambda *a: None])
def test_nonsense_gets_words(exercise, nonsense):
    verdict = exercise(nonsense)
    assert verdict.right is False and verdict.message[-1] in ".?!"


NONSENSE = [None, float("nan"), 10**400, {}, "text", [], lambda: None, object()]


@pytest.mark.parametrize("value", NONSENSE, ids=range(len(NONSENSE)))
def test_a_function_that_returns_nonsense_gets_words(exercise, value):
    verdict = exercise(lambda *arguments: value)
    assert verdict.right is False and verdict.message[-1] in ".?!"


def test_the_example_for_those_who_add_an_exercise_works():
    page = (Path(__file__).parents[1] / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    names = {"Exercise": Exercise, "Mistake": Mistake, "answers": answers}
    exec(example, names)
    check = names["check_field"]
    assert check(check.solution)
    assert [words in check(function).message for words, function in mistakes_of(check)] == [True, True]
