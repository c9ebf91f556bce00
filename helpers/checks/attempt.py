"""How a student's answer is run: on copies of its arguments, within a time limit, leaving nothing behind."""

import collections.abc
import contextlib
import copy
import ctypes
import functools
import io
import itertools
import linecache
import random
import re
import signal
import sys
import sysconfig
import threading
import time
import traceback
from pathlib import Path

import numpy as np
import torch
from torch import nn

from helpers.checks import answers

SECONDS = 5  # for one call; a right answer takes some milliseconds
MEMORY = 2**30  # bytes that one call may take; a laptop or Binder does not have much more
MOST = 2_000  # values of a generator
# Packages may also lie outside of this Python's own folder: a user's folder, or one that a hub's .pth file names.
PACKAGES = sysconfig.get_path("purelib"), str(Path(torch.__file__).parents[1])
OURS = (str(Path(__file__).resolve().parents[1]), sysconfig.get_path("stdlib"), *PACKAGES)


class Stopped(Exception):
    """An answer without a value: `words` say why; `error` is the exception that stopped it, if there was one."""

    def __init__(self, words, error=None):
        super().__init__(words)
        self.words, self.error = words, error


class Endless(Stopped):
    """An answer that did not come to an end, so it is not tried any further."""


class NotYet(Exception):
    """The answer is still the dots of the exercise."""


class OutOfTime(BaseException):
    """Raised inside an answer that does not end; a BaseException, so that an `except Exception` does not catch it."""


class Attempt:
    """A student's function; calling it runs it safely and notes in `manners` what it should not have done.

    names: of its arguments, for messages; may_change: the names of those that it may change. Raises Stopped if there
    is no value, and NotYet if the value is the dots.
    """

    def __init__(self, function, names=(), may_change=(), seconds=None):
        self.function, self.names, self.may_change, self.seconds = function, names, may_change, seconds or SECONDS
        self.manners, self.printed, self.seed = [], False, None  # seed: for the random numbers in further calls

    def __call__(self, *arguments, as_they_are=()):
        """What the function returns for copies of these arguments; a generator's values become `answers.Yielded`.

        as_they_are: arguments that are not copied, for a check that looks at them afterwards.
        """
        given = _copies(arguments, as_they_are)
        arguments = copy.deepcopy(arguments) if as_they_are else arguments
        with undisturbed(), contextlib.redirect_stdout(io.StringIO()) as printed:
            value = self._value(given)
            if not torch.is_grad_enabled():
                self.manners.append(
                    "your code leaves gradients switched off for everything that follows: use `with torch.no_grad():`"
                )
        self.printed |= bool(printed.getvalue())
        for name, now, before in zip(self.names, given, arguments, strict=False):
            if name not in self.may_change and not unchanged(now, before):
                self.manners.append(f"your function changes its argument `{name}`: work on a copy of it")
        if answers.all_dots(value):
            raise NotYet
        return value

    def returns_nothing(self):
        """What to say if the function returned None."""
        if self.printed:
            return "your function prints its answer, but returns nothing: write `return` instead of `print`"
        return "your function returns nothing (None): does it end with `return` and the answer?"

    def _value(self, given):
        if self.seed is not None:
            torch.manual_seed(self.seed)
            random.seed(self.seed)
            np.random.seed(self.seed)  # noqa: NPY002
        to_change = [one for name, one in zip(self.names, given, strict=False) if name in self.may_change]
        if any(isinstance(one, nn.Module) for one in to_change):  # the answer may train it
            load_compiler()
        try:
            with time_limit(self.seconds):
                value = self.function(*given)
                if isinstance(value, collections.abc.Iterator):
                    value = answers.Yielded(itertools.islice(value, MOST))
        except KeyboardInterrupt:
            raise  # ■ stays ■
        except OutOfTime as late:
            raise Endless(f"your code did not come to an end{_place(late, ': it was still in')}{late}") from None
        except BaseException as error:  # SystemExit too: `exit()` in an answer must not end the kernel
            raise Stopped(_words_of(error, self.function), error.with_traceback(None)) from None
        if isinstance(value, answers.Yielded) and len(value) == MOST:
            raise Endless(f"your function yields {MOST:,} values and more: its loop does not come to an end")
        if isinstance(value, collections.abc.Coroutine):
            value.close()
            raise Stopped("`async def` makes a coroutine, not a function: write `def` alone")
        return value


