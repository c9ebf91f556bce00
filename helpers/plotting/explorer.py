"""Chapter 1: the explorer's picture, images of a data set with their places in it."""

from helpers.plotting.images import images as grid
from helpers.plotting.style import drawn


@drawn
def examples(images, places, names):
    """Up to 30 images of a data set, each below its place in the set and the name of its class.

    images: (N, 1, side, side) bytes, or (N, 3, side, side) in colour; places: N whole numbers; names: N texts.
    """
    titles = [f"#{place} {name}" for place, name in zip(places, names, strict=True)]
    said = f"{len(images)} images with their places in the set and their classes: {', '.join(titles)}"
    return grid(images, titles, columns=min(6, len(images)), alt=said)
