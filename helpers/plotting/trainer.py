"""Chapter 4: the training lab's picture, and what `watch` draws, growing curves of the loss and the accuracy."""

import math

from matplotlib.backends.backend_agg import FigureCanvasAgg

from helpers.plotting.colours import BLUE, DPI, RED
from helpers.plotting.style import Figure, drawn, png


@drawn
def curves(history, ghosts=(), num_epochs=None):
    """Training curves: loss on the left, accuracy on the right, against epochs; earlier runs in `ghosts` in grey.

    history, and each ghost: a list of `training.Progress`; num_epochs: the right end of the axes, known in advance.
    """
    figure, growing = _curves_without_history(ghosts, *_ends(history, ghosts, num_epochs))
    _grow(growing, history)
    figure.alt = _curves_alt(history)
    return figure


class LiveCurves:
    """`curves` for a growing history: what does not move is drawn once, so a frame takes a tenth of the time."""

    def __init__(self, ghosts=(), num_epochs=None):
        self.ghosts, self.num_epochs, self._ends = ghosts, num_epochs, None
        self.width = 9 * DPI  # pixels

    @drawn
    def png(self, history):
        """The same bytes as `curves(history, ghosts, num_epochs).png()`."""
        ends = _ends(history, self.ghosts, self.num_epochs)
        if ends != self._ends:
            self._ends = ends
            self._figure, self._growing = _curves_without_history(self.ghosts, *ends)
            self._canvas = FigureCanvasAgg(self._figure)
            for line in self._growing:
                line.set_animated(True)  # left out by draw()
            self._canvas.draw()
            self._still = self._canvas.copy_from_bbox(self._figure.bbox)
        self._canvas.restore_region(self._still)
        _grow(self._growing, history)
        for line in self._growing:
            line.axes.draw_artist(line)
        return png(self._canvas)

    def alt(self, history):
        """The text for screen readers."""
        return _curves_alt(history)


def recent_means(history, epochs=0.1):
    """What the curves show: for each `Progress`, mean loss and share of correct answers over the last `epochs`, a pair.

    The means of a `Progress` itself start again with each epoch, which would show as a cliff that is not the network's
    doing. From a GPU, only each report's `loss` and `train_acc` are read, once.
    """
    pieces, means, start = [], [], 0
    for i, progress in enumerate(history):
        pieces.append(_since(history[i - 1] if i else None, progress))
        while progress.epoch - history[start].epoch > epochs - 1e-6:
            start += 1
        loss, correct, examples = map(sum, zip(*pieces[start:], strict=True))
        means.append((loss / examples, correct / examples))
    return means


def _since(before, after):
    """The sums of losses, correct predictions and examples between two reports."""
    anew = before is None or math.ceil(before.epoch) != math.ceil(after.epoch)  # the sums begin with each epoch
    begins = [0, 0, 0] if anew else _sums(before)
    return [end - begin for end, begin in zip(_sums(after), begins, strict=True)]


def _sums(progress):
    examples = progress.sums[2]
    return progress.loss * examples, progress.train_acc * examples, examples


def _curves_alt(history):
    text = "Training loss and accuracy against epochs"
    if not history:
        return text
    loss, train_acc = recent_means(history)[-1]
    return f"{text}; at the end, epoch {history[-1].epoch:.2f}: loss {loss:.3f}, training accuracy {train_acc:.3f}"


def _ends(history, ghosts, num_epochs):
    """The right end of the axes in epochs, and the upper end of the loss."""
    progress = [progress for run in (history, *ghosts) for progress in run]
    right = num_epochs or math.ceil(max([1, *(p.epoch for p in progress)]))
    # The axis stays where it is while the loss is sane: one run that blew up must not flatten the others.
    highest = max([2.5, *(loss for run in (history, *ghosts) for loss, _ in recent_means(run) if loss < 10)])
    return right, math.ceil(2 * highest) / 2


def _curves_without_history(ghosts, right_end, highest):
    """The figure, and the three lines that will grow in it."""
    figure = Figure(9, 3.4, "")
    # Fixed margins: nothing moves while the curves grow.
    figure.set_layout_engine("none")
    left, right = figure.subplots(
        1, 2, gridspec_kw={"left": 0.06, "right": 0.98, "bottom": 0.18, "top": 0.9, "wspace": 0.16}
    )
    for i, ghost in enumerate(ghosts):
        style = {"color": "#999999", "linewidth": 1.5, "label": "" if i else "earlier runs (validation)"}
        left.plot([p.epoch for p in ghost], [loss for loss, _ in recent_means(ghost)], **style)
        right.plot(*_validation(ghost), **style)
    # Above everything else, including the legend, so that they can be drawn last.
    growing = (
        *left.plot([], [], color=BLUE, zorder=10),
        *right.plot([], [], color=BLUE, zorder=10, label="training"),
        *right.plot([], [], color=RED, zorder=10, marker="o", linestyle="--", label="validation"),
    )
    left.set(xlabel="epoch", title="training loss", xlim=(0, right_end), ylim=(0, highest))
    right.set(xlabel="epoch", title="accuracy", xlim=(0, right_end), ylim=(0, 1))
    right.legend(loc="lower right")
    return figure, growing


def _grow(growing, history):
    loss, train_acc, val_acc = growing
    epochs, means = [p.epoch for p in history], recent_means(history)
    loss.set_data(epochs, [mean for mean, _ in means])
    train_acc.set_data(epochs, [share for _, share in means])
    val_acc.set_data(*_validation(history))


def _validation(history):
    measured = [p for p in history if p.val_acc is not None]
    return [p.epoch for p in measured], [p.val_acc for p in measured]
