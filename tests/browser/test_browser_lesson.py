"""A rehearsed lesson notices what a student should not meet: a notebook with one fault of each kind."""

from types import SimpleNamespace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.browser import jupyterlab
from tests.lesson.notice import KINDS, WINDOW
from tests.lesson.rehearse import rehearse
from tests.lesson.script import Script

DOT = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
FOLDED = {"jupyter": {"source_hidden": True}}
BLANK = """@checks.yours
def pool2d(X, size):
    '''Max-pooling.'''
    \"""\"""
    return ..."""
CELLS = {  # {cell: source}; those with a fault are named in FAULTS
    "start": "import time, sys\nimport ipywidgets\nimport torch\nfrom IPython.display import HTML, display\n"
    "from helpers import checks, labs, plotting\nimage = torch.rand(28, 28)",
    "sound": "HTML('<p>words</p>')",
    "traceback": "1 / 0",
    "warning": "print('old', file=sys.stderr)",
    "red-lab": "HTML('<p class=\"lab-trouble\">nothing fits</p>')",
    "empty": "HTML('')",
    "cut": "HTML('<div style=\"overflow: hidden; height: 20px\">one<br>two<br>three</div>')",
    "wide": f"HTML('<img alt=\"wide\" style=\"max-width: none; width: 3000px; height: 9px\" src=\"{DOT}\">')",
    "crowded": "HTML('<canvas aria-label=\"two words\"></canvas><script>"
    "const pen = document.currentScript.previousSibling.getContext(`2d`); pen.clearRect(0, 0, 9, 9); "
    "pen.fillText(`one`, 9, 9); pen.fillText(`two`, 12, 9)</script>')",
    "loading": "HTML('<p>Loading widget...</p>')",
    "gone": "display({'application/vnd.jupyter.widget-view+json': {'version_major': 2, 'version_minor': 0, "
    "'model_id': 'nowhere'}, 'text/plain': 'a widget'}, raw=True)",
    "wordless": f"HTML('<img style=\"width: 9px; height: 9px\" src=\"{DOT}\">')",
    "slow": "time.sleep(2.5)\n1",
    "alive": "labs.pooling(image)",
    "dead": "HTML('<label>board line <input></label>')",
    "jump": "HTML('<div></div><button onclick=\"this.previousSibling.style.height = `300px`\">more</button>')",
    "ask": "guess = labs.predict('How many?', 'one', 'two')\nguess",
    # The first line of a folded cell can be read.
    "told": "right = 'two'\nguess.answer(right, 'There are two of them on this page.')",
    "ask-early": "early = labs.predict('And now?', 'three', 'four')\nearly",
    "told-early": "right = 'four'\nearly.answer(right, 'It is one more than three of them.')",
    "blank": BLANK,
}  # fmt: skip
STUCK = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"  # nothing comes after it
FAULTS = {
    ("red", "traceback"), ("red", "warning"), ("red", "red-lab"), ("empty", "empty"), ("cut", "cut"), ("cut", "wide"),
    ("cut", "crowded"),
    ("loading", "loading"), ("dead", "gone"), ("alt", "wordless"), ("wait", "slow"), ("dead", "dead"), ("jump", "jump"),
    ("answer", "told-early"), ("verdict", "blank"), ("script", "alive"), ("stuck", "stuck"),
}  # fmt: skip
OTHERS = {"alive", "dead", "jump", "ask", "told", "ask-early", "told-early", "blank"}
DATA = SimpleNamespace(
    RUN=[*(cell for cell in CELLS if cell not in OTHERS), "stuck"],
    GUESSES={"ask": ("told", "one", "two"), "ask-early": ("told-early", "three", "four")},
    BLANKS={"blank": ("X[0]", "words that it does not say")},
    LABS={
        "alive": [("line", "pooling window=4"), ("key", "shift", "ArrowRight"), ("key", "shift", "NoSuchKey")],
        "dead": [("line", "nobody hears this")],
        "jump": [("press", "more")],
    },
    CHANGES={},
    EXERCISES={},
)


@pytest.fixture(scope="module")
def notebook():
    """The notebook of the faults; the reason of the answer `told-early` stands in the text above its question."""
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    cells = [new_markdown_cell("# Faults", id="title")]
    for name, source in CELLS.items():
        if name == "ask-early":
            cells.append(new_markdown_cell("It is one more than three of them.", id="too-early"))
        cells.append(new_code_cell(source, id=name, metadata=FOLDED if name.startswith(("ask", "told")) else {}))
    solution = "@checks.yours\ndef pool2d(X, size):\n    return torch.nn.functional.max_pool2d(X[None], size)[0]"
    cells.append(new_markdown_cell(f"<details><summary>Show me</summary>\n\n```python\n{solution}\n```\n", id="shown"))
    cells.append(new_code_cell(STUCK, id="stuck"))
    return new_notebook(cells=cells, metadata=kernel)


@pytest.fixture(scope="module")
def parts(notebook, browser, tmp_path_factory):
    """What the rehearsal of the notebook notices."""
    script = Script(0, "faults.ipynb", DATA, notebook, nbformat.v4.new_notebook())
    with jupyterlab.server({"faults.ipynb": notebook}, tmp_path_factory.mktemp("lesson") / "log", False) as address:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tests.lesson.rehearse.QUIET", 15)
            return rehearse(browser.new_page(viewport=WINDOW), address, script, "straight")


def test_each_planted_fault_is_noticed_and_nothing_else(parts):
    noticed = {(remark.kind, remark.cell) for part in parts for remark in part.remarks if remark.cell != "the page"}
    slow = {(kind, cell) for kind, cell in noticed if kind == "wait"} - FAULTS  # a busy machine
    assert noticed - slow == FAULTS
    assert {kind for kind, _ in FAULTS} == {*KINDS}


def test_the_kernels_part_of_the_wait_is_counted_by_its_own_clock(parts):
    assert sum(part.worked for part in parts) > 2.5  # the cell that sleeps
    assert sum(part.worked for part in parts) < sum(part.seconds for part in parts)


def test_an_error_that_only_the_log_shows_is_noticed_too(parts):
    assert any("ZeroDivisionError" in remark.words for remark in parts[-1].remarks if remark.cell == "the page")


def test_a_lesson_that_is_stuck_ends_and_says_what_was_awaited_and_how_things_stood(parts):
    (remark,) = [remark for remark in parts[-1].remarks if remark.kind == "stuck"]
    assert "s waited in vain for the cell's end; the kernel is " in remark.words
    assert "the keyboard is at " in remark.words
