"""Chapter 2: the picture of the lab that learns a kernel, its way down the gradient."""

import math

from helpers.plotting.colours import BLUE, GREY, RED
from helpers.plotting.convolution import decimals
from helpers.plotting.style import Sheet, drawn

LOWEST, HIGHEST = -4, 4  # powers of ten: the ends of the loss axis
CHART_LEFT, CHART_TOP, CHART_WIDTH, CHART_HEIGHT = 610, 34, 370, 296  # pixels
STEPS = 300  # the initial length of the axis, by which it also grows
SIDE = 160  # pixels of a kernel or a map


@drawn
def learn_kernel(target, kernel, wanted, output, losses, ghosts=()):
    """A kernel on its way to a target kernel, the maps that both make of an image, and the loss after every step.

    target, kernel: (size, size); wanted, output: their maps, (rows, columns); losses: a list that begins before the
    first step; ghosts: pairs of a label and the losses of an earlier run.
    """
    sheet = Sheet(
        1000,
        410,
        f"A kernel that is learnt: after {len(losses) - 1} steps the loss is {losses[-1]:.3g}. Its weights are "
        + ", ".join(decimals(weight) for weight in kernel.flatten().tolist()),
    )
    shown, cell = put_row(sheet, target, kernel, 34, ("target kernel", "learnt kernel")), SIDE / len(target)
    for left, matrix in ((10, target), (190, kernel), (370, kernel - target)):
        sheet.put_numbers(matrix, left, 34, cell, cell, 11, shown, decimals)
    put_row(sheet, wanted, output, 244, ("wanted output", "output now"))
    put_losses(sheet, losses, ghosts)
    sheet.write(CHART_LEFT - 44, 396, "red: positive, blue: negative, white: 0", 12, GREY)
    return sheet


def put_row(sheet, goal, now, top, titles):
    """Put a goal, the present state and their difference, on the goal's scale, which stays while `now` changes."""
    largest = float(goal.abs().max())
    for left, matrix, title in zip((10, 190, 370), (goal, now, now - goal), (*titles, "difference"), strict=True):
        sheet.write(left, top - 18, title)
        shown = sheet.put_image(matrix, left, top, SIDE / len(goal), signed=True, limits=(-largest, largest))
    return shown


def put_losses(sheet, losses, ghosts):
    """Put curves of the loss on a logarithmic axis; a loss beyond its ends runs along the edge."""
    longest = max(len(run) - 1 for run in (losses, *(run for _, run in ghosts)))
    end = STEPS * max(1, math.ceil(longest / STEPS))
    sheet.write(CHART_LEFT - 44, CHART_TOP - 18, "loss (mean squared error)")
    for power in range(LOWEST, HIGHEST + 1):
        _, y = place(0, 10.0**power, end)
        sheet.ax.plot([CHART_LEFT, CHART_LEFT + CHART_WIDTH], [y, y], color="#dddddd", linewidth=1)
        if power % 2 == 0:
            sheet.write(CHART_LEFT - 8, y, f"{10.0**power:,g}", 12, ha="right")
    for step in range(0, end + 1, end // 3):
        x, bottom = place(step, 0, end)
        sheet.write(x, bottom + 14, f"{step:,}", 12, ha="center")
    sheet.write(CHART_LEFT + CHART_WIDTH / 2, bottom + 36, "step", ha="center")
    for label, run in ghosts:
        places = [place(step, loss, end) for step, loss in enumerate(run)]
        sheet.ax.plot(*zip(*places, strict=True), color="#999999", linewidth=1.5)
        x, y = places[-1]
        if x < CHART_LEFT + CHART_WIDTH - 60:
            sheet.write(x + 6, y, label, 11, GREY)
        else:
            sheet.write(x, y - 12, label, 11, GREY, "right")
    places = [place(step, loss, end) for step, loss in enumerate(losses)]
    colour = BLUE if losses[-1] <= losses[0] else RED
    sheet.ax.plot(*zip(*places, strict=True), color=colour)
    sheet.ax.plot(*places[-1], "o", color=colour, markersize=7)


def place(step, loss, end):
    """The place of a loss on the sheet, (x, y); end: the step at the right end of the axis."""
    if loss <= 0:
        power = LOWEST
    elif math.isfinite(loss):
        power = min(max(math.log10(loss), LOWEST), HIGHEST)
    else:
        power = HIGHEST
    share = (power - LOWEST) / (HIGHEST - LOWEST)
    return CHART_LEFT + step / end * CHART_WIDTH, CHART_TOP + (1 - share) * CHART_HEIGHT
