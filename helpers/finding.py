"""Find the thing in a photograph: whatever differs from the background in brightness or colour."""

from dataclasses import dataclass

import torch
from torch.nn import functional as F

WORKING_SIDE = 128  # pixels of the longer side on which the search runs: several for each of the result's 28
LEAST = 2  # of 255: on an even background, a smaller difference comes from rounding
FAINTEST = 14  # of 255: if nothing differs by more, nothing stands out


@dataclass
class Thing:
    """The place of the thing. top, bottom, left, right: the rows and columns that it occupies, in pixels of the photo.

    mask: (height, width) of the whole photo, True on the thing; background: (3, height, width) floats, 0 to 255, the
    photo as it would be without the thing.
    """

    mask: torch.Tensor
    background: torch.Tensor
    top: int
    bottom: int
    left: int
    right: int


def find_thing(photo):
    """The `Thing` that stands out in a photo, (3, height, width) bytes; None if nothing does."""
    thing = _find(photo.to(torch.get_default_dtype()))
    if thing is None:
        return None
    # For a thing that is small in the photo, search again near it, with its own surroundings as the background.
    height, width = photo.shape[1:]
    margin = 0.4 * max(thing.bottom - thing.top, thing.right - thing.left) + 1
    top, left = max(0, round(thing.top - margin)), max(0, round(thing.left - margin))
    bottom, right = min(height, round(thing.bottom + margin)), min(width, round(thing.right + margin))
    if max(bottom - top, right - left) > 0.7 * max(height, width):
        return thing
    nearer = _find(photo[:, top:bottom, left:right].float())
    if nearer is None:
        return thing
    thing.mask[:] = False
    thing.mask[top:bottom, left:right] = nearer.mask
    thing.background[:, top:bottom, left:right] = nearer.background
    box = (top + nearer.top, top + nearer.bottom, left + nearer.left, left + nearer.right)
    return Thing(thing.mask, thing.background, *box)


def _find(photo):
    """As `find_thing`, at one scale; photo: (3, height, width) floats, 0 to 255."""
    size = photo.shape[1:]
    scale = min(1, WORKING_SIDE / max(size))
    small = F.interpolate(photo[None], [max(1, round(scale * side)) for side in size], mode="area")[0]
    smooth = _smooth_background(small)
    # On plain grey any difference belongs to the thing; on wood, or under a shadow, it has to be larger.
    least = LEAST + 1.5 * float(_border(_distance(small, smooth)).quantile(0.9))
    background = _local_background(small, smooth, least)
    distance = _distance(small, background)
    strong = float(distance.flatten().kthvalue(max(1, round(0.995 * distance.numel())))[0])
    usual = 2.5 * float(_border(distance).median())
    if strong < FAINTEST or (min(size) >= 28 and strong < 1.6 * usual):
        return None
    if background is smooth:
        least = min(least, 0.25 * strong)
    else:
        least = max(0.25 * strong, min(1.3 * usual, 0.4 * strong))
    outline = _main_parts(_filled(distance > least), distance)
    whole = F.interpolate(outline[None, None].float(), size, mode="bilinear", align_corners=False)[0, 0] > 0.5
    background = F.interpolate(background[None], size, mode="bilinear", align_corners=False)[0]
    # The exact edges, in the photo's own pixels.
    distance = _distance(photo, background)
    sharp = whole & (distance > least)
    sharp = sharp if sharp.any() else whole
    rows, columns = sharp.any(dim=1).nonzero()[:, 0], sharp.any(dim=0).nonzero()[:, 0]
    return Thing(whole, background, int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1)


def _distance(photo, background):
    """How much each pixel differs from the background in brightness and colour: (height, width), at most 255."""
    return (photo - background).square().mean(dim=0).sqrt()


