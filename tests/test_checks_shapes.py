import pytest
import torch
from torch import nn

from helpers.checks import (
    NOT_YET,
    check_conv_cost,
    check_dense_to_conv,
    check_flatten_size,
    check_own_network,
)


def says(verdict, *words):
    """The answer is wrong, and the message says why."""
    assert verdict.right is False
    assert all(word in verdict.message for word in words), verdict.message


def parameters_of(i, o, k):
    return (i * k * k + 1) * o


def work_of(i, o, k, n, p):
    return (n + 2 * p - k + 1) ** 2 * o * i * k * k


def test_conv_cost_right_and_untouched():
    assert check_conv_cost(lambda i, o, k, n, p: (parameters_of(i, o, k), work_of(i, o, k, n, p)))
    assert check_conv_cost(lambda i, o, k, n, p: (..., ...)) is NOT_YET
    assert check_conv_cost(lambda i, o, k, n, p: ...) is NOT_YET


def test_conv_cost_half_done():
    says(check_conv_cost(lambda i, o, k, n, p: (parameters_of(i, o, k), ...)), "now replace", "multiply_adds")
    says(check_conv_cost(lambda i, o, k, n, p: (..., work_of(i, o, k, n, p))), "now replace", "parameters")
    says(check_conv_cost(lambda i, o, k, n, p: parameters_of(i, o, k)), "two numbers")


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        (lambda i, o, k: i * k * k * o, "forgot the biases"),
        (lambda i, o, k: i * k * k * o + 1, "not one in all"),
        (lambda i, o, k: (k * k + 1) * o, "in_channels"),
        (lambda i, o, k: (k * k + 1) * i * o, "not for each kernel"),
        (lambda i, o, k: i * k * k + 1, "out_channels"),
        (lambda i, o, k: (i * k + 1) * o, "squared"),
        (lambda i, o, k: 17, "once more"),
        (lambda i, o, k: None, "return"),
        (lambda i, o, k: "156", "whole number"),
    ],
)
def test_conv_cost_names_the_mistake_in_the_parameters(parameters, words):
    says(check_conv_cost(lambda i, o, k, n, p: (parameters(i, o, k), work_of(i, o, k, n, p))), words)


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (lambda i, o, k, n, p: n * n * o * i * k * k, "*output*"),
        (lambda i, o, k, n, p: (n - k + 1) ** 2 * o * i * k * k, "forgot the padding"),
        (lambda i, o, k, n, p: (n + p - k + 1) ** 2 * o * i * k * k, "both sides"),
        (lambda i, o, k, n, p: (n + 2 * p - k + 1) ** 2 * o * (i * k * k + 1), "biases"),
        (lambda i, o, k, n, p: (n + 2 * p - k + 1) ** 2 * o * k * k, "in_channels"),
        (lambda i, o, k, n, p: (n + 2 * p - k + 1) ** 2 * i * k * k, "out_channels"),
        (lambda i, o, k, n, p: o * i * k * k, "one place"),
        (lambda i, o, k, n, p: (n + 2 * p - k + 1) * o * i * k * k, "two sides"),
        (lambda i, o, k, n, p: 2 * work_of(i, o, k, n, p), "one step"),
    ],
)
def test_conv_cost_names_the_mistake_in_the_multiply_adds(work, words):
    says(check_conv_cost(lambda i, o, k, n, p: (parameters_of(i, o, k), work(i, o, k, n, p))), words)


def test_conv_cost_exchanged():
    says(check_conv_cost(lambda i, o, k, n, p: (work_of(i, o, k, n, p), parameters_of(i, o, k))), "exchange")


