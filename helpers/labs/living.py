"""The base of all labs in the browser: the kernel sends numbers; the browser draws them and answers the hand."""

import functools
import html
import re
import uuid
from pathlib import Path

import anywidget
import ipywidgets
import numpy as np
import torch
import traitlets as t
from IPython.display import HTML, display

from helpers.errors import ShapeError
from helpers.labs.board import Board
from helpers.labs.cells import held_by
from helpers.labs.settings import Words

FOLDER = Path(__file__).parent
# What all labs share comes first, so that the other sheets can override it.
SHEETS = ["lab.css", *sorted({path.name for path in FOLDER.glob("*.css")} - {"lab.css"})]
CSS = "".join((FOLDER / name).read_text(encoding="utf-8") for name in SHEETS)
# After a restart, or on the next day, a widget's output is empty. The HTML before it is then seen instead.
ASLEEP = """<style>
.jp-OutputArea-child:has(.lab-still) + .jp-OutputArea-child:not(:has(.lab-alive)) { display: none }
.jp-OutputArea-child:has(.lab-still):has(+ .jp-OutputArea-child .lab-alive) { display: none }
</style>
<div class="lab-still">%s</div>"""
STILL = "%s<p>This is a picture of the %s lab as it %s. To move it, run this cell again.</p>"


@functools.cache
def script(*names):
    """The text of JavaScript modules of this folder, preceded by everything that they import.

    A widget's module cannot import a file beside it, because the browser loads it under a different address.
    """
    parts = {}

    def add(name):
        if name not in parts:
            text = (FOLDER / name).read_text(encoding="utf-8")
            parts[name] = ""  # so that circular imports end here
            for imported in re.findall(r'^import [^"]*"\./([\w.]+)";$', text, re.MULTILINE):
                add(imported)
            text = re.sub(r'^import [^"]*"\./[\w.]+";\n', "", parts.pop(name) + text, flags=re.MULTILINE)
            parts[name] = re.sub(r"^export (?!default)", "", text, flags=re.MULTILINE)

    for name in names:
        add(name)
    return "\n".join(parts.values())


def alone(name, make):
    """The same for a part of a lab that is a widget of its own; make: the name of the function that draws it."""
    return f"{script('part.js', name)}\nexport default alone({make});"


def packed(arrays):
    """The bytes of tensors, one after another, and where each is: {name: [first byte, how many numbers, shape, type]}.

    arrays: {name: tensor}; everything but bytes becomes float32. A number like the one before it does not travel, since
    half of an image is black, and so is what a layer makes of it: a bit for each number says first whether it is new,
    the lowest bit of a byte first.
    """
    data, places = b"", {}
    for name, array in arrays.items():
        array = array.detach().cpu().contiguous()
        array = array if array.dtype == torch.uint8 else array.float()
        shape, numbers = list(array.shape), array.numpy().ravel()
        bits = numbers.view(np.int32) if numbers.dtype == np.float32 else numbers  # -0.0 is not 0.0
        is_new = np.ones(len(bits), bool)
        is_new[1:] = bits[1:] != bits[:-1]
        places[name] = [len(data), int(is_new.sum()), shape, str(array.dtype).removeprefix("torch.")]
        data += np.packbits(is_new, bitorder="little").tobytes() + numbers[is_new].tobytes()
    return data, places


