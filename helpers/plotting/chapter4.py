"""Chapter 4: the training loop as a circle, and what each change to a recipe brought."""

import math

from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from helpers.plotting.colours import BLUE, GREY
from helpers.plotting.style import Sheet, drawn

WIDTH, HEIGHT = 960, 424  # pixels: the picture
CENTRE, RADII = (480, 228), (330, 172)  # pixels: the middle of the circle, and its radii across and down
BOX, GAP = (278, 86), 7  # pixels: a station, and the distance that arrows keep from it


@drawn
def training_loop(X, y_hat, loss, lr):
    """One training step as a circle of five stations, each with its line of code and its result.

    X: the batch; y_hat: its scores, (batch, classes); loss: their mean loss, a number; lr: the learning rate.
    """
    images, scores = ("×".join(map(str, tensor.shape)) for tensor in (X, y_hat))
    stations = [
        ("batch", "next X, y; zero_grad()", f"X: {images}"),
        ("forward", "y_hat = net(X)", f"scores: {scores}"),
        ("loss", "loss = cross_entropy(y_hat, y)", f"one number: {loss:.3f}"),
        ("backward", "loss.backward()", "a gradient for each weight"),
        ("step", "optimizer.step()", f"weight − {lr:g} · gradient"),
    ]
    said = "; ".join(f"{i} {name}: {code}, {made}" for i, (name, code, made) in enumerate(stations, start=1))
    sheet = Sheet(WIDTH, HEIGHT, f"The training loop, a circle of five stations. {said}; then the next batch")
    for i, (name, code, made) in enumerate(stations):
        (x, y), (wide, high) = place(i / len(stations)), BOX
        left, top = x - wide / 2, y - high / 2
        rounded = "round,pad=0,rounding_size=10"
        sheet.ax.add_patch(FancyBboxPatch((left, top), wide, high, boxstyle=rounded, fc=(BLUE, 0.08), ec=BLUE, lw=1.5))
        sheet.ax.add_patch(Circle((left + 24, top + 20), 12, fc=BLUE, ec="none"))
        sheet.write(left + 24, top + 20, str(i + 1), 11, "white", "center", "bold")
        sheet.write(left + 44, top + 20, name, 13, weight="bold")
        sheet.write(left + 14, top + 45, code, 11)
        sheet.write(left + 14, top + 67, made, 11, GREY)
        way = free_way(i / len(stations), (i + 1) / len(stations))
        sheet.ax.add_patch(FancyArrowPatch(path=Path(way), arrowstyle="-|>", mutation_scale=20, color=BLUE, lw=2.5))
    x, y = CENTRE
    sheet.write(x, y - 14, "once around: one step", 13, BLUE, "center", "bold")
    sheet.write(x, y + 12, "all batches once: one epoch", 12, GREY, "center")
    return sheet


def place(share):
    """The point on the circle after a share of a turn, clockwise from the top."""
    angle = 2 * math.pi * share
    return CENTRE[0] + RADII[0] * math.sin(angle), CENTRE[1] - RADII[1] * math.cos(angle)


def free_way(start, end, steps=200):
    """The points of the circle between two stations, at shares of a turn, that neither of them covers."""
    points = [place(start + (end - start) * i / steps) for i in range(steps + 1)]
    return [point for point in points if not any(covers(place(share), point) for share in (start, end))]


def covers(centre, point):
    """True if a station with this centre, or the gap around it, covers a point."""
    return all(abs(a - b) < side / 2 + GAP for a, b, side in zip(centre, point, BOX, strict=True))


@drawn
def story(rows):
    """What each change to a recipe brought: a bar per change, numbered from 0, with the mean accuracy over the seeds.

    rows: [{"change", "val_acc" (mean over the seeds), "spread" (largest minus smallest)}]; the spread is a black line.
    """
    said = "; ".join(f"{row['change']}: {row['val_acc']:.3f}" for row in rows)
    left, right, top, high = 8, 720, 80, 42  # pixels
    sheet = Sheet(900, top + high * len(rows) + 4, f"Validation accuracy after one change on top of the other. {said}")
    sheet.write(left, 16, "validation accuracy after one epoch, each change on top of those above it", 14)
    _span(sheet, left + 2, left + 32, 42)
    sheet.write(left + 42, 42, "how far the best and the worst seed are apart", 13, GREY)
    for i, row in enumerate(rows):
        y = top + high * i
        end, half = left + (right - left) * row["val_acc"], (right - left) * row["spread"] / 2
        sheet.write(left, y, f"{i}  {row['change']}", 12)
        sheet.ax.fill_between([left, end], y + 11, y + 25, color=BLUE, linewidth=0)
        _span(sheet, end - half, end + half, y + 18)
        sheet.write(right + 30, y + 18, f"{row['val_acc']:.3f}", 14, weight="bold")
        if i:
            gain = f"{row['val_acc'] - rows[i - 1]['val_acc']:+.3f}".replace("-", "−")
            sheet.write(892, y + 18, gain, 13, GREY, "right")
    return sheet


def _span(sheet, start, end, y):
    """A black line with a white rim, so that it shows on a bar and beside it."""
    sheet.ax.plot([start, end], [y, y], color="white", linewidth=4.5)
    sheet.ax.plot([start, end], [y, y], color="black", linewidth=2.5)
