"""Two labs of one bench in two cells, in JupyterLab as it is installed: what is built in one the other opens."""

import re

import pytest
from playwright.sync_api import expect

from tests import every_lab
from tests.browser import jupyterlab

CELLS = [
    every_lab.BEGIN,
    "bench = labs.bench(data, lenet(3, (8, 16), (1, 1), torch.nn.ReLU, torch.nn.MaxPool2d))\nbench.shapes()",
    "bench.microscope()",
]


@pytest.fixture
def page(browser, tmp_path):
    """The notebook of a bench; nothing may have gone wrong in it."""
    with jupyterlab.server({"bench.ipynb": CELLS}, tmp_path / "log") as address:
        with jupyterlab.page_of_labs(browser, address, "bench.ipynb") as page:
            yield page


def test_a_layer_changed_under_a_hand_is_open_in_the_other_cell(page):
    shapes, microscope = page.locator(".lab-alive").nth(0), page.locator(".lab-alive").nth(1)
    microscope.wait_for()
    channel = microscope.locator("input[aria-label=channel]")
    expect(channel).to_have_attribute("max", "7")
    slider = shapes.get_by_role("slider", name="channels 1", exact=True)
    slider.focus()
    slider.press("ArrowRight")
    expect(channel).to_have_attribute("max", "8", timeout=20_000)
    jupyterlab.type_line(shapes, "shapes kernel_1=7 padding_1=3 channels_1=4")
    expect(channel).to_have_attribute("max", "3", timeout=20_000)
    expect(microscope.locator(".lab-said")).to_contain_text(re.compile("answer to this image"))
    jupyterlab.type_line(shapes, "shapes image_size=48")
    expect(shapes.locator(".lab-said")).to_contain_text("keep their last network", timeout=20_000)
    expect(channel).to_have_attribute("max", "3")
