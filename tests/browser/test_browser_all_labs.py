"""Every lab on one page, in Notebook 7 and in a JupyterLab that keeps only the cells in sight in the page."""

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
    check_explorer_under_the_pointer,
    check_finger_moves_the_window,
    check_ink_of_a_finger,
    check_ink_of_the_mouse,
    check_microscope_under_the_pointer,
    check_pin,
    check_window_is_dragged,
    clear,
    pad_of,
)

NAMES = [*every_lab.LABS]
CELLS = [f"{every_lab.BEGIN}\n{every_lab.NETS}", *(f"{name} = {code}\n{name}" for name, code in every_lab.LABS.items())]
# A lab knows of the narrower page, and nothing in it is cut off at the right.
FITS = "lab => lab.clientWidth < innerWidth && lab.scrollWidth <= lab.clientWidth"
PAGES = [
    pytest.param(("notebook", None), id="Notebook 7"),
    pytest.param(("jupyterlab", "full"), id="JupyterLab, with the windowing of 4.2"),
]


@pytest.fixture(params=PAGES, scope="module")
def page(browser, tmp_path_factory, request):
    """A page of all labs, run to its end; nothing may have gone wrong in it."""
    application, windowing = request.param
    log = tmp_path_factory.mktemp("labs") / "log"
    with jupyterlab.server({"labs.ipynb": CELLS}, log, windowing, application=application) as address:
        page = jupyterlab.open_notebook(browser, address, "labs.ipynb", application=application)
        page.problems.clear()  # Notebook 7 complains of a setting of its own while it opens
        jupyterlab.run_all(page)
        yield page
        found = jupyterlab.problems(page)
        jupyterlab.end(page)
    assert found == []


def at(page, name):
    """The lab of that name, in sight."""
    page.evaluate(
        "place => window.jupyterapp.shell.currentWidget.content.scrollToItem(place, 'start')", NAMES.index(name) + 1
    )
    lab = page.get_by_role("group", name=f"{'learn' if name == 'learn_kernel' else name} lab", exact=True)
    lab.wait_for()
    return lab


# JupyterLab has more of these in files of its own.
@pytest.mark.parametrize("page", PAGES[:1], indirect=True)
def test_labs_follow_mouse_and_finger_in_notebook_7(page):
    at(page, "explorer")
    check_explorer_under_the_pointer(Lab(page, "explorer"))

    at(page, "convolution")
    convolution = Lab(page, "convolution")
    check_cells_under_the_pointer(convolution, (0, 0), (-1, -1))
    check_window_is_dragged(convolution)
    check_finger_moves_the_window(convolution)
    check_pin(convolution)
    convolution.type_line("convolution")

    at(page, "microscope")
    check_microscope_under_the_pointer(Lab(page, "microscope"), "1-convolution")

    pad = at(page, "drawing")
    pad_of(pad).scroll_into_view_if_needed()
    check_ink_of_the_mouse(page, pad, "drawing")
    clear(pad)
    check_ink_of_a_finger(page, pad, "drawing")


def test_every_lab_is_alive_hides_its_still_picture_hears_keys_trains_and_finds_room(page):
    for name in NAMES:
        lab = at(page, name)
        still = page.locator(".jp-OutputArea").filter(has=lab).locator(".lab-still")
        expect(still).to_have_count(1)
        expect(still).to_be_hidden()

    convolution = at(page, "convolution")
    cell = convolution.get_by_role("slider", name="cell of the output", exact=True)
    cell.press("ArrowRight")  # which Notebook 7 would take for itself
    expect(convolution.get_by_label("board line")).to_have_value("convolution column=13")

    trainer = at(page, "trainer")
    trainer.get_by_role("button", name="Train", exact=True).click()
    expect(trainer).to_have_attribute("data-points", re.compile("[1-9]"), timeout=90_000)
    trainer.get_by_role("button", name="Stop", exact=True).click()
    expect(trainer).to_have_attribute("data-phase", "stopped", timeout=90_000)

    found = Axe().run(page, context=".lab-alive").response["violations"]
    serious = [rule for rule in found if rule["impact"] in ("serious", "critical")]
    assert [(rule["id"], [node["html"] for node in rule["nodes"]][:3]) for rule in serious] == []

    page.evaluate("() => window.jupyterapp.shell.expandLeft()")  # the file browser, where there is one
    for width, height in ((1024, 768), (853, 533)):  # an old projector; what a zoom of 150% leaves of 1280×800
        page.set_viewport_size({"width": width, "height": height})
        for name in NAMES:
            page.wait_for_function(FITS, arg=at(page, name).element_handle())


# Last: no lab moves after it.
def test_after_its_kernel_has_stopped_every_lab_asks_for_its_cell(page, request):
    stop = "shutdown()" if "JupyterLab" in request.node.name else "session.kernel.restart()"
    page.evaluate(f"() => window.jupyterapp.shell.currentWidget.sessionContext.{stop}")
    for name in NAMES:
        expect(at(page, name).locator(".lab-said").first).to_have_text(LOST)
