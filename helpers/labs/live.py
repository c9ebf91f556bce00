"""What every lab stands on: a picture that redraws in place, controls that move it, and a thread that trains."""

import html
import threading
import time

import ipywidgets as widgets
import torch
from IPython.display import display

from helpers import plotting
from helpers.models import ShapeError


class Picture(widgets.VBox):
    """A figure kept in one image widget: a new one replaces its bytes, so nothing flickers and nothing moves."""

    def __init__(self):
        # Without a width of its own an image in a box stretches to the box.
        self.image = widgets.Image(format="png", layout=widgets.Layout(max_width="100%"))
        # Image widgets have no alternative text (and a tooltip breaks them): a line that only screen readers see.
        self.alt = widgets.HTML(layout=widgets.Layout(height="1px", margin="0", overflow="hidden"))
        super().__init__([self.image, self.alt])

    def show(self, figure):
        """Show `figure`, at the size it was made for."""
        self.image.layout.width = f"{round(figure.get_figwidth() * plotting.DPI)}px"
        self.image.value = figure.png()
        self.alt.value = html.escape(figure.alt)


class Message(widgets.HTML):
    """One line under a picture, in words; it keeps its height when it is empty, so that nothing jumps."""

    def __init__(self):
        super().__init__(layout=widgets.Layout(min_height="32px"))

    def say(self, text, trouble=False):
        """Show `text`, in red where there is `trouble`."""
        colour = plotting.RED if trouble else "inherit"
        self.value = f'<span style="font-size:16px;color:{colour}">{text}</span>'


class Lab(widgets.VBox):
    """Controls above a picture that is drawn again whenever one of them moves.

    draw: a function of the controls' values, by name, that returns a figure and a line of text. When it
    raises ShapeError, its words are shown instead and the last good picture stays. `controls` is {name: widget}.
    """

    def __init__(self, draw, controls):
        self.draw, self.controls = draw, controls
        self.picture, self.message = Picture(), Message()
        super().__init__([rows_of(controls.values()), self.message, self.picture])
        for control in controls.values():
            control.observe(self.redraw, names="value")
        self.redraw()

    def redraw(self, change=None):
        """Draw the picture for the controls' present values."""
        try:
            figure, text = self.draw(**{name: control.value for name, control in self.controls.items()})
        except ShapeError as error:
            self.message.say(html.escape(str(error)), trouble=True)
            return
        self.message.say(text)
        self.picture.show(figure)


def rows_of(controls):
    """Controls side by side, in as many rows as they need."""
    return widgets.HBox(list(controls), layout=widgets.Layout(flex_flow="row wrap", grid_gap="4px 16px"))


def slider(label, value, low, high, step=1):
    """A whole-number slider with its label in full."""
    return widgets.IntSlider(value, low, high, step, description=label, style={"description_width": "initial"})


def choice(label, options):
    """A drop-down list that begins with the first option; options: names, or {name: value}."""
    return widgets.Dropdown(
        options=options,
        description=label,
        style={"description_width": "initial"},
        layout=widgets.Layout(width="auto"),
    )


class FiveTimesASecond:
    """Calls `action`, but not before 0.2 s have gone since its last call ended: time is left to train."""

    def __init__(self, action):
        self.action, self.next = action, 0.0

    def __call__(self):
        """Call the action, if it is due."""
        if time.monotonic() >= self.next:
            self.action()
            self.next = time.monotonic() + 0.2


class Runner:
    """Runs one generator at a time in a thread, so that sliders and Stop stay alive; a new one ends the old."""

    def __init__(self):
        self._thread, self._stop, self._error = None, threading.Event(), None

    def start(self, steps, then, failed):
        """Iterate over `steps` in the thread, then call `then()` there; after an error, `failed(error)` instead."""
        self.stop()
        self._stop, self._error = threading.Event(), None
        self._thread = threading.Thread(target=self._work, args=[steps, then, failed, self._stop], daemon=True)
        self._thread.start()

    def _work(self, steps, then, failed, stop):
        # A second team of OpenMP threads on the same cores would keep them waiting for each other: on 2 cores, steps of
        # 64 images took three to eight times as long. Alone, this thread takes 1.4 times what the main thread takes.
        torch.set_num_threads(1)
        try:
            for _ in steps:
                if stop.is_set():
                    break
            then()
        except Exception as error:  # nobody would see it here: `failed` shows it, wait() raises it again
            self._error = error
            failed(error)

    def stop(self):
        """End the run after its present step and wait for the thread; nothing happens where none runs."""
        self._stop.set()
        if self._thread and self._thread is not threading.current_thread():
            self._thread.join()

    @property
    def running(self):
        """True while a run goes on."""
        return self._thread is not None and self._thread.is_alive()

    def wait(self):
        """Wait for the run to end by itself; an error in it is raised here."""
        if self._thread:
            self._thread.join()
        if self._error:
            raise self._error


def watch(training, num_epochs=None):
    """Draw the curves while `training`, a generator of `Progress`, runs; returns its history as a list.

    num_epochs: the right end of the axes. An interrupt of the kernel ends it without a traceback.
    """
    picture, history = Picture(), []

    def draw():
        picture.show(plotting.curves(history, num_epochs=num_epochs))

    draw()
    display(picture)
    draw_now_and_then = FiveTimesASecond(draw)
    try:
        for progress in training:
            history.append(progress)
            draw_now_and_then()
        draw()
    except KeyboardInterrupt:
        print("Stopped: the curves and the network are those of this moment.")
    return history