def load_compiler():
    """Load what PyTorch loads with the first optimizer: it takes two seconds, which must not count as the student's.

    Without a network to train they would be wasted: they used to delay the first verdicts of chapters 1 and 3.
    """
    import torch._dynamo  # noqa: F401


class Ours:
    """One of the course's own functions, run on copies like an `Attempt`, but trusted, so without limits."""

    def __init__(self, function):
        self.function, self.manners = function, []

    def __call__(self, *arguments, as_they_are=()):
        """What the function returns; raises Stopped if it stops, as some of the wrong solutions do."""
        try:
            value = self.function(*_copies(arguments, as_they_are))
        except Exception as error:
            raise Stopped("our own function stops", error) from None
        return answers.Yielded(value) if isinstance(value, collections.abc.Iterator) else value


def _copies(arguments, as_they_are):
    return copy.deepcopy(arguments, {id(one): one for one in as_they_are})


@contextlib.contextmanager
def undisturbed():
    """A context with PyTorch's defaults; afterwards everything that an answer can set is restored."""
    kept = torch.get_rng_state(), random.getstate(), np.random.get_state()  # noqa: NPY002
    grad, dtype, threads = torch.is_grad_enabled(), torch.get_default_dtype(), torch.get_num_threads()
    torch.set_grad_enabled(True)
    torch.set_default_dtype(torch.float32)
    try:
        yield
    finally:
        torch.set_rng_state(kept[0])
        random.setstate(kept[1])
        np.random.set_state(kept[2])  # noqa: NPY002
        torch.set_grad_enabled(grad)
        torch.set_default_dtype(dtype)
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)


def unchanged(now, before):
    """True if an argument has not changed: its values, and a network's modes and which parameters need gradients."""
    if torch.is_tensor(before):
        return now.shape == before.shape and now.dtype == before.dtype and torch.equal(now, before)
    if isinstance(before, nn.Module):
        ours, theirs = before.state_dict(), now.state_dict()
        return (
            ours.keys() == theirs.keys()
            and all(unchanged(theirs[name], value) for name, value in ours.items())
            and [layer.training for layer in now.modules()] == [layer.training for layer in before.modules()]
            and [p.requires_grad for p in now.parameters()] == [p.requires_grad for p in before.parameters()]
        )
    if isinstance(before, (list, tuple)):
        return len(now) == len(before) and all(map(unchanged, now, before))
    if isinstance(before, torch.optim.Optimizer):
        return True  # its purpose is to be stepped
    return now == before


@contextlib.contextmanager
def time_limit(seconds):
    """A context that raises OutOfTime in code that takes longer than `seconds`, or too much memory.

    A signal even ends a sleep, but only a main thread on Linux and macOS gets one, and its handler cannot be called at
    the end of a recursion; so, if necessary, another thread raises the exception between two of Python's instructions.
    Neither ends a loop inside C, such as `sum(itertools.count())`.
    """
    limit = _Limit(seconds)
    main = threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer")
    with _by_thread(limit, grace=1 if main else 0), _by_signal(limit) if main else contextlib.nullcontext():
        yield


