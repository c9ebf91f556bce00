"""`predict_place`: mark cells of a small grid, then see which ones were right."""

import torch
import traitlets as t

from helpers.labs.cells import this_cell
from helpers.labs.living import alone
from helpers.labs.question import Choices, Guess


def predict_place(question, rows, columns):
    """A question whose answer is a set of pixels, with a grid on which to mark them by hand or by arrow keys.

    Chapter 2. rows, columns: the size of the grid, at most 32. `guess.answer(cells)` follows the rules of `predict`; a
    guess is made when the button below the grid is pressed.
    """
    return this_cell().once(Place, question, rows, columns)


class Grid(Choices):
    """The grid: `marked` and `right` are lists of [row, column]."""

    _esm = alone("question_place.js", "makePlace")
    rows, columns = t.Int().tag(sync=True), t.Int().tag(sync=True)
    marked = t.List().tag(sync=True, echo_update=False)


class Place(Guess):
    """What `predict_place` returns; `chosen` is a set of (row, column), or None."""

    def __init__(self, question, rows, columns):
        self.size = rows, columns
        self.options = [f"a grid of {rows} rows and {columns} columns"]
        super().__init__(question, Grid(rows=rows, columns=columns))

    @property
    def chosen(self):
        """The cells that were marked, or None."""
        return {tuple(cell) for cell in self.choices.marked} if self.choices.is_noted else None

    def answer(self, right, reason="", *shown):
        """As `Prediction.answer`; right: (rows, columns), True or nonzero for each cell that belongs to the answer.

        Raises ValueError for a different size.
        """
        right = torch.as_tensor(right) != 0
        if right.shape != self.size:
            got = "×".join(map(str, right.shape))
            raise ValueError(f"the answer has {got} cells, but the grid has {self.size[0]}×{self.size[1]}")
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
        """A mark, and a sentence on how the marked cells differ from the answer."""
        if self.chosen == right:
            return "✅", ""
        missed, wrong = len(right - self.chosen), len(self.chosen - right)
        said = [f"missed {missed} of its {len(right)}"] if missed else []
        said += [f"marked {wrong} that {'does' if wrong == 1 else 'do'} not belong to it"] if wrong else []
        return "❌", f"You {' and '.join(said)}."
