"""Guesses that are drawn, in JupyterLab: the curve before a run, bars, and a place, by mouse and by keyboard."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests import every_lab
from tests.browser import jupyterlab

KINDS = [
    "from helpers import labs\nbars = labs.predict_bars('How much?', ['a', 'b', 'c'])\nbars",
    "bars.answer([0.9, 0.5, 0.1], 'It was measured.')",
    "place = labs.predict_place('Where?', 6, 6)\nplace",
    "place.answer([[i < 3 and j < 2 for j in range(6)] for i in range(6)], 'So it is.')",
]
GUESSED = "result lr=0.1 channels=6 kernel=5 parameters=61706 accuracy=0.8430 epochs=2 reached=0.7/0.843"
LINES = f"{GUESSED} expected=0.5/0.6 name=Ada\n{GUESSED} expected=0.7/0.8"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    own = {
        "curve.ipynb": every_lab.cells("labs.trainer(data, num_epochs=2)"),
        "kinds.ipynb": KINDS,
        "class.ipynb": [f"from helpers import labs\nlab = labs.class_experiment('''{LINES}''')\nlab"],
    }
    with jupyterlab.server(own, tmp_path_factory.mktemp("guess") / "log") as running:
        yield running


def stroke(page, surface, *points, finger=False):
    """A stroke of the mouse, or of a finger, through points in shares of the surface's width, and height from below."""
    surface.scroll_into_view_if_needed()
    box = surface.bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + (1 - y) * box["height"]) for x, y in points]
    if finger:
        jupyterlab.touch(page, *places)
        return
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
    page.mouse.up()


def serious(page, at):
    """What axe finds there that keeps someone out."""
    found = Axe().run(page, context=at).response["violations"]
    return [violation["id"] for violation in found if violation["impact"] in ("serious", "critical")]


def test_a_curve_is_drawn_before_the_run_and_compared_after_it(address, browser):
    with jupyterlab.page_of_labs(browser, address, "curve.ipynb") as page:
        lab = page.locator(".lab-alive")
        line = lab.get_by_label("board line")
        stroke(page, lab.locator(".lab-knobs"), (0.1, 0.2), (0.4, 0.9), (0.6, 0.9), (1, 1.2))
        expect(line).to_have_value("trainer expected=0.9/1")  # as high as the stroke was where it passed them
        knob = lab.get_by_role("slider", name="expected accuracy after epoch 1")
        knob.press("ArrowDown")
        expect(knob).to_have_attribute("aria-valuetext", "0.89")
        stroke(page, lab.locator(".lab-knobs"), (0.3, 0.3), (0.7, 0.3), (1, 0.6), finger=True)
        expect(line).to_have_value(re.compile(r"^trainer expected=0\.(29|3|31)/0\.(59|6|61)$"))
        lab.get_by_role("button", name="Erase").press("Enter")
        expect(line).to_have_value("trainer")
        expect(lab.get_by_role("button", name="Draw what you expect")).to_be_focused()
        page.keyboard.press("Enter")  # and now all by the keyboard
        for key in ("End", "Tab", "PageUp", "ArrowUp"):
            page.keyboard.press(key)
        expect(line).to_have_value("trainer expected=1/0.56")
        assert serious(page, ".lab-alive") == []
        assert jupyterlab.run_python(page, "print(lab.runs)") == "[]\n"
        lab.get_by_role("button", name="Train", exact=True).click()
        expect(lab).to_have_attribute("data-phase", "done", timeout=120_000)
        said = lab.get_by_text("You expected 1.00 after one epoch; the run never got there")
        said.wait_for()
        page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
        page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
        page.reload()
        jupyterlab.wait_for_notebook(page)
        said.wait_for()
        expect(knob).to_have_attribute("aria-valuenow", "1")


def test_bars_are_dragged_by_one_stroke_or_moved_by_keys_and_compared(address, browser):
    with jupyterlab.page_of_labs(browser, address, "kinds.ipynb") as page:
        note = page.get_by_role("button", name="That is my guess").first
        assert note.is_disabled()
        stroke(page, page.locator(".lab-bars-axes"), (0.1, 0.01), (0.17, 0.8), (0.83, 0.8))
        page.get_by_role("slider", name="b", exact=True).press("Home")
        page.get_by_role("slider", name="c", exact=True).press("PageDown")
        assert "Answer:" not in page.locator(".jp-Notebook").inner_text()
        assert serious(page, ".lab-guess-bars") == []
        note.click()
        page.get_by_text("You are furthest off for c: 0.75 instead of 0.10.", exact=False).wait_for()
        expect(note).to_have_attribute("aria-pressed", "true")
        page.get_by_role("slider", name="b", exact=True).press("End")  # too late
        assert jupyterlab.run_python(page, "print(bars.chosen)") == "(0.8, 0, 0.75)\n"


def test_a_place_is_marked_by_the_mouse_or_by_keys_and_compared(address, browser):
    with jupyterlab.page_of_labs(browser, address, "kinds.ipynb") as page:
        grid = page.get_by_role("grid", name="pixels to mark")
        stroke(page, grid, (0.05, 0.95), (0.25, 0.75))  # two rows and two columns
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Shift+ArrowLeft")  # the third
        expect(grid.get_by_role("gridcell", selected=True)).to_have_count(6)
        page.keyboard.press("Space")
        expect(grid.get_by_role("gridcell", selected=True)).to_have_count(5)
        assert serious(page, ".lab-place-frame") == []
        page.get_by_role("button", name="That is my guess").nth(1).press("Enter")
        page.get_by_text("You missed 1 of its 6. So it is.").wait_for()
        expect(grid.get_by_label("row 2, column 0, missed")).to_be_visible()


def test_the_class_sees_whose_guess_was_nearest_and_steps_through_all(address, browser):
    with jupyterlab.page_of_labs(browser, address, "class.ipynb") as page:
        page.get_by_role("combobox", name="accuracy against").select_option("epoch, with guesses")
        page.get_by_text("Nearest: line 2 (0.02 off); then Ada (0.22 off).").first.wait_for()
        slider = page.get_by_role("slider", name="guesses, nearest first")
        slider.press("ArrowRight")
        expect(slider).to_have_attribute("aria-valuetext", "Ada: 0.5 after epoch 1, 0.6 after epoch 2; 0.22 off")
