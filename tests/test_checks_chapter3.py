import math

import pytest
import torch
from torch import nn

from helpers import layer_table, lenet
from helpers.checks import (
    check_colour_net,
    check_conv_cost,
    check_dense_to_conv,
    check_flatten_size,
    check_own_network,
)
from helpers.checks.chapter3 import BLANKS
from helpers.checks.verdict import NOT_YET

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
        (colour_net(nn.Conv2d(3, 16, 5)), ["16×28×28", "6×28×28", "six channels"]),
        (colour_net(nn.Conv2d(3, 6, 40)), ["does not fit", "3×32×32"]),
        (colour_net(nn.Conv2d(3, 6, 5), rest=3), ["Layer 5", "400", "2304"]),
        (nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 10)), ["no convolution"]),
        (nn.Sequential(nn.Conv2d(3, 6, 5)), ["4×6×28×28"]),
        (nn.Conv2d, ["class", "Conv2d()"]),
        (None, ["nothing (None)"]),
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
    says(check_conv_cost(lambda i, o, k, n, p: parameters_of(i, o, k)), "2 values", "an int")


def test_conv_cost_exchanged():
    says(
        check_conv_cost(lambda i, o, k, n, p: (work_of(i, o, k, n, p), parameters_of(i, o, k))),
        "did you swap the two numbers",
    )


def test_flatten_size_is_what_the_layers_make_of_an_image():
    for n, k, p, c in check_flatten_size.probes():
        net = nn.Sequential(nn.Conv2d(1, 6, k, padding=p), nn.MaxPool2d(2), nn.Conv2d(6, c, k), nn.MaxPool2d(2))
        assert net(torch.zeros(1, 1, n, n)).numel() == check_flatten_size.solution(n, k, p, c)


def test_conv_cost_is_that_of_the_layer():
    for i, o, k, n, p in [(2, 3, 3, 5, 0), (4, 7, 4, 15, 2)]:
        row = layer_table(nn.Sequential(nn.Conv2d(i, o, k, padding=p)), (1, i, n, n))[0]
        assert check_conv_cost(lambda *case, row=row: (row.parameters, row.multiply_adds)).right is False
        assert (row.parameters, row.multiply_adds) == (parameters_of(i, o, k), work_of(i, o, k, n, p))


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
        (lambda dense, c, h, w: nn.Conv2d(c, dense.out_features, (h, w)), "Neither weights nor bias are those"),
        (in_another_order, "channels come first"),
        (lambda dense, c, h, w: as_conv(dense, c, h, w, bias=torch.ones(dense.out_features)), "the bias is not"),
        (lambda dense, c, h, w: as_conv(dense, c, h, w, bias=False), "the bias is not"),
        (lambda dense, c, h, w: as_conv(dense, c, h, w, padding=1), "no padding"),
        (lambda dense, c, h, w: nn.Conv2d(c, dense.out_features, (w, h)), "(height, width)"),
        (lambda dense, c, h, w: nn.Conv2d(c, dense.out_features, h), "expected 7×3×2×4"),
        (lambda dense, c, h, w: as_conv(dense, c, h, w, weight=dense.weight), "do not fit together"),
        (lambda dense, c, h, w: square(dense, c, h, (-1, c, h, w)), "size of tensor a (2)"),
        (lambda dense, c, h, w: square(dense, c, h, (-1, c, h, h)), "do not fit together"),
        (lambda dense, c, h, w: square(dense, c, 1, (-1, c, h, w)), "broadcast shape"),
        (lambda dense, c, h, w: dense, "Linear"),
        (lambda dense, c, h, w: None, "does it end with `return`"),
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
        (check_conv_cost, None, ["Hand over the function itself"]),
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
        (small(nn.Linear(20, 12)), ["4×12", "10 scores"]),
        (small(nn.Linear(20, 10), nn.Softmax(dim=1)), ["softmax"]),
        (small(nn.Linear(20, 10), nn.Sigmoid()), ["Sigmoid", "any size"]),
        (small(first=3), ["3 channels", "1×28×28"]),
        (small(before=[nn.Conv2d(32, 8, 7)]), ["does not fit", "32×3×3"]),
        (small(before=[nn.Linear(288, 5)]), ["nn.Flatten()"]),
        (small(nn.Conv2d(20, 10, 1)), ["which are no longer maps"]),
        (nn.Conv2d(1, 10, 5), ["4×10×24×24", "Flatten"]),
        (nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), ["0 convolutions", "three or more"]),
        (nn.Sequential(nn.Conv2d(1, 2, 5), nn.Flatten(), nn.Linear(1152, 10)), ["1 convolution;", "three or more"]),
        (lenet(), ["2 convolutions", "three or more"]),
        (OfOnePiece(flat=5), ["Layer net.9", "made for 5 numbers, but 288"]),
        (Unfinished(), ["nothing (None)", "return"]),
        (nn.Sequential, ["class", "Sequential()"]),
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


