"""Chapter 2: the pooling lab's picture, an image and its shifted copy, before and after pooling."""

import math

from helpers.plotting.colours import GREY, ORANGE, SKY
from helpers.plotting.style import Sheet, drawn


@drawn
def pooling(image, shifted, before, after, kind, window, stride, shift):
    """An image and its shifted copy, both pooled, and how much of each the shift changed.

    image, shifted: (height, width), from 0 to 1; before, after: the same, pooled; kind: "max" or "average"; window,
    stride, shift: pixels. The window in the middle has a frame, and so does the cell that it becomes.
    """
    of_input, of_map = relative_change(image, shifted), relative_change(before, after)
    sheet = Sheet(
        940,
        440,
        f"{kind}-pooling with a {window}×{window} window and stride {stride}. A shift by {shift} changed the input by "
        f"{percent(of_input)} and the pooled map by {percent(of_map)}",
    )
    middle = len(before) // 2
    title = f"input {len(image)}×{len(image[0])}"
    put_pair(sheet, image, shifted, 36, title, f"shifted by {shift}", (middle * stride, window))
    put_change(sheet, of_input, 66, "relative change of the input", SKY)
    title = f"{kind}-pooled {len(before)}×{len(before[0])}"
    put_pair(sheet, before, after, 252, title, "after the shift", (middle, 1))
    put_change(sheet, of_map, 282, "relative change of the pooled map", ORANGE)
    return sheet


def put_pair(sheet, before, after, top, title, title_after, square):
    """Put two maps and their difference in a row; square: the first cell of a frame, and how many cells it covers."""
    pixel = 180 / len(before)
    start, covered = square
    for left, picture, text in (
        (10, before, title),
        (210, after, title_after),
        (410, (after - before).abs(), "change"),
    ):
        sheet.write(left, top - 18, text)
        sheet.put_image(picture, left, top, pixel, limits=(0, 1))
    for left in (10, 210):
        corner = left + start * pixel, top + start * pixel
        sheet.put_frame(*corner, covered * pixel, covered * pixel, ORANGE, 2.5)


def put_change(sheet, share, top, title, colour):
    """Put a relative change as a number and as a bar from 0 to 150%."""
    left, width, full = 620, 280, 1.5
    sheet.write(left, top + 20, percent(share), 30)
    sheet.write(left, top + 60, title)
    length = min(share, full) / full * width
    sheet.ax.fill(
        [left, left + length, left + length, left],
        [top + 80, top + 80, top + 102, top + 102],
        color=colour,
        linewidth=1,
    )
    sheet.put_frame(left, top + 80, width, 22, "#bbbbbb", 1)
    for mark in (0, 0.5, 1, 1.5):
        sheet.write(left + mark / full * width, top + 116, f"{mark:.0%}", 11, GREY, "center")


def relative_change(before, after):
    """The norm of the change from one map to another, divided by the norm of the first; infinity if that is 0."""
    change, length = float((after - before).norm()), float(before.norm())
    return change / length if length else math.inf if change else 0.0


def percent(share):
    """A share in percent."""
    return f"{share:.0%}" if math.isfinite(share) else "∞%"