class _Limit:
    """The time and memory that an answer has left."""

    def __init__(self, seconds):
        self.seconds, self.ends, self.most = seconds, time.monotonic() + seconds, _resident() + MEMORY

    def passed(self, grace=0):
        """Why the answer has to end, as the rest of a sentence, or None; grace: extra seconds."""
        if time.monotonic() > self.ends + grace:
            return f" after {self.seconds:g} seconds. Is there a loop whose condition never changes?"
        if not grace and _resident() > self.most:
            return " before it had filled the memory. Is there a loop that goes on collecting?"
        return None


def _resident():
    """Bytes of memory that this process holds; 0 without /proc, which only Linux has."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
    except OSError:
        return 0


@contextlib.contextmanager
def _by_signal(limit, every=0.05):
    running = True

    def look(signum, frame):
        if running and (reason := limit.passed()):
            raise OutOfTime(reason)

    began = time.monotonic()
    handler = signal.signal(signal.SIGALRM, look)
    left, interval = signal.setitimer(signal.ITIMER_REAL, every, every)  # another timer, such as pytest-timeout's
    try:
        yield
    finally:
        running = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - began), 0.001), interval)


@contextlib.contextmanager
def _by_thread(limit, grace, every=0.05):
    thread, done, lock = ctypes.c_ulong(threading.get_ident()), threading.Event(), threading.Lock()
    depth = sys.getrecursionlimit()

    class Again(OutOfTime):
        """Comes back, one level higher, if it is swallowed: an answer may catch everything at each level."""

    stop = functools.partial(ctypes.pythonapi.PyThreadState_SetAsyncExc, thread, ctypes.py_object(Again))
    Again.__del__ = staticmethod(stop)  # no Python function, in which the exception would be raised and ignored

    def watch():
        while not done.wait(every):
            with lock:
                if not done.is_set() and limit.passed(grace):
                    sys.setrecursionlimit(sys.getrecursionlimit() + 100)  # room for __del__ at a recursion's end
                    stop()

    threading.Thread(target=watch, daemon=True, name="time limit").start()
    try:
        try:
            yield
        finally:
            done.set()
            del Again.__del__
            with lock:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, None)
            sys.setrecursionlimit(depth)
    except OutOfTime as late:
        raise OutOfTime(str(late) or limit.passed() or ".").with_traceback(late.__traceback__) from None


def _place(error, before):
    """The student's own line in which an exception arose: "… line 3 of corr2d, `return Y`", or ""."""
    frames = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    own = [(code, line) for code, line in frames if not code.co_filename.startswith((*OURS, "<frozen"))]
    if not own:
        return ""
    code, line = own[-1]
    text = linecache.getline(code.co_filename, line).strip()
    named = next((outer for outer, _ in reversed(own) if not outer.co_name.startswith("<")), None)
    inside = named and (named.co_filename, named.co_firstlineno <= line) == (code.co_filename, True)
    where = f"line {line - named.co_firstlineno + 1} of {named.co_name}" if inside else "your function"
    return f"{before} {where}" + (f", `{text}`" if text else "")


def _words_of(error, function):
    """An exception explained to a student: the place, what Python says, and what that means."""
    if isinstance(error, RecursionError):
        return f"your function calls itself without end{_place(error, ', in')}"
    if isinstance(error, SystemExit):
        return f"your code ends Python{_place(error, ' in')}: leave out `exit()`"
    said = f"{type(error).__name__}: {_said(error)}".removesuffix(": ")
    place = _place(error, "your code stops in")
    if not place and isinstance(error, TypeError):
        return f"{_kind_of(function)} cannot be called as the exercise asks. Python says {said}"
    meaning = next((words for pattern, words in MEANINGS if re.search(pattern, f"{place}, with {said}")), "")
    return f"{place or 'your answer stops'}, with {said}" + (f" — {meaning}" if meaning else "")


def _kind_of(function):
    """What the answer is, if it is not one of the student's own functions."""
    if isinstance(function, type):
        return f"`{function.__name__}` is a class, and"
    name = getattr(function, "__name__", None)
    return f"`{name}`" if name else "your answer"