def test_own_network_pays_for_what_it_holds_and_for_each_run():
    class Spare(OfOnePiece):
        def __init__(self):
            super().__init__()
            self.spare = nn.Linear(784, 784)

    says(check_own_network(Spare(), **BUDGETS), "615,440", "`spare`", "never runs")
    again = nn.Conv2d(6, 6, 5, padding=2)
    says(check_own_network(nn.Sequential(*small()[:2], again, again, *small()[2:]), **BUDGETS), "1,411,200 of them")


def test_own_network_is_judged_by_the_order_in_which_its_layers_run():
    class LastFirst(OfOnePiece):
        def __init__(self):
            super().__init__()
            self.softmax = nn.Softmax(dim=1)

    assert check_own_network(LastFirst(), **BUDGETS)


def test_dense_to_conv_may_come_back_from_another_device(monkeypatch):
    """Chapter 4's habit, `.to(device)`: what comes back is read on the CPU, where the probes lie."""
    brought = []
    cpu = nn.Module.cpu
    monkeypatch.setattr(nn.Module, "cpu", lambda layer: (brought.append(layer), cpu(layer))[1])
    assert check_dense_to_conv(lambda *given: as_conv(*given).to("cpu"))
    assert any(isinstance(layer, nn.Conv2d) for layer in brought)


def blank_lenet(from_maps=6, from_numbers=400, classes=10, kernel_size=5):
    """The chapter's blank, filled in with these numbers."""
    layers = [
        nn.Conv2d(1, 6, kernel_size=5, padding=2), nn.Sigmoid(), nn.AvgPool2d(kernel_size=2, stride=2),
        nn.Conv2d(from_maps, 16, kernel_size=kernel_size), nn.Sigmoid(), nn.AvgPool2d(kernel_size=2, stride=2),
        nn.Flatten(), nn.Linear(from_numbers, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(),
        nn.Linear(84, classes),
    ]  # fmt: skip
    return nn.Sequential(*layers)


def test_three_numbers_make_the_blank_lenet_right():
    assert BLANKS["new_lenet"](lambda: blank_lenet())


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: blank_lenet(1), "sees maps, not the grey image"),
        (lambda: blank_lenet(16), "how many come in?"),
        (lambda: blank_lenet(5), "5 is the kernel's size"),
        (lambda: blank_lenet(28), "28 is the size of the maps"),
        (lambda: blank_lenet(6, 25), "5×5 is one map"),
        (lambda: blank_lenet(6, 16), "each of them has 5·5 numbers"),
        (lambda: blank_lenet(6, 784), "Is 784 the image?"),
        (lambda: blank_lenet(6, 16 * 10 * 10), "follows the second convolution, too"),
        (lambda: blank_lenet(6, 16 * 6 * 6), "takes 4 rows from a map, not 2"),
        (lambda: blank_lenet(6, 16 * 4 * 4), "The first convolution has padding"),
        (lambda: blank_lenet(6, 400, 1), "Ten kinds of clothes"),
        (lambda: blank_lenet(3, 300, 10), "your three numbers are 3, 300 and 10"),
        (lambda: blank_lenet(kernel_size=3), "only the three dots change"),
        (lambda: nn.Sequential(nn.Flatten()), "only the three dots change"),
        (lambda: nn.Linear(784, 10), "an nn.Sequential is expected"),
        (lambda: blank_lenet("6"), "str"),
    ],
)
def test_the_blank_lenet_names_the_number_that_is_wrong(make, words):
    verdict = BLANKS["new_lenet"](make)
    assert verdict.right is False
    assert words.lower() in verdict.message.lower(), verdict


def follow(change):
    """The chapter's blank `shapes_of`, with `change(layer, X, net, first)` in place of the dots."""

    def shapes_of(net, X):
        shapes, first = [], X
        for layer in net:
            X = change(layer, X, net, first)
            shapes.append(tuple(X.shape))
        return shapes

    return shapes_of


