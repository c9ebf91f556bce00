"""Imaginary writers, made from MNIST: for use without a class, and to measure what a class would find (chapter 5)."""

import functools

import torch
from torch.nn import functional as F

from helpers.data import mnist
from helpers.digits import like_mnist

SIDE = 112  # pixels of the sheet on which a digit is changed before it is prepared again
PENS = (-5, -3, 0, 3, 5, 7)  # pixels of that sheet: how much thicker, or thinner, the pen is


@functools.cache
def simulated_writers(count, each=3, seed=0):
    """{mark: (words, images)} of `count` writers with `each` drawings of every digit; images: (10·each, 28, 28) bytes.

    The digits are test images of MNIST's bundled sample, which no network of the course has trained on, each used once:
    enough for 50 writers with 3 of each digit. Style: for each digit, a writer has one random shape and those nearest
    to it, pixel by pixel. Slant, proportion of width to height, and thickness of the pen are the writer's own and vary
    little from drawing to drawing. The size is lost when a drawing is prepared (`like_mnist`), as for real drawings.
    Real writers differ in more ways than these.
    """
    data, chance = mnist("sample"), torch.Generator().manual_seed(seed)
    styles = [_styles(data.test_images[data.test_labels == digit][:, 0], count, each, chance) for digit in range(10)]
    words = [str(digit) for digit in range(10) for _ in range(each)]
    made = {}
    for writer in range(count):
        slant, proportion = 0.25 * torch.randn(1, generator=chance), 0.15 * torch.randn(1, generator=chance)
        pen = PENS[int(torch.randint(len(PENS), (1,), generator=chance))]
        images = torch.cat([of_digit[writer] for of_digit in styles])
        few = torch.randn(2, len(images), generator=chance)
        changed = _written(images, slant + 0.05 * few[0], (proportion + 0.04 * few[1]).exp(), pen)
        made[f"simulated-{writer + 1:02}"] = words, torch.cat([like_mnist(image) for image in changed])
    return made


def _styles(images, count, each, chance):
    """For each writer, (each, 28, 28): a random image, and the nearest ones among those that are still free."""
    flat, free = images.flatten(1).float(), torch.ones(len(images), dtype=torch.bool)
    chosen = []
    for _ in range(count):
        places = free.nonzero()[:, 0]
        first = places[int(torch.randint(len(places), (1,), generator=chance))]
        near = places[(flat[places] - flat[first]).square().sum(dim=1).topk(each, largest=False).indices]
        free[near] = False
        chosen.append(images[near])
    return chosen


def _written(images, slants, proportions, pen):
    """The images, (N, 28, 28) bytes, on larger sheets: slanted, narrowed, and with another pen; (N, 112, 112) bytes."""
    places = torch.zeros(len(images), 2, 3)
    places[:, 0, 0], places[:, 0, 1], places[:, 1, 1] = 1.2 / proportions, slants, 1.2 * proportions
    grid = F.affine_grid(places, (len(images), 1, SIDE, SIDE), align_corners=False)
    sheets = F.grid_sample(images[:, None].float(), grid, align_corners=False)
    if pen > 0:
        sheets = F.max_pool2d(sheets, pen, 1, pen // 2)
    elif pen < 0:
        sheets = -F.max_pool2d(-sheets, -pen, 1, -pen // 2)
    return sheets[:, 0].round().byte()
