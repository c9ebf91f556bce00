"""What a teacher hands out: pages to read without running, and a copy of the course without solutions."""

import base64
import io
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from PIL import Image

from helpers.teacher import handout, student_copy
from tests import every_lab

PROSE = r"# Chapter 9: Small" + "\n\n$$\\left\\lfloor \\frac{n + 2p - w}{s} \\right\\rfloor + 1$$\n\nwith $n = 28$"


def notebook(*cells):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(PROSE), *cells])


def code(source, *tags):
    return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)})


def images_of(page):
    """The attributes of each <img>, and of each SVG that is a picture, of a page, as dictionaries."""
    images = []
    parser = HTMLParser()
    parser.handle_startendtag = parser.handle_starttag = lambda tag, pairs: (
        images.append(dict(pairs)) if tag == "img" or ("role", "img") in pairs else None
    )
    parser.feed(page)
    return images


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder that stands for the project; its data, were they looked at, would be an error."""
    monkeypatch.setattr(handout, "ROOT", tmp_path)
    monkeypatch.setenv("LENET_LAB_DATA", str(tmp_path / "nowhere"))
    (tmp_path / "notebooks").mkdir()
    return tmp_path


def test_a_page_shows_pictures_labs_formulas_and_the_errors_made_on_purpose(project):
    chapter = notebook(
        code(every_lab.BEGIN),
        code("import os\nprint(len(data.train_images), data.source[:18], os.getcwd())"),
        code(
            "print(len(fashion_mnist('sample').train_images), len(fashion_mnist(part='full').train_images), "
            "'whatever was asked for')"
        ),
        code("from helpers import plotting\nplotting.images(data.train_images[:3], alt='three <boots>')"),
        code(every_lab.LABS["shapes"]),
        code(every_lab.LABS["pooling"]),
        code(every_lab.LABS["convolution"]),
        code("labs.watch(iter([]), 2)"),
        code("from matplotlib import pyplot as plt\nplt.plot([1, 2])"),
        code("1 / 0", "raises-exception"),
        code("print('after it')"),
    )
    nbformat.write(chapter, project / "notebooks" / "09-small.ipynb")
    written = project / "build" / "handout" / "09-small.html"
    written.parent.mkdir(parents=True)
    written.write_text("an older page")
    handout.main()
    assert list(written.parent.iterdir()) == [written]
    page = written.read_text(encoding="utf-8")
    assert "10000 the bundled sample" in page
    assert "10000 10000 whatever was asked for" in page
    assert "after it" in page
    assert page.count("ZeroDivisionError") == page.count("division by zero") == 1
    assert "Traceback" not in page
    assert "load=" not in page  # the cell that was put before the others
    assert str(project) not in page
    # Nothing comes from elsewhere, and nothing is left of a widget that needs a program to show it.
    assert "<script" not in page
    assert "children=(" not in page
    assert page.count(handout.LAB) == 3
    assert "run this cell again" not in page
    images = images_of(page)
    alts = [image.get("alt") or image["aria-label"] for image in images]
    assert len(alts) == 8
    assert r"\left\lfloor \frac{n + 2p - w}{s} \right\rfloor + 1" in alts
    assert "n = 28" in alts
    assert "three <boots>" in alts
    assert "A picture that the code above draws" in alts
    drawings = [image for image in images if "src" not in image]
    assert all(image["viewbox"] for image in drawings)
    assert len(drawings) == 5  # the images, three labs, and the curves
    for image in (image for image in images if "src" in image):
        kind, data = re.fullmatch(r"data:image/(png|svg\+xml);base64,(.+)", image["src"]).groups()
        picture = base64.b64decode(data)
        assert picture.startswith(b"<?xml") if kind == "svg+xml" else min(Image.open(io.BytesIO(picture)).size) > 100


@pytest.mark.parametrize("source", ["1 / 0", "input('a question that nobody answers')"])
def test_an_error_that_no_tag_asks_for_stops_it_and_leaves_the_older_page(source, project):
    nbformat.write(notebook(code(source)), project / "notebooks" / "09-small.ipynb")
    written = project / "build" / "handout" / "09-small.html"
    written.parent.mkdir(parents=True)
    written.write_text("an older page")
    with pytest.raises(CellExecutionError):
        handout.main()
    assert list(written.parent.iterdir()) == [written]
    assert written.read_text() == "an older page"


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    target = tmp_path_factory.mktemp("build") / "student-copy"
    student_copy.student_copy(target)
    return target


def test_the_student_copy_has_the_course_and_neither_solutions_nor_tests(copied):
    files = {path.relative_to(copied).as_posix() for path in copied.rglob("*") if path.is_file()}
    chapters = {f"notebooks/{path.name}" for path in (student_copy.ROOT / "notebooks").glob("[0-9]*.ipynb")}
    assert len(chapters) == 5
    outside = {file for file in files if not file.startswith("helpers/")}
    assert outside == chapters | set(student_copy.FILES.values())
    assert {"helpers/__init__.py", "helpers/sample/MNIST/t10k-images-idx3-ubyte.gz"} <= files
    assert not [file for file in files if "solution" in file or "test" in file or file.endswith(".pyc")]


def test_the_student_copys_notebooks_are_the_projects_without_outputs(copied):
    for path in (copied / "notebooks").glob("*.ipynb"):
        ours = nbformat.read(student_copy.ROOT / "notebooks" / path.name, as_version=4)
        theirs = nbformat.read(path, as_version=4)
        assert [(cell.id, cell.source) for cell in theirs.cells] == [(cell.id, cell.source) for cell in ours.cells]
        assert all(not cell.get("outputs") and not cell.get("execution_count") for cell in theirs.cells)


def test_outputs_do_not_reach_the_students():
    cell = code("1 + 1")
    cell.outputs, cell.execution_count = [nbformat.v4.new_output("stream", text="2")], 3
    chapter = notebook(cell)
    chapter.metadata["widgets"] = {"state": {}}
    bare = student_copy.without_outputs(chapter)
    assert (bare.cells[1].outputs, bare.cells[1].execution_count) == ([], None)
    assert "widgets" not in bare.metadata


def test_the_student_copy_stands_by_itself(copied):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    shown = subprocess.run(
        [sys.executable, "-c", "import helpers; print(helpers.__file__, len(helpers.mnist('sample').test_labels))"],
        cwd=copied, env=environment, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert shown.split() == [str(copied / "helpers" / "__init__.py"), "2000"]
    if shutil.which("make"):
        plan = subprocess.run(["make", "-n", "lab"], cwd=copied, check=True, capture_output=True, text=True).stdout
        assert "jupyterlab notebooks/01-data.ipynb" in plan
        assert "-r requirements.txt" in plan


def test_a_student_copy_that_exists_is_never_touched(tmp_path):
    target = tmp_path / "student-copy"
    target.mkdir()
    (target / "my-work.ipynb").write_text("hours of it")
    with pytest.raises(FileExistsError, match="move it away"):
        student_copy.student_copy(target)
    assert [path.name for path in tmp_path.rglob("*")] == ["student-copy", "my-work.ipynb"]
    assert (target / "my-work.ipynb").read_text() == "hours of it"
