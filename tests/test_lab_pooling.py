"""The pooling lab: what a window keeps, and what a shift changes."""

import math

import pytest
import torch
from torch.nn import functional as F

from helpers import labs, plotting
from helpers.plotting.pooling import percent, relative_change
from tests.every_lab import shown


@pytest.mark.parametrize(("kind", "pool"), [("max", F.max_pool2d), ("average", F.avg_pool2d)])
def test_the_pooling_lab_shows_the_pooling_that_was_chosen(kind, pool, sample):
    image = sample.train_images[0, 0] / 255
    lab = labs.pooling(image)
    lab.board.move({"kind": kind, "window": 3, "stride": 2, "shift": 4})
    shifted = torch.zeros(28, 28)
    shifted[:, 4:] = image[:, :-4]
    before, after = (pool(X[None, None], 3, stride=2)[0, 0] for X in (image, shifted))
    arrays = {"image": image, "shifted": shifted, "before": before, "after": after}
    assert all(torch.equal(lab.arrays[name], array) for name, array in arrays.items())
    assert "⌊(28 − 3) / 2⌋ + 1 = 13: the pooled map is 13×13" in lab.message.value


def test_the_change_under_the_shift_is_that_of_the_chapter(sample):
    image = sample.train_images[0, 0] / 255
    lab = labs.pooling(image)
    lab.board.move({"kind": "average", "shift": 2})
    pooled = F.avg_pool2d(image[None, None], 2)
    change = (F.pad(pooled, (1, -1)) - pooled).norm() / pooled.norm()  # a whole window: equivariance
    assert lab.facts["changes"][1] == f"{float(change):.0%}"
    lab.controls["shift"].value = 0
    assert lab.facts["changes"] == ["0%", "0%"]


def test_a_window_larger_than_the_image_is_explained(sample):
    lab = labs.pooling(sample.train_images[0, 0, :5, :5])
    good = shown(lab)
    lab.controls["window"].value = 6
    assert "larger than the 5×5 map" in lab.message.value
    assert shown(lab) == good


def test_the_change_of_a_black_map_is_said_without_dividing_by_zero():
    black, dot = torch.zeros(3, 3), torch.eye(3)
    assert relative_change(black, black) == 0
    assert relative_change(black, dot) == math.inf
    assert relative_change(dot, black) == 1
    assert percent(math.inf) == "∞%"
    assert plotting.pooling(dot, dot, black, dot, "max", 1, 1, 1).png().startswith(b"\x89PNG")
    assert "∞%" in plotting.pooling(dot, dot, black, dot, "max", 1, 1, 1).alt
