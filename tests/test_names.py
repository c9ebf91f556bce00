"""The rule of names: what is called x, or belongs to chapter N, is found under that name."""

import ast
import re
from pathlib import Path

import nbformat
import pytest

from helpers import checks, labs
from tests import every_lab

ROOT = Path(__file__).resolve().parents[1]
HELPERS = ROOT / "helpers"
# What the labs' pictures and the chapters' stand on, and the two pictures that belong to no one chapter.
SHARED = {"__init__", "charts", "colours", "images", "style", "vector", "course_map", "reproduce"}
LABS = set(every_lab.LABS)


def code_of(chapter):
    """The code of a chapter and of its solutions."""
    (path,) = (ROOT / "notebooks").glob(f"0{chapter}-*.ipynb")
    notebooks = [nbformat.read(place, as_version=4) for place in (path, path.parent / "solutions" / path.name)]
    return "\n".join(cell.source for notebook in notebooks for cell in notebook.cells if cell.cell_type == "code")


def defined(path):
    """The public functions and classes of a module."""
    nodes = ast.parse(path.read_text(encoding="utf-8")).body
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef) if node.name[0] != "_"}


def test_every_lab_has_its_line_among_those_that_are_tested_together():
    offered = {path.stem for path in (HELPERS / "labs").glob("[a-z]*.py") if callable(getattr(labs, path.stem, None))}
    assert offered - {"bench", "watch"} == LABS  # bench hands a network to labs, watch draws a plain loop


@pytest.mark.parametrize("lab", sorted(LABS))
def test_a_lab_and_its_picture_have_files_of_its_name(lab):
    assert lab in defined(HELPERS / "labs" / f"{lab}.py")
    assert (HELPERS / "plotting" / f"{lab}.py").exists()


def test_a_file_of_pictures_belongs_to_a_lab_or_a_chapter():
    names = {path.stem for path in (HELPERS / "plotting").glob("*.py")} - SHARED - LABS
    assert names == {f"chapter{number}" for number in range(1, 6)}


@pytest.mark.parametrize("chapter", range(1, 6))
def test_a_chapters_pictures_are_shown_in_that_chapter_only(chapter):
    pictures = defined(HELPERS / "plotting" / f"chapter{chapter}.py")
    for other in range(1, 6):
        shown = pictures & set(re.findall(r"plotting\.(\w+)", code_of(other)))
        assert shown if other == chapter else not shown, f"chapter {other} shows {shown}"


@pytest.mark.parametrize("chapter", range(1, 6))
def test_a_chapters_exercises_are_checked_in_its_own_file(chapter):
    asked = set(re.findall(r"checks\.(check_\w+)", code_of(chapter)))
    assert asked
    assert asked <= names_in(HELPERS / "checks" / f"chapter{chapter}.py")
    assert all(hasattr(checks, name) for name in asked)


def names_in(path):
    """The names that a module sets: its functions, classes and variables."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    return defined(path) | {target.id for target in targets if isinstance(target, ast.Name)}


def imported(path):
    """The modules that a file imports anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield from [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_no_test_module_imports_another():
    for path in (ROOT / "tests").rglob("*.py"):
        others = [name for name in imported(path) if re.match(r"tests\.(\w+\.)?test_", name)]
        assert not others, f"{path.relative_to(ROOT)} imports {others}: what both need belongs into tests/support.py"
