"""A cell that needs another one that has not been run: the error names it, since cells can be run in any order."""

import json
import os
import re
import symtable
from pathlib import Path

from IPython import get_ipython

from helpers.sentences import say

HINT = (
    "{name} is made in {section}, in the cell that begins with `{begins}`: run that cell first. Or click on this cell, "
    "and choose Run All Above Selected Cell in the menu Run."
)
NO_NOTEBOOK = (  # the kernel of a notebook that has been renamed is not told of the new name
    "Does a cell above make {name}? Then run it first: click on this cell, and choose Run All Above Selected Cell in "
    "the menu Run."
)


def name_the_cell():
    """From now on, a NameError in a notebook is followed by a line that names the cell to run first."""
    shell = get_ipython()
    if shell is not None and hasattr(shell, "kernel"):
        shell.set_custom_exc((NameError,), _say)


def where(name, notebook):
    """A sentence about the first code cell that makes `name`, and its section; an empty text if no cell does.

    notebook: as JSON gives it.
    """
    section = "the beginning"
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown" and (heading := re.search("^## (.+)$", source, re.MULTILINE)):
            numbered = re.match(r"\d+", heading[1])
            section = f"section {numbered[0]}" if numbered else f"the section “{heading[1].partition(' (')[0]}”"
        elif cell["cell_type"] == "code" and name in _names(source):
            return HINT.format(name=name, section=section, begins=source.splitlines()[0])
    return ""


def _names(source):
    try:
        table = symtable.symtable(source, "cell", "exec")
    except SyntaxError:  # a magic, or a line that a student is still writing
        return set()
    return {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}


def _say(shell, kind, error, traceback, tb_offset=None):
    shell.showtraceback((kind, error, traceback), tb_offset=tb_offset)
    path = Path(os.environ.get("JPY_SESSION_NAME", ""))  # set by Jupyter: the notebook that the kernel is for
    if kind is not NameError:  # an UnboundLocalError is about a name inside a function
        return
    if path.is_file():
        if hint := where(error.name, json.loads(path.read_text(encoding="utf-8"))):
            say(hint)
    else:
        say(NO_NOTEBOOK.format(name=error.name))