def _smooth_background(small):
    """The light on an empty background, (3, height, width): per colour, a polynomial through most of the border.

    It has degree two, enough for a lamp at one side or corners darkened by the lens. It is fitted repeatedly, with less
    weight on the pixels that are far from it, so that a thing that touches the border does not count.
    """
    height, width = small.shape[1:]
    y, x = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
    terms = torch.stack([torch.ones_like(x), x, y, x * y, x * x, y * y], dim=-1)  # (height, width, 6)
    rim = max(1, round(0.04 * max(height, width)))
    border = torch.ones(height, width, dtype=torch.bool)
    border[rim:-rim, rim:-rim] = False
    known, colours = terms[border], small[:, border].T  # (pixels, 6), (pixels, 3)
    fit = torch.zeros(6, 3)
    fit[0] = colours.median(dim=0).values
    # What a pixel of weight 1 adds to the equations, both sides: (pixels, 6 · 9).
    pairs = (known[:, :, None] * torch.cat([known, colours], dim=1)[:, None]).flatten(1)
    for _ in range(10):
        away = (colours - known @ fit).square().mean(dim=1).sqrt()
        equations = (1 / (1 + (away / (2 * away.median() + 2)).square()) @ pairs).reshape(6, 9)
        # The small addition is for photos one pixel wide, in which x or y is constant.
        fit = torch.linalg.solve(equations[:, :6] + 1e-4 * torch.eye(6), equations[:, 6:])
    return (terms @ fit).movedim(-1, 0)


def _local_background(small, background, least):
    """The background under thin lines, which also follows the edge of a shadow; else `background` unchanged.

    Ink on paper vanishes if each pixel takes the lightest value around it (chalk on a board: the darkest). A thing that
    is not a drawing mostly remains, and keeps the smooth background. least: which difference counts, of 255.
    """
    distance = _distance(small, background)
    core = distance > 0.6 * distance.max()
    away = (small - background).mean(dim=0)
    window = max(small.shape[1:]) // 12
    if window < 3:
        return background
    sign = -1 if away[core].mean() < 0 else 1
    # The largest, then the smallest value of a window ("closing"); for something lighter, the same on the negative.
    local = -sign * -_largest(-_largest(-sign * small, window), window)
    ink = _distance(small, local)
    gone = (ink > 0.7 * distance)[core].float().mean()
    if least > 30:  # paper is never that uneven: the edge of a shadow must be on it, and remains too
        return local if gone > 0.6 else background
    stays = _distance(local, background) > least
    return local if gone > 0.8 and stays.sum() < 0.25 * (ink > 0.25 * distance.max()).sum() else background


def _largest(image, reach):
    """The largest value around each pixel, `reach` pixels to all four sides; image: (..., height, width) floats."""
    image, reached = F.pad(image, (reach,) * 4, value=-torch.inf), 1
    while reached < 2 * reach + 1:  # twice as wide each time; much faster than max-pooling
        step = min(reached, 2 * reach + 1 - reached)
        image = torch.maximum(image[..., :-step], image[..., step:])
        image = torch.maximum(image[..., :-step, :], image[..., step:, :])
        reached += step
    return image


def _spread(seeds, mask):
    """The largest seed of its connected part for each pixel of `mask`, 0 outside; both: (height, width).

    seeds: whole numbers, the largest times the longer side below 2²⁴, so that floats keep them.
    """
    seeds = seeds * mask
    while True:
        wider = _largest(seeds, 1) * mask  # one pixel to all sides, ...
        if torch.equal(wider, seeds):
            return seeds
        for side in (0, 1):  # ... then as far as the mask goes, on and back along rows and columns
            wider = _along(wider, mask, side)
            wider = _along(wider.flip(side), mask.flip(side), side).flip(side)
        seeds = wider


def _along(seeds, mask, side):
    """Each pixel of `mask` gets the largest seed on the way to it, as far back along that side as the mask goes."""
    walls = (seeds.max() + 1) * (~mask).cumsum(side)  # higher behind each gap, so that no seed gets over it
    return (seeds + walls).cummax(side).values - walls


def _filled(mask):
    """A mask whose holes, those not connected to the border, are filled."""
    outside = F.pad(~mask, (1, 1, 1, 1), value=True)
    seeds = torch.zeros(outside.shape)
    seeds[0, 0] = 1
    return _spread(seeds, outside)[1:-1, 1:-1] == 0


def _main_parts(mask, distance):
    """A mask without dust and, if there is something in the middle, without what reaches in from the border."""
    parts = _spread(torch.arange(1.0, mask.numel() + 1).reshape(mask.shape), mask).long()
    weights = torch.bincount(parts.flatten(), weights=(distance * mask).flatten())
    at_border = torch.zeros(len(weights), dtype=torch.bool)
    at_border[_border(parts)] = True
    inner = weights * ~at_border
    if inner.max() > 0.03 * weights.max():
        weights = inner
    return mask & (weights >= 0.02 * weights.max())[parts]


def _border(image):
    """The outermost pixels of an image, (height, width), in one row."""
    return torch.cat([image[0], image[-1], image[:, 0], image[:, -1]])
