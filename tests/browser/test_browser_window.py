"""The window explorer under a hand, in JupyterLab as it is installed: every number shown is the kernel's."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests import every_lab
from tests.browser import jupyterlab
from tests.browser.hands import (
    LOST,
    Lab,
    check_cells_under_the_pointer,
    check_finger_moves_the_window,
    check_microscope_under_the_pointer,
    check_pin,
    check_window_is_dragged,
    flat,
    near,
    number,
    shown,
    size_of,
)

LABS = {name: every_lab.LABS[name] for name in ("convolution", "pooling", "microscope")}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A JupyterLab that keeps the cells in the page as it does by itself."""
    begin = f"{every_lab.BEGIN}\n{every_lab.NETS}"
    cells = [begin, *(f"{name} = {code}\n{name}" for name, code in LABS.items())]
    own = {"windows.ipynb": cells, "survival.ipynb": cells[:2]}
    with jupyterlab.server(own, tmp_path_factory.mktemp("windows") / "log", windowing=None) as running:
        yield running


@pytest.fixture(scope="module")
def page(browser, address):
    """One page with the three labs, the file browser open."""
    with jupyterlab.page_of_labs(browser, address, "windows.ipynb") as page:
        yield page


# First: JupyterLab opens a page that is loaded anew with all notebooks that other pages have open.
def test_after_a_reload_a_lab_goes_on_and_after_a_restart_it_asks_for_its_cell(browser, address):
    page = jupyterlab.open_notebook(browser, address, "survival.ipynb")
    # As on a page that is busy for more than two seconds while a lab comes: anywidget then lets it hear nothing more.
    page.evaluate("() => { const after = AbortSignal.timeout.bind(AbortSignal); AbortSignal.timeout = () => after(0) }")
    jupyterlab.run_all(page)
    Lab(page, "convolution").type_line("convolution size=4")
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.reload()
    Lab(page, "convolution").type_line("convolution size=5")
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    expect(page.locator(".lab-said")).to_have_text(LOST)
    page.reload()
    still = page.locator(".lab-still svg")
    still.scroll_into_view_if_needed()
    expect(still).to_be_visible()
    expect(page.get_by_text("To move it, run this cell again.")).to_be_visible()
    expect(page.locator(":text('model not found'):visible")).to_have_count(0)
    jupyterlab.end(page)


def test_a_lab_that_a_cell_has_drawn_answers_while_another_cell_runs(browser, address):
    page = jupyterlab.open_notebook(browser, address, "survival.ipynb")
    jupyterlab.run_all(page)
    lab = Lab(page, "convolution")
    lab.type_line("convolution")  # by then JupyterLab has its own thread in the kernel
    jupyterlab.run_python(page, "convolution.board.text.value = 'convolution size=5'")
    page.evaluate(
        """() => {
            window.kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            window.ended = window.kernel.requestExecute({code: 'import time; time.sleep(120)'}).done;
        }"""
    )
    lab.type_line("convolution size=4")
    expect(page.locator(".lab-said")).to_contain_text("25×25")
    page.evaluate("async () => { await window.kernel.interrupt(); await window.ended }")
    jupyterlab.end(page)


@pytest.fixture
def convolution(page):
    lab = Lab(page, "convolution")
    lab.type_line("convolution")
    return lab


@pytest.fixture
def pooling(page):
    lab = Lab(page, "pooling")
    lab.type_line("pooling")
    return lab


@pytest.fixture
def microscope(page):
    lab = Lab(page, "microscope")
    lab.type_line("microscope")
    return lab


@pytest.mark.parametrize(
    "line", ["convolution", "convolution kernel=random size=5 padding=2 stride=2", "convolution size=4 dilation=3"]
)
def test_each_cell_under_the_pointer_shows_the_sum_that_the_kernel_has(convolution, line):
    convolution.type_line(line)
    check_cells_under_the_pointer(convolution, (0, 0), (5, 7), (-1, -1), (10, 3))


def test_a_pixel_under_the_pointer_says_how_many_cells_see_it(page, convolution):
    canvas = convolution.map("pixel of the input")
    page.mouse.move(*convolution.place(canvas, (28, 28), 10, 10))
    expect(convolution.root.get_by_text("9 cells of the output see the pixel in row 10, column 10.")).to_be_visible()
    page.mouse.move(*convolution.place(canvas, (28, 28), 0, 0))
    expect(convolution.root.get_by_text("1 cell of the output sees the pixel in row 0, column 0.")).to_be_visible()


def test_the_keyboard_asks_which_cells_see_a_pixel(page, convolution):
    page.mouse.move(5, 5)  # where it lies, it looks too
    canvas = convolution.map("pixel of the input")
    canvas.focus()
    for key in ("Shift+Home", "Shift+ArrowRight", "Shift+ArrowDown"):
        page.keyboard.press(key)
    said = "6 cells of the output see the pixel in row 10, column 1."  # the window's corner was at row 9
    expect(convolution.root.locator(".lab-sum")).to_contain_text(said)
    expect(convolution.root.get_by_role("status")).to_contain_text(said)
    assert convolution.known("line") == "convolution"  # to look pins nothing
    page.keyboard.press("Tab")
    expect(convolution.root.locator(".lab-sum")).not_to_contain_text("see the pixel")


def test_the_window_is_dragged_over_the_input_and_stays_where_it_is_let_go(convolution):
    check_window_is_dragged(convolution)


def test_a_finger_moves_the_window(convolution):
    check_finger_moves_the_window(convolution)


def test_a_click_and_the_arrow_keys_pin_a_cell(page, convolution):
    check_pin(convolution)
    convolution.map("pixel of the input").focus()
    page.keyboard.press("ArrowDown")
    expect(convolution.root.get_by_label("board line")).to_have_value("convolution row=3 column=25")


