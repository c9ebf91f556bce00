"""The explorer's pictures: a data set's images, the numbers of one, its classes; how a photograph becomes one of it."""

import functools

import numpy as np
import torch
from matplotlib.patches import Rectangle
from PIL import Image, ImageDraw
from torch.nn import functional as F

from helpers.plotting.style import BLUE, ORANGE, Sheet, drawn
from helpers.plotting.words import font

WIDTH, HEIGHT = 980, 472  # pixels of every picture here: one takes the place of another in the lab, and nothing jumps
CELL_WIDTH, CELL_HEIGHT = 25, 16  # of a written number, at most: three digits of 9 points


def slots(count, side):
    """Places for `count` square images, as large as there is room for.

    count: 1 to 30; side: pixels of an image in the data set. Returns the side of an image in the picture, and the
    upper left corner (left, top) of each image.
    """
    for cell in range(max(3, 392 // side), 0, -1):  # whole pixels for a pixel, so that all are equally large
        wide, high = side * cell + 14, side * cell + 52  # with the words above and below it
        columns, rows = WIDTH // wide, HEIGHT // high
        if columns * rows >= count:
            break
    high = HEIGHT // rows
    return side * cell, [(i % columns * wide + 7, i // columns * high + 26) for i in range(count)]


def example_at(x, y, count, side):
    """Which of `count` examples in a picture by `examples` is at (x, y), pixels; None between them; side: as there."""
    shown, corners = slots(count, side)
    for i, (left, top) in enumerate(corners):
        if 0 <= x - left < shown and 0 <= y - top < shown:
            return i
    return None


@drawn
def examples(images, places, names):
    """Up to 30 images of a data set, each between its place in the set and the name of its class.

    images: (N, 1, side, side) bytes, or (N, 3, side, side) in colour; places: N whole numbers; names: N texts.
    """
    said = ", ".join(f"#{place} {name}" for place, name in zip(places, names, strict=True))
    sheet = Sheet(WIDTH, HEIGHT, f"{len(images)} images with their places in the set and their classes: {said}")
    side, corners = slots(len(images), images.shape[-1])
    # All in one image: thirty images and sixty texts by Matplotlib take twice as long.
    page = Image.new("RGB" if images.shape[1] == 3 else "L", (WIDTH, HEIGHT), "white")
    pen, type_face = ImageDraw.Draw(page), font(16)
    for image, place, name, (left, top) in zip(images, places, names, corners, strict=True):
        picture = Image.fromarray((image.movedim(0, -1) if len(image) == 3 else image[0]).numpy())
        page.paste(picture.resize((side, side), Image.Resampling.NEAREST), (left, top))
        pen.text((left + side / 2, top - 12), f"#{place}", "#5a5a5a", type_face, anchor="mm")
        pen.text((left + side / 2, top + side + 11), name, "black", type_face, anchor="mm")
    put_at_its_size(sheet, torch.from_numpy(np.array(page)), 0, 0)
    return sheet


def put_at_its_size(sheet, image, left, top):
    """Put an image, (height, width) or (height, width, 3) bytes, on a sheet, pixel on pixel and without a frame."""
    height, width = image.shape[:2]
    extent = (left, left + width, top + height, top)
    sheet.ax.imshow(image.numpy(), extent=extent, aspect="auto", cmap="gray", vmin=0, vmax=255)


@drawn
def pixel_numbers(image, title):
    """An image enlarged, and beside it the number of each pixel written on the pixel's own grey.

    image: (channels, height, width) bytes, of which the first channel is shown; title: what it shows.
    """
    image = torch.as_tensor(image)[:1]
    (height, width), values = image.shape[1:], image.float()
    facts = (
        f"smallest {int(values.min())}, largest {int(values.max())}",
        f"mean {values.mean():.1f}",
        f"black (0): {(values == 0).float().mean():.0%} of them",
    )
    sheet = Sheet(WIDTH, HEIGHT, f"{title}, enlarged, and its {image.numel()} numbers; {'; '.join(facts)}")
    sheet.write(2, 12, title, 13)
    sheet.put_image(image, 2, 24, 224 / max(height, width))
    sheet.write(2, 274, f"{height}×{width} = {image.numel()} numbers", 12)
    for line, fact in enumerate(facts, 1):
        sheet.write(2, 274 + 24 * line, fact, 12)
    # With the numbers of its rows and columns the table has one row and one column more than the image.
    cell = min(CELL_WIDTH, (WIDTH - 240) // (width + 1)), min(CELL_HEIGHT, HEIGHT // (height + 1))
    table = table_of_numbers(image[0], *cell)
    put_at_its_size(sheet, table, WIDTH - table.shape[1], HEIGHT - table.shape[0])
    return sheet


def table_of_numbers(image, cell_width=CELL_WIDTH, cell_height=CELL_HEIGHT):
    """An image of bytes: a table of the numbers of `image`, (height, width) bytes, with its rows and columns counted.

    Each of its cells is `cell_height` pixels high and `cell_width` wide, the row above and the column on the left too.
    """
    height, width = image.shape
    on_greys, on_white = written_numbers(cell_width, cell_height)
    corner = torch.full_like(on_white[:1], 255)
    above = torch.cat([corner, on_white[:width]])[None]
    cells = torch.cat([above, torch.cat([on_white[:height, None], on_greys[image.long()]], dim=1)])
    # (height + 1, width + 1, cell_height, cell_width): the lines of pixels of a row of cells go side by side.
    return cells.transpose(1, 2).reshape((height + 1) * cell_height, (width + 1) * cell_width)


@functools.cache
def written_numbers(cell_width, cell_height):
    """The numbers 0 to 255 written on their own greys, and again on white: two of (256, cell_height, cell_width) bytes.

    They are written once and copied from then on: 784 texts by Matplotlib take a third of a second.
    """
    type_face = font(min(12, 0.48 * cell_width, 0.75 * cell_height))

    def written(number, paper, ink):
        cell = Image.new("L", (cell_width, cell_height), paper)
        ImageDraw.Draw(cell).text((cell_width / 2, cell_height / 2), str(number), ink, type_face, anchor="mm")
        return torch.from_numpy(np.array(cell))

    on_greys = torch.stack([written(number, number, 0 if number > 127 else 255) for number in range(256)])
    return on_greys, torch.stack([written(number, 255, 90) for number in range(256)])


@drawn
def counts_and_means(counts, means, class_names, chosen=None):
    """How many images each class has, as bars, on the mean of its images.

    counts: one number a class; means: (classes, side, side) floats, 0 to 255; chosen: the class to mark, or None.
    """
    counts = [int(count) for count in counts]
    said = ", ".join(f"{name} {count:,}" for name, count in zip(class_names, counts, strict=True))
    sheet = Sheet(WIDTH, HEIGHT, f"Number of images in each class, and the mean image of each: {said}")
    sheet.write(7, 14, "images in each class", 14)
    sheet.write(7, 338, "the mean image of each class", 14)
    slot, bottom, tallest = min(98, WIDTH / len(counts)), 316, 260  # pixels
    for i, (count, mean, name) in enumerate(zip(counts, means, class_names, strict=True)):
        left, middle = i * slot + 7, (i + 0.5) * slot
        height = tallest * count / max(counts)
        colour = ORANGE if i == chosen else BLUE
        sheet.ax.add_patch(Rectangle((left, bottom - height), slot - 14, height, color=colour, lw=0))
        sheet.write(middle, bottom - height - 12, f"{count:,}", 13, ha="center")
        sheet.put_image(mean, left, 354, (slot - 14) / mean.shape[-1], limits=(0, 255))
        sheet.write(middle, 456, name, 12, ha="center")
        if i == chosen:
            sheet.put_frame(left, 354, slot - 14, slot - 14, ORANGE)
    return sheet


@drawn
def photo_to_example(steps):
    """The steps from a photograph to an image as in the data set: four in two rows, and large at their right the last.

    steps: {title: image}, five images of bytes, each (1 or 3, height, width).
    """
    titles = [f"{i}. {title}, {image.shape[-2]}×{image.shape[-1]}" for i, (title, image) in enumerate(steps.items(), 1)]
    sheet = Sheet(WIDTH, HEIGHT, "A photograph on its way to an image of the data set: " + ", ".join(titles))
    boxes = [(0, 24, 248, 208), (262, 24, 248, 208), (0, 264, 248, 208), (262, 264, 248, 208), (532, 24, 448, 448)]
    for title, image, (left, top, width, height) in zip(titles, steps.values(), boxes, strict=True):
        sheet.write(left, top - 12, title, 13)
        sheet.put_image(fitted(image, width, height), left, top, 1)
    return sheet


def fitted(image, width, height):
    """An image, (channels, ., .) bytes, made as large as fits into `width` and `height` pixels."""
    scale = min(width / image.shape[-1], height / image.shape[-2])
    size = [max(1, round(scale * side)) for side in image.shape[-2:]]
    return F.adaptive_avg_pool2d(image.float(), size).round().byte()
