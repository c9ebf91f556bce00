"""The training lab under a hand."""

import json

import pytest

from helpers import plotting
from tests.browser import jupyterlab


def button(page, name):
    return page.get_by_role("button", name=name)


def history(page):
    """The epochs that the run in the kernel has reported."""
    return json.loads(jupyterlab.run_python(page, "print([point.epoch for point in lab.history])"))


def live_threads(page):
    return int(
        jupyterlab.run_python(
            page, "import threading; print(sum(thread.name == 'a lab\\'s run' for thread in threading.enumerate()))"
        )
    )


class TestTrainer:
    LAB = "trainer"

    @pytest.fixture
    def picture(self, page):
        return page.locator("img.widget-image").first

    @pytest.fixture(autouse=True)
    def as_at_the_beginning(self, page):
        button(page, "Reset").click()
        page.get_by_text("Press Train").wait_for()
        button(page, "Stop").and_(page.locator(":disabled")).wait_for()

    def test_train_stop_and_resume(self, page, picture):
        assert jupyterlab.shown_bytes(picture) == plotting.curves([], num_epochs=2).png()
        assert button(page, "Stop").is_disabled()
        button(page, "Train").click()
        button(page, "Stop").click()
        button(page, "Resume").and_(page.locator(":enabled")).wait_for()
        assert live_threads(page) == 0
        stopped = history(page)
        assert 0 < stopped[-1] < 2
        button(page, "Resume").click()
        page.get_by_text("Done: 2 epochs").first.wait_for(timeout=60_000)
        button(page, "Test").and_(page.locator(":enabled")).wait_for()
        assert history(page)[: len(stopped)] == stopped
        assert live_threads(page) == 0
        drawn = "from helpers import plotting; print(plotting.curves(lab.history, num_epochs=2).png().hex())"
        jupyterlab.wait_for_picture(picture, bytes.fromhex(jupyterlab.run_python(page, drawn).strip()))

    def test_a_slider_cancels_the_run_and_leaves_a_ghost(self, page, picture):
        button(page, "Train").click()
        page.get_by_text("training accuracy").first.wait_for()
        page.get_by_role("slider").first.press("ArrowRight")
        page.get_by_text("Done: 2 epochs").first.wait_for(timeout=60_000)
        button(page, "Test").and_(page.locator(":enabled")).wait_for()
        assert page.get_by_label("board line").input_value() == "trainer lr=0.3"
        assert live_threads(page) == 0
        drawn = (
            "from helpers import plotting\n"
            "print(plotting.curves(lab.history, [lab.runs[0].history], num_epochs=2).png().hex())"
        )
        assert jupyterlab.run_python(page, "print(len(lab.runs))").strip() == "2"
        jupyterlab.wait_for_picture(picture, bytes.fromhex(jupyterlab.run_python(page, drawn).strip()))
        assert "accuracy=" in page.get_by_label("result line").input_value()

    def test_a_board_line_sets_everything_at_once_and_a_wrong_one_is_refused(self, page):
        jupyterlab.type_line(page, "trainer lr=0.3 kernel=4")
        page.get_by_text("kernel=4 is not possible").wait_for()
        jupyterlab.type_line(page, "trainer lr=0.01 kernel=3 epochs=1")
        page.get_by_text("Done: 1 epoch").first.wait_for(timeout=60_000)
        assert (
            jupyterlab.run_python(page, "print(lab.net[0].kernel_size, lab.runs[-1].settings['lr'])") == "(3, 3) 0.01\n"
        )

    def test_the_test_images_are_measured_once(self, page):
        jupyterlab.type_line(page, "trainer epochs=1")
        test = button(page, "Test")
        test.and_(page.locator(":enabled")).wait_for(timeout=60_000)
        test.click()
        test.and_(page.locator(":disabled")).wait_for()
        measured = float(jupyterlab.run_python(page, "print(lab.runs[-1].test_acc)"))
        page.get_by_role("cell", name=f"{measured:.1%}").first.wait_for()

    def test_an_interrupt_of_the_kernel_ends_the_run(self, page):
        button(page, "Train").click()
        page.get_by_text("training accuracy").first.wait_for()
        page.evaluate("() => window.jupyterapp.commands.execute('notebook:interrupt-kernel')")
        button(page, "Resume").and_(page.locator(":enabled")).wait_for()
        assert live_threads(page) == 0
