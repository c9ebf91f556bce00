"""What students bring to a notebook without knowing: their own settings, files, and cells that are run again."""

import os
import re
import subprocess
import sys
from pathlib import Path

import matplotlib
import matplotlib.style
import nbformat
import pytest
import torch
from matplotlib.artist import Artist
from nbclient import NotebookClient

from helpers import data, labs, lenet, plotting
from tests.every_lab import shown
from tests.raising_cells import check_raising_cell

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))


class Student(Artist):
    """In the middle of a drawing, a student changes a setting in another cell, and looks at another."""

    def draw(self, renderer):
        self.seen = matplotlib.rcParams["axes.grid"], matplotlib.rcParams["axes.titlelocation"]
        matplotlib.rcParams["lines.linewidth"] = 7


@pytest.fixture
def settings():
    """Matplotlib's settings, as they are before a student changes them; put back afterwards."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        yield matplotlib.rcParams


def test_a_setting_made_while_a_picture_is_drawn_survives_and_ours_are_never_seen(settings):
    figure, student = plotting.bars([1, 2], ["a", "b"]), Student()
    figure.add_artist(student)
    figure.png()
    assert settings["lines.linewidth"] == 7
    assert student.seen == (False, "center")


PICTURES = {
    "bars": lambda: plotting.bars([1, 2], ["a", "b"], "images"),
    "lines": lambda: plotting.lines([0, 1], {"LeNet": [0, 1], "MLP": [1, 0]}, "step", "loss", title="two lines"),
    "histogram": lambda: plotting.histogram([1, 2, 3], title="a histogram"),
    "scatter": lambda: plotting.scatter([1, 2, 100], [0.1, 0.5, 0.6], "learning rate", "accuracy"),
    "gaps": lambda: plotting.gaps([100, 1000], {"LeNet": [(1, 0.6), (0.95, 0.8)]}),
    "map of the course": lambda: plotting.course_map(1),
}


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize(
    "style",
    [
        "dark_background",
        "grayscale",
        {"xtick.direction": "in", "ytick.major.size": 9},
        {"font.size": 30},
        {"axes.grid": False},
    ],
    ids=str,
)
def test_a_students_settings_do_not_spoil_our_pictures(name, style, settings):
    expected = PICTURES[name]().png()
    matplotlib.style.use(style)
    assert PICTURES[name]().png() == expected


def start_cell(folder):
    """What the first code cell says in a notebook that lies in `folder`; "" if all is well."""
    cells = nbformat.read(CHAPTERS[0], as_version=4).cells
    start = next(cell.source for cell in cells if cell.cell_type == "code")
    # As in a kernel, the notebook's folder comes first, and what IPython itself needs is there already.
    program = (
        "import sys, IPython, ipykernel.ipkernel; "
        f"sys.path[:0] = ['', *[{str(ROOT)!r}]]; from IPython.core.error import UsageError\n"
        f"try: exec({start!r})\nexcept UsageError as said: print(said)"
    )
    command = [sys.executable, "-P", "-c", program] if sys.version_info >= (3, 11) else [sys.executable, "-c", program]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize(
    "name",
    ["torch.py", "random.py", "numpy.py", "matplotlib.py", "d2l.py", "statistics.py", "PIL.py", "torch/__init__.py"],
)
def test_a_students_file_that_hides_a_module_is_named_by_the_first_cell(name, tmp_path):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("answer = 42\n", encoding="utf-8")
    hidden = name.partition("/")[0]
    (line,) = start_cell(tmp_path).splitlines()
    assert f"{tmp_path / hidden} hides the module {hidden.removesuffix('.py')}, which the course needs" in line
    assert "Rename it, restart" in line


@pytest.mark.parametrize("name", ["helpers.py", "helpers/__init__.py"])
def test_a_students_own_helpers_are_named_by_the_first_cell(name, tmp_path):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("answer = 42\n", encoding="utf-8")
    (line,) = start_cell(tmp_path).splitlines()
    assert str(tmp_path / name) in line
    assert "Rename it, restart" in line


def test_files_that_hide_nothing_are_no_trouble(tmp_path):
    for name in ("homework.py", "test.py", "my-lenet.pt", "torch.ipynb"):
        (tmp_path / name).write_text("", encoding="utf-8")
    (tmp_path / "torch").mkdir()  # a folder without __init__.py, of saved weights for example, hides nothing
    assert start_cell(tmp_path) == ""


@pytest.mark.parametrize("said", ["0", "false", "False", "no", "off", "", " ", '"0"', "N", "None"])
def test_offline_set_to_no_means_online(said, mirror, monkeypatch):
    monkeypatch.setenv("LENET_LAB_OFFLINE", said)
    _, requests = mirror
    data.fashion_mnist()
    assert requests


@pytest.mark.parametrize("said", ["1", "true", "yes", "on"])
def test_offline_set_to_yes_means_offline(said, mirror, monkeypatch):
    monkeypatch.setenv("LENET_LAB_OFFLINE", said)
    _, requests = mirror
    data.fashion_mnist()
    assert not requests


@pytest.fixture
def double_precision():
    """What a student may have asked for in a cell."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


