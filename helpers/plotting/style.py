"""One style for the pictures of all chapters: large type for the back row, numbers and words that fit."""

import functools
import io
import threading

import matplotlib.axes
import matplotlib.figure
import torch
from IPython.display import HTML, display
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.textpath import text_to_path
from PIL import Image

from helpers.plotting import vector
from helpers.plotting.colours import COLOURS, DPI, INK

SIZE, TITLE_SIZE = 13, 14  # of type, in points
TYPE = {"fontsize": SIZE, "color": INK}  # of text beside the points of a chart
TYPEFACE = "DejaVu Sans"  # comes with Matplotlib
_drawing = threading.RLock()  # Matplotlib does not promise that two threads may draw at the same time


def drawn(function):
    """Decorate a function that makes a figure or renders it: one thread at a time."""

    @functools.wraps(function)
    def draw(*args, **kwargs):
        with _drawing:
            return function(*args, **kwargs)

    return draw


def short(number):
    """A number in at most three digits, with a minus sign as wide as a plus, and none before 0."""
    return f"{number + 0.0:.3g}".replace("-", "−")


class Axes(matplotlib.axes.Axes):
    """Axes in the course's style, set here because Matplotlib's global settings belong to the student."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, facecolor="white", **kwargs)
        self.set_prop_cycle(color=COLOURS, linewidth=[2.5] * len(COLOURS))
        self.spines[["top", "right"]].set_visible(False)
        self.spines[["left", "bottom"]].set(visible=True, color=INK, linewidth=0.8)
        self.tick_params(labelsize=SIZE, color=INK, labelcolor=INK)
        self.tick_params(direction="out", length=3.5, width=0.8, pad=3.5, top=False, right=False)
        self.grid(True, color=INK, alpha=0.13, linestyle="-", linewidth=0.8)
        self.set_axisbelow(True)
        for axis in (self.xaxis, self.yaxis):
            axis.label.set(**TYPE)

    def set_title(self, label):
        """The title, at the left."""
        return super().set_title(label, loc="left", fontsize=TITLE_SIZE, color=INK)

    def legend(self, **options):
        """The legend, without a frame."""
        return super().legend(frameon=False, fontsize=SIZE, labelcolor=INK, **options)

    def imshow(self, image, **options):
        """An image whose pixels keep their edges."""
        return super().imshow(image, interpolation="none", **options)


class Figure(matplotlib.figure.Figure):
    """A Matplotlib figure that displays itself in a notebook without pyplot.

    width, height: inches; alt: its text for screen readers.
    """

    def __init__(self, width, height, alt):
        super().__init__(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white")
        self.alt = alt

    def add_axes(self, *args, **options):
        """As Matplotlib's, with axes in our style."""
        return super().add_axes(*args, axes_class=Axes, **options)

    def add_subplot(self, *args, **options):
        """As Matplotlib's, and so is `subplots`, with axes in our style."""
        return super().add_subplot(*args, axes_class=Axes, **options)

    @drawn
    def png(self, scale=1):
        """The picture as PNG bytes, `scale` times 100 dots per inch."""
        self.set_dpi(scale * DPI)
        canvas = FigureCanvasAgg(self)
        canvas.draw()
        return png(canvas)

    def _ipython_display_(self):
        # Importing pyplot, as d2l does, makes IPython send every figure as a PNG too, unless this method exists.
        display(HTML(self._repr_html_()))

    @drawn
    def svg(self):
        """The picture as SVG text in the colours of the page that shows it."""
        return vector.chart(self)

    def _repr_html_(self):
        return self.svg()


def png(canvas):
    """What is on a canvas as PNG bytes, with light and quick compression."""
    buffer = io.BytesIO()
    # Not canvas.print_png, which draws everything again.
    Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba()).save(buffer, "png", compress_level=1)
    return buffer.getvalue()


class Sheet(Figure):
    """A figure measured in pixels from its upper left corner: what is on it never moves, and it is drawn quickly.

    width, height: pixels; alt: its text for screen readers.
    """

    def __init__(self, width, height, alt):
        super().__init__(width / DPI, height / DPI, alt)
        self.set_layout_engine("none")
        self.ax = self.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0), autoscale_on=False)
        self.ax.set_axis_off()

    @drawn
    def svg(self):
        """The sheet as SVG text in the colours of the page that shows it, its words as words."""
        return vector.sheet(self)

    def put_image(self, image, left, top, cell, signed=False, limits=None, colours="gray"):
        """Put an image with its upper left corner at (left, top), each of its pixels `cell` pixels wide and high.

        image, signed and limits: as in `images`; colours: Matplotlib's name of a colour scale.
        """
        image, options = scaled(image, signed, limits, colours)
        height, width = image.shape[:2]
        extent = (left, left + width * cell, top + height * cell, top)
        shown = self.ax.imshow(image, extent=extent, aspect="auto", **options)
        self.put_frame(left, top, width * cell, height * cell, "#bbbbbb", 1)
        return shown

    def put_numbers(self, matrix, left, top, width, height, size, shown, text=short):
        """Write the numbers of a matrix into cells of width×height pixels.

        shown: the image below, which decides whether a number is black or white; text: a function that writes a number.
        """
        matrix = torch.as_tensor(matrix).detach().cpu().float()
        lightness = shown.cmap(shown.norm(matrix.numpy()))[..., :3] @ (0.3, 0.59, 0.11)
        for row, numbers in enumerate(matrix.tolist()):
            for column, number in enumerate(numbers):
                colour = "black" if lightness[row, column] > 0.5 else "white"
                place = left + (column + 0.5) * width, top + (row + 0.5) * height
                self.write(*place, text(number), size, colour, "center")

    def put_frame(self, left, top, width, height, colour, linewidth=3, linestyle="-"):
        """Put an empty rectangle."""
        self.ax.add_patch(
            Rectangle((left, top), width, height, fill=False, ec=colour, lw=linewidth, ls=linestyle, joinstyle="miter")
        )

    def write(self, x, y, text, size=13, colour="black", ha="left", weight="normal"):
        """Write a text with its left end, its middle ("center") or its right end at (x, y); size: points."""
        look = {"fontsize": size, "color": colour, "ha": ha, "weight": weight, "family": TYPEFACE}
        if text:
            self.ax.text(float(x), float(y), text, va="center_baseline", parse_math=False, **look)


def fitted(text, size, width, weight="normal"):
    """A text, shortened to at most `width` pixels; size: points."""
    if written_width(text, size, weight) <= width:
        return text
    while len(text) > 1 and written_width(f"{text}…", size, weight) > width:
        text = text[:-1]
    return f"{text}…"


def written_width(text, size, weight):
    """How many pixels a text takes; size: points."""
    look = FontProperties(family=TYPEFACE, weight=weight, size=size)
    return text_to_path.get_text_width_height_descent(text, look, ismath=False)[0] * DPI / 72


def scaled(image, signed=False, limits=None, colours="gray"):
    """An image as an array for `imshow`, and imshow's options: its colours, and the values at its ends."""
    image = torch.as_tensor(image).detach().cpu()
    white = 255 if image.dtype == torch.uint8 else None  # bytes have a scale of their own
    image = image.float()
    if image.ndim == 3 and len(image) == 1:
        image = image[0]
    if image.ndim == 3:
        return image.movedim(0, -1).numpy() / (white or 1), {}
    if signed:
        limit = (max(map(abs, limits)) if limits else float(image.abs().max())) or 1.0
        return image.numpy(), {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
    low, high = limits or ((0, white) if white else (None, None))
    return image.numpy(), {"cmap": colours, "vmin": low, "vmax": high}
