"""In a wrong environment a notebook's first code cell says in one line what to do, and nothing after it runs."""

import ast
import contextlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import nbformat
import pytest
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from helpers import environment

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").rglob("[0-9]*.ipynb"))
# A kernel of another environment: Jupyter's own packages are there, what pip installed for the course may not be.
# Without site (-S) no .pth file is read, so that an editable installation of `helpers` is not found.
LAUNCHER = """
import runpy, sys
sys.path.extend({path!r})
sys.modules.update(dict.fromkeys({hidden!r}))  # None there hides a package from import and from find_spec
sys.argv = ["ipykernel_launcher", *sys.argv[1:]]
runpy.run_module("ipykernel_launcher", run_name="__main__")
"""


def old_pythons():
    """The interpreters of Python 3.6 to 3.10 on this machine that start: on the path, or installed by pyenv."""
    named = [shutil.which(f"python3.{minor}") for minor in range(6, 11)]
    versions = Path.home() / ".pyenv" / "versions"
    installed = [*versions.glob("3.[6-9].*/bin/python"), *versions.glob("3.10.*/bin/python")]
    candidates = sorted({*filter(None, named), *map(str, installed)})
    # One of pyenv's shims is on the path even where its version is not chosen, and then it only fails.
    return [
        python for python in candidates if subprocess.run([python, "--version"], capture_output=True).returncode == 0
    ]


def first_code_cell(path):
    return next(cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code")


@pytest.fixture(scope="module")
def start():
    """The source of the first chapter's cell, which is that of all notebooks."""
    return first_code_cell(NOTEBOOKS[0]).source


@pytest.fixture
def run(tmp_path):
    """Run cells in a real kernel without some packages, started in a folder; returns the cells with their outputs."""

    def run(cells, path=(), hidden=(), folder=tmp_path):
        launcher = LAUNCHER.format(path=[sysconfig.get_path("purelib"), *map(str, path)], hidden=tuple(hidden))
        spec = {"argv": [sys.executable, "-I", "-S", "-c", launcher, "-f", "{connection_file}"]}
        (tmp_path / "kernels" / "other").mkdir(parents=True)
        spec |= {"display_name": "another environment", "language": "python"}
        (tmp_path / "kernels" / "other" / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
        manager = AsyncKernelManager(
            kernel_name="other", kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(tmp_path / "kernels")])
        )
        client = NotebookClient(notebook, km=manager, resources={"metadata": {"path": str(folder)}}, timeout=120)
        try:
            client.execute()
        except CellExecutionError:
            notebook.metadata["stopped"] = True
        return notebook

    return run


def only_line(notebook, cell):
    """The one line that the cell shows; fails where it shows more, or where a later cell was run."""
    assert notebook.metadata.get("stopped")
    assert [later.execution_count for later in notebook.cells[cell + 1 :]] == [None] * len(notebook.cells[cell + 1 :])
    (output,) = notebook.cells[cell].outputs
    assert output.output_type == "stream"
    (line,) = output.text.splitlines()
    return line


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_first_code_cell_of_a_notebook_is_the_start_cell(path, start):
    cell = first_code_cell(path)
    assert (cell.id, cell.source) == ("start", start)
    assert "raises-exception" not in cell.metadata.get("tags", [])
    assert len([line for line in start.splitlines() if line.strip()]) <= 7
    ast.parse(start, feature_version=(3, 7))


def test_there_are_ten_notebooks():
    assert len(NOTEBOOKS) == 10


@pytest.mark.parametrize("inside", [True, False], ids=["inside the project", "outside the project"])
def test_a_kernel_without_the_course_names_kernel_and_installation(inside, run, start, tmp_path):
    folder = ROOT / "notebooks" if inside else tmp_path
    line = only_line(run([start, "import torch"], folder=folder), 0)
    assert line == "UsageError: No module named 'helpers'. Choose the course's kernel, or run `make lab`."


def test_a_kernel_that_lacks_one_package_names_it_and_the_command_that_installs_it(run, start):
    line = only_line(run([start, "import torch"], path=[ROOT], hidden=["matplotlib"]), 0)
    assert line == (
        f"UsageError: {sys.executable} lacks matplotlib: in {ROOT}, run "
        f"`{sys.executable} -m pip install -r requirements.txt`. Choose the course's kernel, or run `make lab`."
    )


def test_a_kernel_that_lacks_every_package_names_them_all(run, start):
    line = only_line(run([start, "import torch"], path=[ROOT], hidden=environment.PACKAGES), 0)
    assert f"lacks {', '.join(environment.PACKAGES)}: " in line


