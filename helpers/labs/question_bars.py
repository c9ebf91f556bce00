"""`predict_bars`: guess some numbers by dragging bars, then see the measured ones beside them."""

import traitlets as t

from helpers.labs.cells import this_cell
from helpers.labs.living import alone
from helpers.labs.question import Choices, Guess

NEAR = 0.05  # of the axis: a guess this close is nearly right


def predict_bars(question, names, span=(0, 1)):
    """A question whose answer is a number for each of `names`, with bars to drag or to move by arrow keys.

    Chapter 5. names: texts; span: the lowest and the highest number on the axis. `guess.answer(numbers)`
    follows the rules of `predict`; a guess is made when the button below the bars is pressed.
    """
    return this_cell().once(Bars, question, tuple(names), tuple(span))


class BarsInHand(Choices):
    """The bars, with a number for each name."""

    _esm = alone("question_bars.js", "makeBars")
    names, span = t.List().tag(sync=True), t.List().tag(sync=True)
    values = t.List().tag(sync=True, echo_update=False)


class Bars(Guess):
    """What `predict_bars` returns; `chosen` is a tuple of numbers, or None."""

    def __init__(self, question, names, span):
        self.names, self.span = names, span
        self.options = [f"a number from {span[0]:g} to {span[1]:g} for each of: {', '.join(names)}"]
        super().__init__(question, BarsInHand(names=list(names), span=list(span), values=[span[0]] * len(names)))

    @property
    def chosen(self):
        """The numbers that were guessed, or None."""
        return tuple(self.choices.values) if self.choices.is_noted else None

    def answer(self, right, reason="", *shown):
        """As `Prediction.answer`; right: the measured numbers, one per name. Raises ValueError for any other number."""
        right = tuple(float(number) for number in right)
        if len(right) != len(self.names):
            raise ValueError(f"there are {len(right)} numbers for {len(self.names)} bars, {', '.join(self.names)}")
        self._show_answer(right, reason, shown)

    def _verdict(self, right, reason):
        self.choices.right = list(right)
        return super()._verdict(right, reason)

    def _words(self, value):
        return ", ".join(f"{name} {number:.2f}" for name, number in zip(self.names, value, strict=True))

    def _verdict_on(self, right):
        """A mark, and a sentence on how far off the bars are."""
        gaps = [abs(one - other) for one, other in zip(self.chosen, right, strict=True)]
        most = max(gaps)
        if most <= NEAR * (self.span[1] - self.span[0]):
            return "✅", f"Nearly right: at most {most:.2f} off."
        i = gaps.index(most)
        said = f"You are furthest off for {self.names[i]}: {self.chosen[i]:.2f} instead of {right[i]:.2f}."
        return "", f"{said} On average {sum(gaps) / len(gaps):.2f} off." if len(gaps) > 1 else said
