"""The verdict of a check: ✅, ❌ with the mistake named, or ✏️ for an exercise that has not been done yet."""

from dataclasses import dataclass

from helpers.sentences import VERDICT, in_html

MARKS = {True: "✅", False: "❌", None: "✏️"}


@dataclass(frozen=True)
class Verdict:
    """The verdict on an attempt at an exercise, shown in words; only that on a right attempt counts as true.

    right: True, False with the mistake named in `message`, or None if nothing has been tried yet.
    """

    right: bool | None
    message: str

    def __bool__(self):
        return self.right is True

    def __repr__(self):
        return f"{MARKS[self.right]} {self.message}"

    def _repr_html_(self):
        return in_html(repr(self), VERDICT)


def right(words):
    """A right answer."""
    return Verdict(True, capital(words))


def wrong(words):
    """A wrong answer, with the mistake named."""
    return Verdict(False, capital(words))


def not_yet(words):
    """Not tried yet: the exercise's dots, or its faulty lines, are still there."""
    return Verdict(None, capital(words))


def capital(words):
    """The same words, beginning with a capital letter unless they begin with code."""
    return words[:1].upper() + words[1:] if words.partition(" ")[0].rstrip(",:;").isalpha() else words


NOT_YET = not_yet("Not done yet: replace the dots (...) with your answer, then run the cell again.")
