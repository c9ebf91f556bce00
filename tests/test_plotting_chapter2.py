"""The pictures of a kernel at one place or at all, on one channel or several, and of windows that become cells."""

import pytest
import torch
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle
from torch.nn import functional as F

from helpers import plotting
from helpers.plotting.chapter2 import CELL
from tests.support import check_type

X = torch.tensor([[3.0, 1, 0], [2, 5, 1], [0, 4, 2]])
K = torch.tensor([[1.0, 2], [-1, 3]])
Y = F.conv2d(X[None, None], K[None, None])[0, 0]
LARGE = torch.arange(36.0).reshape(6, 6)
WINDOW = torch.tensor([[[0.9, 0.8], [0.7, 0.2]], [[0.5, 0.5], [0.4, 0.3]], [[0.2, 0.1], [0.1, 0.6]]])
WEIGHTS = torch.tensor([[1.0, -1, 0], [-1, 0.5, 2]])[:, :, None, None].expand(2, 3, 2, 2)


def pooled(size, stride, image=LARGE):
    return F.max_pool2d(image[None, None], size, stride)[0, 0]


def pictures():
    wide = torch.tensor([[0.25, -12, 8, 3]])
    return {
        "sliding": plotting.sliding(X, K, Y),
        "one place": plotting.sliding(X, X, (X * X).sum().reshape(1, 1)),
        "a flat kernel": plotting.sliding(wide, torch.tensor([[0.5, -1]]), torch.tensor([[12.1, -14, 1]])),
        "numbers in a list": plotting.sliding(X.tolist(), K.tolist(), Y.tolist()),
        "a window": plotting.window(X, K, 0, 1),
        "a window that sticks out": plotting.window(X, K, 2, 0),
        "channels": plotting.channels(WINDOW, WEIGHTS, torch.tensor([0.5, -1])),
        "two channels": plotting.channels(WINDOW[:2], WEIGHTS[:1, :2], torch.tensor([-12.25])),
        "pooling": plotting.windows_and_cells(
            LARGE[:4, :4], {"max 2×2": pooled(2, 2, LARGE[:4, :4]), "average 2×2": torch.full((2, 2), -12.25)}, 2, 2
        ),
        "windows that overlap": plotting.windows_and_cells(LARGE, {"max": pooled(3, 2)}, 3, 2),
        "windows with gaps": plotting.windows_and_cells(LARGE, {"largest of each window": pooled(2, 3)}, 2, 3),
        "small": plotting.windows_and_cells(torch.ones(2, 3), {"max 2×2": torch.ones(1, 2)}, 2, 1),
    }


def frames(figure, colour):
    """(left, top, width, height) of the frames of one colour, in the order in which they were put."""
    return [
        (patch.get_x(), patch.get_y(), patch.get_width(), patch.get_height())
        for patch in figure.ax.patches
        if isinstance(patch, Rectangle) and not patch.get_fill() and patch.get_edgecolor() == to_rgba(colour)
    ]


@pytest.mark.parametrize("name", pictures())
def test_type_can_be_read_and_nothing_overlaps_or_is_cut_off(name):
    figure = pictures()[name]
    assert figure.bbox.x1 <= 1000
    check_type(figure, smallest=9)
    for patch in figure.ax.patches:
        left, top = patch.get_xy()
        assert 0 <= left < left + patch.get_width() <= figure.bbox.x1
        assert 0 <= top < top + patch.get_height() <= figure.bbox.y1


def test_the_sums_are_said_in_words():
    assert "A 2×2 kernel at the 4 places of a 3×3 image" in plotting.sliding(X, K, Y).alt
    assert "row 0, column 0: 3·1 + 1·2 + 2·(−1) + 5·3 = 18" in plotting.sliding(X, K, Y).alt
    assert "row 1, column 1: 5·1 + 1·2 + 4·(−1) + 2·3 = 9" in plotting.sliding(X, K, Y).alt


def test_one_place_says_its_products_and_frames_its_window():
    figure = plotting.window(X, K, 0, 1)
    assert "at row 0, column 1. 1·1 + 0·2 + 5·(−1) + 1·3 = −1" in figure.alt
    ((left, top, width, height),) = frames(figure, plotting.ORANGE)
    assert (left, top) == (10 + CELL + 3, 44 + 3)
    assert (width, height) == (2 * CELL - 6, 2 * CELL - 6)


