"""Curves, bars and counts."""

import itertools
import math
import statistics

import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.ticker import NullLocator

from helpers.plotting.style import BLUE, DPI, ORANGE, RED, TYPE, Figure, drawn, png


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
    """`curves` for a history that grows: what stands still is drawn once, so that a frame costs a tenth."""

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


def _curves_alt(history):
    return "Training loss and accuracy against epochs" + (f"; at the end: {history[-1]}" if history else "")


def _ends(history, ghosts, num_epochs):
    """The right end of the axes in epochs, and the upper end of the loss."""
    progress = [progress for run in (history, *ghosts) for progress in run]
    right = num_epochs or math.ceil(max([1, *(p.epoch for p in progress)]))
    # The axis stays where it is while the loss is sane; one run that blew up must not flatten the others.
    highest = max([2.5, *(p.loss for p in progress if p.loss < 10)])
    return right, math.ceil(2 * highest) / 2


def _curves_without_history(ghosts, right_end, highest):
    """The figure and the three lines that are to grow in it."""
    figure = Figure(9, 3.4, "")
    # Fixed margins: nothing moves while the curves grow.
    figure.set_layout_engine("none")
    left, right = figure.subplots(
        1, 2, gridspec_kw={"left": 0.06, "right": 0.98, "bottom": 0.18, "top": 0.9, "wspace": 0.16}
    )
    for i, ghost in enumerate(ghosts):
        style = {"color": "#999999", "linewidth": 1.5, "label": "" if i else "earlier runs (validation)"}
        left.plot([p.epoch for p in ghost], [p.loss for p in ghost], **style)
        right.plot(*_validation(ghost), **style)
    # Above all else, also the legend: so they can be drawn last.
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
    epochs = [p.epoch for p in history]
    loss.set_data(epochs, [p.loss for p in history])
    train_acc.set_data(epochs, [p.train_acc for p in history])
    val_acc.set_data(*_validation(history))


def _validation(history):
    measured = [p for p in history if p.val_acc is not None]
    return [p.epoch for p in measured], [p.val_acc for p in measured]


@drawn
def scatter(x, y, xlabel, ylabel):
    """Points, and the mean of those with the same x; on a logarithmic axis where x spans more than a factor of 20."""
    figure = Figure(9, 3.8, f"{len(x)} points: {ylabel} against {xlabel}")
    figure.set_layout_engine("none")
    ax = figure.add_axes((0.09, 0.17, 0.88, 0.76))
    ax.plot(x, y, "o", color=BLUE, alpha=0.5, markersize=9)
    places = sorted(set(x))
    means = [statistics.fmean(b for a, b in zip(x, y, strict=True) if a == place) for place in places]
    ax.plot(places, means, color=ORANGE, marker="D", label="mean")
    if places and places[-1] > 20 * places[0] > 0:
        ax.set_xscale("log")
        ax.set_xticks(places if len(places) <= 10 else places[:: len(places) // 8], minor=False)
        ax.xaxis.set_major_formatter("{x:g}")
        ax.xaxis.set_minor_locator(NullLocator())
    ax.set(xlabel=xlabel, ylabel=ylabel, ylim=(0, 1))
    ax.legend()
    return figure


@drawn
def lines(x, series, xlabel, ylabel, ylim=None, title=""):
    """Several lines over the same x; series: {label: values}."""
    figure = Figure(9, 3.8, f"{ylabel} against {xlabel} for " + ", ".join(series))
    ax = figure.subplots()
    for (label, values), marker in zip(series.items(), itertools.cycle("osD^vP"), strict=False):
        ax.plot(x, torch.as_tensor(values).detach().cpu().numpy(), marker=marker, label=label)
    ax.set(xlabel=xlabel, ylabel=ylabel, ylim=ylim, title=title)
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


@drawn
def histogram(values, xlabel="value", ylabel="count", title=""):
    """How often each value occurs; values: any tensor of numbers."""
    figure = Figure(9, 3.2, f"Histogram of {xlabel}. {title}")
    ax = figure.subplots()
    ax.hist(torch.as_tensor(values).detach().cpu().flatten().float().numpy(), bins=32, color=BLUE)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    ax.yaxis.set_major_formatter("{x:,.0f}")
    return figure


@drawn
def bars(values, labels, xlabel="", title="", limit=None):
    """Horizontal bars with their numbers; values: one number a label; limit: the right end of the axis."""
    values = [float(value) for value in values]
    numbers = [f"{value:,.0f}" if value >= 100 else f"{value:.3g}" for value in values]
    said = ", ".join(f"{label} {number}" for label, number in zip(labels, numbers, strict=True))
    figure = Figure(9, 0.38 * len(values) + 0.9, f"Bars of {xlabel or title}: {said}")
    ax = figure.subplots()
    drawn = ax.barh(list(labels), values, color=BLUE)
    ax.bar_label(drawn, numbers, padding=4, **TYPE)
    ax.invert_yaxis()
    ax.set(xlabel=xlabel, title=title, xlim=(0, limit or 1.12 * max(values)))
    ax.xaxis.set_major_formatter("{x:,.6g}")
    ax.grid(visible=False, axis="y")
    return figure


@drawn
def confusion_matrix(counts, class_names):
    """True classes in rows, predicted classes in columns; counts: (classes, classes) integers."""
    figure = Figure(8.5, 7, "Confusion matrix: true class in rows, predicted class in columns")
    ax = figure.subplots()
    # A mistake would vanish beside the thousand right answers: colour by the share of the row, and its root.
    share = counts / counts.sum(dim=1, keepdim=True).clamp(min=1)
    ax.imshow(share.sqrt().cpu().numpy(), cmap="Blues", vmin=0, vmax=1)
    for row in range(len(counts)):
        for column in range(len(counts)):
            colour = "white" if share[row, column] > 0.4 else "black"
            ax.text(
                column,
                row,
                f"{int(counts[row, column])}",
                ha="center",
                va="center",
                color=colour,
                fontsize=12,
            )
    places = range(len(class_names))
    ax.set_xticks(places, class_names, rotation=40, ha="right")
    ax.set_yticks(places, class_names)
    ax.set(xlabel="predicted", ylabel="true")
    ax.grid(False)
    return figure
