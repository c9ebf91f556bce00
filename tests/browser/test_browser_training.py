"""The labs that train, in JupyterLab as it is installed: curves grow there, also after a reload in mid-run."""

import json
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests import every_lab
from tests.browser import jupyterlab

LABS = {
    "learn_kernel": every_lab.LABS["learn_kernel"],
    "trainer": "labs.trainer(data, num_epochs=3)",
    "versus": every_lab.LABS["versus"],
}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A JupyterLab that keeps the cells in the page as it does by itself."""
    own = {f"{name}.ipynb": [*every_lab.cells(code), "import time"] for name, code in LABS.items()}
    with jupyterlab.server(own, tmp_path_factory.mktemp("training") / "log", windowing=None) as running:
        yield running


@pytest.fixture(scope="class")
def page(browser, address, request):
    """The page of the class's lab, the file browser open; afterwards nothing may have gone wrong in it."""
    with jupyterlab.page_of_labs(browser, address, f"{request.cls.LAB}.ipynb") as page:
        yield page


class Lab:
    """The lab of a page."""

    def __init__(self, page):
        self.page = page
        self.root = page.locator(".lab-alive")
        self.root.wait_for()
        self.root.evaluate("root => root.scrollIntoView({ block: 'end' })")

    def button(self, name):
        return self.root.get_by_role("button", name=name, exact=True)

    def known(self):
        """What the kernel says that the lab shows."""
        return json.loads(jupyterlab.run_python(self.page, "import json; print(json.dumps(lab.state()))"))

    def goes(self, phase):
        """Wait until the run is in that phase."""
        expect(self.root).to_have_attribute("data-phase", phase, timeout=90_000)

    def points(self):
        """How many points of its present curve the page has drawn."""
        return int(self.root.get_attribute("data-points") or 0)

    def wait_for_points(self, number):
        self.page.wait_for_function(
            "number => Number(document.querySelector('.lab-alive').dataset.points) >= number",
            arg=number,
            timeout=90_000,
        )

    def is_whole(self):
        """True if the page has every point of the present curve."""
        self.page.wait_for_timeout(300)
        return self.points() == len(self.known()["curves"][-1]["points"])


def block(page, seconds):
    """Let a cell of the notebook keep the kernel busy, so that none of its threads can answer."""
    page.evaluate(
        """code => {
            const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            window.blocked = kernel.requestExecute({code}).done;
        }""",
        f"import ctypes; ctypes.PyDLL(None).sleep({seconds})",  # it holds Python's lock, as a long loop in C does
    )
    page.wait_for_timeout(200)


def serious(page, at=".lab-alive"):
    """What axe finds in the lab that keeps someone out."""
    found = Axe().run(page, context=at)
    return [
        violation["id"] for violation in found.response["violations"] if violation["impact"] in ("serious", "critical")
    ]


def reload(page):
    """Load the page anew; the kernel goes on."""
    jupyterlab.run_python(page, "pass")
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_timeout(500)
    page.reload()
    page.wait_for_function("() => window.jupyterapp && window.jupyterapp.shell.currentWidget?.sessionContext")
    page.evaluate(
        """async () => {
            await window.jupyterapp.restored;
            await window.jupyterapp.shell.currentWidget.sessionContext.ready;
            window.unheard = [];
        }"""
    )


def at_rest(page):
    """The page's lab, stopped and as it began."""
    lab = Lab(page)
    # Playwright would wait for a button that a run's own end disables in this moment; the page's click does not.
    lab.button("Stop").evaluate("button => button.click()")
    lab.button("Reset").click()
    lab.goes("idle")
    return lab


class TestKernel:
    LAB = "learn_kernel"

    @pytest.fixture
    def lab(self, page):
        return at_rest(page)

    def test_run_stop_and_on(self, lab):
        lab.button("Run").click()
        lab.wait_for_points(10)
        lab.button("Stop").click()
        lab.goes("stopped")
        assert lab.is_whole()
        expect(lab.root.get_by_role("progressbar")).to_have_js_property("value", lab.known()["step"] / 300)
        lab.button("Run").click()
        lab.goes("training")
        lab.goes("done")
        assert lab.is_whole()
        assert lab.points() == 301

    def test_each_of_three_steps_counts(self, lab):
        for _ in range(3):
            lab.button("Step").click()
        lab.root.get_by_text("Step 3").first.wait_for()

    def test_the_keyboard_alone_is_enough(self, page, lab):
        lab.root.get_by_role("slider", name="learning rate").focus()
        page.keyboard.press("ArrowRight")
        expect(lab.root.get_by_label("board line")).to_have_value("learn lr=0.3")
        page.keyboard.press("Tab")
        expect(lab.button("Run")).to_be_focused()
        page.keyboard.press("Enter")
        lab.wait_for_points(5)
        page.keyboard.press("Tab")
        expect(lab.button("Stop")).to_be_focused()
        page.keyboard.press("Enter")
        lab.goes("stopped")

    def test_three_presses_while_a_cell_runs_are_one_run_and_the_page_says_that_it_waits(self, page, lab):
        before = lab.known()["going"]["presses"]
        block(page, 3)
        for _ in range(3):
            lab.button("Run").click()
        lab.root.get_by_text("Run waits for the running cell").first.wait_for(timeout=1500)
        lab.goes("training")
        lab.goes("done")
        assert lab.known()["going"]["presses"] == before + 1
        assert lab.points() == 301

    def test_nothing_serious_for_a_screen_reader(self, page, lab):
        lab.button("Step").click()
        lab.root.get_by_text("Step 1").first.wait_for()
        assert serious(page) == []


