"""Pictures: functions from a state to a Matplotlib figure. No widgets, no training, no pyplot.

All share one style (large type for the back row) and one palette, Okabe and Ito's, which colour-blind readers can
tell apart (jfly.uni-koeln.de/color).
"""

import base64
import functools
import html
import io
import itertools
import math
import threading

import matplotlib
import matplotlib.figure
import torch
from IPython.display import HTML, display
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import Rectangle

BLUE, ORANGE, GREEN, RED, PURPLE, SKY, GREY = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#666666",
)
COLOURS = [BLUE, ORANGE, GREEN, RED, PURPLE, SKY]
STYLE = {
    "font.size": 13,
    "axes.titlesize": 14,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.prop_cycle": matplotlib.cycler(color=COLOURS),
    "grid.color": "#dddddd",
    "lines.linewidth": 2.5,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "image.interpolation": "nearest",
}
DPI = 100  # a figure of 9 inches is 900 pixels wide on the page
# Matplotlib's settings belong to the whole process: one thread draws at a time.
_drawing = threading.RLock()


class Figure(matplotlib.figure.Figure):
    """A Matplotlib figure that needs no pyplot to show itself in a notebook; `alt` is its text for screen readers."""

    def __init__(self, width, height, alt):
        super().__init__(figsize=(width, height), dpi=DPI, layout="constrained")
        self.alt = alt

    def png(self, scale=1):
        """The picture as PNG bytes, `scale` times 100 dots per inch."""
        buffer = io.BytesIO()
        with _drawing, matplotlib.rc_context(STYLE):
            self.set_dpi(scale * DPI)
            # Not savefig, which draws everything twice.
            FigureCanvasAgg(self).print_png(buffer, pil_kwargs={"compress_level": 1})
        return buffer.getvalue()

    def _ipython_display_(self):
        # Whoever imports pyplot, as d2l does, makes IPython send every figure as a PNG too: this is asked first.
        display(HTML(self._repr_html_()))

    def _repr_html_(self):
        # JupyterLab shows an image/png output without any alternative text, so this is an <img> of its own.
        # Twice the dots: sharp on a projector and on a zoomed page.
        data = base64.b64encode(self.png(scale=2)).decode()
        width = round(self.get_figwidth() * DPI)
        style = f"width:{width}px;max-width:100%"
        return f'<img alt="{html.escape(self.alt)}" style="{style}" src="data:image/png;base64,{data}">'


def _drawn(function):
    """Draw in the course's style, one thread at a time."""

    @functools.wraps(function)
    def draw(*args, **kwargs):
        with _drawing, matplotlib.rc_context(STYLE):
            return function(*args, **kwargs)

    return draw


def _show(ax, image, signed=False, limits=None, colours=None):
    """One image on `ax`: (height, width), in grey or, signed, in red and blue; (3, height, width) in colour."""
    image = torch.as_tensor(image).detach().cpu()
    white = 255 if image.dtype == torch.uint8 else None  # bytes have a scale of their own
    image = image.float()
    if image.ndim == 3 and len(image) == 1:
        image = image[0]
    if image.ndim == 3:
        ax.imshow(image.movedim(0, -1).numpy() / (white or 1))
    elif signed:
        limit = (max(map(abs, limits)) if limits else float(image.abs().max())) or 1.0
        ax.imshow(image.numpy(), cmap="RdBu_r", vmin=-limit, vmax=limit)
    else:
        low, high = limits or ((0, white) if white else (None, None))
        ax.imshow(image.numpy(), cmap=colours or "gray", vmin=low, vmax=high)
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    for spine in ax.spines.values():
        spine.set_visible(True)
        spine.set_color("#bbbbbb")


def _rows(count, columns):
    """Rows and columns of a grid for `count` pictures, at least one, in at most `columns` columns."""
    if not count:
        raise ValueError("there are no images to show: the selection is empty")
    columns = min(columns, count)
    return math.ceil(count / columns), columns


def _grid(figure, count, columns):
    """`count` axes in rows of `columns`; what is over in the last row stays empty."""
    axes = figure.subplots(math.ceil(count / columns), columns, squeeze=False).flatten()
    for ax in axes[count:]:
        ax.set_axis_off()
    return axes[:count]


