"""Chapter 5's checks: right answers, untouched stubs, and each typical mistake with its own message."""

import pytest
import torch
from torch import nn

from helpers import checks
from helpers.checks import NOT_YET


def stub(*args):
    return ...


@pytest.mark.parametrize(
    "check", [checks.check_choose_rates, checks.check_shift_right, checks.check_lead, checks.check_freeze_features]
)
def test_stub_is_not_yet(check):
    assert check(stub) is NOT_YET


@pytest.mark.parametrize(
    "check", [checks.check_choose_rates, checks.check_shift_right, checks.check_lead, checks.check_freeze_features]
)
def test_an_exception_or_nothing_to_call_becomes_words(check):
    says(check(lambda *args: args[0].nothing_of_this_name), "Your code stops in line 1 of your function")
    says(check(lambda: 1), "cannot be called as the exercise asks")
    says(check(None), "cannot be called as the exercise asks")
    says(check(lambda *args: None), "nothing (None)")


def says(verdict, word):
    assert verdict.right is False
    assert word in verdict.message, verdict.message


def best_of_the_first(tried):
    first = next(iter(tried))
    common = max(tried[first], key=tried[first].get)
    return {name: common for name in tried}


def test_choose_rates():
    check = checks.check_choose_rates
    assert check(lambda tried: {name: max(accs, key=accs.get) for name, accs in tried.items()})
    unchanged = check(best_of_the_first)
    assert unchanged.right is None
    assert "0.01, which is best for LeNet only" in unchanged.message
    says(check(lambda tried: {name: max(accs.values()) for name, accs in tried.items()}), "the best accuracies")
    says(check(lambda tried: {name: max(accs) for name, accs in tried.items()}), "the largest rates")
    says(check(lambda tried: {name: min(accs) for name, accs in tried.items()}), "smallest rates")
    says(check(lambda tried: {name: min(accs, key=accs.get) for name, accs in tried.items()}), "lowest accuracy")
    says(check(lambda tried: dict.fromkeys(tried, 0.02)), "the same rate again")
    says(check(lambda tried: [max(accs, key=accs.get) for accs in tried.values()]), "{name: rate}; you returned a list")
    says(check(lambda tried: {"LeNet": 0.01}), "must be LeNet, MLP; yours are LeNet.")
    says(check(lambda tried: {"LeNet": 0.01, "MLP": 0.1}), "must be A, B, C")
    says(check(lambda tried: {name: len(name) for name in tried}), "with the highest value")


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


def clears_everything_at_zero(images, dx):
    moved = images.roll(dx, 3)
    moved[..., slice(0, dx) if dx > 0 else slice(dx, None)] = 0
    return moved


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
    says(check(lambda images, dx: images @ images), "stops in line 1 of your function")  # a mistake of another kind
    says(check(lambda images, dx: images[..., dx:]), "shape")
    says(check(lambda images, dx: images.tolist()), "a list")
    says(check(lambda images, dx: images * 0), "pixels differ")
    says(check(clears_everything_at_zero), "by 0 nothing moves")
    says(check(in_place), "copy")


def alone(right_a, right_b):
    """How many images A alone, and B alone, got right, and the number of all."""
    return (right_a & ~right_b).sum(), (right_b & ~right_a).sum(), len(right_a)


def wrongly(answer):
    """A `lead` that makes one mistake; answer(a, b, n): its two numbers."""
    return lambda right_a, right_b: answer(*alone(right_a, right_b))


def unpaired(right_a, right_b):
    p, q, n = right_a.float().mean(), right_b.float().mean(), len(right_a)
    return p - q, ((p * (1 - p) + q * (1 - q)) / n) ** 0.5


def of_a_alone(right_a, right_b):
    p, q, n = right_a.float().mean(), right_b.float().mean(), len(right_a)
    return p - q, (p * (1 - p) / n) ** 0.5


