"""A wrong environment in JupyterLab itself: one line under the cell `start`, and Run All goes no further."""

import nbformat
import pytest

from tests.browser import jupyterlab


@pytest.fixture(scope="module")
def notebook():
    path = jupyterlab.ROOT / "notebooks" / "01-data.ipynb"
    (start,) = (cell.source for cell in nbformat.read(path, as_version=4).cells if cell.id == "start")
    # When a cell fails, Jupyter drops the requests that have come: Run All's others need a moment until they have.
    first = "import sys, time\nsys.modules['torch'] = None\ntime.sleep(3)"
    return {"fault.ipynb": [first, start, "never_run = True"]}


def test_run_all_ends_at_the_start_cell_with_one_line(notebook, browser):
    with jupyterlab.server(notebook) as address:
        page = jupyterlab.open_notebook(browser, address, "fault.ipynb")
        page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
        page.get_by_text("UsageError: ").wait_for()
        cells = page.evaluate(
            """() => window.jupyterapp.shell.currentWidget.content.widgets
                .map(cell => [cell.model.executionCount, cell.model.outputs.toJSON()])"""
        )
        printed = jupyterlab.run_python(page, "print('never_run' in globals())")
    assert [count for count, _ in cells] == [1, 2, None]
    ((output,),) = (outputs for _, outputs in cells if outputs)
    (line,) = output["text"].splitlines()
    assert "lacks torch: in " in line
    assert printed == "False\n"
