"""The labs without a browser: a control moves, the right picture stands there."""

import functools
import itertools
import time

import pytest
import torch
from torch.nn import functional as F

from helpers import conv_output_size, labs, mlp, plotting, train
from helpers.labs.controls import slider
from helpers.labs.convolution import KERNELS, kernel_preset
from helpers.labs.live import FiveTimesASecond, Lab


def test_a_convolution_is_the_one_that_the_controls_name(sample):
    image = sample.train_images[0]
    lab = labs.convolution(image)
    lab.controls["kernel"].value = "horizontal edges"  # a flipped one would change its sign
    lab.controls["kernel_size"].value = 5
    lab.controls["padding"].value = 2
    lab.controls["stride"].value = 2
    kernel, scaled = kernel_preset("horizontal edges", 5), image[0] / 255
    output = F.conv2d(scaled[None, None], kernel[None, None], padding=2, stride=2)[0, 0]
    expected = plotting.convolution(F.pad(scaled, [2] * 4), kernel, output, (0, 0, 5), padding=2)
    assert lab.picture.image.value == expected.png()
    assert "⌊(28 + 2·2 − 5) / 2⌋ + 1 = 14" in lab.message.value


@pytest.mark.parametrize("name", KERNELS)
def test_kernels_answer_to_what_they_are_named_after(name):
    flat, left_to_right = torch.ones(9, 9), torch.arange(9.0).repeat(9, 1)
    respond = {"flat": flat, "vertical": left_to_right, "horizontal": left_to_right.T}
    kernel = kernel_preset(name, 5)
    answers = {pattern: float((X[2:7, 2:7] * kernel).sum()) for pattern, X in respond.items()}
    if "edges" in name:
        along = name.split()[0]
        across = "horizontal" if along == "vertical" else "vertical"
        assert answers[along] > 0.1
        assert answers["flat"] == pytest.approx(0, abs=1e-5)
        assert answers[across] == pytest.approx(0, abs=1e-5)
    else:
        assert answers["flat"] == pytest.approx(0 if "outline" in name else 1, abs=1e-5)


@pytest.mark.parametrize(("kind", "pool"), [("max", F.max_pool2d), ("average", F.avg_pool2d)])
def test_the_pooling_lab_shows_the_pooling_that_was_chosen(kind, pool, sample):
    image = sample.train_images[0, 0] / 255
    lab = labs.pooling(image)
    lab.controls["kind"].value = kind
    lab.controls["shift"].value = 0
    pooled = pool(image[None, None], 2)[0, 0]
    titles = ["input", f"{kind}-pooled", "changed by the shift"]
    expected = plotting.images([image, pooled, torch.zeros(14, 14)], titles, columns=3, limits=(0, 1))
    assert lab.picture.image.value == expected.png()


def test_pooling_explains_a_window_and_measures_the_shift(sample):
    lab = labs.pooling(sample.train_images[0])
    lab.controls["shift"].value = 0
    assert "0% of the input, 0% after pooling" in lab.message.value
    lab.controls["shift"].value = 1
    assert ", 0% after pooling" not in lab.message.value


def test_every_place_of_every_slider_draws_or_explains_itself(sample):
    for lab in (
        labs.explorer(sample),
        labs.convolution(sample.train_images[0]),
        labs.pooling(sample.train_images[0]),
        labs.shapes(),
    ):
        for control in lab.controls.values():
            start = control.value
            for move in moves(control):
                move()
                refused = plotting.TROUBLE in lab.message.value
                assert not refused or "larger than" in lab.message.value
            control.value = start


def moves(control):
    """Ways to put a control at each option of a list, or at both ends of a slider."""
    if hasattr(control, "options"):
        return [functools.partial(setattr, control, "index", i) for i in range(len(control.options))]
    return [functools.partial(setattr, control, "value", end) for end in (control.min, control.max)]


def test_an_error_that_is_not_about_the_values_is_not_hidden():
    def draw(number):
        raise KeyError(number)

    with pytest.raises(KeyError):
        Lab("broken", draw, {"number": slider("number", 1, 0, 2)})


def test_watching_returns_the_history_and_survives_an_interrupt(batches, capsys):
    net = mlp((8,))
    history = labs.watch(train(net, batches, 2, lr=0.1, device="cpu"), 2)
    assert [progress.epoch for progress in history][-1] == 2

    def interrupted():
        yield from train(net, batches, 1, lr=0.1, device="cpu")
        raise KeyboardInterrupt

    assert len(labs.watch(interrupted())) == 5
    assert "Stopped" in capsys.readouterr().out


def test_drawing_leaves_time_between_two_pictures():
    calls = []
    draw = FiveTimesASecond(lambda: calls.append(time.monotonic()))
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        draw()
    assert calls
    assert all(later - earlier >= 0.2 for earlier, later in itertools.pairwise(calls))


def test_the_formula_in_the_message_is_the_size_of_the_output(sample):
    lab = labs.convolution(sample.train_images[0])
    for size in range(1, 12):
        lab.controls["kernel_size"].value = size
        assert f"the output is {conv_output_size(28, size)}×" in lab.message.value
