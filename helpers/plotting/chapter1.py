"""Chapter 1: an IDX file, byte by byte."""

import struct

import torch

from helpers.plotting.colours import GREEN, GREY, ORANGE, PURPLE, SKY
from helpers.plotting.style import Sheet, drawn

LEFT, WIDE = 10, 980  # pixels: where the strips begin, and their width
FIELDS = ("magic", "images", "rows", "columns")  # of the header, four bytes each
BOX, GAP = 28, 6  # pixels: one byte of the enlarged header, and the gap between two fields


@drawn
def idx_file(raw):
    """An IDX file of images as a strip of bytes, to scale; enlarged: its header, and how its first image folds.

    raw: the bytes of the unpacked file. Raises ValueError if they are not from such a file.
    """
    if len(raw) < 16 or raw[:4] != b"\0\0\x08\x03":
        raise ValueError(f"these {len(raw):,} bytes do not begin as an IDX file of images: are they still packed?")
    count, rows, columns = struct.unpack(">3I", raw[4:16])
    size = rows * columns
    shown = min(count, 3)
    part = torch.frombuffer(bytearray(raw[: 16 + shown * size]), dtype=torch.uint8)
    image = part[16 : 16 + size].reshape(rows, columns)
    title = f"the whole file: {len(raw):,} bytes, a header of 16 and {count:,} images of {rows}×{columns} = {size}"
    marks = [
        (row, 16 + row * columns, colour)
        for row, colour in zip((0, rows // 2, rows - 1), (SKY, GREEN, PURPLE), strict=True)
    ]
    lines = [f"row {row}: bytes {start} to {start + columns - 1}" for row, start, _ in marks]
    header = ", ".join(f"{name} {list(raw[4 * i : 4 * i + 4])}" for i, name in enumerate(FIELDS))
    sheet = Sheet(1000, 424, f"{title[0].upper()}{title[1:]}. Header: {header}. Image 0: {'; '.join(lines)}")

    # 1: the whole file.
    sheet.write(LEFT, 14, title[0].upper() + title[1:])
    sheet.put_frame(LEFT, 28, WIDE, 16, GREY, 1)
    # 2: its beginning, with a pixel's own grey for each byte.
    top, high, byte = 92, 26, WIDE / len(part)
    _zoom(sheet, (LEFT, LEFT + WIDE * len(part) / len(raw)), 44, (LEFT, LEFT + WIDE), top - 24)
    sheet.ax.imshow(
        part[None].numpy(), extent=(LEFT, LEFT + WIDE, top + high, top), aspect="auto", cmap="gray", vmin=0, vmax=255
    )
    sheet.put_frame(LEFT, top, WIDE, high, GREY, 1)
    sheet.put_frame(LEFT, top, 16 * byte, high, ORANGE)
    for i in range(shown):
        start = LEFT + (16 + i * size) * byte
        sheet.put_frame(start, top, size * byte, high, GREY, 1)
        sheet.write(start + size * byte / 2, top - 12, f"image {i}", ha="center")
    # 3: the header, enlarged.
    low, boxes = 206, 16 * BOX + 3 * GAP
    _zoom(sheet, (LEFT, LEFT + 16 * byte), top + high, (LEFT, LEFT + boxes), low - 26)
    for place in range(16):
        left = LEFT + place * BOX + place // 4 * GAP
        sheet.put_frame(left, low, BOX, BOX, ORANGE, 2)
        sheet.write(left + BOX / 2, low + BOX / 2, str(raw[place]), 10, ha="center")
        sheet.write(left + BOX / 2, low + BOX + 12, str(place), 9, GREY, "center")
    for i, name in enumerate(FIELDS):
        sheet.write(LEFT + i * (4 * BOX + GAP) + 2 * BOX, low - 14, name, ha="center")
    sheet.write(LEFT, low + BOX + 36, "The header, enlarged: four numbers of four bytes.", 12)
    sheet.write(LEFT, low + BOX + 148, "Each strip is drawn to scale. In the uppermost,", 12)
    sheet.write(LEFT, low + BOX + 170, f"the header is {WIDE * 16 / len(raw):.1g} pixels wide.", 12)
    # 4: image 0, a row of pixels below the other.
    cell = min(208 / rows, 230 / columns)
    edge = LEFT + WIDE - cell * columns
    _zoom(sheet, (LEFT + 16 * byte, LEFT + (16 + size) * byte), top + high, (edge, LEFT + WIDE), low)
    sheet.put_image(image, edge, low, cell)
    sheet.write(edge - 14, low + 0.25 * rows * cell, f"{columns} bytes make one row", 12, GREY, "right")
    for (row, start, colour), line in zip(marks, lines, strict=True):
        middle = low + (row + 0.5) * cell
        sheet.put_frame(LEFT + start * byte, top, columns * byte, high, colour, 2)
        sheet.put_frame(edge, low + row * cell, columns * cell, cell, colour, 2)
        sheet.write(edge - 14, middle, line, 12, ha="right")
    return sheet


def _zoom(sheet, above, top, below, bottom):
    """Two thin lines, from the ends of a part to the ends of its enlargement below."""
    for ends in zip(above, below, strict=True):
        sheet.ax.plot(ends, [top, bottom], color="#aaaaaa", lw=1, zorder=0)
