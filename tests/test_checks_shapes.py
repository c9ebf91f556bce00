import pytest
import torch
from torch import nn

from helpers import lenet
from helpers.checks import (
    NOT_YET,
    check_colour_net,
    check_conv_cost,
    check_dense_to_conv,
    check_flatten_size,
    check_own_network,
)

BUDGETS = {"max_parameters": 20_000, "max_multiply_adds": 416_520}


def says(verdict, *words):
    """The answer is wrong, and the message says why."""
    assert verdict.right is False
    assert all(word in verdict.message for word in words), verdict.message


def colour_net(*first, rest=1):
    return nn.Sequential(*first, *lenet()[rest:])


def test_colour_net_right_and_untouched():
    assert "456 parameters" in check_colour_net(colour_net(nn.Conv2d(3, 6, 5))).message
    assert check_colour_net(colour_net(nn.Conv2d(3, 6, kernel_size=9, padding=2)))
    assert check_colour_net(lenet()).right is None
    assert "change the line" in check_colour_net(lenet()).message
    assert check_colour_net(...) is NOT_YET


@pytest.mark.parametrize(
    ("net", "words"),
    [
        (colour_net(nn.Conv2d(3, 6, 5, padding=2)), ["6×32×32", "6×28×28", "2·padding"]),
        (colour_net(nn.Conv2d(1, 6, 5)), ["1 channel;", "a colour image has 3"]),
        (colour_net(nn.Conv2d(32, 6, 5)), ["32 channels"]),
        (colour_net(nn.Conv2d(3, 16, 5)), ["16×28×28", "6×28×28"]),
        (colour_net(nn.Conv2d(3, 6, 40)), ["does not fit", "3×32×32"]),
        (colour_net(nn.Conv2d(3, 6, 5), rest=3), ["layer 5", "400", "2304"]),
        (nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 10)), ["no convolution"]),
        (nn.Sequential(nn.Conv2d(3, 6, 5)), ["2×6×28×28"]),
        (nn.Conv2d, ["type", "nn.Sequential(...)"]),
        (None, ["NoneType"]),
    ],
)
def test_colour_net_names_the_mistake(net, words):
    says(check_colour_net(net), *words)


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
        (lambda i, o, k, n, p: (n + 2 * p - k + 1) ** 2 * o * i, "kernel_size squared weights"),
        (lambda i, o, k, n, p: (n + 2 * p - k + 1) ** 2 * o * i * k, "kernel has two sides"),
        (lambda i, o, k, n, p: (n + 2 * p - k) ** 2 * o * i * k * k, "+ 1"),
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
        (lambda n, k, p, c: c * side(n, k + 1, p) ** 2, "+ 1"),
        (lambda n, k, p, c: c * ((n + 2 * p - 2 * k + 2) // 4) ** 2, "not twice at the end"),
        (lambda n, k, p, c: c * ((n + 2 * p - k + 1) // 2) ** 2, "second convolution and pooling"),
        (lambda n, k, p, c: c * (((n + 2 * p - k + 1) / 2 - k + 1) / 2) ** 2, "//"),
        (lambda n, k, p, c: None, "does the function end with `return`?"),
        (lambda n, k, p, c: [400], "whole number"),
    ],
)
def test_flatten_size_names_the_mistake(answer, words):
    says(check_flatten_size(answer), words)
    assert not check_flatten_size(answer).message.endswith("?.")


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


@pytest.mark.parametrize(
    ("check", "answer", "words"),
    [
        (check_flatten_size, lambda n, k, p, c: c * sizee**2, ["NameError", "sizee"]),  # noqa: F821
        (check_conv_cost, lambda i, o, k, n, p: (i + None, 1), ["TypeError", "NoneType"]),
        (check_dense_to_conv, lambda dense, c, h, w: dense.weights, ["AttributeError", "weights"]),
        (check_flatten_size, lambda n, k: n, ["cannot be called as the exercise asks"]),
        (check_conv_cost, None, ["cannot be called as the exercise asks"]),
    ],
)
def test_an_answer_that_stops_with_an_exception_gets_words(check, answer, words):
    says(check(answer), *words)


def test_dense_to_conv_names_what_pytorch_records():
    def without_no_grad(dense, c, h, w):
        conv = nn.Conv2d(c, dense.out_features, (h, w))
        conv.weight.copy_(dense.weight.reshape(conv.weight.shape))

    says(check_dense_to_conv(without_no_grad), "torch.no_grad()")


def test_dense_to_conv_leaves_the_global_generator_alone():
    state = torch.get_rng_state()
    assert check_dense_to_conv(as_conv)
    assert torch.equal(torch.get_rng_state(), state)


def small(*end, flat=32 * 3 * 3, before=(), first=1, channels=16):
    return nn.Sequential(
        nn.Conv2d(first, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, channels, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(channels, 32, 3), nn.ReLU(),
        *before, nn.Flatten(), nn.Linear(flat, 20), nn.ReLU(), *(end or [nn.Linear(20, 10)]),
    )  # fmt: skip


class OfOnePiece(nn.Module):
    def __init__(self, **sizes):
        super().__init__()
        self.net = small(**sizes)

    def forward(self, X):
        return self.net(X)


class Unfinished(nn.Module):
    def forward(self, X):
        X = X.mean(dim=(2, 3))


def test_own_network_right_and_untouched():
    net = small()
    assert check_own_network(net, **BUDGETS)
    assert net.training
    assert check_own_network(OfOnePiece(), **BUDGETS)
    assert "13,202 parameters, 405,032 multiply-adds" in check_own_network(net, **BUDGETS).message
    assert check_own_network(..., **BUDGETS) is NOT_YET


@pytest.mark.parametrize(
    ("net", "words"),
    [
        (small(flat=32 * 5 * 5), ["made for 800", "288", "flatten size"]),
        (small(nn.Linear(20, 12)), ["2×12", "ten"]),
        (small(nn.Linear(20, 10), nn.Softmax(dim=1)), ["softmax"]),
        (small(nn.Linear(20, 10), nn.Sigmoid()), ["Sigmoid", "any size"]),
        (small(first=3), ["3 channels", "1×28×28"]),
        (small(before=[nn.Conv2d(32, 8, 7)]), ["does not fit", "32×3×3"]),
        (small(before=[nn.Linear(288, 5)]), ["nn.Flatten()"]),
        (small(nn.Conv2d(20, 10, 1)), ["no maps any more"]),
        (nn.Conv2d(1, 10, 5), ["2×10×24×24", "Flatten"]),
        (nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), ["0 convolutions", "three or more"]),
        (nn.Sequential(nn.Conv2d(1, 2, 5), nn.Flatten(), nn.Linear(1152, 10)), ["1 convolution,", "three or more"]),
        (lenet(), ["2 convolutions", "three or more"]),
        (OfOnePiece(flat=5), ["line 2 of forward", "mat1 and mat2"]),
        (Unfinished(), ["returns NoneType", "scores"]),
        (nn.Sequential, ["nn.Sequential(...)"]),
        ([nn.Flatten()], ["list"]),
    ],
)
def test_own_network_names_the_mistake(net, words):
    says(check_own_network(net, **BUDGETS), *words)


def linear(pooling):
    return nn.Sequential(
        nn.Conv2d(1, 4, 5), pooling, nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3), nn.Flatten(), nn.Linear(4 * 2 * 2, 10)
    )


def test_own_network_without_activation_hears_of_it():
    verdict = check_own_network(linear(nn.AvgPool2d(4)), **BUDGETS)
    assert verdict and "no activation" in verdict.message and "could be replaced by one" in verdict.message
    verdict = check_own_network(linear(nn.MaxPool2d(4)), **BUDGETS)
    assert verdict and "no activation" in verdict.message and "only max-pooling" in verdict.message
    for net in (small(), nn.Sequential(small()), OfOnePiece()):
        assert "activation" not in check_own_network(net, **BUDGETS).message


def test_own_network_over_a_budget_hears_which_layer_costs_most():
    says(check_own_network(small(), 5_000, 10**6), "13,202 parameters", "8,202 too many", "5,780", "Linear", "makes 20")
    says(
        check_own_network(small(), 20_000, 10**5), "305,032 too many", "240,000", "Conv2d", "16×10×10", "fewer channels"
    )
