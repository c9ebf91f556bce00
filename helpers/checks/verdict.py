"""What a check answers."""

from dataclasses import dataclass

MARKS = {True: "✅", False: "❌", None: "✏️"}


@dataclass(frozen=True)
class Verdict:
    """The answer to an exercise's attempt, shown as one line; only a right attempt counts as true.

    right: True, False with the mistake named in `message`, or None where nothing has been tried yet.
    """

    right: bool | None
    message: str

    def __bool__(self):
        return self.right is True

    def __repr__(self):
        return f"{MARKS[self.right]} {self.message}"


NOT_YET = Verdict(None, "Not done yet: replace the dots (...) with your answer, then run the cell again.")


def wrong(message):
    """A wrong answer, with the mistake named."""
    return Verdict(False, message)