LABS = {
    "explorer": lambda sample: labs.explorer(sample),
    "convolution": lambda sample: labs.convolution(sample.train_images[0]),
    "pooling": lambda sample: labs.pooling(sample.train_images[0]),
    "learn": lambda sample: labs.learn_kernel(sample.train_images[0]),
    "shapes": lambda sample: labs.shapes(),
    "microscope": lambda sample: labs.microscope(lenet(), sample.train_images[:5]),
}


@pytest.mark.parametrize("name", LABS)
def test_a_lab_answers_every_control_in_double_precision(name, sample, double_precision):
    lab = LABS[name](sample)
    for control in lab.controls.values():
        if hasattr(control, "options"):
            for _, value in control.options:
                control.value = value
        elif hasattr(control, "max"):
            control.value = control.min
    if name == "learn":
        lab.step()
    assert shown(lab)


@pytest.fixture
def gradients_off_and_another_device():
    """What a student may have asked for in a cell; "meta" stands for a GPU that this machine lacks."""
    torch.set_grad_enabled(False)
    torch.set_default_device("meta")
    yield
    torch.set_default_device(None)
    torch.set_grad_enabled(True)


@pytest.mark.parametrize("name", [name for name in LABS if name != "microscope"])  # its network would have no numbers
def test_a_lab_stays_on_the_cpu_and_keeps_its_gradients(name, sample, gradients_off_and_another_device):
    lab = LABS[name](sample)
    lab.board.move({})
    if name == "learn":
        lab.step()
        assert lab.board.line()
    assert shown(lab)


@pytest.mark.skipif(
    not os.environ.get("LENET_LAB_RERUN"), reason="takes minutes: the nightly workflow sets LENET_LAB_RERUN=1"
)
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_cell_runs_twice_in_a_row_and_the_chapter_twice_and_answers_stay(path, monkeypatch):
    monkeypatch.setenv("LENET_LAB_REVEAL", "1")
    monkeypatch.delenv("LENET_LAB_DATA", raising=False)
    monkeypatch.setenv("LENET_LAB_OFFLINE", "1")
    notebook = nbformat.read(path, as_version=4)
    places = [place for place, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    client = NotebookClient(
        notebook, timeout=300, allow_errors=True, resources={"metadata": {"path": str(path.parent)}}
    )
    wrong, answers = [], {}
    with client.setup_kernel():
        for place in [*(place for place in places for _ in range(2)), *places]:
            cell = client.execute_cell(notebook.cells[place], place)
            if "raises-exception" in cell.metadata.get("tags", []):
                check_raising_cell(cell.source, cell.outputs)
            else:
                wrong += [f"{cell.id}: {output.ename}" for output in cell.outputs if output.output_type == "error"]
                answers.setdefault(place, answer_in(cell))
        # A student goes back to a question, and runs only its answer again.
        for place, answer in answers.items():
            if answer and (now := answer_in(client.execute_cell(notebook.cells[place], place))) != answer:
                wrong.append(f"{notebook.cells[place].id}: the answer was {answer}, and is {now or 'an error'}")
    assert wrong == []


def answer_in(cell):
    """The answer to a question that a cell shows, or ""."""
    pages = [output.data.get("text/html", "") for output in cell.outputs if "data" in output]
    found = re.search("Answer: <b>(.*?)</b>", " ".join(pages))
    return found[1] if found else ""
