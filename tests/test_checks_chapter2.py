"""Chapter 2's exercises: right answers in other styles. Wrong ones: test_exercises.py, test_attempts_chapter2.py."""

import numpy as np
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
)
from helpers.checks.chapter2 import BLANKS, check_receptive_field

DIAGONAL = torch.tensor([[0.0, -1, -2], [1, 0, -1], [2, 1, 0]])


@pytest.mark.parametrize("widths", [[22, 14, 28], (22, 14, 28.0), torch.tensor([22, 14, 28]), np.array([22, 14, 28])])
def test_three_widths_in_any_kind_of_list(widths):
    assert check_output_sizes(widths)


def test_dots_are_no_attempt():
    assert check_output_sizes([..., ..., ...]) == NOT_YET
    assert check_diagonal_kernel([..., ..., ...]) == NOT_YET
    assert "replace the dots of B" in check_output_sizes([22, ..., ...]).message


@pytest.mark.parametrize("kernel", [DIAGONAL, DIAGONAL.sign().long(), 1e-6 * DIAGONAL, DIAGONAL.half(), -DIAGONAL.T])
def test_diagonal_kernels_of_any_scale_and_type(kernel):
    assert check_diagonal_kernel(kernel)


def test_each_edge_map_that_pads_and_weights_sensibly_is_right():
    sobel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    for weights in ((0.299, 0.587, 0.114), (0.2989, 0.587, 0.114), (0.2126, 0.7152, 0.0722), (1 / 3, 1 / 3, 1 / 3)):
        for mode in ("replicate", "reflect"):

            def edge_map(photo, weights=weights, mode=mode):
                grey = F.conv2d(photo[None], torch.tensor(weights)[None, :, None, None])
                v, h = F.conv2d(F.pad(grey, (1, 1, 1, 1), mode=mode), torch.stack([sobel, sobel.T])[:, None])[0]
                return torch.hypot(v, h) / torch.hypot(v, h).max()

            assert check_edge_map(edge_map), (weights, mode)


@pytest.mark.parametrize("check", [check_conv_layer, check_max_pool, check_edge_map])
def test_a_list_is_not_taken_for_a_tensor(check):
    assert "a tensor is expected".capitalize() in check(lambda *given: [[1.0, 2.0]]).message


def test_gradients_left_off_spoil_nothing_and_are_named():
    def max_pool(X, size, stride):
        torch.set_grad_enabled(False)
        return F.max_pool2d(X[None], size, stride)[0]

    assert "gradients switched off" in check_max_pool(max_pool).message
    assert torch.is_grad_enabled()


def test_random_and_stateful_answers_are_named():
    seen = []

    def collecting(layers):
        seen.extend(layers)
        return len(seen)

    assert "Called twice" in check_receptive_field(collecting).message
    assert "Called twice" in check_max_pool(lambda X, size, stride: torch.rand(2, 3)).message


def corr2d_by(cell):
    """The chapter's blank, with `cell(window, K)` in place of the dots."""

    def corr2d(X, K):
        kh, kw = K.shape
        Y = torch.zeros(X.shape[0] - kh + 1, X.shape[1] - kw + 1)
        for i in range(Y.shape[0]):
            for j in range(Y.shape[1]):
                Y[i, j] = cell(X[i : i + kh, j : j + kw], K)
        return Y

    return corr2d


@pytest.mark.parametrize(
    "cell, words",
    [
        (lambda window, K: window * K, "takes one number"),
        (lambda window, K: sum(window * K), "takes one number"),
        (lambda window, K: (window @ K).sum(), "`@` multiplies matrices"),
    ],
)
def test_a_cell_that_stops_is_told_what_it_forgot(cell, words):
    verdict = BLANKS["corr2d"](corr2d_by(cell))
    assert verdict.right is False and words in verdict.message


def test_windows_that_are_always_2_wide_are_named():
    def pool2d(X, size):
        Y = torch.zeros(X.shape[0] // size, X.shape[1] // size)
        for i in range(Y.shape[0]):
            for j in range(Y.shape[1]):
                Y[i, j] = X[i * 2 : (i + 1) * 2, j * 2 : (j + 1) * 2].max()
        return Y

    assert "2 wide, whatever `size` says" in BLANKS["pool2d"](pool2d).message
