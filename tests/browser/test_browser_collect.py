"""The class draws: two students at their pads, by mouse and by keyboard, and the projector that follows."""

import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser import jupyterlab

FOLDERS = """import os, tempfile
for name in ("LENET_LAB_HOME", "LENET_LAB_CLASS"):
    os.environ[name] = tempfile.mkdtemp()
from helpers import labs"""
CELLS = [
    FOLDERS,
    "student = labs.collect()\nstudent",
    'os.environ["LENET_LAB_HOME"] = tempfile.mkdtemp()\nother = labs.collect()\nother',  # on a machine of her own
    "projector = labs.class_data()\nprojector",
    "split = labs.honest_split()\nsplit",
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with jupyterlab.server({"class.ipynb": CELLS}, tmp_path_factory.mktemp("class") / "log") as running:
        yield running


@pytest.fixture(scope="module")
def page(browser, address):
    with jupyterlab.page_of_labs(browser, address, "class.ipynb") as page:
        yield page


def at_pad(page, number):
    """The collecting lab of a student who has nothing kept yet."""
    root = page.get_by_role("group", name="collect lab").nth(number)
    root.wait_for()
    root.get_by_role("button", name="Someone else draws").click()
    expect(root.locator(".lab-collect")).to_contain_text("nothing is kept yet")
    root.locator(".lab-pad canvas").scroll_into_view_if_needed()
    return root


@pytest.fixture
def student(page):
    return at_pad(page, 0)


@pytest.fixture
def other(page):
    return at_pad(page, 1)


@pytest.fixture
def projector(page):
    return page.get_by_role("group", name="class_data lab").locator(".lab-said")


def kept(page, who="student"):
    return json.loads(jupyterlab.run_python(page, f"import json; print(json.dumps({who}.writer.words))"))


def draw(page, root, *points):
    """A stroke by the mouse."""
    root.locator(".lab-pad canvas").scroll_into_view_if_needed()
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


def test_two_students_draw_and_the_projector_shows_both(page, projector, student, other):
    """The one by mouse, the other by keyboard; each sees only the own drawings, and takes back only these."""
    page.wait_for_timeout(2500)  # the projector looks every second: it must know what was kept before
    before = int(projector.inner_text().split(" drawing")[0].replace("No", "0"))
    draw(page, student, (140, 50), (80, 140), (140, 230), (200, 140), (140, 50))
    student.get_by_role("button", name="Keep", exact=True).click()
    example = other.get_by_label("example")
    for digit in "01":
        expect(other.locator(".lab-asked")).to_have_text(f"Draw {digit}")
        example.press(digit)
        expect(other.locator(".lab-pad canvas")).to_have_attribute("aria-label", f"drawing pad, the example {digit}")
        other.get_by_role("button", name="Keep", exact=True).press("Enter")
    expect(projector).to_contain_text(f"{before + 3} drawings by")
    assert (kept(page), kept(page, "other")) == (["0"], ["0", "1"])
    other.get_by_role("button", name="take 0 back").click()
    expect(projector).to_contain_text(f"{before + 2} drawings by")
    assert (kept(page), kept(page, "other")) == (["0"], ["1"])
    # Someone else draws at this pad; the one before comes back, and takes all back.
    other.get_by_role("button", name="Someone else draws").click()
    expect(other.locator(".lab-collect")).to_contain_text("nothing is kept yet")
    other.get_by_role("button", name="Back to an earlier writer").press("Enter")
    expect(other.locator(".lab-collect")).to_contain_text("1 kept")
    for _ in range(2):
        other.get_by_role("button", name="Take all back").click()
    expect(projector).to_contain_text(f"{before + 1} drawing")
    assert kept(page, "other") == []


@pytest.mark.parametrize("theme", ["Dark", "Light"])
def test_axe_finds_nothing_serious(page, theme):
    page.evaluate(f"() => window.jupyterapp.commands.execute('apputils:change-theme', {{theme: 'JupyterLab {theme}'}})")
    page.wait_for_selector(f"body[data-jp-theme-light={str(theme == 'Light').lower()}]", state="attached")
    found = Axe().run(page, context=".lab-alive").response
    assert len(page.locator(".lab-alive").all()) == 4
    serious = [rule for rule in found["violations"] if rule["impact"] in ("serious", "critical")]
    assert [(rule["id"], [node["html"] for node in rule["nodes"]][:3]) for rule in serious] == []