class Living(anywidget.AnyWidget):
    """A lab whose controls and picture live in the browser, and whose numbers come from here.

    A lab is a subclass with `NAME`, the first word of its board line; `_esm = script("its.js")`; and two methods that
    take the values of `controls` by name. `draw` returns arrays, {name: tensor}, facts for the picture, a dict for
    JSON, and a line of text; it raises ShapeError for impossible settings. `still` returns a figure.

    controls: {name: Setting}; buttons: {name: Button}; parts: values of traits of the subclass, such as its pad.
    """

    NAME = ""
    _css = CSS
    name, me = t.Unicode().tag(sync=True), t.Unicode().tag(sync=True)  # me: the id by which the page finds the model
    settings = t.List().tag(sync=True)
    line, said, facts = (t.Dict().tag(sync=True) for _ in range(3))
    # Bytes come back as a memoryview, which a trait of bytes refuses with an error that is shown nowhere.
    data = t.Bytes().tag(sync=True, echo_update=False, from_json=lambda value, _: bytes(value))
    turn = t.Unicode().tag(sync=True)  # the last message from the browser that has been answered

    def __init__(self, controls, buttons=None, **parts):
        me = uuid.uuid4().hex
        super().__init__(name=self.NAME, me=me, model_id=me, **parts)
        self.controls, self.buttons, self.arrays = controls, buttons or {}, {}
        self.whole = self  # what is displayed: a lab may be in a box with other widgets
        self.asleep = None  # the handle of the still picture in front of it, once it is displayed
        self.message = Words()
        self.board = Board(self.NAME, controls, self.redraw, Words(), Words(), self.hold_sync)
        for part in (*controls.values(), *self.buttons.values(), self.message, self.board.text, self.board.trouble):
            part.observe(self._tell)
        self.on_msg(self._hear)
        self.board.move({})

    def redraw(self):
        """Send the picture for the controls' present values, or say why there is none, and the last one is dimmed."""
        mine = self._newest = object()
        try:
            with torch.device("cpu"):  # whatever torch.set_default_device says
                arrays, facts, text = self.draw(**self.board.values())
        except ShapeError as error:
            arrays, facts, text = None, None, str(error)
        if mine is not self._newest:
            return  # another thread, such as a bench's run, is drawing something newer
        if arrays is not None:
            self.show(arrays, facts)
        self.message.say(text, trouble=arrays is None)

    def show(self, arrays, facts):
        """Send a picture's numbers, as `draw` returns them."""
        with self.hold_sync():
            self.arrays = arrays
            self.data, places = packed(arrays)
            self.facts = {**facts, "arrays": places}

    def state(self):
        """All that the browser shows, as a plain dict: for tests."""
        return {
            "line": self.board.text.value,
            "refusal": self.board.trouble.value,
            "said": self.message.value,
            "trouble": self.message.trouble,
            "values": self.board.values(),
            "facts": {name: value for name, value in self.facts.items() if name != "arrays"},
            "arrays": {name: array.tolist() for name, array in self.arrays.items()},
        }

    def hear(self, message, buffers):
        """Do what the browser asks for; subclasses add their own messages."""
        if "move" in message:
            self.board.move({name: self.controls[name].heard(said) for name, said in message["move"].items()})
        elif "line" in message:
            self.board.text.value = message["line"]
        elif "press" in message:
            self.buttons[message["press"]].click()

    def close(self):
        """Close the lab and every widget that it holds."""
        for widget in held_by(self):
            ipywidgets.Widget.close(widget)

    def _hear(self, _, message, buffers):
        with self.hold_sync():
            try:
                self.hear(message, buffers)
            finally:
                self.turn = message["turn"]

    def parts(self):
        """The settings beside the picture, {name: Setting}, in this order."""
        return {**self.controls, **self.buttons}

    def _tell(self, _=None):
        parts = self.parts().items()
        self.settings = [{"name": name, **part.drawn()} for name, part in parts if getattr(part, "shown", False)]
        self.line = {"text": self.board.text.value, "trouble": self.board.trouble.value}
        self.said = {"text": self.message.value, "trouble": self.message.trouble}

    def _still(self, when):
        try:
            picture = self.still(**self.board.values())._repr_html_()
        except ShapeError as error:
            picture = f"<p>{html.escape(str(error))}</p>"
        return STILL % (picture, html.escape(self.NAME), when)

    def keep_still(self):
        """Update the still picture to the present."""
        if self.asleep:
            self.asleep.update(HTML(ASLEEP % self._still("was after its last run")))

    def _ipython_display_(self):
        self.asleep = display_with(self._still("began"), self.whole, f"the {self.NAME} lab")


def hear_pages(widget):
    """Let Python hear what a page says to a widget, or to one that it holds, in the thread that the page asks for.

    JupyterLab asks for a thread of its own ("subshell"), which also answers while a cell runs. From version 7.4 on,
    ipykernel takes the thread of the message before instead: the cell's, or one that went with an older page.
    """
    for part in held_by(widget):
        if part.comm:
            part.comm._reply_subshell_for = lambda said, asked: asked


def display_with(asleep, widget, name):
    """Display a widget, preceded by the HTML that is seen on pages without a kernel; returns the handle of that.

    name: the widget's plain text, without an id that differs at each run.
    """
    hear_pages(widget)
    handle = display(HTML(ASLEEP % asleep), display_id=True)
    display({**ipywidgets.Widget._repr_mimebundle_(widget), "text/plain": name}, raw=True)
    return handle
