"""A lab is closed together with its widgets, and a cell that is run again closes the lab that it made before."""

import functools
from typing import ClassVar

import ipywidgets as widgets
import torch
from IPython import get_ipython

from helpers import machine


class Whole(widgets.VBox):
    """A box that closes together with its contents; ipywidgets would leave children, layouts and styles behind."""

    def close(self):
        """Close the box and every widget in it."""
        for widget in held_by(self):
            widgets.Widget.close(widget)


def held_by(widget):
    """A widget and all widgets that can be reached from it: children, layouts, styles, and those in its attributes."""
    found, left = {}, [widget]
    while left:
        thing = left.pop()
        if isinstance(thing, widgets.Widget) and id(thing) not in found:
            found[id(thing)] = thing
            left += vars(thing).values()
        elif isinstance(thing, dict):
            left += thing.values()
        elif isinstance(thing, (list, tuple)):
            left += thing
    return list(found.values())


class Cell:
    """A cell of the notebook; what is in all cells of the kernel is kept here: labs, and what is made only once."""

    _made: ClassVar = {}  # {key: (execution, widgets)}
    _once: ClassVar = {}  # {(key, make, words): what was made}

    def __init__(self, key, execution):
        self.key, self.execution = key, execution

    def close_old(self):
        """Close what an earlier execution of this cell made; does nothing in a cell without a key."""
        execution, made = self._made.get(self.key, (None, []))
        # A cell may show two labs side by side.
        if self.key and (self.execution is None or self.execution != execution):
            self._made[self.key] = self.execution, []
            for widget in made:
                widget.close()

    def keep(self, widget):
        """Remember that `widget` is in this cell."""
        if self.key:
            self._made[self.key][1].append(widget)

    def once(self, make, *words):
        """What `make(*words)` returned when this cell was run first; in a cell without a key, something new."""
        if not self.key:
            return make(*words)
        known = self.key, make, words
        if known not in self._once:
            self._once[known] = make(*words)
        return self._once[known]


def this_cell(name=None):
    """The `Cell` that is being executed, identified by the id that JupyterLab sends, and elsewhere by `name`."""
    kernel = getattr(get_ipython(), "kernel", None)
    request = kernel.get_parent("shell") if kernel else {}
    return Cell(request.get("metadata", {}).get("cellId") or name, request.get("header", {}).get("msg_id"))


def one_a_cell(function):
    """Decorate a function that makes a lab: made again in its cell, it closes the old one.

    JupyterLab says which cell it is; elsewhere a new lab closes the old one of the same name.
    """

    @functools.wraps(function)
    def make(*args, **options):
        cell = this_cell(function.__name__)
        cell.close_old()
        machine.prepare()  # first: whatever exists by then is frozen, and frozen objects are never collected
        with torch.device("cpu"):  # a lab moves its networks itself, whatever torch.set_default_device says
            made = function(*args, **options)
        cell.keep(made)
        return made

    return make
