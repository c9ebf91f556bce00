"""Many numbers in one picture, drawn quickly."""

import functools
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from PIL import Image, ImageColor, ImageDraw, ImageFont

FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


class Numbers(Artist):
    """Short texts, each with its middle on its place. A Matplotlib text for each would take twenty times as long.

    places: a list of (x, y, text, colour), in pixels of a `Sheet` drawn at `dpi` dots per inch; size: points.
    """

    def __init__(self, places, size, dpi):
        super().__init__()
        self.places, self.size, self.dpi = places, size, dpi

    def draw(self, renderer):
        """Copy the picture of each text to its place."""
        graphics, scale = renderer.new_gc(), renderer.dpi / self.dpi
        _, sheet_height = renderer.get_canvas_width_height()
        for x, y, text, colour in self.places:
            picture = written(text, self.size * renderer.dpi / 72, colour)
            height, width, _ = picture.shape
            left, bottom = x * scale - width / 2, sheet_height - y * scale - height / 2
            renderer.draw_image(graphics, round(left), round(bottom), picture)
        graphics.restore()


@functools.lru_cache(maxsize=4096)
def written(text, size, colour):
    """A text as a picture, (height, width, 4) bytes with the lowest row first, as Agg takes it; size: pixels."""
    font = ImageFont.truetype(FONT, size)
    width, height = round(font.getlength(text)) + 2, round(1.2 * size)
    # On a ground of its own colour, see-through: the edges of the letters do not darken.
    picture = Image.new("RGBA", (width, height), (*ImageColor.getrgb(colour), 0))
    alpha = Image.new("L", (width, height))
    ImageDraw.Draw(alpha).text((width / 2, height / 2), text, 255, font, anchor="mm")
    picture.putalpha(alpha)
    return np.asarray(picture)[::-1].copy()
