"""The plug-in that holds `raises-exception` cells to their word."""

import pytest
from nbformat import NotebookNode

from tests.raising_cells import check_raising_cell


def error(name, message):
    return NotebookNode(output_type="error", ename=name, evalue=message)


def test_the_named_error_passes():
    check_raising_cell("# raises ValueError: too large\nf()", [error("ValueError", "7 is too large")])


@pytest.mark.parametrize(
    ("source", "outputs"),
    [
        ("# raises ValueError: too large\nf()", []),
        ("# raises ValueError: too large\nf()", [error("TypeError", "too large")]),
        ("# raises ValueError: too large\nf()", [error("ValueError", "too small")]),
        ("f()", [error("ValueError", "too large")]),
    ],
)
def test_anything_else_fails(source, outputs):
    with pytest.raises(pytest.fail.Exception):
        check_raising_cell(source, outputs)