@pytest.mark.parametrize("place", [(2, 0), (0, 2), (-1, 0), (0, 0.5)])
def test_a_kernel_that_sticks_out_is_told_where_it_fits(place):
    figure = plotting.window(X, K, *place)
    assert "sticks out of the image. It fits in rows 0 to 1 and columns 0 to 1." in figure.alt
    assert frames(figure, plotting.ORANGE) == []


def test_zero_has_no_sign():
    words = [text.get_text() for text in plotting.matrices([torch.tensor([[-0.0, -1]])], ["zero"]).ax.texts]
    assert words[-2:] == ["0", "−1"]


def test_each_kernel_adds_up_its_channels_and_its_bias():
    alt = plotting.channels(WINDOW, WEIGHTS, torch.tensor([0.5, -1])).alt
    assert "A window of 3 channels under 2 kernels of 3 tables each" in alt
    assert "kernel 0: 2.6 + (−1.7) + 0 + bias 0.5 = 1.4" in alt
    cells = F.conv2d(WINDOW[None], WEIGHTS, torch.tensor([0.5, -1.0])).flatten()
    assert f"kernel 1: (−2.6) + 0.85 + 2 + bias (−1) = {cells[1]:.3g}".replace("= -", "= −") in alt


def test_each_place_frames_its_window_and_its_cell_to_scale():
    figure = plotting.sliding(X, K, Y)
    found = frames(figure, plotting.ORANGE)
    assert len(found) == 2 * Y.numel()
    (left, top, width, height), (cell_left, cell_top, cell_width, _) = found[:2]
    slot = figure.bbox.x1 / Y.numel()
    for place, (window, cell) in enumerate(zip(found[::2], found[1::2], strict=True)):
        row, column = divmod(place, 2)
        assert window == pytest.approx((left + place * slot + column * CELL, top + row * CELL, width, height))
        assert cell[:2] == pytest.approx((cell_left + place * slot + column * CELL, cell_top + row * CELL))
    # A frame lies a little inside its cells: three pixels on each side.
    assert (width, height, cell_width) == (2 * CELL - 6, 2 * CELL - 6, CELL - 6)


def test_the_output_fills_place_by_place():
    words = [text.get_text() for text in plotting.sliding(X, K, Y).ax.texts]
    assert [words.count(text) for text in ("18", "−1", "24")] == [4, 3, 2]
    assert words.count("output so far") == 3
    assert words.count("×−1") == 4


@pytest.mark.parametrize(("name", "size", "stride"), [("windows that overlap", 3, 2), ("windows with gaps", 2, 3)])
def test_each_window_has_the_colour_of_its_cell(name, size, stride):
    figure = pictures()[name]
    origin = None
    for place, colour in enumerate(plotting.COLOURS[:4]):
        row, column = divmod(place, 2)
        (left, top, width, height), (cell_left, cell_top, cell_width, _) = frames(figure, colour)
        origin = origin or (left, top, cell_left, cell_top)
        assert (left - origin[0], top - origin[1]) == (column * stride * CELL, row * stride * CELL)
        assert (cell_left - origin[2], cell_top - origin[3]) == pytest.approx((column * CELL, row * CELL))
        assert (width, height, cell_width) == (size * CELL - 6, size * CELL - 6, CELL - 6)
    assert f"image 6×6, windows {size}×{size}, stride {stride}" in figure.alt


def test_every_map_is_said_in_words():
    alt = pictures()["pooling"].alt
    assert "max 2×2: 7, 9; 19, 21. average 2×2: −12.2, −12.2; −12.2, −12.2" in alt


def test_too_many_places_or_windows_are_refused_in_words():
    with pytest.raises(ValueError, match="25 places do not fit side by side: take a smaller image"):
        plotting.sliding(LARGE, K, torch.zeros(5, 5))
    with pytest.raises(ValueError, match="9 windows are too many: there are 6 colours"):
        plotting.windows_and_cells(LARGE, {"max 2×2": pooled(2, 2)}, 2, 2)