@pytest.mark.parametrize(("typed", "read"), [("7.5", 7.5), ("−2", -2), ("0,25", 0.25), ("250", 99)])
def test_a_number_typed_into_the_drawn_kernel_is_the_kernels(convolution, typed, read):
    field = convolution.root.get_by_label("kernel row 2, column 2")
    field.fill(typed)
    expect(convolution.root.get_by_label("board line")).to_have_value(
        f"convolution kernel=own-numbers numbers=-1,0,1;-2,{read:g},2;-1,0,1"
    )
    known = convolution.known("arrays")
    assert known["kernel"][1][1] == read
    field.press("Tab")
    assert convolution.total() == near(known["output"][9][12])
    assert [number(text) for text in convolution.table(1)] == flat(known["kernel"])


def test_a_number_that_is_half_typed_is_marked_and_changes_nothing(convolution):
    field = convolution.root.get_by_label("kernel row 2, column 2")
    field.fill("1e")
    expect(field).to_have_attribute("aria-invalid", "true")
    assert convolution.known("line") == "convolution"


def test_settings_that_cannot_be_dim_the_last_picture(convolution):
    convolution.type_line("convolution size=11 dilation=3")
    before = convolution.table(2)
    convolution.type_line("convolution size=11 dilation=4")
    expect(convolution.root.locator(".lab-said")).to_contain_text("dilation 4 (41 wide) is larger than the 28×28 map")
    expect(convolution.root.get_by_text("last possible settings")).to_be_visible()
    assert convolution.table(2) == before
    convolution.type_line("convolution")
    expect(convolution.root.get_by_text("last possible settings")).to_be_hidden()


def test_the_board_line_says_what_is_wrong_beside_it(convolution):
    box = convolution.root.get_by_label("board line")
    box.fill("convolution size=12")
    box.press("Enter")
    expect(convolution.root.get_by_text("The nearest is size=11")).to_be_visible()


def test_slide_plays_the_window_and_can_be_stopped(page, convolution):
    button = convolution.root.get_by_role("button", name="slide")
    canvas = convolution.map("cell of the output")
    output = convolution.known("arrays", "output")
    button.click()
    expect(canvas).to_have_attribute("aria-valuetext", re.compile(r"row [23], column \d+: "))
    now = convolution.root.evaluate("lab => [lab.querySelector('.lab-total').textContent, lab.textContent]")
    row, column = map(int, re.search(r"products, row (\d+), column (\d+)", now[1]).groups())
    assert number(now[0]) == near(output[row][column])
    button.click()
    expect(canvas).to_have_attribute("aria-valuetext", f"row 9, column 12: {shown(output[9][12])}")
    assert convolution.known("line") == "convolution"


def test_slide_does_not_play_for_people_who_want_less_motion(page, convolution):
    page.emulate_media(reduced_motion="reduce")
    convolution.root.get_by_role("button", name="slide").click()
    row = convolution.map("cell of the output").get_attribute("aria-valuetext").split(":")[0]
    page.emulate_media(reduced_motion=None)
    assert row == "row 9, column 12"


def test_a_slider_by_keyboard_has_a_name_and_says_its_value(page, convolution):
    slider = convolution.root.get_by_role("slider", name="kernel size")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "4")
    expect(convolution.root.get_by_label("board line")).to_have_value("convolution size=4")
    expect(convolution.root.get_by_role("status")).to_contain_text("the output is 25×25")


@pytest.mark.parametrize("line", ["pooling", "pooling kind=average window=3 stride=2 shift=4"])
def test_pooling_shows_the_window_and_the_number_that_it_keeps(page, pooling, line):
    pooling.type_line(line)
    known = pooling.known("arrays")
    for name, source, result in (
        ("cell of the pooled map", "image", "before"),
        ("cell after the shift", "shifted", "after"),
    ):
        canvas = pooling.map(name)
        for row, column in ((0, 0), (6, 5), (8, 11)):
            page.mouse.move(*pooling.place(canvas, size_of(known[result]), row, column))
            assert pooling.total() == near(known[result][row][column])
            size = 3 if "window=3" in line else 2
            window = [known[source][2 * row + i][2 * column + j] for i in range(size) for j in range(size)]
            assert [number(text) for text in pooling.table(0)] == near(window)


@pytest.mark.parametrize("layer", ["1-convolution", "2-relu", "3-max-pooling", "4-convolution"])
def test_the_microscope_computes_each_cell_under_the_pointer_as_the_network_does(microscope, layer):
    check_microscope_under_the_pointer(microscope, layer)


def test_a_click_on_a_small_map_chooses_its_channel_and_its_cell(page, microscope):
    mosaic = microscope.root.locator("canvas[aria-label=channel]")
    box = mosaic.bounding_box()
    slot = (box["width"] - 6) / 3
    page.mouse.click(box["x"] + 3 + slot * 1.51, box["y"] + 3 + slot * 0.51)
    line = microscope.root.get_by_label("board line")
    expect(line).to_have_value("microscope channel=1")  # its middle is where the cell was
    page.mouse.move(5, 5)
    mosaic.focus()
    page.keyboard.press("ArrowDown")
    expect(line).to_have_value("microscope channel=4")


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_axe_finds_nothing_serious(page, theme):
    page.evaluate(f"() => window.jupyterapp.commands.execute('apputils:change-theme', {{theme: '{theme}'}})")
    light = str(theme == "JupyterLab Light").lower()
    page.wait_for_selector(f"body[data-jp-theme-light={light}]", state="attached")
    found = Axe().run(page, context=".lab").response["violations"]
    serious = [rule for rule in found if rule["impact"] in ("serious", "critical")]
    assert [(rule["id"], [node["html"] for node in rule["nodes"]][:3]) for rule in serious] == []
