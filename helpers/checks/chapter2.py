"""Chapter 2: convolution and pooling."""

import torch
from torch.nn import functional as F

from helpers.checks.exercise import Exercise, Mistake, Sign


def _random(*sizes, seed=24):
    return torch.randn(*sizes, generator=torch.Generator().manual_seed(seed))


def _pool(X, size, stride, pool=F.max_pool2d, **options):
    return pool(X[None], size, stride, **options)[0]


check_max_pool = Exercise(
    task="2.4; max_pool(X, size, stride): (height, width) to the largest value of each window.",
    solution=_pool,
    probes=lambda: [
        (torch.tensor([[-3.0, -1, -2, -5], [-2, -5, -4, -1], [-6, -3, -2, -4]]), 2, 1),
        (_random(9, 11) - 1, 3, 2),
        (_random(9, 11, seed=25) - 3, 2, 3),
        (_random(8, 6), 2, 2),
        (_random(7, 8) + 5, 1, 3),
    ],
    praise="Your pooling agrees with nn.MaxPool2d, for windows that overlap and for windows with gaps.",
    mistakes=[
        Mistake("You took the average of each window: max-pooling takes the largest value.",
                lambda X, size, stride: _pool(X, size, stride, F.avg_pool2d)),
        Mistake("You took the smallest value of each window: max-pooling takes the largest.",
                lambda X, size, stride: -_pool(-X, size, stride)),
        Mistake("Your window moves by 1: start it at i * stride, j * stride.",
                lambda X, size, stride: _pool(X, size, 1)),
        Mistake("Your window moves by its own size, not by `stride`.",
                lambda X, size, stride: _pool(X, size, size)),
        Sign("Take the one map out, with [0].", lambda Y, X, size, stride: Y.ndim > 2),
    ],
)  # fmt: skip
