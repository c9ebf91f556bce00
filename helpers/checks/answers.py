"""The result of a student's answer: read generously, compared, and described."""

import collections.abc
import math
import numbers

import numpy as np
import torch


class Unreadable(Exception):
    """A value of the wrong kind; the message says which kind it is and which is expected."""


class Yielded(list):
    """The values that a generator yielded."""


def all_dots(value):
    """True if this is `...`, or several of them."""
    if isinstance(value, (list, tuple)):
        return 0 < len(value) <= 20 and all(map(all_dots, value))  # no exercise has more
    return value is ...


def kind(value):
    """Words for the kind of thing that a value is."""
    if value is None:
        return "nothing (None)"
    if value is ...:
        return "dots (...)"
    if torch.is_tensor(value):
        return f"a tensor of the shape {shape(value)}" if value.ndim else "a tensor of one number"
    if isinstance(value, Yielded):
        return f"what `yield` gave, {len(value)} values: write `return` for one answer"
    if isinstance(value, type):
        return f"the class {value.__name__}, not an object of it"
    if isinstance(value, tuple) and hasattr(value, "indices"):
        return f"the values and the indices that `{type(value).__name__}` gives: take .values"
    if isinstance(value, (list, tuple, dict, set)):
        name = {"Yielded": "generator", "Size": "torch.Size"}.get(type(value).__name__, type(value).__name__)
        return f"{_article(name)} {name} with {len(value)} value" + ("s" if len(value) != 1 else "")
    if isinstance(value, str):
        return f"the text {value[:30]!r}"
    if callable(value) and hasattr(value, "__name__"):
        return f"the function {value.__name__}"
    if isinstance(value, torch.nn.Module):
        return f"a network, {type(value).__name__}"
    return f"{_article(type(value).__name__)} {type(value).__name__}"


def _article(name):
    return "an" if name[0].lower() in "aeio" or name == "ndarray" else "a"


def shape(value):
    """A shape as "2×10", or "a single number"."""
    return "×".join(map(str, getattr(value, "shape", value))) or "a single number"


def as_it_is(value):
    """The value unchanged, for an exercise whose `observe` has read it already."""
    return value


def tensor(value):
    """A tensor on the CPU, without a graph; arrays, numbers and lists of numbers or tensors are taken too."""
    if isinstance(value, Yielded):
        raise Unreadable("a tensor is expected: write `return` instead of `yield`")
    try:
        if isinstance(value, (list, tuple)) and value and all(torch.is_tensor(part) and part.ndim for part in value):
            raise Unreadable(f"one tensor is expected, but you return {kind(value)}: join them, as torch.stack does")
        found = torch.as_tensor(value).detach().cpu()
    except (TypeError, ValueError, RuntimeError, OverflowError):
        raise Unreadable(f"a tensor is expected, but you return {kind(value)}") from None
    found = found.to_dense() if found.layout != torch.strided else found
    if found.is_complex():
        raise Unreadable("your numbers are complex: a root of a negative number, or a power of one?")
    return found


def number(value):
    """A float, from a number or from a tensor or an array of one."""
    if isinstance(value, (torch.Tensor, np.ndarray, np.generic)) and math.prod(value.shape) == 1:
        value = value.item()
    if isinstance(value, complex):
        raise Unreadable("your number is complex: a root of a negative number?")
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise Unreadable(f"one number is expected, but you return {kind(value)}")
    try:
        return float(value)
    except OverflowError:
        raise Unreadable("your number is too large for Python to compute with") from None


def whole(value):
    """An int; a float is accepted if it is whole, such as 400.0."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    found = number(value)
    if not math.isfinite(found):
        raise Unreadable(f"a whole number is expected, but you return {found}")
    if not found.is_integer():
        raise Unreadable(f"a whole number is expected, but you return {found:g}: did you write / instead of //?")
    return int(found)


def sequence(count, read, names):
    """A reader of `count` values in a list or the like, each read by `read`; names: "`parameters, multiply_adds`"."""

    def read_all(value):
        row = isinstance(value, (torch.Tensor, np.ndarray)) and value.ndim == 1
        if row or isinstance(value, collections.abc.ValuesView):  # of a dictionary
            value = list(value)
        if not isinstance(value, (list, tuple)) or len(value) != count:
            raise Unreadable(f"{count} values are expected, {names}, but you return {kind(value)}")
        return tuple(map(read, value))

    return read_all


def same(value, other, tolerance=1e-4):
    """True if two answers are equal, within rounding; NaN equals nothing."""
    if isinstance(value, (tuple, list)) and isinstance(other, (tuple, list)):
        return len(value) == len(other) and all(same(a, b, tolerance) for a, b in zip(value, other, strict=True))
    if torch.is_tensor(value) and torch.is_tensor(other):
        return value.shape == other.shape and torch.allclose(
            value.double(), other.double(), rtol=tolerance, atol=tolerance
        )
    if isinstance(value, float) or isinstance(other, float):
        return math.isclose(value, other, rel_tol=tolerance, abs_tol=tolerance / 100)
    return type(value) is type(other) and value == other


def shown(value):
    """A short value as a student would write it; for others, the kind of thing that it is."""
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int):
        return f"{value:,}" if abs(value) < 10**15 else f"a number of {int(math.log10(abs(value))) + 1:,} digits"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.1f}"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(shown, value)) + ")"
    if isinstance(value, list):
        return "[" + ", ".join(map(shown, value)) + "]"
    if torch.is_tensor(value):
        return _rows(value.tolist()) if value.numel() <= 20 else f"<{shape(value)}>"
    leaf = isinstance(value, torch.nn.Module) and not list(value.children()) and value.extra_repr()
    return repr(value) if leaf or isinstance(value, (str, dict)) else kind(value)


def _rows(part):
    """Nested lists of numbers as short as they can be: [[3, 0.25], [1, 2]]."""
    if isinstance(part, list):
        return "[" + ", ".join(map(_rows, part)) + "]"
    return f"{part:.4g}" if isinstance(part, float) else str(part)


def difference(value, expected):
    """Words for how an answer differs from the expected one."""
    if torch.is_tensor(value) and torch.is_tensor(expected):
        if not value.ndim and expected.ndim:
            return f"your answer is a single number, expected the shape {shape(expected)}"
        if value.shape != expected.shape:
            return f"your answer has the shape {shape(value)}, expected {shape(expected)}"
        if not value.isfinite().all():
            place = tuple((~value.isfinite()).nonzero()[0].tolist())
            return f"your answer holds {value[place].item()}, which is not a number to compute with, at {shown(place)}"
        if expected.numel() > 20:
            far = (value.double() - expected.double()).abs() > 1e-4 + 1e-4 * expected.double().abs()
            place = tuple(far.nonzero()[0].tolist())
            yours, ours = (f"{float(one[place]):.6g}" for one in (value, expected))
            return (
                f"your answer differs in {int(far.sum())} of {expected.numel()} numbers: at {shown(place)} you have "
                f"{yours}, expected {ours}"
            )
    yours, ours = shown(value), shown(expected)
    if yours == ours and isinstance(value, float) and isinstance(expected, float):
        yours, ours = f"{value:.7g}", f"{expected:.7g}"
    return f"you get {yours}, expected {ours}"
