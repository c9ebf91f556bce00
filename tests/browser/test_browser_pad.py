"""The pad and the photograph under a hand, in JupyterLab as it is installed: ink is there before any answer."""

import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect

from tests import every_lab
from tests.browser import jupyterlab
from tests.browser.hands import (
    LOST,
    SEVEN,
    check_ink_of_a_finger,
    check_ink_of_the_mouse,
    clear,
    draw,
    ink,
    known,
    pad_of,
)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A JupyterLab that keeps the cells in the page as it does by itself."""
    cells = [f"{every_lab.BEGIN}\n{every_lab.NETS}", f"lab = {every_lab.LABS['drawing']}\nlab"]
    own = {"drawing.ipynb": cells, "survival.ipynb": cells}
    with jupyterlab.server(own, tmp_path_factory.mktemp("pad") / "log", windowing=None) as running:
        yield running


@pytest.fixture(scope="module")
def page(browser, address):
    with jupyterlab.page_of_labs(browser, address, "drawing.ipynb") as page:
        yield page


@pytest.fixture
def lab(page):
    """The lab with an empty pad."""
    root = page.get_by_role("group", name="drawing lab")
    root.wait_for()
    pad_of(root).scroll_into_view_if_needed()
    clear(root)
    return root


def choose_file(page, root, path):
    if not root.get_by_role("button", name="your photograph").is_visible():
        root.get_by_text("A photograph instead").click()
    with page.expect_file_chooser() as chooser:
        root.get_by_role("button", name="your photograph").click()
    chooser.value.set_files(path)


def keep_busy(page, seconds):
    """Let a cell run for some seconds; a kernel that is busy answers nothing."""
    page.evaluate(
        """code => {
            const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            window.busy = true;
            kernel.requestExecute({code, store_history: false}).done.then(() => { window.busy = false; });
        }""",
        f"import time; time.sleep({seconds})",
    )


def test_the_ink_of_the_browser_is_that_of_the_kernel(page, lab):
    check_ink_of_the_mouse(page, lab, "lab")


def test_ink_is_there_while_a_kernel_is_busy_and_the_answer_comes_when_it_is_free(page, lab):
    keep_busy(page, 8)
    draw(page, lab, SEVEN)
    assert ink(lab)[60, 80:200].eq(255).all()  # still under the hand
    page.mouse.up()
    lab.get_by_role("button", name="Undo").click()
    assert ink(lab).sum() == 0
    draw(page, lab, [(140, 60), (140, 220)])
    page.mouse.up()
    assert ink(lab)[60:220, 140].eq(255).all()
    assert page.evaluate("() => window.busy")
    expect(lab.locator(".lab-said")).to_contain_text("LeNet says", timeout=30_000)
    page.wait_for_function("() => !window.busy")
    assert known(page, "len(lab.pad.ink['strokes'])") == 1
    seen = torch.tensor(known(page, "lab.seen.tolist()"))
    assert seen[0, 6:22, 13:15].float().mean() > 150  # an upright stroke through the middle
    assert seen[0, :, :8].sum() == 0


def test_a_stroke_that_grows_is_answered_before_it_ends(page, lab):
    draw(page, lab, SEVEN[:2])
    expect(lab.locator(".lab-said")).to_contain_text("LeNet says")
    page.mouse.up()


def test_a_stroke_may_leave_the_pad_and_come_back(page, lab):
    draw(page, lab, [(200, 50), (320, 50), (320, 250), (200, 250)])
    page.mouse.up()
    shown = ink(lab)
    assert shown[50, 200:280].eq(255).all()
    assert shown[250, 200:280].eq(255).all()
    assert shown[80:220].sum() == 0


def test_a_finger_draws_like_the_mouse_and_the_page_stays_where_it_is(page, lab):
    check_ink_of_a_finger(page, lab, "lab")


def test_undo_takes_back_strokes_clear_and_examples_one_by_one(page, lab):
    draw(page, lab, SEVEN)
    page.mouse.up()
    label = pad_of(lab)
    expect(label).to_have_attribute("aria-label", "drawing pad, one stroke")
    lab.get_by_label("example").select_option("3")
    expect(label).to_have_attribute("aria-label", "drawing pad, the example 3")
    expect(lab.get_by_label("board line")).to_have_value("drawing example=3")
    draw(page, lab, SEVEN)  # a drawing of one's own begins on an empty pad
    page.mouse.up()
    expect(label).to_have_attribute("aria-label", "drawing pad, one stroke")
    lab.get_by_role("button", name="Clear").click()
    undo = lab.get_by_role("button", name="Undo")
    for what in ("one stroke", "the example 3", "one stroke", "empty"):
        undo.click()
        expect(label).to_have_attribute("aria-label", f"drawing pad, {what}")
    expect(lab.get_by_label("example")).to_have_value("none")


def test_all_is_reached_and_moved_by_keyboard(page, lab):
    lab.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Tab")
    expect(lab.get_by_role("button", name="Clear")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("5")
    expect(lab.get_by_label("board line")).to_have_value("drawing example=5")
    page.keyboard.press("ArrowDown")
    expect(lab.get_by_label("board line")).to_have_value("drawing example=6")
    expect(lab.get_by_role("status").last).to_contain_text("LeNet says")
    page.keyboard.press("Tab")
    expect(lab.get_by_text("A photograph instead")).to_be_focused()


def test_a_photograph_of_12_megabytes_is_made_smaller_on_the_way(page, lab, tmp_path):
    large = tmp_path / "large.png"
    noise = torch.randint(200, 256, (2000, 2200, 3), dtype=torch.uint8)
    noise[600:1400, 1000:1200] = 20
    Image.fromarray(noise.numpy()).save(large, compress_level=0)
    assert large.stat().st_size > 12_000_000
    choose_file(page, lab, large)
    expect(lab.get_by_text("large.png: taken as 1024 pixels wide, 931 high")).to_be_visible(timeout=30_000)
    expect(lab.locator(".lab-said")).to_contain_text("Your photograph: LeNet says")
    seen = torch.tensor(known(page, "lab.seen.tolist()"))
    assert seen[0, 5:23, 13:15].float().mean() > 150
    draw(page, lab, SEVEN)
    page.mouse.up()
    expect(lab.locator(".lab-said")).not_to_contain_text("Your photograph")


def test_a_wrong_file_is_refused_in_words_until_the_next_good_one(page, lab, tmp_path):
    wrong, large, good = (tmp_path / name for name in ("wrong.txt", "large.heic", "good.png"))
    wrong.write_text("my homework")
    large.write_bytes(bytes(12_000_000))
    Image.new("L", (60, 60), 255).save(good)
    for path in (wrong, large):
        choose_file(page, lab, path)
        expect(lab.get_by_text(f"{path.name}: This picture cannot be read here")).to_be_visible()
    choose_file(page, lab, good)
    expect(lab.get_by_text("good.png: Nothing in the photograph stands out")).to_be_visible()
    expect(lab.get_by_text("picture cannot be read")).to_have_count(0)


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_axe_finds_nothing_serious(page, lab, theme):
    page.evaluate(f"() => window.jupyterapp.commands.execute('apputils:change-theme', {{theme: '{theme}'}})")
    light = str(theme == "JupyterLab Light").lower()
    page.wait_for_selector(f"body[data-jp-theme-light={light}]", state="attached")
    found = Axe().run(page, context=".lab").response["violations"]
    serious = [rule for rule in found if rule["impact"] in ("serious", "critical")]
    assert [(rule["id"], [node["html"] for node in rule["nodes"]][:3]) for rule in serious] == []


def test_the_lab_fits_beside_the_file_browser(page, lab):
    box = lab.bounding_box()
    assert box["width"] <= 860
    assert box["height"] <= 640


def test_after_a_reload_the_drawing_is_still_there_and_after_a_restart_the_lab_asks_for_its_cell(browser, address):
    page = jupyterlab.open_notebook(browser, address, "survival.ipynb")
    jupyterlab.run_all(page)
    root = page.get_by_role("group", name="drawing lab")
    pad_of(root).scroll_into_view_if_needed()
    draw(page, root, SEVEN)
    page.mouse.up()
    expect(root.get_by_label("board line")).to_have_value("drawing example=none")
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.reload()
    pad_of(root).scroll_into_view_if_needed()
    expect(pad_of(root)).to_have_attribute("aria-label", "drawing pad, one stroke")
    draw(page, root, [(60, 200), (220, 200)])
    page.mouse.up()
    expect(pad_of(root)).to_have_attribute("aria-label", "drawing pad, 2 strokes")
    assert ink(root)[60, 80:200].eq(255).all()
    clear(root)
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    expect(root.locator(".lab-said")).to_have_text(LOST)
    expect(page.locator(".lab-still")).to_be_hidden()
    page.reload()
    still = page.locator(".lab-still svg")
    still.scroll_into_view_if_needed()
    expect(still).to_be_visible()
    expect(page.locator(":text('model not found'):visible")).to_have_count(0)
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.ready")
    jupyterlab.end(page)