@pytest.mark.parametrize(
    "change",
    [
        lambda layer, X, net, first: layer(X),
        lambda layer, X, net, first: layer.forward(X),
        lambda layer, X, net, first: layer(X).detach(),
    ],
)
def test_shapes_follow_the_batch_through_the_layers(change):
    assert BLANKS["shapes_of"](follow(change))


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda layer, X, net, first: X, "X never changes"),
        (lambda layer, X, net, first: net(X), "not the whole network"),
        (lambda layer, X, net, first: layer, "no attribute 'shape'"),
        (lambda layer, X, net, first: layer.weight, "weight"),
        (lambda layer, X, net, first: net[0](X), "Conv2d"),
        (lambda layer, X, net, first: layer(X)[0], "expected"),
    ],
)
def test_shapes_that_go_another_way_are_named(change, words):
    verdict = BLANKS["shapes_of"](follow(change))
    assert verdict.right is False
    assert words in verdict.message, verdict


@pytest.mark.parametrize("rule", [lambda r, c: r * 28 + c, lambda r, c: torch.arange(784).reshape(28, 28)[r, c]])
def test_the_place_of_a_pixel_may_be_found_in_several_ways(rule):
    assert BLANKS["place_of"](lambda row, column: rule(row, column))


@pytest.mark.parametrize(
    "rule, words",
    [
        (lambda r, c: 28 * c + r, "exchange the two"),
        (lambda r, c: 28 * r + c + 1, "counted from 0"),
        (lambda r, c: 28 * (r - 1) + c, "counted from 0"),
        (lambda r, c: 28 * r, "go on to its column"),
        (lambda r, c: r + c, "28 places, not one"),
        (lambda r, c: 784 * r + c, "expected"),
        (lambda r, c: 66, "whatever its arguments are"),
    ],
)
def test_a_wrong_place_of_a_pixel_is_named(rule, words):
    verdict = BLANKS["place_of"](lambda row, column: rule(row, column))
    assert verdict.right is False
    assert words in verdict.message, verdict


@pytest.mark.parametrize("cut", [lambda net: (net[:7], net[7:]), lambda net: [nn.Sequential(*net[:7]), net[-5:]]])
def test_lenet_may_be_cut_in_several_ways(cut):
    assert BLANKS["halves"](lambda net: cut(net))


@pytest.mark.parametrize(
    "cut, words",
    [
        (lambda net: (net[:6], net[6:]), "net[:6] ends before it"),
        (lambda net: (net[7:], net[:7]), "comes first"),
        (lambda net: (net[:7], net[8:]), "in neither half"),
        (lambda net: (net[:7], net[6:]), "`Flatten` is in both"),
        (lambda net: (net[:6], net[7:]), "or in neither"),
        (lambda net: (net[:4], net[4:]), "your halves have 4 and 8 layers"),
        (lambda net: net[:7], "2 values are expected"),
        (lambda net: (net[:7], net[7]), "each an nn.Sequential"),
    ],
)
def test_halves_of_lenet_that_are_none_are_named(cut, words):
    verdict = BLANKS["halves"](lambda net: cut(net))
    assert verdict.right is False
    assert words in verdict.message, verdict


def add_up(count):
    return lambda net: sum(count(parameter) for parameter in net.parameters())


@pytest.mark.parametrize(
    "count",
    [
        lambda parameter: parameter.numel(),
        lambda parameter: parameter.nelement(),
        lambda parameter: math.prod(parameter.shape),
        lambda parameter: len(parameter.flatten()),
        lambda parameter: parameter.detach().numpy().size,
        lambda parameter: torch.ones_like(parameter).sum(),
    ],
)
def test_parameters_may_be_counted_in_many_ways(count):
    assert BLANKS["count_parameters"](add_up(count))


@pytest.mark.parametrize(
    "count, words",
    [
        (lambda parameter: 1, "You count tensors"),
        (len, "counts the rows"),
        (lambda parameter: sum(parameter.shape), "multiplied, not added"),
        (lambda parameter: parameter.sum(), "count them"),
        (lambda parameter: parameter.nbytes, "bytes"),
        (lambda parameter: parameter.shape[0] * parameter.shape[-1], "expected"),
        (lambda parameter: parameter.shape, "Size"),
        (lambda parameter: parameter.numel, "method"),
    ],
)
def test_parameters_counted_wrongly_are_named(count, words):
    verdict = BLANKS["count_parameters"](add_up(count))
    assert verdict.right is False
    assert words in verdict.message, verdict