def test_a_kernel_of_an_old_python_names_both_versions(run, start):
    """As a kernel of 3.9 would say it; the next test asks real old Pythons, where there are some."""
    pretend = "import sys\nsys.version_info = (3, 9, 18, 'final', 0)"
    line = only_line(run([pretend, start, "import torch"], path=[ROOT]), 1)
    assert line == (
        f"UsageError: The course needs Python 3.11 or newer, but {sys.executable} is Python 3.9.18. "
        "Choose the course's kernel, or run `make lab`."
    )


@pytest.mark.parametrize("python", old_pythons())
def test_a_real_old_python_can_read_the_cell_and_the_check(python, start):
    """Such a Python has no IPython here: a class of that name stands for it."""
    program = (
        "import sys, types\n"
        "sys.modules['IPython'] = sys.modules['IPython.core'] = types.ModuleType('IPython')\n"
        "sys.modules['IPython.core.error'] = error = types.ModuleType('error')\n"
        "error.UsageError = type('UsageError', (Exception,), {})\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        f"try: exec({start!r})\n"
        "except error.UsageError as said: print(said)\n"
    )
    said = subprocess.run([python, "-B", "-c", program], check=True, capture_output=True, text=True)
    version = subprocess.run([python, "--version"], check=True, capture_output=True, text=True).stdout.split()[1]
    (line,) = said.stdout.splitlines()
    assert line.startswith("The course needs Python 3.11 or newer")
    assert f"is Python {version}. Choose the course's kernel" in line
    assert said.stderr == ""


@pytest.mark.parametrize("python", old_pythons())
def test_a_real_old_python_is_told_before_pip_is_asked(python):
    said = subprocess.run([python, "-B", "helpers/environment.py"], cwd=ROOT, capture_output=True, text=True)
    assert said.returncode == 1
    (line,) = said.stderr.splitlines()
    assert line.startswith(f"The course needs Python 3.11 to 3.14, but {python} is Python 3.")


@pytest.mark.skipif(sys.platform == "win32", reason="the README gives the plain lines for Windows")
@pytest.mark.parametrize(
    ("python", "words"),
    [*((python, "needs Python 3.11 to 3.14") for python in old_pythons()), ("not-there", "not-there")],
)
def test_make_says_it_before_it_makes_an_environment(python, words, tmp_path):
    for name in ("Makefile", "pyproject.toml", "requirements.txt", "helpers/lock.txt", "helpers/environment.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    command = ["make", "lab", f"PYTHON={python}"]
    done = subprocess.run(command, cwd=tmp_path, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True)
    assert done.returncode != 0
    assert words in done.stderr
    assert "Try: make lab PYTHON=python3.13" in done.stdout
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize(
    ("version", "fine"), [((3, 10, 13), False), ((3, 11, 0), True), ((3, 14, 9), True), ((3, 15, 0), False)]
)
def test_before_the_installation_each_end_of_the_range_counts(version, fine, monkeypatch):
    monkeypatch.setattr(sys, "version_info", version)
    with contextlib.nullcontext() if fine else pytest.raises(ImportError, match=r"3\.11 to 3\.14, but .* is Python 3"):
        environment.check_python(environment.NEWEST)


def test_a_python_newer_than_we_know_may_run_what_somebody_installed_for_it(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 15, 0))
    environment.check_environment()


@pytest.mark.parametrize(
    ("system", "machine", "bits", "words"),
    [
        ("darwin", "x86_64", 64, "PyTorch has not supported Intel Macs"),
        ("win32", "AMD64", 32, "a 64-bit Python"),
        ("darwin", "arm64", 64, None),
        ("linux", "x86_64", 64, None),
    ],
)
def test_a_machine_that_pytorch_has_no_build_for_is_told_what_to_do(system, machine, bits, words, monkeypatch):
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(sys, "maxsize", 2 ** (bits - 1) - 1)
    monkeypatch.setattr(environment, "machine", lambda: machine)
    with pytest.raises(ImportError, match=words) if words else contextlib.nullcontext():
        environment.check_machine()


def test_in_the_right_environment_the_cell_says_nothing_and_the_next_one_runs(run, start):
    notebook = run([start, "1 + 1"], path=[ROOT])
    assert notebook.cells[0].outputs == []
    assert notebook.cells[1].outputs[0].data["text/plain"] == "2"


@pytest.mark.parametrize("name", environment.PACKAGES)
def test_the_check_names_each_package_that_is_missing(name, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=f"lacks {name}: in .* -m pip install -r requirements.txt"):
        environment.check_environment()


def test_the_check_knows_every_package_that_the_course_asks_for():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    asked = {line.replace("=", ">").split(">")[0] for line in lines if line and line[0].isalpha()}
    assert set(environment.PACKAGES) == asked - {"jupyterlab", "ipykernel"}
