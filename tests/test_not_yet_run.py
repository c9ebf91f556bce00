"""Cells in the wrong order: the error says which cell and which section come first."""

import json

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from helpers.not_yet_run import where
from tests.lesson.script import ROOT

NOTEBOOK = {
    "cells": [
        {"cell_type": "markdown", "source": ["# Chapter 9"]},
        {"cell_type": "code", "source": ["import torch\n", "start = 1"]},
        {"cell_type": "markdown", "source": "## 3 Filters (9 min)\n\nText."},
        {"cell_type": "code", "source": "%matplotlib inline"},
        {"cell_type": "code", "source": ["def bank(size):\n", "    inner = size\n", "    return inner"]},
        {"cell_type": "markdown", "source": ["## Deeper: more (4 min)\n"]},
        {"cell_type": "code", "source": ["maps = bank(3)  # again\n", "bank = maps"]},
    ]
}


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("bank", "in section 3, in the cell that begins with `def bank(size):`"),
        ("maps", "in the section “Deeper: more”, in the cell that begins with `maps = bank(3)  # again`"),
        ("torch", "in the beginning, in the cell that begins with `import torch`"),
    ],
)
def test_a_name_leads_to_the_first_cell_that_makes_it(name, place):
    assert where(name, NOTEBOOK).startswith(f"{name} is made {place}: run that cell first.")


@pytest.mark.parametrize("name", ["inner", "torhc", "size"])
def test_a_name_that_no_cell_makes_leads_nowhere(name):
    assert where(name, NOTEBOOK) == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a.ipynb", "unknown is made in the beginning, in the cell that begins with `unknown = 2`"),
        ("before-it-was-renamed.ipynb", "Does a cell above make unknown? Then run it first:"),
    ],
)
def test_in_a_kernel_the_line_follows_the_traceback(name, words, tmp_path, monkeypatch):
    cells = ["from helpers import name_the_cell\nname_the_cell()", "known = 1", "unknown + 1"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in [*cells, "unknown = 2"]])
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(notebook), encoding="utf-8")
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / name))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with pytest.raises(CellExecutionError, match="name 'unknown' is not defined"):
        NotebookClient(notebook).execute()
    error, line = notebook.cells[2].outputs
    assert error.output_type == "error"
    assert line.data["text/plain"].startswith(words)