class TestTrainer:
    LAB = "trainer"

    @pytest.fixture
    def lab(self, page):
        return at_rest(page)

    def test_train_stop_resume_and_a_table_whose_rows_light_up_their_curves(self, page, lab):
        lab.button("Train").click()
        lab.wait_for_points(25)  # beyond the first epoch
        lab.button("Stop").click()
        lab.goes("stopped")
        assert lab.is_whole()
        lab.root.get_by_text("Stopped after").first.wait_for()
        lab.button("Resume").click()
        lab.goes("training")
        lab.goes("done")
        assert lab.is_whole()
        jupyterlab.type_line(lab.root, "trainer lr=0.3 epochs=1")
        lab.root.get_by_text("Done: 1 epoch").first.wait_for(timeout=90_000)
        rows = lab.root.locator("tr[data-run]")
        expect(rows).to_have_count(2)
        rows.nth(1).hover()
        expect(lab.root).to_have_attribute("data-lit", rows.nth(1).get_attribute("data-run"))
        rows.nth(0).get_by_role("button").focus()
        expect(lab.root).to_have_attribute("data-lit", rows.nth(0).get_attribute("data-run"))
        assert "accuracy=" in lab.root.get_by_label("result line").input_value()

    def test_a_page_reloaded_in_mid_training_finds_the_lab_training_with_its_whole_curve(self, page, lab):
        jupyterlab.type_line(lab.root, "trainer epochs=20")
        lab.wait_for_points(8)
        reload(page)
        lab = Lab(page)
        lab.goes("training")
        lab.wait_for_points(9)
        lab.button("Stop").click()
        lab.goes("stopped")
        assert lab.is_whole()
        lab.root.get_by_role("tab", name="Predictions").click()  # alive after the reload
        expect(lab.root.locator(".lab-predictions figure")).to_have_count(8)
        said = lab.known()["facts"]["said"]
        assert said[0] in lab.root.locator(".lab-predictions figure").first.inner_text()
        lab.root.get_by_role("tab", name="Runs").click()

    def test_python_hears_a_page_whose_run_began_under_another_page_that_is_gone(self, page, lab):
        jupyterlab.type_line(lab.root, "trainer epochs=20")
        lab.wait_for_points(2)
        jupyterlab.come_and_go(page)
        lab.wait_for_points(lab.points() + 3)  # the run has spoken since
        lab.button("Stop").click()
        lab.goes("stopped")

    def test_three_presses_are_one_run(self, page, lab):
        runs = lab.known()["going"]["presses"]
        block(page, 3)
        for _ in range(3):
            lab.button("Train").click()
        lab.root.get_by_text("Train waits for the running cell").first.wait_for(timeout=1500)
        lab.wait_for_points(3)
        known = lab.known()
        assert known["going"]["presses"] == runs + 1
        assert len(known["curves"]) == 1
        lab.button("Stop").click()
        lab.goes("stopped")

    def test_settings_that_cannot_be_dim_the_old_picture(self, page, lab):
        jupyterlab.type_line(lab.root, "trainer kernel=11 padding=off")
        expect(lab.root).to_have_class("lab lab-alive lab-lines lab-refused")
        expect(lab.root.get_by_text("last possible settings")).to_be_visible()
        jupyterlab.type_line(lab.root, "trainer")
        expect(lab.root.get_by_text("last possible settings")).to_be_hidden()

    def test_the_keyboard_alone_reaches_more_settings_and_files(self, page, lab):
        lab.root.get_by_role("tab", name="Runs").focus()
        for _ in range(3):
            page.keyboard.press("ArrowRight")
        expect(lab.root.get_by_role("tab", name="More settings")).to_be_focused()
        page.keyboard.press("Tab")
        expect(lab.root.get_by_role("slider", name="batch size (images)")).to_be_focused()
        page.keyboard.press("ArrowRight")
        lab.goes("training")
        expect(lab.root.get_by_label("board line")).to_have_value("trainer batch=128")
        lab.root.get_by_role("tab", name="More settings").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Tab")
        expect(lab.root.get_by_label("file beside this notebook")).to_be_focused()

    @pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
    def test_nothing_serious_for_a_screen_reader(self, page, lab, theme):
        page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", theme)
        jupyterlab.type_line(lab.root, "trainer epochs=1")
        lab.root.get_by_text("Done: 1 epoch").first.wait_for(timeout=90_000)
        for tab in ("Runs", "Predictions", "Look back", "More settings", "Save and load"):
            lab.root.get_by_role("tab", name=tab).click()
            assert serious(page) == []
        lab.root.get_by_role("tab", name="Runs").click()

    def test_a_slider_looks_back_at_two_runs_and_a_film_plays_to_the_end(self, page, lab):
        for line in ("trainer batch=256 epochs=1", "trainer lr=0.3 batch=256 epochs=1"):
            jupyterlab.type_line(lab.root, line)
            lab.root.get_by_role("cell", name=line.partition(" ")[2]).wait_for(timeout=90_000)
        lab.root.get_by_role("tab", name="Look back").click()
        moment = lab.root.get_by_role("slider", name="moment")
        expect(moment).to_have_attribute("aria-valuetext", "epoch 1, step 36")
        moment.press("ArrowLeft")
        expect(moment).to_have_attribute("aria-valuetext", "epoch 0.972, step 35")
        picture = lab.root.locator(".lab-past-picture canvas")
        expect(picture).to_have_attribute("aria-label", re.compile("^this run, step 35: the image"))
        lab.root.get_by_role("combobox", name="compare with").select_option(index=1)
        moment.press("Home")
        expect(picture).to_have_attribute(
            "aria-label", re.compile("step 0: .* step 0: .* agree on 1000 of 1000 images")
        )
        expect(lab.root.get_by_role("status").last).to_have_text(re.compile("agree on 1000 of 1000 images"))
        lab.button("▶ Play").click()
        expect(moment).to_have_attribute("aria-valuetext", "epoch 1, step 36", timeout=20_000)
        assert lab.known()["facts"]["look"]["agree"] < 1000
        assert serious(page) == []
        assert lab.root.bounding_box()["height"] <= 660
        lab.root.get_by_role("combobox", name="compare with").select_option(index=0)
        lab.root.get_by_role("tab", name="Runs").click()
        jupyterlab.type_line(lab.root, "trainer lr=0.3 batch=256 epochs=1 moment=5")  # as a teacher wrote it down
        expect(lab.root.get_by_role("tab", name="Look back")).to_have_attribute("aria-selected", "true")
        expect(moment).to_have_attribute("aria-valuetext", re.compile(", step 5$"))
        moment.press("End")
        expect(lab.root.get_by_label("board line")).to_have_value("trainer lr=0.3 batch=256 epochs=1")
        lab.root.get_by_role("tab", name="Runs").click()

    def test_the_test_images_are_measured_once(self, lab):
        jupyterlab.type_line(lab.root, "trainer epochs=1")
        lab.root.get_by_text("Done: 1 epoch").first.wait_for(timeout=90_000)
        lab.button("Test (once a run)").click()
        expect(lab.button("Test (once a run)")).to_be_disabled()
        lab.root.get_by_role("cell", name=lab.known()["table"][0]["cells"][-1]).first.wait_for()

    def test_a_slider_begins_a_new_run_and_the_old_one_stays_as_a_ghost(self, page, lab):
        lab.button("Train").click()
        lab.wait_for_points(4)
        lab.root.get_by_role("slider", name="learning rate").press("ArrowRight")
        expect(lab.root.get_by_label("board line")).to_have_value("trainer lr=0.3")
        lab.wait_for_points(2)
        assert [curve["name"] for curve in lab.known()["curves"]] == ["trainer", "trainer lr=0.3"]
        lab.button("Stop").click()
        lab.goes("stopped")
        assert lab.is_whole()

    def test_an_interrupt_of_the_kernel_ends_the_run(self, page, lab):
        lab.button("Train").click()
        lab.wait_for_points(3)
        page.evaluate("() => window.jupyterapp.commands.execute('notebook:interrupt-kernel')")
        lab.goes("stopped")

    def test_the_lab_fits_beside_an_open_file_browser(self, lab):
        box = lab.root.bounding_box()
        assert box["width"] <= 860
        assert box["height"] <= 640


