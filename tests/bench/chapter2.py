"""Chapter 2's claims: convolution and pooling. A seed chooses other garments than the chapter's."""

import functools
import itertools
import os

import torch
from torch.nn import functional as F

from helpers import fashion_mnist, pretrained
from helpers.labs.convolution import kernel_preset
from helpers.labs.learn_kernel import NUM_STEPS

os.environ["LENET_LAB_OFFLINE"] = "1"
SOBEL = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
EDGES = torch.stack([SOBEL, SOBEL.T, -SOBEL, -SOBEL.T])[:, None]  # (4, 1, 3, 3)
RATES = [0.02, 0.3, 0.4, 0.6]


@functools.cache
def garments():
    return fashion_mnist(part="sample").train_images / 255


def others(count, seed):
    """So many images that are not among the first 500, which the chapter takes."""
    return garments()[
        500 + torch.randperm(len(garments()) - 500, generator=torch.Generator().manual_seed(seed))[:count]
    ]


def shifted(seed):
    """How much a shift by 1 to 4 pixels changes the edge maps of 500 garments, with and without pooling."""
    X = others(500, seed)
    maps = [F.conv2d(F.pad(X, (pixels, -pixels)), EDGES).relu() for pixels in range(5)]
    ways = {
        "no pooling": lambda maps: maps,
        "every 2nd": lambda maps: maps[..., ::2, ::2],
        "max": lambda maps: F.max_pool2d(maps, 2),
    }

    def change(before, after):
        return float((after - before).norm() / before.norm())

    return {name: [change(way(maps[0]), way(after)) for after in maps[1:]] for name, way in ways.items()}


def learn(images, lr, num_steps, target=SOBEL, start=None):
    """The loss of a kernel before each step of gradient descent, its largest distance from the target at the end, and
    the sum of its weights after each step.

    start: the kernel that it begins with, (1, 1, 3, 3); zeros unless given.
    """
    wanted, losses, sums = F.conv2d(images, target[None, None]), [], []
    kernel = torch.zeros(1, 1, 3, 3) if start is None else start
    for _ in range(num_steps):
        kernel = kernel.detach().requires_grad_()
        loss = F.mse_loss(F.conv2d(images, kernel), wanted)
        loss.backward()
        losses.append(loss.item())
        kernel = kernel - lr * kernel.grad
        sums.append(kernel.sum().item())
    return losses, float((kernel.detach() - target).abs().max()), sums


def learnt(seed):
    """A kernel that learns from 64 images; and from the chapter's boot alone, which has no seed."""
    images, boot = others(64, seed), garments()[:1]
    curves = [learn(images, lr, 40)[0] for lr in RATES]
    return {
        "first": [losses[0] for losses in curves],
        "before step 9": [losses[8] for losses in curves],
        "after 40": [losses[-1] for losses in curves],
        "sums, 0.6": learn(images, 0.6, 40)[2],
        "away after 200": learn(images, 0.3, 200)[1],
        "boot, 0.3": learn(boot, 0.3, 300)[0][-1],
        "boot, 0.4": min(learn(boot, 0.4, 300)[0][-1], 1e6),
        "darker than the boot": float((others(1_000, seed).mean(dim=(1, 2, 3)) < boot.mean()).float().mean()),
    }


def targets(seed):
    """How the lab's descent ends on the boot, at its own rate, from random weights; those of seed 0 are the lab's."""
    start = torch.randn(1, 1, 3, 3, generator=torch.Generator().manual_seed(seed))
    found = {}
    for name, target in (
        ("outline", kernel_preset("outline (Laplacian)", 3)),
        ("blur", kernel_preset("blur (mean)", 3)),
    ):
        losses, away, _ = learn(garments()[:1], 0.2, NUM_STEPS + 1, target, start)
        found |= {f"{name}, first": losses[0], name: losses[-1], f"{name}, away": away}
    return found


def filters(seed):
    """What the trained LeNet's filters add up to, as a share of what they hold; the same with each seed."""
    weights = pretrained("clothes")[0].weight.detach()
    return {"sums": (weights.sum(dim=(1, 2, 3)) / weights.abs().sum(dim=(1, 2, 3))).tolist()}


MEASURES = {"shifted": shifted, "learnt": learnt, "targets": targets, "filters": filters}


def after(run, lr):
    return run["after 40"][RATES.index(lr)]


def overshoots(sums, soon):
    """Whether the sign changes at every step, and from step `soon` on the size grows at each."""
    pairs = list(itertools.pairwise(sums))
    return all(a * b < 0 for a, b in pairs) and all(abs(b) > abs(a) for a, b in pairs[soon - 1 :])


CLAIMS = [
    (
        "the change without pooling was 0.78 to 0.81, and with max-pooling 0.56 to 0.59",
        "shifted",
        lambda run: 0.775 <= run["no pooling"][0] < 0.815 and 0.555 <= run["max"][0] < 0.595,
    ),
    (
        "The smaller size alone does not help",
        "shifted",
        lambda run: run["every 2nd"][0] > 0.95 * run["no pooling"][0],
    ),
    (
        "When the garments move by one pixel, these maps change by about 0.8",
        "shifted",
        lambda run: 0.75 <= run["no pooling"][0] < 0.85,
    ),
    (
        "by 0.2 to 0.7",
        "shifted",
        lambda run: 0.2 < run["max"][0] < 0.7,
    ),
    (
        "From three pixels on, the change is above 1, even with pooling.",
        "shifted",
        lambda run: min(change for changes in run.values() for change in changes[2:]) > 1,
    ),
    ("Nearly the true kernel, from examples alone.", "learnt", lambda run: run["away after 200"] < 0.5),
    (
        "at first its loss falls fastest",
        "learnt",
        lambda run: min(run["before step 9"]) == run["before step 9"][RATES.index(0.6)],
    ),
    (
        "at 0.6 their sum (not drawn) lands on the other side of 0 at every step, and soon farther away each time.",
        "learnt",
        lambda run: overshoots(run["sums, 0.6"], soon=6),
    ),
    ("In the end the loss diverges", "learnt", lambda run: after(run, 0.6) > run["first"][0]),
    (
        "At 0.02 it falls, but slowly.",
        "learnt",
        lambda run: after(run, 0.4) < after(run, 0.02) < run["first"][0],
    ),
    ("At 0.4 the loss diverges.", "learnt", lambda run: run["boot, 0.3"] < 0.1 and run["boot, 0.4"] > 10),
    ("This boot is brighter than most images.", "learnt", lambda run: run["darker than the boot"] > 0.5),
    (
        "The blur's loss is far smaller, yet its kernel is still speckled.",
        "targets",
        lambda run: run["blur"] < run["outline"] / 5 and run["blur, away"] > 2 / 9,
    ),
    (
        "Filters 1, 2, 4 and 5 sum to nearly 0 and show change",
        "filters",
        lambda run: [i for i in range(6) if abs(run["sums"][i]) < 0.05] == [1, 2, 4, 5],
    ),
]