def _write_numbers(ax, matrix, size):
    """Each number of a small matrix in its cell, dark on light and light on dark."""
    matrix = torch.as_tensor(matrix).detach().cpu().float()
    norm, cmap = ax.images[0].norm, ax.images[0].cmap
    for (row, column), value in zip(
        torch.cartesian_prod(*map(torch.arange, matrix.shape)), matrix.flatten(), strict=True
    ):
        red, green, blue, _ = cmap(norm(float(value)))
        light = 0.3 * red + 0.59 * green + 0.11 * blue > 0.5
        colour = "black" if light else "white"
        ax.text(
            int(column),
            int(row),
            f"{float(value):.3g}",
            ha="center",
            va="center",
            fontsize=size,
            color=colour,
        )


@_drawn
def images(images, titles=None, columns=10, signed=False, limits=None, alt=None):
    """Images in a grid.

    images: (N, height, width), (N, 1, height, width) or, in colour, (N, 3, height, width), bytes or floats;
    titles: N texts; signed: red for positive, blue for negative, white for zero, on one scale for all; limits: the
    values that are black and white, else bytes reach from 0 to 255 and each image of floats has a scale of its own;
    alt: text for screen readers, the titles where None.
    """
    rows, columns = _rows(len(images), columns)
    size = min(9 / columns, 2.4)  # inches; one image alone should not fill the page
    alt = alt or f"{len(images)} images in a grid" + (": " + ", ".join(map(str, titles)) if titles else "")
    figure = Figure(columns * size, rows * (size + (0.32 if titles else 0.05)), alt)
    if signed:
        limit = max(float(torch.as_tensor(image).detach().abs().max()) for image in images)
        limits = (-limit, limit)
    for i, (ax, image) in enumerate(zip(_grid(figure, len(images), columns), images, strict=True)):
        _show(ax, image, signed, limits)
        if titles:
            ax.set_title(str(titles[i]), loc="center", fontsize=min(13, 11 * size), pad=3)
    return figure


@_drawn
def feature_maps(maps, title="", columns=8):
    """The channels of one layer's output, each on its own scale, dark for low values and bright for high.

    maps: (channels, height, width)
    """
    if torch.as_tensor(maps[0]).ndim != 2:
        raise ValueError("maps must be those of one image, (channels, height, width): take the first with maps[0]")
    rows, columns = _rows(len(maps), columns)
    size = min(9 / columns, 1.8)
    width = max(columns * size, 0.12 * len(title))
    figure = Figure(width, rows * (size + 0.25) + 0.4, f"{len(maps)} feature maps. {title}")
    figure.suptitle(title, fontsize=14)
    for i, (ax, feature_map) in enumerate(zip(_grid(figure, len(maps), columns), maps, strict=True)):
        _show(ax, feature_map, colours="viridis")
        ax.set_title(str(i), loc="center", fontsize=11, pad=2)
    return figure


@_drawn
def matrices(arrays, titles, signed=True, alt=None):
    """Small matrices side by side with their numbers written in the cells; arrays: a list of (rows, columns)."""
    gap, head = 0.4, 0.45  # inches between the matrices, and for their titles
    columns, rows = [len(array[0]) for array in arrays], max(len(array) for array in arrays)
    cell = min(0.72, 4.8 / rows, (9 - gap * len(arrays)) / sum(columns))
    slots = [max(count * cell, 0.11 * len(title)) for count, title in zip(columns, titles, strict=True)]
    width, height = sum(slots) + gap * len(arrays), rows * cell + head + 0.1
    figure = Figure(width, height, alt or "Matrices with their numbers: " + ", ".join(titles))
    figure.set_layout_engine("none")
    left = gap / 2
    for array, title, slot in zip(arrays, titles, slots, strict=True):
        wide, high = len(array[0]) * cell, len(array) * cell
        ax = figure.add_axes((left / width, 1 - (head + high) / height, wide / width, high / height))
        left += slot + gap
        _show(ax, array, signed=signed)
        _write_numbers(ax, array, size=min(14, 21 * cell))
        ax.set_title(title, fontsize=13)
    return figure