class TestVersus:
    LAB = "versus"

    @pytest.fixture
    def lab(self, page):
        return Lab(page)

    def test_other_networks_are_trained_until_stop_and_the_images_move_meanwhile(self, page, lab):
        lab.root.get_by_label("shuffled pixels").check()
        lab.root.get_by_text("Press Train").first.wait_for()
        lab.button("Train").click()
        lab.wait_for_points(3)
        lab.root.get_by_role("slider", name="shift (pixels)").press("ArrowRight")
        expect(lab.root.get_by_label("board line")).to_have_value("versus shift=1 shuffled=on")
        lab.button("Stop").click()
        lab.goes("stopped")
        lab.root.get_by_text("Stopped after").first.wait_for()
        assert lab.is_whole()
        known = lab.known()
        for name, accuracy in zip(known["facts"]["names"], known["facts"]["accuracies"], strict=True):
            assert f"{name} {accuracy:.1%}" in lab.root.get_by_role("img").get_attribute("aria-label")

    def test_nothing_serious_for_a_screen_reader_and_all_in_sight(self, page, lab):
        for view in ("confusion", "accuracy"):
            jupyterlab.type_line(lab.root, f"versus view={view}")
            lab.root.get_by_role("img", name="Confusion" if view == "confusion" else "Accuracy").wait_for()
            assert serious(page) == []
        assert lab.root.bounding_box()["height"] <= 640
