import pytest
import torch
from torch.nn import functional as F

from helpers.checks import (
    NOT_YET,
    check_conv_layer,
    check_diagonal_kernel,
    check_edge_map,
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
        ([None, 14, 28], "plain number"),
        (None, "three numbers"),
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
        (DIAGONAL.flip(0), "does not see it. Give the weights below the diagonal"),
        (torch.tensor([[0.0, 0, -1], [0, 0, 0], [1, 0, 0]]), "all three weights the same sign"),
        (torch.tensor([[2.0, -1, -1], [-1, 2, -1], [-1, -1, 2]]), "line"),
        (torch.zeros(3, 3), "zero"),
        (torch.ones(2, 2), "2×2"),
        ([[0, -1, -2], [1, 0, -1], [2, 1, 0]], "tensor"),
        (None, "tensor"),
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
        (lambda X, W, b, p: library(X, W, b, p)[None], "1×4×9×8: take the one image out"),
        (lambda X, W, b, p: library(X[:1], W[:, :1], b, p), "first input channel only"),
        (lambda X, W, b, p: library(X[:2], W[:, :2], b, p), "differ by"),
        (lambda X, W, b, p: library(X, W, b, p)[0], "9×8"),
        (lambda X, W, b, p: None, "does it end with a `return`"),
        (lambda X, W, b, p: library(X, W, b, p).numpy(), "ndarray"),
        (lambda X, W, b, p: library(X, W, None, p) + b, "Your code stops in line 1 of your function"),
        (lambda X: X, "cannot be called as the exercise asks"),
        (7, "cannot be called as the exercise asks"),
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


def test_max_pool_says_where_the_function_stops():
    def max_pool(X, size, stride):
        return X + torch.zeros(2, 2)

    says(check_max_pool(max_pool), "line 2 of max_pool", "X + torch.zeros(2, 2)", "size of tensor")


def test_right_numbers_of_another_type_are_right():
    assert check_conv_layer(lambda X, W, b, p: library(X.double(), W.double(), b.double(), p))
    assert check_conv_layer(lambda X, W, b, p: library(X, W.requires_grad_(), b, p))
    assert check_max_pool(lambda X, size, stride: pooled(X, size, stride).double())


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


def forgetful_field(layers):
    size, step = 1, 1
    for kernel_size, stride, dilation in layers:
        size += (kernel_size - 1) * dilation * step
        step = stride
    return size


def adding_field(layers):
    size, step = 1, 1
    for kernel_size, stride, dilation in layers:
        size += (kernel_size - 1) * dilation * step
        step += stride
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
        (lambda layers: None, "does it end with a `return`"),
        (forgetful_field, "After two strides of 2"),
        (adding_field, "not step += stride"),
        (lambda layers: right_field(layers[:1]), "inside the loop"),
        (lambda layers: right_field([(k + 1, s, d) for k, s, d in layers]), "kernel sizes"),
        (lambda layers: right_field([(k + 1, s, d) for k, s, d in layers]) - 1, "kernel sizes"),
        (lambda layers: sum(k * s for k, s in layers), "too many values to unpack"),
    ],
)
def test_receptive_field_mistakes(function, words):
    says(check_receptive_field(function), words)


GREY = (0.299, 0.587, 0.114)
SOBEL = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])


def edges(strength=torch.hypot, mode="replicate", grey=GREY, scale=1.0):
    """An `edge_map` that combines the two maps by `strength`, pads in this mode, and reaches up to `scale`."""

    def edge_map(photo):
        brightness = (torch.tensor(grey)[:, None, None] * photo).sum(dim=0)
        padded = F.pad(brightness[None, None], (1, 1, 1, 1), mode=mode)
        made = strength(*F.conv2d(padded, torch.stack([SOBEL, SOBEL.T])[:, None])[0])
        return scale * made / made.abs().max()

    return edge_map


def test_edge_map_right_and_untouched():
    assert check_edge_map(edges())
    assert check_edge_map(edges(mode="reflect"))
    assert check_edge_map(edges(grey=(1 / 3, 1 / 3, 1 / 3)))
    assert check_edge_map(lambda photo: edges()(photo.double().float()).double())
    assert check_edge_map(lambda photo: ...) is NOT_YET


@pytest.mark.parametrize(
    ("edge_map", "words"),
    [
        (edges(lambda v, h: v), "one edge kernel only"),
        (edges(lambda v, h: h.abs()), "one edge kernel only"),
        (edges(lambda v, h: v, mode="constant"), "one edge kernel only"),
        (edges(lambda v, h: v + h), "cancel"),
        (edges(lambda v, h: (v + h).abs()), "cancel"),
        (edges(lambda v, h: v.abs() + h.abs()), "diagonal edges"),
        (edges(lambda v, h: v**2 + h**2), "root is missing"),
        (edges(mode="constant"), "not at the border"),
        (edges(scale=3), "its largest value is 3"),
        (edges(lambda v, h: (v**2 - h**2) ** 0.5), "not numbers"),
        (lambda photo: photo, "each colour"),
        (lambda photo: edges()(photo)[None, None], "1×1×9×12"),
        (lambda photo: edges()(photo)[1:-1, 1:-1], "7×10"),
        (lambda photo: edges()(photo)[1:], "8×12"),
        (lambda photo: photo.mean(dim=0), "the values differ"),
        (lambda photo: torch.zeros(9, 12), "the values differ"),
        (lambda photo: edges()(photo).tolist(), "list"),
        (lambda photo: None, "does it end with a `return`"),
        (lambda photo: F.conv2d(photo[None], SOBEL[None, None]), "to have 1 channels, but got 3"),
    ],
)
def test_edge_map_mistakes(edge_map, words):
    says(check_edge_map(edge_map), words)