@_drawn
def curves(history, ghosts=(), num_epochs=None):
    """Training curves: loss on the left, accuracy on the right, against epochs; earlier runs in `ghosts` in grey.

    history, and each ghost: a list of `training.Progress`; num_epochs: the right end of the axes, known in advance.
    """
    alt = "Training loss and accuracy against epochs"
    if history:
        alt += f"; at the end: {history[-1]}"
    figure = Figure(9, 3.6, alt)
    # Fixed margins: nothing moves while the curves grow, and a frame costs half of what a fitted layout costs.
    figure.set_layout_engine("none")
    left, right = figure.subplots(
        1, 2, gridspec_kw={"left": 0.06, "right": 0.98, "bottom": 0.17, "top": 0.9, "wspace": 0.16}
    )
    for ghost in ghosts:
        epochs = [progress.epoch for progress in ghost]
        left.plot(epochs, [progress.loss for progress in ghost], color="#bbbbbb", linewidth=1.5)
        right.plot(*_validation(ghost), color="#bbbbbb", linewidth=1.5)
    epochs = [progress.epoch for progress in history]
    left.plot(epochs, [progress.loss for progress in history], color=BLUE)
    right.plot(epochs, [progress.train_acc for progress in history], color=BLUE, label="training")
    right.plot(*_validation(history), color=RED, marker="o", linestyle="--", label="validation")
    # The axis stays where it is while the loss is sane; one run that blew up must not flatten the others.
    highest = max([2.5, *(progress.loss for run in (history, *ghosts) for progress in run if progress.loss < 10)])
    left.set(xlabel="epoch", title="training loss", xlim=(0, num_epochs), ylim=(0, highest))
    right.set(xlabel="epoch", title="accuracy", xlim=(0, num_epochs), ylim=(0, 1))
    right.legend(loc="lower right")
    return figure


def _validation(history):
    measured = [progress for progress in history if progress.val_acc is not None]
    return [progress.epoch for progress in measured], [progress.val_acc for progress in measured]


@_drawn
def lines(x, series, xlabel, ylabel, ylim=None, title=""):
    """Several lines over the same x; series: {label: values}."""
    figure = Figure(9, 3.8, f"{ylabel} against {xlabel} for " + ", ".join(series))
    ax = figure.subplots()
    for (label, values), marker in zip(series.items(), itertools.cycle("osD^vP"), strict=False):
        ax.plot(x, torch.as_tensor(values).detach().cpu().numpy(), marker=marker, label=label)
    ax.set(xlabel=xlabel, ylabel=ylabel, ylim=ylim, title=title)
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


@_drawn
def histogram(values, xlabel="value", ylabel="count", title=""):
    """How often each value occurs; values: any tensor of numbers."""
    figure = Figure(9, 3.2, f"Histogram of {xlabel}. {title}")
    ax = figure.subplots()
    ax.hist(torch.as_tensor(values).detach().cpu().flatten().float().numpy(), bins=32, color=BLUE)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    ax.yaxis.set_major_formatter("{x:,.0f}")
    return figure


@_drawn
def bars(values, labels, xlabel="", title="", limit=None):
    """Horizontal bars with their numbers; values: one number a label; limit: the right end of the axis."""
    values = [float(value) for value in values]
    numbers = [f"{value:,.0f}" if value >= 100 else f"{value:.3g}" for value in values]
    said = ", ".join(f"{label} {number}" for label, number in zip(labels, numbers, strict=True))
    figure = Figure(9, 0.38 * len(values) + 0.9, f"Bars of {xlabel or title}: {said}")
    ax = figure.subplots()
    drawn = ax.barh(list(labels), values, color=BLUE)
    ax.bar_label(drawn, numbers, padding=4)
    ax.invert_yaxis()
    ax.set(xlabel=xlabel, title=title, xlim=(0, limit or 1.12 * max(values)))
    ax.xaxis.set_major_formatter("{x:,.6g}")
    ax.grid(visible=False, axis="y")
    return figure


@_drawn
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


@_drawn
def predictions(pictures, labels, predicted, class_names, columns=8):
    """Images with the predicted class above each, in red with the true class below it where the two differ."""
    names = [class_names[int(label)] for label in labels]
    guesses = [class_names[int(label)] for label in predicted]
    rows, columns = _rows(len(pictures), columns)
    wrong = sum(name != guess for name, guess in zip(names, guesses, strict=True))
    figure = Figure(9, rows * (9 / columns + 0.55), f"{len(names)} images with predictions, {wrong} of them wrong")
    axes = _grid(figure, len(names), columns)
    for ax, picture, name, guess in zip(axes, pictures, names, guesses, strict=True):
        _show(ax, picture)
        right = name == guess
        ax.set_title(guess, loc="center", fontsize=12, pad=3, color="black" if right else RED)
        ax.set_xlabel("" if right else f"is: {name}", fontsize=11, color=GREY, labelpad=2)
    return figure


