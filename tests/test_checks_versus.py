"""Chapter 5's checks: right answers, untouched stubs, and each typical mistake with its own message."""

import math

import pytest
import torch
from torch import nn

from helpers import checks
from helpers.checks import NOT_YET


def stub(*args):
    return ...


@pytest.mark.parametrize(
    "check",
    [
        checks.check_hidden_width,
        checks.check_shift_right,
        checks.check_class_accuracy,
        checks.check_permute_weights,
        checks.check_freeze_features,
    ],
)
def test_stub_is_not_yet(check):
    assert check(stub) is NOT_YET


def says(verdict, word):
    assert verdict.right is False
    assert word in verdict.message, verdict.message


def test_hidden_width():
    check = checks.check_hidden_width
    assert check(lambda p, i, o: round((p - o) / (i + 1 + o)))
    says(check(lambda p, i, o: (p - o) / (i + 1 + o)), "round")
    says(check(lambda p, i, o: (p - o) // (i + 1 + o)), "rounded down")
    says(check(lambda p, i, o: round(p / (i + o))), "no biases")
    says(check(lambda p, i, o: round(p / i)), "first weights only")
    says(check(lambda p, i, o: round(p / (i + 1))), "second layer")
    says(check(lambda p, i, o: round(p / (i + 1 + o))), "biases of the outputs")
    says(check(lambda p, i, o: 78), "solve")
    says(check(lambda p, i, o: "78"), "str")


def shift_right(images, dx):
    moved = images.roll(dx, dims=3)
    if dx > 0:
        moved[..., :dx] = 0
    if dx < 0:
        moved[..., dx:] = 0
    return moved


def for_positive_dx_only(images, dx):
    moved = torch.zeros_like(images)
    moved[..., dx:] = images[..., : images.shape[-1] - dx]
    return moved


def for_positive_dx_only_from_the_end(images, dx):
    moved = torch.zeros_like(images)
    moved[..., dx:] = images[..., :-dx]
    return moved


def in_place(images, dx):
    images[..., :1] = 0
    return images


def test_shift_right():
    check = checks.check_shift_right
    assert check(shift_right)
    assert check(lambda images, dx: shift_right(images.float(), dx))
    says(check(lambda images, dx: images.roll(dx, dims=3)), "wraps round")
    says(check(lambda images, dx: shift_right(images, -dx)), "wrong direction")
    says(check(lambda images, dx: shift_right(images.mT, dx).mT), "up or down")
    says(check(lambda images, dx: shift_right(images, max(dx, 0))), "negative dx")
    says(check(for_positive_dx_only), "negative dx moves to the left")
    says(check(for_positive_dx_only_from_the_end), "negative dx moves to the left")
    with pytest.raises(RuntimeError):  # a mistake of another kind keeps its traceback
        check(lambda images, dx: images @ images)
    says(check(lambda images, dx: images[..., dx:]), "shape")
    says(check(lambda images, dx: None), "NoneType")
    says(check(lambda images, dx: images * 0), "pixels differ")
    says(check(in_place), "copy")


def test_class_accuracy():
    check = checks.check_class_accuracy
    assert check(lambda counts: counts.diag() / counts.sum(dim=1))
    says(check(lambda counts: counts.diag() / counts.sum(dim=0)), "precision")
    says(check(lambda counts: counts.diag().sum() / counts.sum()), "one number")
    says(check(lambda counts: counts.diag() / counts.sum()), "all images")
    says(check(lambda counts: counts.diag()), "counts, not shares")
    says(check(lambda counts: 1 - counts.diag() / counts.sum(dim=1)), "mistakes")
    says(check(lambda counts: 100 * counts.diag() / counts.sum(dim=1)), "per cent")
    says(check(lambda counts: counts / counts.sum(dim=1)), "shape")
    says(check(lambda counts: [0.5] * 6), "list")
    says(check(lambda counts: torch.full((6,), math.pi)), "right answers of")


def test_class_accuracy_of_ten_classes_only():
    check = checks.check_class_accuracy
    says(check(lambda counts: torch.tensor([counts[i, i] / counts[i].sum() for i in range(10)])), "counts.shape[0]")
    says(check(lambda counts: torch.stack([counts.diag()[i] / counts[i].sum() for i in range(10)])), "here 6")
    with pytest.raises(IndexError):  # a mistake of another kind keeps its traceback
        check(lambda counts: counts.sum(dim=2))


def weights_in_place(weight, permutation):
    weight[:] = weight[:, permutation]
    return weight


def test_permute_weights():
    check = checks.check_permute_weights
    assert check(lambda weight, permutation: weight[:, permutation])
    says(check(lambda weight, permutation: weight[:, permutation.argsort()]), "inverse")
    says(check(lambda weight, permutation: weight), "unchanged")
    says(check(lambda weight, permutation: weight.flip(0)), "columns")
    says(check(lambda weight, permutation: weight[permutation]), "ermute the columns, not the rows")
    with pytest.raises(IndexError):  # a mistake of another kind keeps its traceback
        check(lambda weight, permutation: weight[:, permutation + 1])
    says(check(lambda weight, permutation: weight.T), "shape")
    says(check(weights_in_place), "new matrix")


def freeze(kinds, which=lambda layer: layer):
    def freeze_features(net):
        for layer in net:
            if isinstance(layer, kinds):
                which(layer).requires_grad_(False)
        return net

    return freeze_features


def freeze_by_attribute(net):
    for layer in net:
        if isinstance(layer, nn.Conv2d):
            layer.requires_grad = False
    return net


def freeze_first(net):
    net[0].requires_grad_(False)
    return net


def freeze_nothing_to_return(net):
    freeze(nn.Conv2d)(net)


def test_freeze_features():
    check = checks.check_freeze_features
    assert check(freeze(nn.Conv2d))
    says(check(freeze(nn.Module)), "too")
    says(check(freeze(nn.Linear)), "dense half")
    says(check(freeze(nn.Conv2d, lambda layer: layer.weight)), "biases")
    says(check(freeze_by_attribute), "requires_grad_(False)")
    says(check(freeze_first), "1 of 2")
    says(check(freeze_nothing_to_return), "return net")
    says(check(lambda net: freeze(nn.Conv2d)(net)[:3]), "whole network")
