"""`predict_place`: mark the cells of a small grid, then see which ones it was."""

import anywidget
import torch
import traitlets as t

from helpers.labs.living import CSS, alone
from helpers.labs.question import Guess, asked


def predict_place(question, rows, columns):
    """A question whose answer is a set of pixels: a grid on which a hand, or the arrow keys, marks them.

    rows, columns: the size of the grid, at most 32. `guess.answer(cells)` follows the rules of `predict`; a guess is
    made when the button below the grid is pressed.
    """
    return asked(Place, question, rows, columns)


class Grid(anywidget.AnyWidget):
    """The grid: `marked` and `right` are lists of [row, column], the second only once it may be seen."""

    _esm, _css = alone("question_place.js", "makePlace"), CSS
    rows, columns = t.Int().tag(sync=True), t.Int().tag(sync=True)
    marked, right = t.List().tag(sync=True, echo_update=False), t.List().tag(sync=True)
    is_noted, disabled = t.Bool(False).tag(sync=True, echo_update=False), t.Bool(False).tag(sync=True)


class Place(Guess):
    """What `predict_place` returns; `chosen` is a set of (row, column), or None."""

    def __init__(self, question, rows, columns):
        self.size = rows, columns
        self.options = [f"a grid of {rows} rows and {columns} columns"]
        super().__init__(question, Grid(rows=rows, columns=columns))
        self.choices.observe(lambda change: self._note(), ["is_noted"])

    @property
    def chosen(self):
        """The cells that were marked, or None."""
        return {tuple(cell) for cell in self.choices.marked} if self.choices.is_noted else None

    def answer(self, right, reason="", *shown):
        """As `Prediction.answer`; right: (rows, columns), true or not 0 where a cell belongs to the answer.

        Raises ValueError for another size.
        """
        right = torch.as_tensor(right) != 0
        if right.shape != self.size:
            got = "×".join(map(str, right.shape))
            raise ValueError(f"the answer has {got} cells, and the grid {self.size[0]}×{self.size[1]}")
        self._show_answer({tuple(cell) for cell in right.nonzero().tolist()}, reason, shown)

    def _verdict(self, right, reason):
        self.choices.right = [list(cell) for cell in sorted(right)]
        return super()._verdict(right, reason)

    def _words(self, value):
        count = "1 pixel" if len(value) == 1 else f"{len(value)} pixels"
        if not value:
            return "no pixel"
        (top, bottom), (left, last) = [(min(places), max(places)) for places in zip(*value, strict=True)]
        high, wide = bottom - top + 1, last - left + 1
        if len(value) < high * wide:
            return count
        return f"{high}×{wide} pixels, from row {top} and column {left}" if len(value) > 1 else count

    def _verdict_on(self, right):
        """How the marks differ from the answer, in words."""
        if self.chosen == right:
            return "✅", ""
        missed, wrong = len(right - self.chosen), len(self.chosen - right)
        said = [f"missed {missed} of its {len(right)}"] if missed else []
        said += [f"marked {wrong} that {'does' if wrong == 1 else 'do'} not belong"] if wrong else []
        return "❌", f"You {' and '.join(said)}."
