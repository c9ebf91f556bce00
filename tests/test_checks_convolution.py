import pytest
import torch
from torch.nn import functional as F

from helpers.checks import (
    NOT_YET,
    check_conv_layer,
    check_diagonal_kernel,
    check_max_pool,
    check_output_sizes,
    check_receptive_field,
)


def says(verdict, *words):
    """The answer is wrong, and the message says why."""
    assert verdict.right is False
    assert all(word in verdict.message for word in words), verdict.message


def test_output_sizes_right_and_untouched():
    assert check_output_sizes([22, 14, 28])
    assert check_output_sizes((22, 14, 28.0))
    assert check_output_sizes(...) is NOT_YET
    assert check_output_sizes([..., ..., ...]) is NOT_YET
    assert check_output_sizes([22, ..., ...]) is NOT_YET


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([21, 14, 28], "+ 1"),
        ([28, 14, 28], "no padding"),
        ([22, 13, 28], "+ 1"),
        ([22, 12, 28], "forgot the padding"),
        ([22, 13.5, 28], "both sides"),
        ([22, 14.5, 28], "down"),
        ([22, 28, 28], "stride"),
        ([22, 14, 30], "forgot the dilation"),
        ([22, 14, 15], "not stride"),
        ([22, 14, 99], "formula"),
        ([22, 14], "three numbers"),
        (22, "three numbers"),
        (["22", 14, 28], "plain number"),
    ],
)
def test_output_sizes_mistakes(answers, words):
    says(check_output_sizes(answers), words)


DIAGONAL = torch.tensor([[0.0, -1, -2], [1, 0, -1], [2, 1, 0]])


def test_diagonal_kernel_right_and_untouched():
    assert check_diagonal_kernel(DIAGONAL)
    assert check_diagonal_kernel(DIAGONAL.sign().long())
    assert check_diagonal_kernel(...) is NOT_YET
    assert check_diagonal_kernel([..., ..., ...]) is NOT_YET


@pytest.mark.parametrize(
    ("K", "words"),
    [
        (-DIAGONAL, "sign"),
        (DIAGONAL + 1, "sum to 9"),
        (torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]), "4 at a vertical edge and 3 at yours"),
        (torch.tensor([[-1.0, -2, -1], [0, 0, 0], [1, 2, 1]]), "horizontal"),
        (torch.tensor([[-1.0, 0, 1]] * 3), "vertical"),
        (torch.tensor([[1.0, 0, -1]] * 3), "vertical"),
        (torch.tensor([[-1.0, 0, 1]] * 3).T, "horizontal"),
        (DIAGONAL.flip(0), "does not see"),
        (torch.tensor([[2.0, -1, -1], [-1, 2, -1], [-1, -1, 2]]), "line"),
        (torch.zeros(3, 3), "zero"),
        (torch.ones(2, 2), "2×2"),
        ([[0, -1, -2], [1, 0, -1], [2, 1, 0]], "tensor"),
    ],
)
def test_diagonal_kernel_mistakes(K, words):
    says(check_diagonal_kernel(K), words)


def library(X, W, b, padding):
    return F.conv2d(X[None], W, b, padding=padding)[0]


def test_conv_layer_right_and_untouched():
    assert check_conv_layer(library)
    assert check_conv_layer(lambda X, W, b, padding: ...) is NOT_YET


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (lambda X, W, b, p: library(X, W.flip(2, 3), b, p), "flipped"),
        (lambda X, W, b, p: library(X, W, b, 0), "forget the padding"),
        (lambda X, W, b, p: library(F.pad(X, (p, 0, p, 0)), W, b, 0), "four sides"),
        (lambda X, W, b, p: library(F.pad(X, (0, p, 0, p)), W, b, 0), "four sides"),
        (lambda X, W, b, p: library(X, W, None, p), "bias"),
        (lambda X, W, b, p: library(X, W, 3 * b, p), "once for each"),
        (lambda X, W, b, p: library(X, W / 3, b, p), "mean"),
        (lambda X, W, b, p: library(X, W, b, 1), "padding 0"),
        (lambda X, W, b, p: torch.zeros(4, 3, 9, 8), "sum over the input channels"),
        (lambda X, W, b, p: library(X[:1], W[:, :1], b, p), "differ by"),
        (lambda X, W, b, p: library(X, W, b, p)[0], "9×8"),
        (lambda X, W, b, p: None, "NoneType"),
    ],
)
def test_conv_layer_mistakes(layer, words):
    says(check_conv_layer(layer), words)


