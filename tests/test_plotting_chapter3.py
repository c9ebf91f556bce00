"""The picture of flattening: maps and the row of numbers to scale, and the places of three neighbours."""

import pytest
import torch
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle

from helpers import plotting
from tests.support import check_type

SKETCHES = {
    "LeNet's maps": ((16, 5, 5), (5, 1, 2)),
    "an image": ((1, 28, 28), (0, 14, 12)),
    "the first pixel": ((16, 5, 5), (0, 0, 0)),
    "the last pixel that has both neighbours": ((16, 5, 5), (15, 3, 3)),
    "a pixel at the right edge": ((1, 28, 28), (0, 3, 27)),
    "the last pixel": ((1, 28, 28), (0, 27, 27)),
    "the last pixel of a map": ((16, 5, 5), (5, 4, 4)),
    "few wide maps": ((3, 4, 9), (1, 2, 0)),
    "smallest": ((1, 2, 2), (0, 0, 0)),
}


def sketch(name):
    shape, pixel = SKETCHES[name]
    return plotting.flattening(torch.arange(float(torch.tensor(shape).prod())).reshape(shape), pixel)


def boxes(figure, colour):
    """(left, top, width) of the frames of one colour, in the order in which they were put."""
    frames = [patch for patch in figure.ax.patches if isinstance(patch, Rectangle)]
    return [
        (frame.get_x(), frame.get_y(), frame.get_width())
        for frame in frames
        if frame.get_edgecolor() == to_rgba(colour)
    ]


@pytest.mark.parametrize("name", SKETCHES)
def test_type_can_be_read_and_nothing_overlaps_or_is_cut_off(name):
    figure = sketch(name)
    check_type(figure, smallest=9)


def test_it_is_said_in_words_too():
    assert "16 maps of 5×5, and the row of 400 numbers" in sketch("LeNet's maps").alt
    assert "A: map 5, row 1, column 2: place 132; B: right of A: 1 place further; C: below A: 5 places further" in (
        sketch("LeNet's maps").alt
    )
    assert "n image of 28×28" in sketch("an image").alt
    assert "A: row 14, column 12: place 404" in sketch("an image").alt


@pytest.mark.parametrize("name", SKETCHES)
def test_the_row_holds_the_numbers_in_the_order_of_flatten(name):
    (channels, height, width), _ = SKETCHES[name]
    *maps, row, _ = sketch(name).ax.images
    assert len(maps) == channels
    # Every map has a scale of its own, and keeps it in the row.
    ranked = torch.linspace(0, 1, height * width).repeat(channels)
    assert torch.allclose(torch.as_tensor(row.get_array()).flatten(), ranked, atol=1e-6)


def test_maps_and_row_are_to_scale():
    *maps, row, _ = sketch("LeNet's maps").ax.images
    left, right, *_ = row.get_extent()
    for i, image in enumerate(maps):
        start, end, bottom, top = image.get_extent()
        assert end - start == pytest.approx(bottom - top)  # square pixels
        assert end - start == pytest.approx(maps[0].get_extent()[1] - maps[0].get_extent()[0])
        # Each map stands above its own 25 numbers.
        assert (start + end) / 2 == pytest.approx(left + (i + 0.5) * (right - left) / 16)


@pytest.mark.parametrize("name", SKETCHES)
def test_the_frames_lie_on_the_neighbours_and_on_their_places(name):
    (_, height, width), (channel, row, column) = SKETCHES[name]
    figure = sketch(name)
    *maps, _, part = figure.ax.images
    x, _, _, y = maps[channel].get_extent()
    cell = (maps[channel].get_extent()[1] - x) / width
    place = (channel * height + row) * width + column
    wide = (part.get_extent()[1] - part.get_extent()[0]) / part.get_array().size
    first = max(place - 2, 0)
    for colour, across, down, at in (
        (plotting.ORANGE, column, row, place),
        (plotting.SKY, column + 1, row, place + 1),
        (plotting.GREEN, column, row + 1, place + width),
    ):
        if across == width or down == height:  # at an edge
            assert boxes(figure, colour) == []
            continue
        in_map, in_part, _ = boxes(figure, colour)
        assert in_map == pytest.approx((x + across * cell, y + down * cell, cell))
        assert in_part[0] == pytest.approx(part.get_extent()[0] + (at - first) * wide)
        assert in_part[2] == pytest.approx(wide)


def test_maps_that_carry_gradients_and_maps_of_one_value_are_drawn():
    assert plotting.flattening(torch.ones(2, 3, 3, requires_grad=True), (0, 0, 0)).png()


@pytest.mark.parametrize("pixel", [(0, 5, 0), (0, 0, 5), (16, 0, 0), (0, -1, 0)])
def test_a_pixel_that_is_not_on_the_maps_is_refused_in_words(pixel):
    with pytest.raises(ValueError, match="is not on 16 maps of 5×5: rows are 0 to 4, columns 0 to 4"):
        plotting.flattening(torch.zeros(16, 5, 5), pixel)
