"""The project as a whole: its layout, its README, its installation, its Binder image."""

import ast
import itertools
import os
import re
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from helpers.environment import NEWEST, OLDEST
from helpers.experiments import measured
from helpers.reproduce_all import BEGIN, END, README, table

ROOT = Path(__file__).resolve().parents[1]
FOLDERS_AND_FILES = {"README.md", "requirements.txt", "notebooks", "helpers", "tests", "binder"}
BESIDE_THEM = {"Makefile", "pyproject.toml", "LICENSE"}


def git(*arguments):
    """What git prints about this project, or None: without git, or in a copy from a ZIP, perhaps in another project."""
    try:
        command = ["git", "-C", ROOT, *arguments]
        top = subprocess.run([*command[:3], "rev-parse", "--show-toplevel"], capture_output=True, text=True, check=True)
        if Path(top.stdout.strip()).resolve() != ROOT:
            return None
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None


def tracked():
    """Paths that git keeps, or would keep if they were added; without git, the files that .gitignore does not name."""
    listed = git("ls-files", "--cached", "--others", "--exclude-standard")
    if listed is not None:
        return [path for path in listed.splitlines() if (ROOT / path).exists()]
    ignored = [".git", *(line.rstrip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines())]
    found = []
    for folder, folders, files in os.walk(ROOT):
        kept = [name for name in folders + files if not any(fnmatch(name, pattern) for pattern in ignored)]
        folders[:] = [name for name in folders if name in kept]
        found += [(Path(folder) / name).relative_to(ROOT).as_posix() for name in files if name in kept]
    return found


@pytest.mark.parametrize("machine", ["no git", "no repository", "another project's repository"])
def test_without_git_the_files_of_the_folder_are_the_project(machine, tmp_path, monkeypatch):
    project = tmp_path / "project"
    (project / "notebooks").mkdir(parents=True)
    (project / ".venv").mkdir()
    for name in ("notebooks/a.ipynb", ".venv/x.py", ".gitignore"):
        (project / name).write_text(".venv/\n*.egg-info/\n")
    (project / "helpers.egg-info").mkdir()
    (project / "helpers.egg-info" / "PKG-INFO").touch()
    if machine == "another project's repository" and not shutil.which("git"):
        pytest.skip("there is no git on this machine to make that repository with")
    if machine == "no git":
        monkeypatch.setenv("PATH", str(tmp_path))
    elif machine == "another project's repository":
        subprocess.run(["git", "init", "-q", tmp_path], check=True)
    monkeypatch.setattr(sys.modules[__name__], "ROOT", project)
    assert sorted(tracked()) == [".gitignore", "notebooks/a.ipynb"]


def test_the_top_level_holds_what_was_agreed():
    top = {path.split("/")[0] for path in tracked()}
    assert FOLDERS_AND_FILES <= top
    assert {name for name in top - FOLDERS_AND_FILES - BESIDE_THEM if not name.startswith(".")} == set()


def test_every_link_of_the_readme_into_the_project_leads_somewhere():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    assert len(links) >= 5
    assert [link for link in links if not (ROOT / link).exists()] == []
    assert re.findall(r"!\[[^\]]{20,}\]\(", text), "the README shows no screenshot with alternative text"


# The floors of the helpers, from the ground up. A module or folder imports from floors below its own, and from itself.
FLOORS = [
    {
        "errors",
        "files",
        "environment",
        "machine",
        "download",
        "diagnosis",
        "finding",
        "digits",
        "moving",
        "plotting",
        "splitting",
        "sentences",
    },
    {"any_data", "image_files", "not_yet_run", "teacher"},
    {"any_network", "metrics", "photos", "whole_sets"},
    {"any_settings", "data", "models", "processes"},
    {"image_arrays", "layers", "own_images", "simulated_writers", "training", "weights"},
    {"checks", "experiments", "pretraining"},
    {"own_net", "reproduce"},
    {"labs", "reproduce_all"},
]
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names}


def imports_of(source):
    """The project's modules that some Python code imports, at its top or within a function: ["helpers.data", ...]."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "helpers":
            found += [f"helpers.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append("." * node.level + (node.module or ""))
    return [name for name in found if name.split(".")[0] in ("helpers", "tests", "")]


def forbidden(room, source):
    """What some code in the module or folder `room` of the helpers imports but must not."""

    def allowed(name):
        top, imported = (*name.split("."), "")[:2]
        return top == "helpers" and (imported == room or FLOOR.get(imported, len(FLOORS)) < FLOOR[room])

    return [name for name in imports_of(source) if not allowed(name)]


def test_the_helpers_import_downwards_only():
    helpers = ROOT / "helpers"
    for path in helpers.rglob("*.py"):
        if path != helpers / "__init__.py":
            room = path.relative_to(helpers).parts[0].removesuffix(".py")
            assert forbidden(room, path.read_text(encoding="utf-8")) == [], path


@pytest.mark.parametrize(
    "source",
    [
        "import helpers.labs",
        "from helpers import labs",
        "from helpers.labs.runner import Runner",
        "import math, helpers.labs as everything",
        "def f():\n    import helpers.reproduce",
        "class C:\n    def f(self):\n        from helpers import data, labs",
        "import helpers",
        "from helpers import lenet",  # a function is imported from its true home
        "from . import labs",
        "from ..labs import runner",
        "import tests.support",
        "from tests.support import wait_for",
    ],
)
def test_an_import_upwards_is_seen_wherever_it_is(source):
    assert len(forbidden("training", source)) == 1
    assert forbidden("training", "import math\nfrom helpers.data import Batches\nimport helpers.metrics") == []


def test_the_students_packages_are_ranges_and_test_tools_stay_out():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    packages = [re.match(r"[\w-]+", line)[0] for line in lines if line and line[0].isalpha()]
    assert {"jupyterlab", "torch", "torchvision", "matplotlib", "ipywidgets", "d2l", "ipykernel"} <= set(packages)
    assert not {"pytest", "nbval", "ruff", "playwright"} & set(packages)
    assert "-e ." in lines


def ranges():
    """What the two requirements files ask for, as packaging's Requirement."""
    lines = [
        line
        for name in ("requirements.txt", "tests/requirements.txt")
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines()
    ]
    return [Requirement(line) for line in lines if line and line[0].isalpha()]


