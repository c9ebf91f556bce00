"""Many words and numbers in one picture, drawn quickly."""

import functools
from pathlib import Path
from typing import NamedTuple

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.transforms import Bbox
from PIL import Image, ImageColor, ImageDraw, ImageFont

FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
BEFORE = {"left": 0.0, "center": 0.5, "right": 1.0}  # the share of a text that is left of its place


class Word(NamedTuple):
    """A text whose left end, middle or right end, as `ha` says, is at (x, y), in pixels; size: points."""

    x: float
    y: float
    text: str
    size: float
    colour: str
    ha: str
    weight: str


class Words(Artist):
    """All texts of a `Sheet`; separate Matplotlib texts would take twenty times as long.

    dpi: dots per inch at which a pixel of the sheet is a pixel; words: a list of `Word`.
    """

    def __init__(self, dpi):
        super().__init__()
        self.dpi, self.words = dpi, []
        self.set_zorder(10)

    def draw(self, renderer):
        """Copy the picture of each text to its place."""
        graphics, (_, sheet_height) = renderer.new_gc(), renderer.get_canvas_width_height()
        for word in self.words:
            picture, left, top = self._placed(word, renderer.dpi)
            renderer.draw_image(graphics, round(left), round(sheet_height - top - len(picture)), picture)
        graphics.restore()

    def boxes(self):
        """The box around each text, in dots from the lower left corner: a list of `Bbox`."""
        placed = [self._placed(word, self.get_figure().dpi) for word in self.words]
        height = self.get_figure().bbox.height
        return [
            Bbox.from_bounds(left, height - top - len(picture), picture.shape[1], len(picture))
            for picture, left, top in placed
        ]

    def get_window_extent(self, renderer=None):
        """The box around all texts, in dots from the lower left corner."""
        boxes = self.boxes()
        return Bbox.union(boxes) if boxes else Bbox.null()

    def _placed(self, word, dpi):
        """The picture of a word, and its left and upper end in dots."""
        picture, scale = written(word.text, word.size * dpi / 72, word.colour, word.weight), dpi / self.dpi
        height, width, _ = picture.shape
        return picture, word.x * scale - BEFORE[word.ha] * width, word.y * scale - height / 2


def font(size, weight="normal"):
    """The typeface of all our pictures, for Pillow; size: pixels, a float."""
    return ImageFont.truetype(FONTS / ("DejaVuSans-Bold.ttf" if weight == "bold" else "DejaVuSans.ttf"), size)


def fitted(text, size, width, weight="normal"):
    """A text, shortened to at most `width` pixels; size: points."""
    type_face = font(size * 100 / 72, weight)
    if type_face.getlength(text) <= width:
        return text
    while len(text) > 1 and type_face.getlength(f"{text}…") > width:
        text = text[:-1]
    return f"{text}…"


@functools.lru_cache(maxsize=2048)
def written(text, size, colour, weight="normal"):
    """A text as a picture, (height, width, 4) bytes with the lowest row first, as Agg takes it; size: dots."""
    type_face = font(size, weight)
    width, height = round(type_face.getlength(text)) + 2, round(1.2 * size)
    # On a transparent background of its own colour, so that the edges of the letters do not darken.
    picture = Image.new("RGBA", (width, height), (*ImageColor.getrgb(colour), 0))
    alpha = Image.new("L", (width, height))
    ImageDraw.Draw(alpha).text((width / 2, height / 2), text, 255, type_face, anchor="mm")
    picture.putalpha(alpha)
    return np.asarray(picture)[::-1].copy()
