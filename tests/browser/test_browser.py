"""The course as a student sees it: JupyterLab in a real browser."""

import pytest

from tests.browser import jupyterlab

pytestmark = pytest.mark.skipif(
    not jupyterlab.chromium(), reason="needs Chromium: on Debian or Ubuntu, apt-get install chromium"
)


@pytest.fixture(scope="module")
def address():
    with jupyterlab.server() as running:
        yield running


@pytest.fixture(scope="module")
def browser():
    with jupyterlab.browser() as running:
        yield running


def test_a_slider_of_chapter_2_redraws_the_picture(address, browser):
    page = jupyterlab.open_notebook(browser, address, "02-convolution-and-pooling.ipynb")
    jupyterlab.run_all(page)
    assert jupyterlab.errors(page) == []
    lab = page.locator(".widget-vbox", has=page.get_by_text("kernel size")).first
    picture = lab.locator("img.widget-image")
    picture.scroll_into_view_if_needed()
    before = picture.get_attribute("src")
    lab.get_by_role("slider").first.press("ArrowRight")
    page.wait_for_function("([image, before]) => image.src !== before", arg=[picture.element_handle(), before])
    assert page.get_by_text("the output is").first.is_visible()
    assert [problem for problem in page.problems if "favicon" not in problem] == []
