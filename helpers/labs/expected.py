"""The accuracy curve that a student expects: drawn before a run, and compared with it afterwards (chapter 4)."""

import math
import re

import numpy as np
import traitlets as t

from helpers.labs.board import BoardError
from helpers.labs.settings import Setting
from helpers.labs.typed import readings

NEAR = 0.03  # three standard errors of an accuracy on 1,000 images
WORDS = "no one two three four five six seven eight nine ten eleven twelve".split()


def handles(epochs):
    """The epochs at which a guess has a handle: the first, the middle and the last, without repeats."""
    return sorted({1, (epochs + 1) // 2, epochs})


def written(accuracies):
    """Accuracies as one word of a board line: "0.7/0.8/0.85"; "none" if there are none."""
    return "/".join(f"{accuracy:g}" for accuracy in accuracies) or "none"


def read(name, said, decimals=2):
    """The accuracies in a word of a board line, a tuple of at most three. Raises BoardError."""
    if said.lower() == "none":
        return ()
    parts = said.split("/")
    if len(parts) > 3:
        raise BoardError(f"{name} has {len(parts)} numbers: give at most 3, for the first, a middle and the last epoch")
    accuracies = []
    for part in parts:
        meant = readings(part.strip())[:1]
        if not meant:
            raise BoardError(
                f"{name}={said[:40]} is not possible: “{part[:20]}” is not one number. Write accuracies with / between "
                f"them, such as {name}=0.7/0.8/0.85"
            )
        if not 0 <= meant[0] <= 1:
            raise BoardError(f"{name}={said[:40]} is not possible: an accuracy is between 0 and 1, {part[:20]} is not")
        accuracies.append(round(meant[0], decimals))
    return tuple(accuracies)


class Expected(Setting):
    """The accuracies that a student expects at the `handles` of a run; () without a guess. It is set in the picture."""

    value = t.Tuple()

    def __init__(self):
        super().__init__(description="expected", shown=False)

    @t.validate("value")
    def _cut(self, proposal):
        return tuple(round(min(max(float(accuracy), 0), 1), 2) for accuracy in proposal.value[:3])

    def heard(self, said):
        """A tuple of accuracies."""
        return tuple(said)

    def word(self):
        """The guess as `written` has it."""
        return written(self.value)

    def meaning(self, name, said):
        """The guess that `read` finds."""
        return read(name, said)


def stretched(accuracies, before, epochs):
    """A curve drawn for a run of `before` epochs, stretched to a run of `epochs`: its accuracies at the new handles."""
    if not accuracies or before == epochs:
        return accuracies
    return tuple(np.interp(handles(epochs), handles(before), accuracies).round(2).tolist())


def without(line):
    """A board line with the settings of a training only: without the guess, and the moment that is looked back at."""
    return re.sub(r" (expected|moment)=\S+", "", line)


def measured(curve):
    """The validation accuracies of a run, {epoch: accuracy}; curve: rows as `runs.points` returns them."""
    return {round(epoch): accuracy for epoch, _, _, accuracy in curve if accuracy is not None}


def off(expected, reached):
    """The mean distance of a guess from the accuracies that a run reached; both are lists."""
    return sum(abs(one - other) for one, other in zip(expected, reached, strict=True)) / len(expected)


def gap(expected, curve):
    """A sentence or two on how far a guess is from a run; "" without a guess or without a run.

    expected: [(epoch, accuracy), ...]; curve: rows (epoch, loss, training accuracy, validation accuracy or None).
    """
    if not expected or not curve:
        return ""
    found = measured(curve)
    compared = [(epoch, accuracy, found[epoch]) for epoch, accuracy in expected if epoch in found]
    words = [_furthest(compared, found)] if compared else []
    if len(compared) > 1 and not words[0].startswith("Nearly"):
        mean = off(*zip(*[(accuracy, reached) for _, accuracy, reached in compared], strict=True))
        words.append(f"On average you were {mean:.2f} off.")
    if len(compared) < len(expected):
        epoch, accuracy = expected[len(compared)]
        how = "was stopped" if math.isfinite(curve[-1][1]) else "diverged"
        words.append(f"You expected {accuracy:.2f} after {_epochs(epoch)}; the run {how} before that.")
    return " ".join(words)


def _furthest(compared, found):
    """Says where the guess is furthest off, and when the run reached the accuracy that was expected."""
    epoch, accuracy, reached = max(compared, key=lambda place: abs(place[1] - place[2]))
    distance = abs(accuracy - reached)
    if distance <= NEAR + 1e-9:
        return f"Nearly right: {'at most ' if len(compared) > 1 else ''}{distance:.2f} off."
    said = f"You expected {accuracy:.2f} after {_epochs(epoch)}"
    took = min((other for other, value in found.items() if value >= accuracy), default=None)
    if reached < accuracy:
        # The run may have reached it earlier, and fallen since.
        if took is None:
            return f"{said}; the run never got there: its best was {max(found.values()):.2f}."
        return f"{said}; it took {_count(took)}." if took > epoch else f"{said}; it was back at {reached:.2f}."
    if took < epoch:
        return f"{said}; it took only {_count(took)}, and was at {reached:.2f} by then."
    return f"{said}; it was at {reached:.2f} already."


def _count(number):
    return WORDS[number] if number < len(WORDS) else str(number)


def _epochs(number):
    return f"{_count(number)} epoch{'' if number == 1 else 's'}"


def in_words(accuracies, epochs):
    """A guess in words: "0.70 after one epoch, 0.80 after three"."""
    at = [_epochs(epochs[0]), *map(_count, epochs[1:])]
    return ", ".join(f"{accuracy:.2f} after {words}" for accuracy, words in zip(accuracies, at, strict=True))
