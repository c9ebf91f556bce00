"""The labs under a hand: after each move the picture has exactly the bytes of the figure for the new state."""

import pytest
from matplotlib.cbook import get_sample_data
from playwright.sync_api import expect

from helpers.photos import read_photo
from tests.browser import jupyterlab


def moved(reference, **values):
    """The picture's bytes when the lab, back at its beginning, is moved to `values`."""
    beginning = {name: control.value for name, control in reference.board.controls.items()}
    reference.board.move(values)
    picture = bytes(reference.picture.image.value)
    reference.board.move(beginning)
    return picture


def slider(page, label):
    """The handle of the slider with that label."""
    return page.locator(".widget-slider", has=page.get_by_text(label, exact=True)).get_by_role("slider")


def choose(page, label, option):
    """Choose from the list with that label."""
    page.get_by_label(label, exact=True).select_option(label=option)


def upload(page, path):
    """Choose a file in the dialogue that the upload button opens."""
    with page.expect_file_chooser() as dialogue:
        page.get_by_role("button", name="your photograph").click()
    dialogue.value.set_files(path)


class FirstPicture:
    """What the tests of the labs share: the first picture, and a way back."""

    PICTURE = 0

    @pytest.fixture
    def picture(self, page):
        return page.locator("img.widget-image").nth(self.PICTURE)

    @pytest.fixture(autouse=True)
    def as_at_the_beginning(self, page, picture, reference):
        jupyterlab.type_line(page, reference.board.lab)
        jupyterlab.wait_for_picture(picture, bytes(reference.picture.image.value))

    def explains(self, page, picture, line, words):
        """Type a line that asks for what cannot be: the lab says so in these words, and the picture stays."""
        before = jupyterlab.shown_bytes(picture)
        jupyterlab.type_line(page, line)
        page.get_by_text(words).wait_for()
        assert jupyterlab.shown_bytes(picture) == before


class TestExplorer(FirstPicture):
    LAB = "explorer"

    def test_a_slider_and_a_list(self, page, picture, reference):
        slider(page, "which image").press("ArrowRight")
        jupyterlab.wait_for_picture(picture, moved(reference, place=1))
        choose(page, "class", "bag")
        jupyterlab.wait_for_picture(picture, moved(reference, place=1, class_name="bag"))
        expect(page.get_by_label("board line")).to_have_value("explorer class_name=bag place=1")

    def test_a_click_on_an_image_shows_its_numbers(self, page, picture, reference):
        picture.click(position={"x": 40, "y": 40})
        jupyterlab.wait_for_picture(picture, moved(reference, view="numbers"))

    def test_a_photograph_of_ones_own(self, page, picture, reference):
        photograph = get_sample_data("grace_hopper.jpg", asfileobj=False)
        upload(page, photograph)
        with open(photograph, "rb") as file:
            reference.upload.photo = read_photo(file.read())
        reference.board.move({"view": "own photo"})
        expected = bytes(reference.picture.image.value)
        reference.board.move({"view": "images"})
        jupyterlab.wait_for_picture(picture, expected)

    def test_a_file_that_is_no_photograph_is_refused_in_words(self, page, tmp_path):
        path = tmp_path / "notes.png"
        path.write_text("no picture")
        upload(page, path)
        page.get_by_text("no picture that can be read").wait_for()


class TestLearnKernel(FirstPicture):
    LAB = "learn_kernel"

    def test_step_run_stop_and_reset(self, page, picture, reference):
        beginning = bytes(reference.picture.image.value)
        page.get_by_role("button", name="Step").click()
        reference.step()
        jupyterlab.wait_for_picture(picture, bytes(reference.picture.image.value))
        reference.reset()
        page.get_by_role("button", name="Run", exact=True).click()
        page.get_by_text("Step 2").first.wait_for()
        page.get_by_role("button", name="Stop").click()
        count = "import threading; print(sum(t.name == 'a lab\\'s run' for t in threading.enumerate()))"
        assert jupyterlab.run_python(page, count).strip() == "0"
        page.get_by_role("button", name="Reset").click()
        jupyterlab.wait_for_picture(picture, beginning)


class TestShapes(FirstPicture):
    LAB = "shapes"

    def test_a_slider(self, page, picture, reference):
        slider(page, reference.board.controls["channels_1"].description).press("ArrowRight")
        jupyterlab.wait_for_picture(picture, moved(reference, channels_1=7))

    def test_an_impossible_shape_explains_itself_and_the_picture_stays(self, page, picture):
        self.explains(page, picture, "shapes image_size=12 kernel_1=11", "larger than")


class TestVersus(FirstPicture):
    LAB = "versus"

    def test_a_slider_and_a_list(self, page, picture, reference):
        slider(page, "shift (pixels)").press("ArrowRight")
        jupyterlab.wait_for_picture(picture, moved(reference, shift=1))
        choose(page, "view", "confusion")
        jupyterlab.wait_for_picture(picture, moved(reference, shift=1, view="confusion"))

    def test_other_conditions_are_trained_until_stop(self, page):
        page.get_by_label("shuffled pixels").check()
        page.get_by_text("Press Train").wait_for()
        page.get_by_role("button", name="Train").click()
        page.get_by_text("Training: epoch").wait_for()
        page.get_by_role("button", name="Stop").click()
        page.get_by_text("Stopped after").wait_for()