@_drawn
def convolution(image, kernel, output, window=None, padding=0):
    """Input, kernel and output map of a convolution side by side.

    image: (height, width), with its padding; kernel: (k, k), its numbers written out up to 5×5;
    output: (height, width), in red and blue where the kernel has negative weights; window: (row, column, size) of the
    input patch to frame; padding: how much of it there is.
    """
    height, width = len(image) - 2 * padding, len(image[0]) - 2 * padding
    figure = Figure(9, 3.3, f"A convolution: {height}×{width} input, {len(kernel)}×{len(kernel)} kernel and output")
    left, middle, right = figure.subplots(1, 3)
    _show(left, image)
    _show(middle, kernel, signed=True)
    _show(right, output, signed=bool(kernel.min() < 0))
    if len(kernel) <= 5:
        _write_numbers(middle, kernel, size=13 if len(kernel) <= 3 else 11)
    if padding:
        inside = (padding - 0.5, padding - 0.5)
        left.add_patch(Rectangle(inside, width, height, fill=False, edgecolor=SKY, linewidth=2, linestyle=":"))
    if window:
        row, column, size = window
        left.add_patch(Rectangle((column - 0.5, row - 0.5), size, size, fill=False, edgecolor=ORANGE, linewidth=3))
    left.set_title(f"input {height}×{width}" + (f" + padding {padding}" if padding else ""))
    middle.set_title(f"kernel {len(kernel)}×{len(kernel)}")
    right.set_title(f"output {len(output)}×{len(output[0])}")
    return figure


@_drawn
def accuracy_on(pictures, accuracies):
    """Some images in a row and below them how well each network does on such images; accuracies: {name: 0 to 1}."""
    said = ", ".join(f"{name} {value:.1%}" for name, value in accuracies.items())
    figure = Figure(9, 1.3 + 0.5 * len(accuracies) + 0.9, f"{len(pictures)} images. Accuracy on such images: {said}")
    top, bottom = figure.subfigures(2, 1, height_ratios=[1.3, 0.5 * len(accuracies) + 0.9])
    for ax, picture in zip(top.subplots(1, len(pictures), squeeze=False)[0], pictures, strict=True):
        _show(ax, picture)
    ax = bottom.subplots()
    drawn = ax.barh(list(accuracies), list(accuracies.values()), color=COLOURS[: len(accuracies)])
    ax.bar_label(drawn, [f"{value:.1%}" for value in accuracies.values()], padding=4)
    ax.invert_yaxis()
    ax.set(xlabel="accuracy", xlim=(0, 1.1))
    ax.grid(visible=False, axis="y")
    return figure


@_drawn
def network(table, title=""):
    """The feature maps of a `models.LayerTable` as stacks, to scale, at most 12 maps each; dense layers as bars."""
    boxes = [layer for layer in table if layer.name in ("Conv2d", "AvgPool2d", "MaxPool2d", "Linear")]
    shapes = ["×".join(map(str, layer.output_shape[1:])) for layer in boxes]
    figure = Figure(9, 3.6, "The network, layer by layer: " + ", ".join(shapes))
    ax = figure.subplots()
    tallest = max([layer.output_shape[2] for layer in boxes if len(layer.output_shape) == 4], default=28)
    x, floor, ceiling, step = 0.0, -max(tallest / 2, 17) - 2, 0.0, 1.2
    for layer, shape in zip(boxes, shapes, strict=True):
        colour = {"Conv2d": BLUE, "Linear": GREEN}.get(layer.name, ORANGE)
        if len(layer.output_shape) == 4:
            _, channels, height, width = layer.output_shape
            maps = min(channels, 12)
        else:
            # Bars to scale would dwarf the maps, or vanish: their heights go with the root of the width.
            maps, height, width = 1, max(3.0, 3 * layer.output_shape[1] ** 0.5), 3
        for i in range(maps):
            corner = (x + i * step, -height / 2 + i * step)
            ax.add_patch(Rectangle(corner, width, height, facecolor=colour, edgecolor="white", linewidth=1))
        right, top = x + width + (maps - 1) * step, height / 2 + (maps - 1) * step
        name = layer.name.replace("2d", "")
        ax.text((x + right) / 2, top + 1, shape, ha="center", va="bottom", fontsize=12)
        ax.text((x + right) / 2, floor, name, ha="center", va="top", fontsize=11, rotation=30)
        x, ceiling = right + 7, max(ceiling, top)
    ax.set(xlim=(-2, max(x, 60)), ylim=(floor - 12, ceiling + 7), title=title)
    ax.set_aspect("equal")
    ax.set_axis_off()
    return figure