def test_every_range_of_packages_has_its_reason():
    for name in ("requirements.txt", "tests/requirements.txt"):
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        for before, line in itertools.pairwise(lines):
            assert not line[:1].isalpha() or before.startswith("# "), f"{name}: why {line}?"
    assert all(package.specifier for package in ranges())


def test_every_place_names_the_pythons_that_pyproject_allows():
    allowed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    oldest, end = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", allowed["project"]["requires-python"]).groups()
    oldest, newest = int(oldest), int(end) - 1
    assert (OLDEST, NEWEST) == ((3, oldest), (3, newest))
    assert allowed["tool"]["ruff"]["target-version"] == f"py3{oldest}"
    for name in ("README.md", "notebooks/for-students.md", "requirements.txt"):
        assert f"Python 3.{oldest} to 3.{newest}" in (ROOT / name).read_text(encoding="utf-8"), name
    workflow = (ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")
    assert f'python: ["3.{oldest}", "3.{newest}"]' in workflow
    # No place names a Python that is too old or too new: "Python 3.12", "python3.13", "python-3.12", "3.11 to 3.14".
    for name in ("README.md", "Makefile", "binder/runtime.txt", *(path for path in tracked() if path.endswith(".md"))):
        text = (ROOT / name).read_text(encoding="utf-8")
        minors = {int(minor) for minor in re.findall(r"(?:[Pp]ython[ -]?|py -|to )3\.(\d+)", text)}
        assert minors <= set(range(oldest, newest + 1)), name


@pytest.mark.skipif(sys.platform == "win32", reason="repo2docker does not run on Windows")
def test_binder_installs_the_requirements_and_fetches_the_data():
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", str(ROOT)]
    rendered = subprocess.run(command, check=True, capture_output=True, text=True)
    dockerfile = rendered.stdout + rendered.stderr
    assert re.search(r"pip install .*-r \"?binder/requirements.txt", dockerfile)
    assert "RUN ./binder/postBuild" in dockerfile
    assert "python=3.12" in dockerfile
    # The course itself is there when pip runs: `-e .` needs it.
    assert re.search(r"COPY --chown=\d+:\d+ src/ .*pip install --no-cache-dir -r", dockerfile, re.DOTALL)


def test_binder_may_execute_what_it_must():
    listed = git("ls-files", "--stage", "binder/postBuild", ".ci/run")
    if listed is None:
        pytest.skip("only git knows: a ZIP may have been unpacked without the permissions")
    assert re.findall(r"^\d+", listed, re.MULTILINE) == ["100755", "100755"]


def post_build(folder):
    """Run binder/postBuild in a folder, with the Python of these tests; its exit code and what it printed."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    environment |= {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}  # nobody answers there
    environment = {name: value for name, value in environment.items() if not name.startswith("LENET_LAB")}
    script = ROOT / "binder" / "postBuild"
    done = subprocess.run(
        ["bash", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="a Binder image is built on Linux")
def test_a_binder_image_without_network_gets_the_sample(tmp_path):
    shutil.copytree(ROOT / "helpers", tmp_path / "helpers")
    code, printed = post_build(tmp_path)
    assert code == 0
    assert "Using the bundled sample of MNIST" in printed
    assert "Traceback" not in printed


@pytest.mark.skipif(sys.platform != "linux", reason="a Binder image is built on Linux")
@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("def fashion_mnist(): raise OSError('No space left on device')\nmnist = fashion_mnist", 0),
        ("import a_package_that_pip_did_not_install", 1),
    ],
    ids=["a failed download", "a broken installation"],
)
def test_a_binder_image_is_built_without_images_but_not_without_packages(source, code, tmp_path):
    (tmp_path / "helpers.py").write_text(source)
    ended, printed = post_build(tmp_path)
    assert ended == code
    assert ("will use the bundled sample" in printed) == (code == 0)


@pytest.mark.skipif(sys.platform == "win32", reason="the README gives the plain lines for Windows")
@pytest.mark.parametrize("folder", ["some/folder", "my data", "/an/absolute folder"])
def test_make_passes_the_data_folder_on_as_an_absolute_path(folder, tmp_path):
    (tmp_path / "show.mk").write_text('show: ; @echo "$$LENET_LAB_DATA"\n')
    command = ["make", "--no-print-directory", "-f", "Makefile", "-f", tmp_path / "show.mk", "show"]
    shown = subprocess.run(
        [*command, f"LENET_LAB_DATA={folder}"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    assert shown.splitlines() == [str(ROOT / folder)]


def test_the_readme_shows_what_was_measured_last():
    text = README.read_text(encoding="utf-8")
    assert text.partition(BEGIN)[2].partition(END)[0] == table(measured())
