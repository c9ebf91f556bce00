"""The convolution lab: list, size and typed numbers agree, and the picture is that convolution's."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from helpers import conv_output_size, labs, plotting
from helpers.labs import board
from helpers.labs.convolution import KERNELS, kernel_preset, resized
from tests.every_lab import shown


@pytest.fixture
def lab(sample):
    return labs.convolution(sample.train_images[0])


def shows(lab, image, kernel, padding=0, stride=1, dilation=1):
    """True if the lab has sent this convolution to the browser; image: (28, 28) from 0 to 1."""
    options = {"padding": padding, "stride": stride, "dilation": dilation}
    output = F.conv2d(image[None, None], kernel[None, None], **options)[0, 0]
    axis = {"size": len(kernel), "stride": stride, "dilation": dilation}
    right = lab.facts["axes"] == [axis, axis] and lab.facts["padding"] == padding
    arrays = {"image": F.pad(image, [padding] * 4), "kernel": kernel, "output": output}
    return right and all(torch.equal(lab.arrays[name], array) for name, array in arrays.items())


def type_into(lab, row, column, number):
    """Type a number into the drawn kernel, as the browser reports it."""
    rows = [list(numbers) for numbers in lab.controls["numbers"].value]
    rows[row][column] = number
    lab.hear({"move": {"numbers": rows}}, [])


def test_a_convolution_is_the_one_that_the_controls_name(lab, sample):
    lab.controls["kernel"].value = "horizontal edges (Sobel)"  # a flipped one would change its sign
    lab.controls["size"].value = 5
    lab.controls["padding"].value = 2
    lab.controls["stride"].value = 2
    image, kernel = sample.train_images[0, 0] / 255, kernel_preset("horizontal edges (Sobel)", 5)
    assert shows(lab, image, kernel, padding=2, stride=2)
    assert "⌊(28 + 2·2 − 5) / 2⌋ + 1 = 14: the output is 14×14" in lab.message.value


def test_a_dilated_window_is_explained_and_reaches_the_pixels_far_apart(lab, sample):
    lab.controls["dilation"].value = 3
    image, kernel = sample.train_images[0, 0] / 255, kernel_preset(KERNELS[0], 3)
    assert shows(lab, image, kernel, dilation=3)
    assert "covers 3·(3 − 1) + 1 = 7" in lab.message.value


def test_the_formula_in_the_message_is_the_size_of_the_output(lab):
    for size in range(1, 12):
        lab.controls["size"].value = size
        assert f"the output is {conv_output_size(28, size)}×" in lab.message.value


def test_three_by_three_kernels_are_the_textbooks():
    assert kernel_preset("vertical edges (Sobel)", 3).tolist() == [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    assert kernel_preset("horizontal edges (Sobel)", 3).tolist() == [[-1, -2, -1], [0, 0, 0], [1, 2, 1]]
    assert kernel_preset("outline (Laplacian)", 3).tolist() == [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]
    assert kernel_preset("sharpen", 3).tolist() == [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]
    assert kernel_preset("emboss", 3).tolist() == [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]
    assert kernel_preset("vertical edges (Sobel)", 5)[2].tolist() == [-6, -12, 0, 12, 6]


@pytest.mark.parametrize("size", range(2, 12))
@pytest.mark.parametrize("name", [name for name in KERNELS if name != "random"])
def test_kernels_of_every_size_answer_to_what_they_are_named_after(name, size):
    left_to_right = torch.arange(float(size)).repeat(size, 1)
    patterns = {"flat": torch.ones(size, size), "vertical": left_to_right, "horizontal": left_to_right.T}
    answers = {pattern: float((X * kernel_preset(name, size)).sum()) for pattern, X in patterns.items()}
    if "edges" in name:
        along = name.split()[0]
        across = "horizontal" if along == "vertical" else "vertical"
        assert answers[along] > 0.1
        assert answers["flat"] == pytest.approx(0, abs=1e-4)
        assert answers[across] == pytest.approx(0, abs=1e-4)
    else:
        assert answers["flat"] == pytest.approx(0 if "outline" in name else 1, abs=1e-5)


def test_a_kernel_from_the_list_fills_the_matrix_with_the_numbers_that_are_used(lab, sample):
    lab.controls["kernel"].value = "blur (mean)"
    assert lab.controls["numbers"].value == ((0.111,) * 3,) * 3
    assert shows(lab, sample.train_images[0, 0] / 255, torch.full((3, 3), 0.111))
    lab.controls["size"].value = 5
    assert lab.controls["numbers"].value == ((0.04,) * 5,) * 5
    assert lab.board.text.value == "convolution kernel=blur-mean size=5"
    lab.controls["size"].value = 6
    assert lab.controls["numbers"].value == ()  # no room to type
    assert shows(lab, sample.train_images[0, 0] / 255, torch.full((6, 6), 1 / 36))


def test_a_number_typed_makes_the_kernel_ones_own(lab, sample):
    type_into(lab, 1, 1, 7.5)
    assert lab.controls["kernel"].value == "own numbers"
    kernel = torch.tensor([[-1, 0, 1], [-2, 7.5, 2], [-1, 0, 1]])
    assert shows(lab, sample.train_images[0, 0] / 255, kernel)
    assert lab.board.text.value == "convolution kernel=own-numbers numbers=-1,0,1;-2,7.5,2;-1,0,1"


def test_the_size_cuts_and_fills_ones_own_numbers_around_their_middle(lab):
    type_into(lab, 1, 1, 9)
    lab.controls["size"].value = 5
    assert lab.controls["numbers"].value[2] == (0, -2, 9, 2, 0)
    lab.controls["size"].value = 1
    assert lab.controls["numbers"].value == ((9,),)
    assert lab.controls["size"].max == 5  # larger ones have no room to type
    lab.controls["kernel"].value = "identity"
    assert lab.controls["size"].max == 11


def test_what_grows_and_shrinks_again_is_as_it_was():
    for size in range(1, 6):
        kernel = torch.randn(size, size)
        for larger in range(size, 6):
            assert torch.equal(resized(resized(kernel, larger), size), kernel)


def test_a_line_with_numbers_needs_no_other_word(lab):
    lab.board.text.value = "convolution numbers=0,1;1,0"
    assert lab.controls["kernel"].value == "own numbers"
    assert lab.controls["size"].value == 2
    lab.board.text.value = "convolution kernel=sharpen"
    assert lab.controls["numbers"].value == ((0, -1, 0), (-1, 5, -1), (0, -1, 0))
    lab.board.text.value = "convolution kernel=own-numbers"  # as from the list: the present numbers
    assert lab.controls["numbers"].value == ((0, -1, 0), (-1, 5, -1), (0, -1, 0))


def test_every_line_leads_another_lab_to_the_same_picture(lab, sample):
    other = labs.convolution(sample.train_images[0])
    other.board.move({"kernel": "blur (mean)", "size": 4})
    for values in ({"size": 9, "padding": 5}, {"numbers": ((0.5, -99), (1.25, 0))}, {"kernel": "random", "size": 4}):
        lab.board.move(values)
        other.board.text.value = lab.board.text.value
        assert other.board.values() == lab.board.values()
        assert shown(other) == shown(lab)
        line = board.read(lab.board.text.value, "convolution", lab.controls, lab.board.defaults)
        assert line == lab.board.values()


def test_the_sliders_of_the_position_end_where_the_output_ends(lab):
    lab.board.move({"row": 25, "column": 25})
    lab.controls["stride"].value = 2
    assert (lab.controls["row"].max, lab.controls["row"].value) == (12, 12)
    lab.board.text.value = "convolution padding=5 row=35"
    assert (lab.controls["row"].max, lab.controls["row"].value) == (35, 35)


def test_a_cell_that_is_pinned_in_the_browser_stands_on_the_board_line(lab):
    sent = []
    lab.observe(sent.append, "data")
    lab.hear({"move": {"row": 3, "column": 20}}, [])
    assert lab.facts["cell"] == (3, 20)
    assert lab.board.text.value == "convolution row=3 column=20"
    assert sent == []  # the browser has the numbers


def test_a_kernel_larger_than_the_image_is_explained_and_the_last_picture_stays(lab):
    lab.board.move({"size": 10, "dilation": 3})  # just fits
    good = shown(lab)
    lab.controls["dilation"].value = 4
    assert "kernel 10 with dilation 4 (37 wide) is larger than the 28×28 map" in lab.message.value
    assert shown(lab) == good
    lab.controls["padding"].value = 5
    assert "the output is 2×2" in lab.message.value


def test_a_photo_is_asked_for_and_then_convolved(lab):
    good = shown(lab)
    lab.controls["image"].value = "own photo"
    assert "no photograph yet" in lab.message.value
    assert shown(lab) == good
    photo = torch.randint(256, (1, 28, 28), dtype=torch.uint8)
    lab.take("own photo", photo)
    assert shows(lab, photo[0] / 255, kernel_preset(KERNELS[0], 3))


def test_what_is_drawn_on_the_pad_is_convolved_and_an_empty_pad_is_explained(lab):
    lab.controls["image"].value = "own drawing"
    assert "no drawing yet" in lab.message.value
    lab.pad.draw([[(60, 60), (200, 60), (200, 220)]])
    assert shows(lab, lab.pad.digit()[0] / 255, kernel_preset(KERNELS[0], 3))
    drawn = shown(lab)
    lab.pad.clear()
    assert "no drawing yet" in lab.message.value
    assert shown(lab) == drawn
    lab.board.text.value = "convolution image=own-drawing example=7"
    assert shows(lab, lab.pad.digit()[0] / 255, kernel_preset(KERNELS[0], 3))


def test_upload_and_pad_are_there_only_when_they_are_needed(lab):
    shown = {}
    for source in ("own photo", "own drawing", "sample"):
        lab.controls["image"].value = source
        shown[source] = lab.own.children
    assert shown == {"own photo": (lab.upload,), "own drawing": (lab.pad,), "sample": ()}


def test_window_kernel_and_products_stand_there_in_numbers_up_to_five_by_five():
    image, kernel = torch.full((28, 28), 0.5), torch.tensor([[0.0, -1.5], [0.0625, 2]])
    written = [text.get_text() for text in plotting.convolution(image, kernel, torch.zeros(27, 27)).ax.texts]
    for numbers in (["0.5"] * 4, ["0", "−1.5", "0.0625", "2"], ["0", "−0.75", "0.03", "1"]):
        assert any(written[i : i + 4] == numbers for i in range(len(written)))
    without = len(plotting.convolution(image, torch.randn(6, 6), torch.zeros(23, 23)).ax.texts)
    for size in range(1, 12):
        figure = plotting.convolution(image, torch.randn(size, size), torch.zeros(29 - size, 29 - size))
        assert len(figure.ax.texts) - without == (3 * size**2 if size <= 5 else 0)
        assert all(text.get_fontsize() >= 9 for text in figure.ax.texts)


@pytest.mark.parametrize("scale", [1, 2])
def test_a_number_stands_with_its_middle_on_its_place(scale):
    sheet = plotting.Sheet(200, 100, "a number on white")
    sheet.write(150, 30, "0", ha="center")
    ink = 255 - np.asarray(Image.open(io.BytesIO(sheet.png(scale))).convert("L")).astype(float)
    assert ink.shape == (100 * scale, 200 * scale)
    assert ink.max() > 200
    rows, columns = np.indices(ink.shape) + 0.5
    assert (ink * columns).sum() / ink.sum() == pytest.approx(150 * scale, abs=1.5)
    assert (ink * rows).sum() / ink.sum() == pytest.approx(30 * scale, abs=1.5)
