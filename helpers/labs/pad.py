"""A pad to draw on with the mouse or a finger."""

import io

import ipywidgets as widgets
import numpy as np
import torch
from ipyevents import Event
from PIL import Image, ImageDraw

from helpers.digits import like_mnist
from helpers.labs.controls import button, choice
from helpers.labs.lab import FiveTimesASecond, Picture

SIDE, PEN = 280, 23  # pixels on the page: so wide is the pen on MNIST beside a digit that fills the pad
SHARPNESS = 2  # dots drawn for one pixel of the page, so that edges are smooth

# Strokes of the pen as (x, y) in a field of 28×28: for hands on a keyboard, and for a line on the board.
EXAMPLES = {
    "none": [],
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
EVENTS = ["mousedown", "mousemove", "mouseup", "mouseleave", "touchstart", "touchmove", "touchend", "touchcancel"]
DRAWN = "none"  # the example that is chosen while a hand draws


class Pad(widgets.VBox):
    """A black square; where a finger goes, or the mouse with its button held down, it leaves white ink.

    `example` is a list of digits drawn beforehand. A drawing of one's own begins on an empty pad, not over an example.
    """

    def __init__(self):
        self.picture = Picture()
        self.picture.image.layout.height = f"{SIDE}px"  # also while the browser reads a new picture
        self.example = choice("example", EXAMPLES)
        self.clear_button = button("Clear", self.clear, layout=widgets.Layout(width="80px"))
        super().__init__([self.picture, widgets.HBox([self.example, self.clear_button])])
        self._place, self._latest = None, 0.0
        self._tell = self._tell_now_and_then = lambda: None
        self._wipe()
        self._show()
        self.example.observe(self._on_example, names="value")
        self._events = Event(
            source=self.picture.image,
            watched_events=EVENTS,
            prevent_default_action=True,  # or the browser would drag the picture away, and scroll the page
            wait=25,  # milliseconds from one event to the next of its kind
        )
        self._events.on_dom_event(self._on_event)

    def on_drawing(self, action):
        """Call `action(image)` while someone draws and when a stroke has ended, also after an example or Clear.

        image: (1, 28, 28) bytes, scaled and centred as MNIST's digits are.
        """
        self._tell = lambda: action(self.digit())
        self._tell_now_and_then = FiveTimesASecond(self._tell)

    def digit(self):
        """What stands on the pad, scaled and centred as MNIST's digits are: (1, 28, 28) bytes."""
        return like_mnist(torch.from_numpy(np.array(self._ink)))

    def draw(self, strokes):
        """Draw strokes, each a list of points (x, y), in pixels from the upper left corner; then tell."""
        for stroke in strokes:
            for start, end in zip([stroke[0], *stroke], stroke, strict=False):
                self._line(start, end)
        self._show()
        self._tell()

    def clear(self):
        """Empty the pad; then tell."""
        if self.example.value:
            self.example.label = DRAWN  # tells in its turn
        else:
            self._on_example()

    def _on_example(self, change=None):
        self._wipe()
        cell = SIDE / 28
        self.draw([[(x * cell, y * cell) for x, y in stroke] for stroke in self.example.value])

    def _wipe(self):
        self._ink = Image.new("L", (SIDE * SHARPNESS, SIDE * SHARPNESS))

    def _line(self, start, end):
        points = [(x * SHARPNESS, y * SHARPNESS) for x, y in (start, end)]
        radius = (PEN * SHARPNESS - 1) / 2
        pen = ImageDraw.Draw(self._ink)
        pen.line(points, fill=255, width=PEN * SHARPNESS)
        for x, y in points:  # round ends, so that the next piece joins without a notch
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)

    def _show(self):
        png = io.BytesIO()
        self._ink.save(png, "png", compress_level=1)
        self.picture.show_png(png.getvalue(), SIDE, "A pad to draw on with the mouse or a finger")

    def _on_event(self, event):
        # The last of several quick moves is sent late, after a button that came up behind it. Hours are not late: a
        # page that was opened again counts its milliseconds from 0.
        if 0 < self._latest - event["timeStamp"] < 500:
            return
        self._latest = event["timeStamp"]
        if event["event"] in ("mousedown", "touchstart"):
            self._place = None
        if touches(event):
            self._go_on(event)
            self._tell_now_and_then()
        elif self._place:
            self._go_on(event)
            self._place = None
            self._tell()

    def _go_on(self, event):
        if self.example.value:
            self.clear()
        where = event["changedTouches"][0] if event["event"].startswith("touch") else event
        place = self.picture.place_of(where)
        self._line(self._place or place, place)
        self._place = place
        self._show()


def touches(event):
    """True if the pen is on the pad: a finger is down, or the mouse's main button."""
    kind = event["event"]
    return kind in ("touchstart", "touchmove") or (kind in ("mousedown", "mousemove") and bool(event["buttons"] & 1))
