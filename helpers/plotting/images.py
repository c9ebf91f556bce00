"""Images, feature maps and matrices, which several chapters show. Titles are texts; columns: pictures in a row."""

import math

import torch
from matplotlib.patches import Rectangle
from torch.nn import functional as F

from helpers.plotting.colours import GREY, RED
from helpers.plotting.style import Sheet, drawn, fitted


def rows_and_columns(count, columns):
    """Rows and columns of a grid for `count` pictures, at least one, in at most `columns` columns."""
    if not count:
        raise ValueError("there are no images to show: the selection is empty")
    columns = min(columns, count)
    return math.ceil(count / columns), columns


def cells(count, columns, width, height):
    """The upper left corners of `count` cells in rows of `columns`."""
    return [(i % columns * width, i // columns * height) for i in range(count)]


@drawn
def images(images, titles=None, columns=10, signed=False, limits=None, alt=None):
    """Images in a grid.

    images: (N, height, width), (N, 1, height, width) or, in colour, (N, 3, height, width), bytes or floats;
    titles: N texts; signed: red for positive, blue for negative, white for zero, on one scale for all; limits: the
    values of black and white, by default 0 and 255 for bytes, and the smallest and largest of each image of floats;
    alt: text for screen readers, by default the titles. Raises ValueError if there are no images.
    """
    rows, columns = rows_and_columns(len(images), columns)
    alt = alt or f"{len(images)} images in a grid" + (": " + ", ".join(map(str, titles)) if titles else "")
    slot = min(900 // columns, 240)  # pixels; one image alone should not fill the page
    tallest = max(image.shape[-2] / image.shape[-1] for image in images)
    head = 26 if titles else 0
    high = round((slot - 8) * tallest) + 8 + head
    sheet = Sheet(columns * slot, rows * high, alt)
    if signed:
        limit = max(float(torch.as_tensor(image).detach().abs().max()) for image in images)
        limits = (-limit, limit)
    for i, (left, top) in enumerate(cells(len(images), columns, slot, high)):
        sheet.put_image(images[i], left + 4, top + 4 + head, (slot - 8) / images[i].shape[-1], signed, limits)
        if titles:
            sheet.write(left + slot / 2, top + 16, str(titles[i]), min(13, max(9, 0.11 * slot)), ha="center")
    return sheet


@drawn
def feature_maps(maps, title="", columns=8):
    """The channels of one layer's output, each on its own scale, dark for low values and bright for high ones.

    maps: (channels, height, width); raises ValueError for a batch of them.
    """
    if torch.as_tensor(maps[0]).ndim != 2:
        raise ValueError("maps must be those of one image, (channels, height, width): take the first with maps[0]")
    rows, columns = rows_and_columns(len(maps), columns)
    slot = min(900 // columns, 180)
    high = slot + 18
    sheet = Sheet(max(columns * slot, 10 * len(title)), 40 + rows * high, f"{len(maps)} feature maps. {title}")
    sheet.write(4, 20, title, 14)
    for i, (left, top) in enumerate(cells(len(maps), columns, slot, high)):
        sheet.write(left + slot / 2, top + 48, str(i), 11, ha="center")
        sheet.put_image(maps[i], left + 4, top + 58, (slot - 8) / maps[i].shape[-1], colours="viridis")
    return sheet


@drawn
def matrices(arrays, titles, signed=True, alt=None):
    """Small matrices side by side with their numbers in the cells; arrays: a list of (rows, columns), one per title.

    signed, alt: as in `images`, but signed unless told otherwise.
    """
    gap, head = 40, 45  # pixels between the matrices, and for their titles
    columns, rows = [len(array[0]) for array in arrays], max(len(array) for array in arrays)
    cell = int(min(72, 480 / rows, (900 - gap * len(arrays)) / sum(columns)))
    slots = [max(count * cell, 11 * len(title)) for count, title in zip(columns, titles, strict=True)]
    alt = alt or "Matrices with their numbers: " + ", ".join(titles)
    sheet = Sheet(sum(slots) + gap * len(arrays), rows * cell + head + 10, alt)
    left = gap / 2
    for array, title, slot in zip(arrays, titles, slots, strict=True):
        sheet.write(left, head / 2, title)
        shown = sheet.put_image(array, left, head, cell, signed)
        sheet.put_numbers(array, left, head, cell, cell, min(14, 0.21 * cell), shown)
        left += slot + gap
    return sheet


@drawn
def predictions(pictures, labels, predicted, class_names, columns=8):
    """Images, each below its predicted class; if that is wrong, it is red, and the true class is below the image.

    pictures: as in `images`; labels, predicted: (N,) integers, places in `class_names`.
    """
    names = [class_names[int(label)] for label in labels]
    guesses = [class_names[int(label)] for label in predicted]
    rows, columns = rows_and_columns(len(pictures), columns)
    wrong = sum(name != guess for name, guess in zip(names, guesses, strict=True))
    slot = 900 // columns
    high = slot + 44
    sheet = Sheet(900, rows * high, f"{len(names)} images with predictions, {wrong} of them wrong")
    for i, (left, top) in enumerate(cells(len(names), columns, slot, high)):
        right = names[i] == guesses[i]
        guess, name = (fitted(text, 12, slot - 4) for text in (guesses[i], f"is: {names[i]}"))
        sheet.write(left + slot / 2, top + 14, guess, 12, "black" if right else RED, "center")
        sheet.put_image(pictures[i], left + 4, top + 26, (slot - 8) / pictures[i].shape[-1])
        if not right:
            sheet.write(left + slot / 2, top + slot + 30, name, 11, GREY, "center")
    return sheet


def side_by_side(maps):
    """Maps, or images, in a row as one image, with NaN between them.

    maps: (N, height, width) floats, or (N, 3, height, width) in colour; returns (height, columns) or
    (3, height, columns).
    """
    gap = 1 + maps.shape[-1] // 20
    return torch.cat(list(F.pad(maps, (0, gap), value=math.nan)), dim=-1)[..., :-gap]


def put_row(sheet, maps, left, top, width, height, colours):
    """Put maps with values from 0 to 1 side by side, as large as `width` and `height` allow; maps: as above."""
    strip = side_by_side(maps)  # a single image, since Matplotlib takes some milliseconds for each
    if strip.ndim == 3:
        strip = strip.movedim(0, -1).nan_to_num(1.0)  # in a colour image, NaN is not white by itself
    rows, columns = strip.shape[:2]
    cell = min(width / columns, height / rows)
    extent = (left, left + cell * columns, top + cell * rows, top)
    sheet.ax.imshow(strip.numpy(), extent=extent, aspect="auto", cmap=colours, vmin=0, vmax=1)


def put_bar(sheet, left, top, width, height, colour):
    """Put a filled rectangle without an edge."""
    sheet.ax.add_patch(Rectangle((left, top), width, height, color=colour, linewidth=0))