def pooled(X, size, stride, pool=F.max_pool2d):
    return pool(X[None, None], size, stride)[0, 0]


def max_from_zero(X, size, stride):
    return pooled(X, size, stride).clamp(min=0)


def by_hand(places, begin):
    """Max-pooling by loops; places(n, size, stride): how many windows; begin(i, size, stride): where one starts."""

    def pool(X, size, stride):
        Y = torch.zeros([places(n, size, stride) for n in X.shape])
        for i in range(Y.shape[0]):
            for j in range(Y.shape[1]):
                top, left = begin(i, size, stride), begin(j, size, stride)
                Y[i, j] = X[top : top + size, left : left + size].max()
        return Y

    return pool


def right_places(n, size, stride):
    return (n - size) // stride + 1


def right_begin(i, size, stride):
    return i * stride


def test_max_pool_right_and_untouched():
    assert check_max_pool(by_hand(right_places, right_begin))
    assert check_max_pool(pooled)
    assert check_max_pool(lambda X, size, stride: ...) is NOT_YET


@pytest.mark.parametrize(
    ("pool", "words"),
    [
        (lambda X, size, stride: pooled(X, size, stride, F.avg_pool2d), "average"),
        (lambda X, size, stride: -pooled(-X, size, stride), "smallest"),
        (lambda X, size, stride: pooled(X, size, 1), "moves by 1"),
        (lambda X, size, stride: pooled(X, size, size), "its own size"),
        (by_hand(right_places, lambda i, size, stride: i * size), "window is empty"),
        (by_hand(lambda n, size, stride: n - size + 1, right_begin), "window is empty"),
        (by_hand(lambda n, size, stride: n // stride, right_begin), "number of places"),
        (by_hand(lambda n, size, stride: n // size, right_begin), "number of places"),
        (lambda X, size, stride: pooled(X, 3, 2), "fixed numbers"),
        (lambda X, size, stride: pooled(X, 3, stride), "fixed numbers"),
        (lambda X, size, stride: pooled(X, size, 2), "fixed numbers"),
        (max_from_zero, "negative"),
        (lambda X, size, stride: pooled(X, size, stride)[:-1, :-1], "number of places"),
        (lambda X, size, stride: pooled(X, size, stride) + 1, "values differ"),
        (lambda X, size, stride: pooled(X, size, stride).tolist(), "list"),
        (lambda X, size, stride: X.max(), "single number"),
    ],
)
def test_max_pool_mistakes(pool, words):
    says(check_max_pool(pool), words)


def test_max_pool_lets_other_errors_through():
    with pytest.raises(RuntimeError, match="size of tensor"):
        check_max_pool(lambda X, size, stride: X + torch.zeros(2, 2))


def right_field(layers):
    size, step = 1, 1
    for kernel_size, stride, dilation in layers:
        size += (kernel_size - 1) * dilation * step
        step *= stride
    return size


def early_field(layers):
    size, step = 1, 1
    for kernel_size, stride, dilation in layers:
        step *= stride
        size += (kernel_size - 1) * dilation * step
    return size


def test_receptive_field_right_and_untouched():
    assert right_field([(5, 1, 1), (2, 2, 1), (5, 1, 1)]) == 14
    assert check_receptive_field(right_field)
    assert check_receptive_field(lambda layers: ...) is NOT_YET


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda layers: right_field([(k, 1, d) for k, s, d in layers]), "left out the stride"),
        (lambda layers: right_field([(k, s, 1) for k, s, d in layers]), "left out the dilation"),
        (early_field, "own stride"),
        (lambda layers: right_field(layers) - 1, "start from 1"),
        (lambda layers: sum(k for k, s, d in layers), "kernel sizes"),
        (lambda layers: 99, "99"),
        (lambda layers: torch.tensor(14), "Tensor"),
    ],
)
def test_receptive_field_mistakes(function, words):
    says(check_receptive_field(function), words)
