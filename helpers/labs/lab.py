"""What every lab stands on: a picture that redraws in place, and controls that move it."""

import html
import time

import anywidget
import ipywidgets as widgets
import torch

from helpers import plotting
from helpers.errors import ShapeError
from helpers.labs.board import BoardLine
from helpers.labs.cells import Whole
from helpers.labs.controls import Message, rows_of
from helpers.labs.living import alone


class Picture(Whole):
    """A figure kept in one image widget: a new one replaces its bytes, so nothing flickers and nothing moves."""

    def __init__(self):
        # Without a width of its own an image in a box stretches to the box.
        self.image = widgets.Image(format="png", layout=widgets.Layout(max_width="100%"))
        # Image widgets have no alternative text (and a tooltip breaks them): a line that only screen readers see.
        self.alt = widgets.HTML(layout=widgets.Layout(height="1px", margin="0", overflow="hidden"))
        super().__init__([self.image, self.alt])

    def show(self, figure):
        """Show `figure`, at the size it was made for."""
        self.show_png(figure.png(), figure.get_figwidth() * plotting.DPI, figure.alt)

    def show_png(self, png, width, alt):
        """Show PNG bytes, `width` pixels wide."""
        self.width = round(width)
        self.image.layout.width = f"{self.width}px"
        self.image.value = png
        self.alt.value = html.escape(alt)

    def on_click(self, action):
        """Call `action(x, y)` for each click, with its place in pixels from the picture's upper left corner."""
        clicks = Clicks()
        # In shares of the picture's width: the page may show it smaller.
        clicks.on_msg(lambda _, place, buffers: action(place["x"] * self.width, place["y"] * self.width))
        self.add_class("lab-clicks")
        self.children = [*self.children, clicks]


class Clicks(anywidget.AnyWidget):
    """Hears clicks on the pictures in the box in which it stands, and shows nothing."""

    _esm = alone("clicks.js", "makeClicks")
    _css = ".lab-clicks img { cursor: pointer; }"


class Lab(Whole):
    """Controls above a picture that is drawn again whenever one of them moves.

    name: with it the lab's board line begins; controls: {name: widget}; draw: a function of the controls' values, by
    name, that returns a figure and a line of text. When it raises ShapeError, its words are shown instead and the last
    good picture stays. above: widgets between the controls and the message.
    """

    def __init__(self, name, draw, controls, above=(), lines=1):
        self.draw, self.controls = draw, controls
        self.picture, self.message = Picture(), Message(lines)
        self.board = BoardLine(name, controls, self.redraw)
        # A setting that a part of the lab draws is no widget.
        shown = [control for control in controls.values() if isinstance(control, widgets.Widget)]
        self.rows = rows_of(shown)  # kept by name: a lab that arranges its parts anew closes them, too
        super().__init__([self.rows, *above, self.message, self.picture, self.board])
        self.board.move({})

    def redraw(self):
        """Draw the picture for the controls' present values."""
        try:
            with torch.device("cpu"):  # whatever torch.set_default_device says
                figure, text = self.draw(**self.board.values())
        except ShapeError as error:
            self.message.say(html.escape(str(error)), trouble=True)
            return
        self.message.say(text)
        self.picture.show(figure)


class FiveTimesASecond:
    """Calls `action`, but not before 0.2 s have gone since its last call ended: time is left to train."""

    def __init__(self, action):
        self.action, self.next = action, 0.0

    def __call__(self):
        """Call the action, if it is due."""
        if time.monotonic() >= self.next:
            self.action()
            self.next = time.monotonic() + 0.2