def _said(error):
    """The useful line of an exception's message: the first, or the second if the first only announces it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    announced = len(lines) > 1 and lines[0].endswith(":") and not lines[1].startswith("*")  # no list of signatures
    useful = lines[1] if announced else "".join(lines[:1])
    return useful if len(useful) < 300 else useful[:300] + " …"


# What PyTorch's and Python's words mean when students meet them.
MEANINGS = [
    (r"UnboundLocalError", "the function sets this name itself, so it must do so before it uses it"),
    (r"mat1 and mat2", "the layer expects a different number of inputs"),
    (r"element 0 of tensors does not require grad", "no gradient leads from this number back to any weight"),
    (r"is invalid for input of size", "there are too many or too few numbers for that shape"),
    (r"could not infer output dtype|mean\(\): input dtype", "bytes have no mean: divide by 255 first"),
    (r"expected scalar type Long|for 'Long'|got Long|multi-target|Expected floating point type for target|class prob",
     "F.cross_entropy takes the scores first, then the labels as whole numbers"),
    (r"backward through the graph a second time", "`backward` frees the graph: compute the loss again for each step"),
    (r"leaf Variable that requires grad", "PyTorch records what you do with weights: change them within "
     "`with torch.no_grad():`"),
    (r"cannot assign .* as parameter", "a parameter takes an nn.Parameter, or is filled with other numbers"),
    (r"Loss\(.*Boolean value of Tensor", "the brackets after the class nn.CrossEntropyLoss are for its options"),
    (r"Boolean value of Tensor", "a tensor of many numbers is neither true nor false"),
    (r"zeros\(\) (takes 1 positional|received .* got \(float)|slice indices must be|interpreted as an integer|"
     r"integer tensors of a single element",
     "a whole number is needed here: `//` gives one, `/` does not"),
    (r"Expected reduction dim|reduction .* has no identity|max\(\): Expected|amax\(\)",
     "there are no numbers to take the largest of: the window is empty"),
    (r"has no attribute 'backward'", "a plain number, as .item() gives, leads back to no weight: keep the tensor"),
    (r"created only for scalar outputs", "`backward` starts from one number: combine the losses of the batch into one"),
    (r"Dimension out of range", "this tensor has fewer dimensions: are two arguments exchanged?"),
    (r"context manager protocol|__enter__", "the function after `with` lacks its brackets ()"),
    (r"not (builtin_function_or_)?method", "a method without its brackets () is not a tensor"),
    (r"forward\(\) takes .* positional", "a network takes the images alone: does a bracket close too late?"),
    (r"same dtype|unsigned char", "bytes meet weights that are floats"),
    (r"stack expects each tensor to be equal size|Sizes of tensors must match", "the parts have different shapes"),
    (r"non-empty TensorList|expects a non-empty", "there is nothing to join: the list is empty"),
    (r"NoneType.*'append'", "`append` changes its list and returns nothing: do not write `=` before it"),
    (r"'bool' object has no attribute", "`==` compared single numbers, not tensors: are the arguments in order?"),
    (r"only supports floating-point", "bytes do not work here: divide by 255 first"),
    (r"can't allocate memory|MemoryError", "that does not fit into the memory"),
    (r"requested buffer length", "you ask for more than there is"),
    (r"values to unpack", "the number of values differs from the number of names"),
    (r"NoneType", "something returned nothing (None): is a `return` missing?"),
    (r"ZeroDivisionError|division by zero", "there is nothing to divide by: was anything counted?"),
    (r"'list' object has no attribute 'sum'|must be Tensor, not list",
     "a list of tensors is not a tensor: Python's `sum(...)` adds them up, `torch.stack(...)` makes them one tensor"),
    (r"more than one element|only one element tensors", "a single number is needed here"),
    (r"must match the size of tensor|doesn't match the broadcast shape|not broadcastable",
     "these two shapes do not fit together"),
]  # fmt: skip