def side(n, k, p, p2=0):
    return ((n + 2 * p - k + 1) // 2 + 2 * p2 - k + 1) // 2


def up(size):
    return -(-size // 2)


def test_flatten_size_right_and_untouched():
    assert check_flatten_size(lambda n, k, p, c: c * side(n, k, p) ** 2)
    assert check_flatten_size(lambda n, k, p, c: torch.tensor(c * side(n, k, p) ** 2))
    assert check_flatten_size(lambda n, k, p, c: ...) is NOT_YET


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda n, k, p, c: side(n, k, p) ** 2, "times channels"),
        (lambda n, k, p, c: c * side(n, k, p), "two sides"),
        (lambda n, k, p, c: side(n, k, p), "one side"),
        (lambda n, k, p, c: c * side(n, k, 0) ** 2, "forgot the padding"),
        (lambda n, k, p, c: c * (((n + p - k + 1) // 2 - k + 1) // 2) ** 2, "both sides"),
        (lambda n, k, p, c: c * side(n, k, p, p) ** 2, "second convolution has no padding"),
        (lambda n, k, p, c: c * ((n + 2 * p - k + 1) // 2 - k + 1) ** 2, "second pooling"),
        (lambda n, k, p, c: c * (n + 2 * p - 2 * k + 2) ** 2, "both poolings"),
        (lambda n, k, p, c: c * up(up(n + 2 * p - k + 1) - k + 1) ** 2, "rounds down"),
        (lambda n, k, p, c: c * ((n + 2 * p - k + 1) // 2) ** 2, "second convolution and pooling"),
        (lambda n, k, p, c: c * (((n + 2 * p - k + 1) / 2 - k + 1) / 2) ** 2, "//"),
        (lambda n, k, p, c: None, "return"),
        (lambda n, k, p, c: [400], "whole number"),
    ],
)
def test_flatten_size_names_the_mistake(answer, words):
    says(check_flatten_size(answer), words)


def as_conv(dense, channels, height, width, weight=None, bias=None, **choices):
    conv = nn.Conv2d(channels, dense.out_features, (height, width), **choices)
    with torch.no_grad():
        conv.weight.copy_(dense.weight.reshape(conv.weight.shape) if weight is None else weight)
        if conv.bias is not None:
            conv.bias.copy_(dense.bias if bias is None else bias)
    return conv


def in_another_order(dense, c, h, w):
    return as_conv(dense, c, h, w, weight=dense.weight.reshape(-1, h, w, c).permute(0, 3, 1, 2))


def square(dense, channels, kernel_size, shape):
    conv = nn.Conv2d(channels, dense.out_features, kernel_size)
    with torch.no_grad():
        conv.weight.copy_(dense.weight.reshape(shape))
    return conv


def test_dense_to_conv_right_and_untouched():
    assert check_dense_to_conv(as_conv)
    assert check_dense_to_conv(lambda dense, c, h, w: ...) is NOT_YET


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda dense, c, h, w: nn.Conv2d(c, dense.out_features, (h, w)), "not those"),
        (in_another_order, "another order"),
        (lambda dense, c, h, w: as_conv(dense, c, h, w, bias=torch.ones(dense.out_features)), "bias"),
        (lambda dense, c, h, w: as_conv(dense, c, h, w, bias=False), "bias"),
        (lambda dense, c, h, w: as_conv(dense, c, h, w, padding=1), "no padding"),
        (lambda dense, c, h, w: nn.Conv2d(c, dense.out_features, (w, h)), "(height, width)"),
        (lambda dense, c, h, w: nn.Conv2d(c, dense.out_features, h), "expected 7×3×2×4"),
        (lambda dense, c, h, w: as_conv(dense, c, h, w, weight=dense.weight), "`dense.weight.reshape(outputs"),
        (lambda dense, c, h, w: square(dense, c, h, (-1, c, h, w)), "`(height, width)`"),
        (lambda dense, c, h, w: square(dense, c, h, (-1, c, h, h)), "`(height, width)`"),
        (lambda dense, c, h, w: square(dense, c, 1, (-1, c, h, w)), "`(height, width)`"),
        (lambda dense, c, h, w: dense, "Linear"),
        (lambda dense, c, h, w: None, "return conv"),
    ],
)
def test_dense_to_conv_names_the_mistake(answer, words):
    says(check_dense_to_conv(answer), words)


def test_dense_to_conv_lets_other_errors_through():
    def without_no_grad(dense, c, h, w):
        conv = nn.Conv2d(c, dense.out_features, (h, w))
        conv.weight.copy_(dense.weight.reshape(conv.weight.shape))

    with pytest.raises(RuntimeError, match="in-place"):
        check_dense_to_conv(without_no_grad)


def test_dense_to_conv_leaves_the_global_generator_alone():
    state = torch.get_rng_state()
    assert check_dense_to_conv(as_conv)
    assert torch.equal(torch.get_rng_state(), state)


def small(*end, flat=8 * 5 * 5, before=(), first=1):
    return nn.Sequential(
        nn.Conv2d(first, 4, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 8, 5), nn.ReLU(), nn.MaxPool2d(2),
        *before, nn.Flatten(), nn.Linear(flat, 40), nn.ReLU(), *(end or [nn.Linear(40, 10)]),
    )  # fmt: skip


class OfOnePiece(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = small()

    def forward(self, X):
        return self.net(X)


def test_own_network_right_and_untouched():
    net = small()
    assert check_own_network(net)
    assert net.training
    assert check_own_network(OfOnePiece())
    assert "below the budget" in check_own_network(net, budget=20_000).message
    assert check_own_network(...) is NOT_YET


@pytest.mark.parametrize(
    ("net", "words"),
    [
        (small(flat=8 * 4 * 4), ["made for 128", "200", "flatten size"]),
        (small(nn.Linear(40, 12)), ["2×12", "ten"]),
        (small(nn.Linear(40, 10), nn.Softmax(dim=1)), ["softmax"]),
        (small(nn.Linear(40, 10), nn.Sigmoid()), ["Sigmoid", "any size"]),
        (small(first=3), ["3 channels", "1×28×28"]),
        (small(before=[nn.Conv2d(8, 8, 7)]), ["does not fit", "8×5×5"]),
        (small(before=[nn.Linear(200, 5)]), ["nn.Flatten()"]),
        (small(nn.Conv2d(40, 10, 1)), ["no maps any more"]),
        (nn.Conv2d(1, 10, 5), ["2×10×24×24", "Flatten"]),
        (nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), ["no convolution"]),
        (nn.Sequential, ["nn.Sequential(...)"]),
        ([nn.Flatten()], ["list"]),
    ],
)
def test_own_network_names_the_mistake(net, words):
    says(check_own_network(net), *words)


def linear(pooling):
    return nn.Sequential(nn.Conv2d(1, 4, 5), pooling, nn.Flatten(), nn.Linear(4 * 6 * 6, 20), nn.Linear(20, 10))


def test_own_network_without_activation_hears_of_it():
    verdict = check_own_network(linear(nn.AvgPool2d(4)))
    assert verdict and "no activation" in verdict.message and "could be replaced by one" in verdict.message
    verdict = check_own_network(linear(nn.MaxPool2d(4)))
    assert verdict and "no activation" in verdict.message and "only max-pooling" in verdict.message
    for net in (small(), nn.Sequential(small()), OfOnePiece()):
        assert "activation" not in check_own_network(net).message


def test_own_network_over_the_budget_says_where_the_parameters_are():
    says(check_own_network(small(), budget=5_000), "too many", "8,040", "in_features=200")
