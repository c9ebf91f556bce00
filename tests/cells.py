"""A pytest plug-in for the chapters, which nbval runs: what a cell claims, and blanks that are filled in.

Claims: `tests/claims/01-data.py` holds assertions for the chapter 01-data.ipynb, below a line `# %% id` for each cell
they belong to. They run in the chapter's kernel, right after that cell, so that no cell of a lesson has to hold tests.

Blanks: with LENET_LAB_SOLVED=1 each cell with a function that is the student's (`@checks.yours`) is replaced by the
course's answer, the code in the fold below it, so that a chapter is run as it is when a student has done everything.

Own networks: chapters and tests find and leave them in a folder of each process's own, never beside the notebooks.
"""

import os
import re
import tempfile

import pytest

from helpers.teacher.assignment import shown_answers


def claims_of(notebook):
    """{cell id: assertions} of the chapter at the path `notebook`; empty if it claims nothing."""
    path = notebook.parents[1] / "tests" / "claims" / f"{notebook.stem}.py"
    if not path.exists():
        return {}
    parts = re.split(r"^# %% (\S+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def pytest_configure(config):
    """Keep the networks that chapters save away from the user's; kernels inherit the variable."""
    folder, before = tempfile.TemporaryDirectory(), os.environ.get("LENET_LAB_HOME")
    os.environ["LENET_LAB_HOME"] = folder.name

    def put_back():
        folder.cleanup()
        os.environ.pop("LENET_LAB_HOME")
        if before is not None:
            os.environ["LENET_LAB_HOME"] = before

    config.add_cleanup(put_back)


def pytest_collection_modifyitems(items):
    """Fill the blanks, if that is asked for."""
    if os.environ.get("LENET_LAB_SOLVED") != "1":
        return
    for item in items:
        if hasattr(item, "cell"):
            item.cell.source = shown_answers(item.parent.nb).get(item.cell.id, item.cell.source)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """After a cell, run its claims in the same kernel."""
    result = yield
    cell = getattr(item, "cell", None)
    claims = claims_of(item.path).get(cell.id) if cell is not None else None
    if claims:
        kernel = item.parent.kernel
        asked = kernel.execute_cell_input(claims, allow_stdin=False)
        while (reply := kernel.get_message("shell", timeout=60))["parent_header"].get("msg_id") != asked:
            pass
        kernel.await_idle(asked, timeout=60)
        if reply["content"]["status"] != "ok":
            trace = "\n".join(reply["content"].get("traceback", []))
            pytest.fail(f"after {cell.id}: " + re.sub(r"\x1b\[[0-9;]*m", "", trace))
    return result
