"""Chapter 3: the shapes lab's picture, a network drawn to scale, and the cost of each layer."""

import math

from matplotlib.collections import PatchCollection
from matplotlib.patches import Rectangle

from helpers.plotting.colours import BLUE, GREEN, GREY, ORANGE
from helpers.plotting.style import Sheet, drawn

DRAWN = {
    "Conv2d": ("convolution", BLUE),
    "AvgPool2d": ("average\npooling", ORANGE),
    "MaxPool2d": ("max\npooling", ORANGE),
    "Linear": ("dense", GREEN),
}
MOST_MAPS = 12  # drawn per layer
LARGEST = 4.5  # pixels of the picture for one pixel of a map


@drawn
def network_with_costs(table):
    """The layers of `table`, a `layers.LayerTable`, as in `network`; below each its costs, and bars for its share.

    Memory is that of the outputs for one image: 4 bytes per number, in kilobytes of 1,000 bytes. Activation functions
    are left out, as they can overwrite their input.
    """
    boxes, costs = boxes_of(table), costs_of(table)
    totals = ", ".join(f"{name} {written(sum(values))}" for name, values in costs.items())
    sheet = Sheet(1000, 300, f"The network, layer by layer: {in_words(boxes)}. Total: {totals}")
    columns = columns_of(boxes, 116, 890)
    put_boxes(sheet, boxes, columns, top=6, floor=150)
    bars = []
    sheet.write(10, 206, "output", 12)
    sheet.write(984, 206, "total", 12, ha="right")
    for (name, values), y in zip(costs.items(), (234, 260, 286), strict=True):
        sheet.write(10, y, name, 12)
        total = sum(values)
        sheet.write(984, y, written(total), 12, ha="right", weight="bold")
        for (_, colour, *_), (left, width), value in zip(boxes, columns, values, strict=True):
            if value:
                bars.append(Rectangle((left + 3, y - 11), (width - 6) * value / total, 22, fc=colour, alpha=0.3))
                sheet.write(left + width / 2, y, written(value), 11, ha="center")
    _put(sheet, bars)
    return sheet


def boxes_of(table):
    """What is drawn, beginning with the input: name, colour, layer, and shape without the batch."""
    layers = [layer for layer in table if layer.name in DRAWN]
    return [
        ("input", GREY, None, table.input_shape[1:]),
        *((*DRAWN[layer.name], layer, layer.output_shape[1:]) for layer in layers),
    ]


def costs_of(table):
    """The costs of those boxes for one image: {name: one number per box}."""
    boxes = boxes_of(table)
    return {
        "parameters": [layer.parameters if layer else 0 for _, _, layer, _ in boxes],
        "multiply-adds": [layer.multiply_adds if layer else 0 for _, _, layer, _ in boxes],
        "outputs, kB": [math.prod(shape) * 4 / 1000 for *_, shape in boxes],
    }


def columns_of(boxes, left, right):
    """(left, width) of every box, in pixels: the columns of maps are wider than those of dense layers."""
    parts = [3 if len(shape) == 3 else 2 for *_, shape in boxes]
    unit = (right - left) / sum(parts)
    return [(left + unit * sum(parts[:i]), unit * part) for i, part in enumerate(parts)]


def put_boxes(sheet, boxes, columns, top, floor):
    """Put the boxes into their columns between two heights, with their names below; all maps are on one scale."""
    maps = [
        (width - 12 - 1.5 * len(_stack(shape)), floor - top - 4 * len(_stack(shape)), shape)
        for (*_, shape), (_, width) in zip(boxes, columns, strict=True)
        if len(shape) == 3
    ]
    scale = min([LARGEST, *(min(wide / shape[2], high / shape[1]) for wide, high, shape in maps)])
    rectangles = []
    for (name, colour, _, shape), (left, width) in zip(boxes, columns, strict=True):
        middle = left + width / 2
        if len(shape) == 3:
            high, wide, stack = shape[1] * scale, shape[2] * scale, _stack(shape)
            x, y = middle - (wide + 1.5 * len(stack)) / 2, floor - high
            for i in reversed(stack):  # the map at the back first
                rectangles.append(Rectangle((x + 1.5 * i, y - 4 * i), wide, high, fc=colour, ec="white", lw=1))
        else:
            # Bars to scale would dwarf the maps, or vanish, so their heights go with the root of the number of outputs.
            high = min(7 * math.prod(shape) ** 0.5, floor - top)
            rectangles.append(Rectangle((middle - 8, floor - high), 16, high, fc=colour, ec="white"))
        words = name.split("\n")
        for i, word in enumerate(words):
            sheet.write(middle, floor + 34.5 + 21 * (i - len(words) / 2), word, 12, ha="center")
        sheet.write(middle, floor + 56, _times(shape), 12, ha="center")
    _put(sheet, rectangles)


def _put(sheet, rectangles):
    sheet.ax.add_collection(PatchCollection(rectangles, match_original=True), autolim=False)  # quicker than singly


def _stack(shape):
    return range(min(shape[0], MOST_MAPS))


def _times(shape):
    return "×".join(map(str, shape))


def in_words(boxes):
    """The boxes as one text: each layer with its shape."""
    return ", ".join(f"{name} {_times(shape)}".replace("\n", " ") for name, *_, shape in boxes)


def written(number):
    """A count, in full up to a million; a float is kilobytes."""
    if isinstance(number, float):
        return f"{number:,.1f}"
    return f"{number:,}" if number < 1e6 else f"{number / 1e6:.4g} M"
