"""Chapter 3: what `Flatten` does, and a network as stacks of maps."""

import torch

from helpers.plotting.colours import GREEN, GREY, ORANGE, SKY
from helpers.plotting.shapes import boxes_of, columns_of, in_words, put_boxes
from helpers.plotting.style import Sheet, drawn

LEFT, WIDE = 10, 980  # pixels: where the row of numbers begins, and its width
STRIP = 24  # pixels: the height of the row
HIGHEST = 224  # pixels: an image alone would fill the page


@drawn
def flattening(maps, pixel):
    """Maps above the row of numbers that `Flatten` makes of them, to scale; a pixel and two neighbours in both.

    maps: (channels, height, width), each shown on a grey scale of its own; pixel: (channel, row, column). Its
    neighbours are the pixels to the right and below, if any. Raises ValueError if the pixel is not on the maps.
    """
    maps, (channel, row, column) = _grey(torch.as_tensor(maps).detach().float()), pixel
    channels, height, width = maps.shape
    if not (channel in range(channels) and row in range(height) and column in range(width)):
        raise ValueError(
            f"pixel {pixel} is not on {channels} map{'s' * (channels > 1)} of {height}×{width}: "
            f"rows are 0 to {height - 1}, columns 0 to {width - 1}"
        )
    numbers, place = maps.flatten(), (channel * height + row) * width + column
    where = f"row {row}, column {column}" if channels == 1 else f"map {channel}, row {row}, column {column}"
    marks = [
        ("A", (row, column), place, ORANGE, f"{where}: place {place}"),
        ("B", (row, column + 1), place + 1, SKY, "right of A: 1 place further"),
        ("C", (row + 1, column), place + width, GREEN, f"below A: {width} places further"),
    ]
    marks = [mark for mark in marks if mark[1][0] < height and mark[1][1] < width]
    what = f"{channels} maps of {height}×{width}" if channels > 1 else f"an image of {height}×{width}"
    title = f"{what}, and the row of {len(numbers)} numbers that flattening makes of {'them' if channels > 1 else 'it'}"

    slot, cell = WIDE / channels, min((WIDE / channels - 6) / width, HIGHEST / height)
    top, strip = 36, 66 + cell * height
    closer = strip + STRIP + 46
    said = "; ".join(f"{letter}: {words}" for letter, *_, words in marks)
    sheet = Sheet(1000, closer + 112, f"{title}. {said}")
    sheet.write(LEFT, 16, title[0].upper() + title[1:])
    for i, image in enumerate(maps):
        middle, half = LEFT + (i + 0.5) * slot, cell * width / 2
        sheet.put_image(image, middle - half, top, cell, limits=(0, 1))
        _join(sheet, (middle - half, middle + half), top + cell * height, (middle - slot / 2, middle + slot / 2), strip)
        for _, (down, across), _, colour, _ in reversed(marks):  # A above the others
            if i == channel:
                sheet.put_frame(middle - half + across * cell, top + down * cell, cell, cell, colour, 2)
    _put_row(sheet, numbers, LEFT, strip, WIDE / len(numbers))

    # A part of the row once more, enlarged until single numbers can be told apart.
    first, last = max(place - 2, 0), min(place + width + 4, len(numbers))
    wide = min(56, WIDE / (last - first))
    ends = [LEFT + end * WIDE / len(numbers) for end in (first, last)]
    left = min(max(sum(ends) / 2 - wide * (last - first) / 2, LEFT), LEFT + WIDE - wide * (last - first))
    _join(sheet, ends, strip + STRIP, (left, left + wide * (last - first)), closer)
    _put_row(sheet, numbers[first:last], left, closer, wide)
    for i in range(last - first):
        sheet.write(left + (i + 0.5) * wide, closer + STRIP + 12, str(first + i), 9, GREY, "center")
    for i, (letter, _, at, colour, words) in enumerate(marks):
        x, legend = left + (at - first) * wide, LEFT + (0, 400, 680)[i]
        sheet.put_frame(x, closer, wide, STRIP, colour, 3)
        sheet.write(x + wide / 2, closer + STRIP + 32, letter, 12, ha="center", weight="bold")
        sheet.put_frame(legend + 2, closer + 78, 16, 16, colour, 3)
        sheet.write(legend + 28, closer + 86, letter, 12, weight="bold")
        sheet.write(legend + 46, closer + 86, words, 12)
    return sheet


def _grey(maps):
    """Each map stretched to the range from 0 to 1."""
    lowest, highest = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    return (maps - lowest) / (highest - lowest).clamp(min=1e-12)


def _join(sheet, above, top, below, bottom):
    """Two thin lines, from the ends of one part to the ends of what it becomes below."""
    for ends in zip(above, below, strict=True):
        sheet.ax.plot(ends, [top + 2, bottom - 2], color="#aaaaaa", lw=1)


def _put_row(sheet, numbers, left, top, cell):
    """Put numbers from 0 to 1 side by side in grey, each `cell` pixels wide."""
    extent = (left, left + cell * len(numbers), top + STRIP, top)
    sheet.ax.imshow(numbers[None].numpy(), extent=extent, aspect="auto", cmap="gray", vmin=0, vmax=1)
    sheet.put_frame(left, top, cell * len(numbers), STRIP, "#bbbbbb", 1)


@drawn
def network(table, title=""):
    """The layers of `table`, a `layers.LayerTable`: stacks of at most 12 maps, to scale, and dense layers as bars."""
    boxes = boxes_of(table)
    sheet = Sheet(1000, 280, f"{title or 'The network'}, layer by layer: {in_words(boxes)}")
    sheet.write(10, 18, title, 14)
    put_boxes(sheet, boxes, columns_of(boxes, 0, 1000), top=34, floor=208)
    return sheet
