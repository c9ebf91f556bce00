"""`predict_bars`: guess some numbers by dragging bars, then see the measured ones beside them."""

import anywidget
import traitlets as t

from helpers.labs.living import CSS, alone
from helpers.labs.question import Guess, asked

NEAR = 0.05  # of the axis: a guess within it is nearly right


def predict_bars(question, names, span=(0, 1)):
    """A question whose answer is a number for each of `names`: bars that a hand drags, or moves by arrow keys.

    names: texts; span: the lowest and the highest number on the axis. `guess.answer(numbers)` follows the rules of
    `predict`; a guess is made when the button below the bars is pressed.
    """
    return asked(Bars, question, tuple(names), tuple(span))


class BarsInHand(anywidget.AnyWidget):
    """The bars; `right` are the measured numbers, once they may be seen."""

    _esm, _css = alone("question_bars.js", "makeBars"), CSS
    names, span = t.List().tag(sync=True), t.List().tag(sync=True)
    values, right = t.List().tag(sync=True, echo_update=False), t.List().tag(sync=True)
    is_noted, disabled = t.Bool(False).tag(sync=True, echo_update=False), t.Bool(False).tag(sync=True)


class Bars(Guess):
    """What `predict_bars` returns; `chosen` is a tuple of numbers, or None."""

    def __init__(self, question, names, span):
        self.names, self.span = names, span
        self.options = [f"a number from {span[0]:g} to {span[1]:g} for each of: {', '.join(names)}"]
        super().__init__(question, BarsInHand(names=list(names), span=list(span), values=[span[0]] * len(names)))
        self.choices.observe(lambda change: self._note(), ["is_noted"])

    @property
    def chosen(self):
        """The numbers that were guessed, or None."""
        return tuple(self.choices.values) if self.choices.is_noted else None

    def answer(self, right, reason="", *shown):
        """As `Prediction.answer`; right: the measured numbers, one for each name. Raises ValueError for others."""
        right = tuple(float(number) for number in right)
        if len(right) != len(self.names):
            raise ValueError(f"{len(right)} numbers for {len(self.names)} bars, {', '.join(self.names)}")
        self._show_answer(right, reason, shown)

    def _verdict(self, right, reason):
        self.choices.right = list(right)
        return super()._verdict(right, reason)

    def _words(self, value):
        return ", ".join(f"{name} {number:.2f}" for name, number in zip(self.names, value, strict=True))

    def _verdict_on(self, right):
        """How far off the bars are, in words."""
        gaps = [abs(one - other) for one, other in zip(self.chosen, right, strict=True)]
        most = max(gaps)
        if most <= NEAR * (self.span[1] - self.span[0]):
            return "✅", f"Nearly right: at most {most:.2f} off."
        i = gaps.index(most)
        said = f"You are furthest off for {self.names[i]}: {self.chosen[i]:.2f}, and it is {right[i]:.2f}."
        return "", f"{said} On average {sum(gaps) / len(gaps):.2f} off." if len(gaps) > 1 else said
