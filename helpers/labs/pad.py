"""A pad to draw on with a pen, a finger or the mouse."""

import anywidget
import numpy as np
import torch
import traitlets as t
from PIL import Image, ImageDraw

from helpers.digits import like_mnist
from helpers.labs.living import CSS, alone
from helpers.labs.settings import Choice

SIDE, PEN = 280, 23  # pixels of the pad; relative to a digit, the pen is as wide as MNIST's
SHARPNESS = 2  # dots drawn per pixel of the pad, so that edges are smooth
DRAWN = "none"  # the chosen example while a hand draws

# Strokes of the pen as (x, y) in a field of 28×28: for people without a pointer, and for a line on the board.
EXAMPLES = {
    DRAWN: [],
    "0": [[(14, 5), (11, 6), (9, 10), (8, 15), (10, 21), (14, 23), (18, 21), (20, 15), (19, 10), (17, 6), (14, 5)]],
    "1": [[(11, 9), (15, 5), (14, 23)]],
    "2": [[(9, 9), (11, 6), (15, 5), (18, 7), (18, 11), (15, 16), (9, 22), (13, 21), (20, 22)]],
    "3": [[(9, 7), (13, 5), (17, 6), (17, 10), (12, 13), (17, 15), (18, 19), (15, 22), (9, 22)]],
    "4": [[(11, 5), (8, 14), (19, 14)], [(18, 6), (17, 23)]],
    "5": [[(19, 5), (11, 5), (10, 12), (15, 12), (18, 16), (16, 21), (12, 23), (8, 21)]],
    "6": [[(16, 5), (11, 10), (9, 16), (10, 21), (14, 23), (18, 21), (18, 17), (14, 15), (10, 17)]],
    "7": [[(8, 6), (20, 6), (16, 14), (13, 23)]],
    "8": [[(18, 7), (14, 5), (10, 7), (11, 11), (17, 16), (18, 20), (14, 23), (10, 20), (12, 15), (18, 10), (18, 7)]],
    "9": [[(18, 8), (14, 5), (10, 8), (11, 12), (15, 13), (18, 10), (18, 8), (17, 16), (15, 23)]],
}


def on_pad(strokes):
    """Strokes in a field of 28×28, scaled to pixels of the pad."""
    return [[[x * SIDE / 28, y * SIDE / 28] for x, y in stroke] for stroke in strokes]


class Pad(anywidget.AnyWidget):
    """A black square on which a hand draws in white ink; the browser draws it, and sends it while it grows.

    `ink` is what is on it: the strokes, each a list of points [x, y] in pixels from the upper left corner, and the
    name of the example that they are, or "none". `example` offers digits drawn beforehand. A student's own drawing
    begins on an empty pad, not over an example.
    """

    _esm, _css = alone("pad.js", "makePad"), CSS
    side, pen = t.Int(SIDE).tag(sync=True), t.Int(PEN).tag(sync=True)
    examples = t.Dict({name: on_pad(strokes) for name, strokes in EXAMPLES.items()}).tag(sync=True)
    # Without an echo, which would bring back the old ink while a stroke grows.
    ink = t.Dict({"example": DRAWN, "strokes": []}).tag(sync=True, echo_update=False)

    def __init__(self):
        super().__init__()
        self.example = Choice("example", list(EXAMPLES), shown=False)
        self._tell = lambda: None
        self.example.observe(self._on_example, names="value")
        self.observe(self._on_ink, names="ink")

    def on_drawing(self, action):
        """Call `action(image)` during and after each stroke, and after an example or Clear.

        image: (1, 28, 28) bytes, scaled and centred like MNIST's digits.
        """
        self._tell = lambda: action(self.digit())

    def digit(self):
        """What is on the pad, scaled and centred like MNIST's digits: (1, 28, 28) bytes."""
        return like_mnist(self.pixels())

    def pixels(self):
        """The ink itself: (560, 560) bytes, two dots per pixel of the pad."""
        picture = Image.new("L", (SIDE * SHARPNESS, SIDE * SHARPNESS))
        pen, width = ImageDraw.Draw(picture), PEN * SHARPNESS
        radius = (width - 1) / 2
        for stroke in self.ink["strokes"]:
            points = [(x * SHARPNESS, y * SHARPNESS) for x, y in stroke]
            pen.line(points, fill=255, width=width)
            for x, y in points:  # round ends, so that the next piece joins without a notch
                pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
        return torch.from_numpy(np.array(picture))

    def draw(self, strokes):
        """Draw strokes, each a list of points (x, y), as a hand would, and call the action."""
        before = self.ink["strokes"] if self.ink["example"] == DRAWN else []
        self.ink = {"example": DRAWN, "strokes": [*before, *([list(point) for point in stroke] for stroke in strokes)]}

    def clear(self, instead=""):
        """Empty the pad and call the action; instead: a text shown in place of the drawing until the next Clear."""
        self.ink = {"example": DRAWN, "strokes": [], **({"instead": instead} if instead else {})}

    def _on_example(self, change):
        if self.ink["example"] != change.new:
            self.ink = {"example": change.new, "strokes": self.examples[change.new]}

    def _on_ink(self, change):
        self._tell()
        self.example.value = self.ink["example"]  # last: it redraws the lab that has it as a setting
