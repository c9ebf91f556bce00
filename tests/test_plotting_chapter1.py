"""The picture of an IDX file: its strips are to scale, and its bytes are those of the file."""

import struct

import pytest
import torch
from matplotlib.colors import to_rgba

from helpers import plotting
from tests.support import check_type

SHAPES = {"the sample": (10_000, 28, 28), "one image": (1, 28, 28), "two small ones": (2, 5, 8)}


def file(shape):
    count, rows, columns = shape
    pixels = (torch.arange(count * rows * columns) % 251).to(torch.uint8)
    return struct.pack(">4I", 8 * 256 + 3, count, rows, columns) + pixels.numpy().tobytes()


def frames(figure, colour):
    """(left, top, width, height) of the frames of one colour."""
    return [
        (*frame.get_xy(), frame.get_width(), frame.get_height())
        for frame in figure.ax.patches
        if frame.get_edgecolor() == to_rgba(colour)
    ]


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_type_can_be_read_and_nothing_overlaps_or_is_cut_off(shape):
    figure = plotting.idx_file(file(shape))
    check_type(figure, smallest=9)


def test_it_is_said_in_words_too():
    alt = plotting.idx_file(file((10_000, 28, 28))).alt
    assert alt.startswith("The whole file: 7,840,016 bytes, a header of 16 and 10,000 images of 28×28 = 784.")
    assert "magic [0, 0, 8, 3], images [0, 0, 39, 16], rows [0, 0, 0, 28], columns [0, 0, 0, 28]" in alt
    assert "row 0: bytes 16 to 43; row 14: bytes 408 to 435; row 27: bytes 772 to 799" in alt


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_strip_holds_the_first_bytes_and_the_image_its_own(shape):
    count, rows, columns = shape
    raw = file(shape)
    strip, image = (torch.as_tensor(shown.get_array()) for shown in plotting.idx_file(raw).ax.images)
    assert bytes(strip.flatten().byte().tolist()) == raw[: 16 + min(3, count) * rows * columns]
    assert image.shape == (rows, columns)
    assert bytes(image.flatten().byte().tolist()) == raw[16 : 16 + rows * columns]


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_header_and_rows_are_marked_to_scale(shape):
    _, rows, columns = shape
    figure = plotting.idx_file(file(shape))
    strip, image = figure.ax.images
    left, right, *_ = strip.get_extent()
    byte = (right - left) / strip.get_array().size
    edge, end, _, top = image.get_extent()
    cell = (end - edge) / columns
    header, *enlarged = frames(figure, plotting.ORANGE)
    assert header[0] == left and header[2] == pytest.approx(16 * byte)
    assert len(enlarged) == 16
    for row, colour in ((0, plotting.SKY), (rows // 2, plotting.GREEN), (rows - 1, plotting.PURPLE)):
        in_strip, in_image = frames(figure, colour)
        assert in_strip[0] == pytest.approx(left + (16 + row * columns) * byte)
        assert in_strip[2] == pytest.approx(columns * byte)
        assert in_image == pytest.approx((edge, top + row * cell, end - edge, cell))


@pytest.mark.parametrize("raw", [b"", b"\x1f\x8b\x08packed bytes of gzip", struct.pack(">2I", 8 * 256 + 1, 0) * 4])
def test_other_bytes_are_refused_in_words(raw):
    with pytest.raises(ValueError, match="do not begin as an IDX file of images"):
        plotting.idx_file(raw)
