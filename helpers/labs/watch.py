"""The curves of a training loop that runs in a cell (chapter 4)."""

import html

import ipywidgets as widgets
from IPython.display import HTML

from helpers import plotting
from helpers.diagnosis import diagnose
from helpers.labs.cells import Whole, this_cell
from helpers.labs.growing import NowAndThen
from helpers.labs.living import ASLEEP, display_with
from helpers.sentences import say


class Picture(Whole):
    """A picture kept in one image widget: a new one replaces its bytes, so nothing flickers and nothing moves."""

    def __init__(self):
        self.asleep = None  # the handle of what is displayed in front of it
        # Without a width of its own, an image would stretch to the width of its box.
        self.image = widgets.Image(format="png", layout=widgets.Layout(max_width="100%"))
        # Image widgets have no alternative text (and a tooltip breaks them): a line that only screen readers see.
        self.alt = widgets.HTML(layout=widgets.Layout(height="1px", margin="0", overflow="hidden"))
        super().__init__([self.image, self.alt])
        self.add_class("lab-alive")

    def show(self, png, width, alt):
        """Show PNG bytes, `width` pixels wide."""
        self.image.layout.width = f"{round(width)}px"
        self.image.value = png
        self.alt.value = html.escape(alt)

    def display(self):
        """Display it, preceded by what is seen on pages without a kernel: `end_with` puts the figure there."""
        self.asleep = display_with("<p>Run this cell again to draw its curves.</p>", self, "the curves of a training")

    def end_with(self, figure):
        """Show a figure that will not change any more, sharp and in the page's own colours."""
        if self.asleep:  # outside a notebook there is nothing to update
            self.asleep.update(HTML(ASLEEP % figure.svg()))
        self.image.close()
        self.alt.close()
        self.children = [widgets.HTML(figure.svg())]


def watch(training, num_epochs=None):
    """Draw the curves while `training`, a generator of `Progress`, runs (chapter 4); returns its history as a list.

    num_epochs: the right end of the axes. A keyboard interrupt ends it without a traceback. If the network does not
    learn as it should, a line below the curves says what to do.
    """
    history, cell = [], this_cell()
    cell.close_old()
    picture, curves = Picture(), plotting.LiveCurves(num_epochs=num_epochs)

    def draw():
        picture.show(curves.png(history), curves.width, curves.alt(history))

    try:
        draw()
        picture.display()
        cell.keep(picture)
        draw_now_and_then = NowAndThen(draw)
        for progress in training:
            history.append(progress)
            draw_now_and_then()
        picture.end_with(plotting.curves(history, num_epochs=num_epochs))
    except KeyboardInterrupt:
        print("Stopped: the curves and the network are those of this moment.")
        picture.end_with(plotting.curves(history, num_epochs=num_epochs))
    if history and diagnose(history).advice:
        say(str(diagnose(history)))
    return history
