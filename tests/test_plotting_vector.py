"""Pictures are vector graphics in inks that can be read on light and dark pages, and diagrams have real words."""

import base64
import io
import re
import struct
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image

from helpers import layer_table, lenet, plotting
from helpers.experiments import measured

X, K = torch.arange(9.0).reshape(3, 3), torch.tensor([[1.0, 2], [-1, 3]])
DIAGRAMS = {
    "IDX file": lambda: plotting.idx_file(struct.pack(">4I", 2051, 2, 5, 8) + bytes(range(80))),
    "sliding kernel": lambda: plotting.sliding(X, K, torch.ones(2, 2)),
    "window that does not fit": lambda: plotting.window(X, K, 9, 9),
    "channels": lambda: plotting.channels(torch.ones(3, 2, 2), torch.ones(2, 3, 2, 2), torch.ones(2)),
    "windows and cells": lambda: plotting.windows_and_cells(X, {"max <2×2>": torch.ones(2, 2)}, 2, 1),
    "flattening": lambda: plotting.flattening(torch.arange(50.0).reshape(2, 5, 5), (1, 2, 2)),
    "network": lambda: plotting.network(layer_table(lenet()), "LeNet & co."),
    "loop": lambda: plotting.training_loop(torch.zeros(2, 1, 28, 28), torch.zeros(2, 10), 2.3, 0.1),
    "story": lambda: plotting.story(measured()["story"]),
    "course map": lambda: plotting.course_map(3),
}


@pytest.mark.parametrize("name", DIAGRAMS)
def test_a_diagram_is_svg_with_all_its_words_and_inks_of_the_page(name):
    diagram = DIAGRAMS[name]()
    root = ElementTree.fromstring(diagram._repr_html_())
    assert (root.tag, root.get("role"), root.get("aria-label")) == ("svg", "img", diagram.alt)
    assert "max-width:100%" in root.get("style")
    assert [text.text for text in root.iter("text")] == [text.get_text() for text in diagram.ax.texts]
    width, height = map(float, root.get("viewBox").split()[2:])
    for text in root.iter("text"):
        assert 0 <= float(text.get("x")) <= width
        assert 0 <= float(text.get("y")) <= height
    inks = {part.get("fill") for part in root.iter("text")}
    assert "currentColor" in inks
    assert not inks & {"#000000", "black", plotting.GREY, plotting.BLUE, plotting.TROUBLE}
    assert len(list(root.iter("image"))) == len(diagram.ax.images)


def test_an_image_in_a_diagram_is_as_small_as_it_is_and_shows_its_pixels_sharp():
    maps = torch.tensor([[[0.0, 1, 0.5], [1, 0, 1]]])
    root = ElementTree.fromstring(plotting.flattening(maps, (0, 0, 0)).svg())
    image = next(root.iter("image"))
    assert "pixelated" in image.get("style")
    data = base64.b64decode(image.get("href").partition(",")[2])
    grey = np.asarray(Image.open(io.BytesIO(data)).convert("L"))
    assert grey.tolist() == [[0, 255, 128], [255, 0, 255]] or grey.tolist() == [[0, 255, 127], [255, 0, 255]]


def test_words_on_an_image_keep_their_colour_and_white_stays_white_on_blue():
    sheet = plotting.Sheet(100, 60, "one number on a pixel, one beside it")
    sheet.put_image(torch.zeros(1, 1), 0, 0, 40)
    sheet.write(20, 20, "7", colour="white")
    sheet.write(25, 20, "8")
    sheet.write(70, 20, "9")
    fills = [text.get("fill") for text in ElementTree.fromstring(sheet.svg()).iter("text")]
    assert fills == ["#ffffff", "#000000", "currentColor"]
    here = [text for text in ElementTree.fromstring(DIAGRAMS["course map"]()._repr_html_()).iter("text")][2]
    assert (here.text, here.get("fill")) == ("3  LeNet's shapes", "#ffffff")


def test_an_arrow_is_a_line_that_is_not_filled_and_a_head_that_is():
    paths = [path for path in ElementTree.fromstring(DIAGRAMS["loop"]().svg()).iter("path")]
    lines = [path for path in paths if path.get("fill") == "none" and path.get("stroke")]
    assert len(lines) == 5
    assert len(paths) == 5 * 4  # a station, its number's ground, a line and a head


def test_a_sheets_lines_keep_their_marks_and_dashes():
    sheet = plotting.Sheet(100, 60, "a dotted frame and three marks")
    sheet.put_frame(10, 10, 40, 20, plotting.BLUE, linestyle=":")
    sheet.ax.plot([10, 50, 90], [30, 40, 50], "o", color=plotting.RED, markersize=7.2)
    frame, *marks = ElementTree.fromstring(sheet.svg()).iter("path")
    assert frame.get("stroke-dasharray")
    assert [mark.get("fill") for mark in marks] == [plotting.RED.lower()] * 3
    across = [float(number) for number in re.findall(r"[-\d.]+", marks[1].get("d"))][::2]
    assert (min(across), max(across)) == pytest.approx((45, 55), abs=0.01)


CHARTS = {
    "lines": lambda: plotting.lines([0, 1, 2], {"LeNet": [1, 0.5, 0.2], "MLP": [0.9, 0.3, 0.1]}, "shift", "accuracy"),
    "histogram": lambda: plotting.histogram(torch.arange(100)),
    "bars": lambda: plotting.bars([1, 2], ["boot & co.", "bag"], "images"),
    "confusion matrix": lambda: plotting.confusion_matrix(torch.arange(9).reshape(3, 3), ["a", "b", "c"]),
    "gaps": lambda: plotting.gaps([100, 1000], {"LeNet": [(0.9, 0.7), (0.9, 0.8)]}),
}


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_drawn_in_the_ink_of_the_page_and_has_no_ground_of_its_own(name):
    shown = CHARTS[name]()._repr_html_()
    root = ElementTree.fromstring(shown)
    assert "currentColor" in shown and plotting.INK not in shown and "<style" not in shown
    areas = [part for part in root.iter() if "fill: #ffffff" in part.get("style", "") and part.tag.endswith("path")]
    assert areas == []
    images = [part for part in root.iter() if part.tag.endswith("image")]
    assert all("pixelated" in part.get("style") for part in images)
    assert (len(images) == 1) == (name == "confusion matrix")


def test_charts_on_one_page_do_not_borrow_each_others_parts():
    pages = [CHARTS[name]()._repr_html_() for name in CHARTS]
    names = [set(re.findall(r'\bid="([^"]+)"', page)) for page in pages]
    assert all(names) and len(set.union(*names)) == sum(map(len, names))
    for page, own in zip(pages, names, strict=True):
        assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', page)) <= own
    assert pages == [CHARTS[name]()._repr_html_() for name in CHARTS]
    chart = CHARTS["lines"]()
    before = chart.png()
    chart.svg()
    assert chart.png() == before
