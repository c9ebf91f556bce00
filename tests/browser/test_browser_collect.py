"""The class draws: a student at the pad, by mouse and by keyboard, and the projector that follows."""

import json

import pytest
from playwright.sync_api import expect

from tests.browser import jupyterlab

FOLDERS = """import os, tempfile
for name in ("LENET_LAB_HOME", "LENET_LAB_CLASS"):
    os.environ[name] = tempfile.mkdtemp()
from helpers import labs"""
CELLS = [FOLDERS, "student = labs.collect()\nstudent", "projector = labs.class_data()\nprojector"]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with jupyterlab.server({"class.ipynb": CELLS}, tmp_path_factory.mktemp("class") / "log") as running:
        yield running


@pytest.fixture(scope="module")
def page(browser, address):
    with jupyterlab.page_of_labs(browser, address, "class.ipynb") as page:
        yield page


@pytest.fixture
def student(page):
    """The collecting lab of a student who has nothing kept yet."""
    root = page.get_by_role("group", name="collect lab")
    root.wait_for()
    root.get_by_role("button", name="Someone else draws").click()
    expect(root.locator(".lab-collect")).to_contain_text("nothing is kept yet")
    root.locator(".lab-pad canvas").scroll_into_view_if_needed()
    return root


@pytest.fixture
def projector(page):
    return page.get_by_role("group", name="class_data lab").locator(".lab-said")


def kept(page):
    return json.loads(jupyterlab.run_python(page, "import json; print(json.dumps(student.writer.words))"))


def draw(page, root, *points):
    """A stroke by the mouse."""
    box = root.locator(".lab-pad canvas").bounding_box()
    page.mouse.move(box["x"] + points[0][0], box["y"] + points[0][1])
    page.mouse.down()
    for x, y in points[1:]:
        page.mouse.move(box["x"] + x, box["y"] + y, steps=5)
    page.mouse.up()


def test_a_drawing_by_mouse_is_kept_shown_at_the_projector_and_taken_back(page, student, projector):
    asked, keep = student.locator(".lab-asked"), student.get_by_role("button", name="Keep", exact=True)
    expect(asked).to_have_text("Draw 0")
    draw(page, student, (140, 50), (80, 140), (140, 230), (200, 140), (140, 50))
    keep.click()  # at once: the ink goes with it
    expect(asked).to_have_text("Draw 1")
    draw(page, student, (140, 50), (140, 230))
    keep.dblclick()
    expect(asked).to_have_text("Draw 2")
    expect(projector).to_contain_text("2 drawings by 1 writer")
    assert kept(page) == ["0", "1"]
    keep.click()
    expect(student.locator(".lab-said")).to_contain_text("draw first")
    student.get_by_role("button", name="take 1 back").click()
    expect(asked).to_have_text("Draw 1")
    expect(projector).to_contain_text("1 drawing by 1 writer")
    assert kept(page) == ["0"]


def test_hands_on_a_keyboard_keep_examples(page, student):
    example = student.get_by_label("example")
    for digit in "01":
        expect(student.locator(".lab-asked")).to_have_text(f"Draw {digit}")
        example.focus()
        example.press(digit)
        expect(student.locator(".lab-pad canvas")).to_have_attribute("aria-label", f"drawing pad, the example {digit}")
        student.get_by_role("button", name="Keep", exact=True).press("Enter")
    expect(student.locator(".lab-asked")).to_have_text("Draw 2")
    assert kept(page) == ["0", "1"]