def test_lead():
    check = checks.check_lead
    assert check(wrongly(lambda a, b, n: ((a - b) / n, (a + b) ** 0.5 / n)))
    assert check(wrongly(lambda a, b, n: [float(a - b) / n, float(a + b) ** 0.5 / n]))
    assert check(lambda right_a, right_b: (..., ...)) is NOT_YET
    says(check(wrongly(lambda a, b, n: (a - b, (a + b) ** 0.5))), "lead should be")
    says(check(wrongly(lambda a, b, n: (a - b, (a + b) ** 0.5))), "number of images")
    says(check(wrongly(lambda a, b, n: ((b - a) / n, (a + b) ** 0.5 / n))), "B's lead over A")
    says(check(wrongly(lambda a, b, n: ((a - b) / (a + b), 0))), "not only by those on which they differ")
    says(check(lambda right_a, right_b: (right_a.float().mean(), 0)), "subtract B's")
    says(check(wrongly(lambda a, b, n: ((a - b) / n, (a + b) ** 0.5))), "chance should be")
    says(check(wrongly(lambda a, b, n: ((a - b) / n, ((a + b) / n) ** 0.5))), "root of the count first")
    says(check(wrongly(lambda a, b, n: ((a - b) / n, (a + b) / n))), "take the root")
    says(check(wrongly(lambda a, b, n: ((a - b) / n, abs(a - b) ** 0.5 / n))), "add them")
    says(check(unpaired), "two different sets of images")
    says(check(of_a_alone), "standard error of A alone")
    says(check(wrongly(lambda a, b, n: ((a - b) / n, 0.5))), "only one of the two is right")
    says(check(wrongly(lambda a, b, n: (a - b) / n)), "Return two numbers")
    says(check(wrongly(lambda a, b, n: ((a - b) / n, ...))), "plain numbers")
    says(check(lambda right_a, right_b: (right_a, right_b)), "you returned a Tensor and a Tensor.")


def test_lead_where_the_second_network_is_ahead():
    says(checks.check_lead(wrongly(lambda a, b, n: (abs(a - b) / n, (a + b) ** 0.5 / n))), "B's lead over A")


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


class ByColumns(nn.Module):
    """Says 0 where column 6 is bright and 1 where column 20 is, and looks `left` and `right` columns further."""

    def __init__(self, left, right):
        super().__init__()
        self.left, self.right, self.weight = left, right, nn.Parameter(torch.ones(1))

    def forward(self, X):
        """(batch, 1, 28, 28) to (batch, 2); class 1 where nothing is bright."""
        seen = [X[..., column - self.left : column + self.right + 1].amax(dim=(1, 2, 3)) for column in (6, 20)]
        return torch.stack([seen[0] - 0.5, seen[1]], dim=1) * self.weight


def bright_columns():
    """100 images (bytes) with one bright column, and their labels: 0 for column 6, 1 for column 20."""
    labels = torch.tensor([0, 1]).repeat(50)
    images = torch.zeros(100, 1, 28, 28, dtype=torch.uint8)
    images[labels == 0, :, :, 6] = 255
    images[labels == 1, :, :, 20] = 255
    return images, labels


def always(label):
    """A network that says `label` to every image."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 3))
    with torch.no_grad():
        net[1].weight.zero_()
        net[1].bias.copy_(torch.arange(3) == label)
    return net


def test_tolerant():
    def check(net):
        return checks.check_tolerant(net, *bright_columns())

    assert check(...) is NOT_YET
    assert check(ByColumns(3, 3))
    says(check(ByColumns(0, 0)), "shifted images are foreign to it")
    says(check(ByColumns(0, 3)), "one side is far better")
    says(check(always(2)), "learnt nothing")
    says(check(always(1)), "needs more training")  # right about one half, wherever the column is
    says(check([1, 2]), "a list")
    says(check(epoch for epoch in ()), "not what train(...) yields; this is a generator")
    says(check(None), "trained network")
    says(check(nn.Sequential(nn.Flatten(), nn.Linear(9, 10))), "Your network stops")
