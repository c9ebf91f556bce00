"""Chapter 2: a kernel at one place or at all, on one channel or several; windows that become the cells of a map."""

import torch
from matplotlib.patches import Rectangle

from helpers.plotting.colours import COLOURS, GREY, ORANGE, TROUBLE
from helpers.plotting.style import Sheet, drawn, short

WIDTH, CELL, LINE = 1000, 50, 24  # pixels: the widest picture, one number in its square, a line of text
CHANNELS = "red", "green", "blue"


@drawn
def sliding(image, kernel, output):
    """A kernel at every place of a small image, in reading order; below each place its sum and the output so far.

    image: (height, width); kernel: (kh, kw); output: (rows, columns), their cross-correlation. Raises ValueError if
    the places do not fit side by side.
    """
    image, kernel, output = (torch.as_tensor(matrix).detach().cpu().float() for matrix in (image, kernel, output))
    (kh, kw), (rows, columns) = kernel.shape, output.shape
    places = [(row, column) for row in range(rows) for column in range(columns)]
    sums = [_products(image[i : i + kh, j : j + kw], kernel, output[i, j]) for i, j in places]
    slot = max(image.shape[1] * CELL, *(10.3 * len(line) for lines in sums for line in lines)) + 36
    if len(places) * slot > WIDTH:
        raise ValueError(f"{len(places)} places do not fit side by side: take a smaller image")
    said = "; ".join(f"row {i}, column {j}: {' '.join(lines)}" for (i, j), lines in zip(places, sums, strict=True))
    top = 44
    below = top + image.shape[0] * CELL + 10
    floor = below + kh * LINE + 44
    alt = f"A {kh}×{kw} kernel at the {len(places)} places of a {image.shape[0]}×{image.shape[1]} image. {said}"
    sheet = Sheet(len(places) * slot, floor + rows * CELL + 10, alt)
    for place, ((row, column), lines) in enumerate(zip(places, sums, strict=True)):
        middle = (place + 0.5) * slot
        left = middle - image.shape[1] * CELL / 2
        sheet.write(middle, 20, f"row {row}, column {column}", ha="center")
        _put_window(sheet, image, kernel, left, top, place=(row, column))
        for i, line in enumerate(lines):
            sheet.write(middle, below + (i + 0.5) * LINE, line, ha="center")
        sheet.write(middle, floor - 22, "output so far" if place + 1 < len(places) else "output", 12, GREY, "center")
        _put_output(sheet, output, middle - columns * CELL / 2, floor, place)
    return sheet


@drawn
def window(image, kernel, row, column):
    """A kernel at one place of a small image, and its sum; or a message, if it does not fit there.

    image: (height, width); kernel: (kh, kw); row, column: where the kernel's upper left corner lies.
    """
    image, kernel = (torch.as_tensor(matrix).detach().cpu().float() for matrix in (image, kernel))
    (height, width), (kh, kw) = image.shape, kernel.shape
    last_row, last_column = height - kh, width - kw
    if fits := row in range(last_row + 1) and column in range(last_column + 1):
        part = image[row : row + kh, column : column + kw]
        lines = _products(part, kernel, (part * kernel).sum())
    else:
        lines = [
            "Here the kernel sticks out of the image.",
            f"It fits in rows 0 to {last_row} and columns 0 to {last_column}.",
        ]
    alt = f"A {kh}×{kw} kernel on a {height}×{width} image, at row {row}, column {column}. {' '.join(lines)}"
    sheet = Sheet(600, 44 + height * CELL + 10, alt)
    sheet.write(10, 20, f"row {row}, column {column}")
    if fits:
        _put_window(sheet, image, kernel, 10, 44, (row, column))
    else:
        _put_grid(sheet, height, width, 10, 44)
        _put_numbers(sheet, image, 10, 44)
    middle = 44 + height * CELL / 2
    for i, line in enumerate(lines):
        y = middle + (i - (len(lines) - 1) / 2) * LINE
        sheet.write(10 + width * CELL + 30, y, line, colour="black" if fits else TROUBLE)
    return sheet


@drawn
def channels(window, weights, bias):
    """One window of an image with several channels, and the result of each kernel: one sum, one cell of its map.

    window: (in, k, k) pixels; weights: (out, in, k, k); bias: (out,).
    """
    window, weights, bias = (torch.as_tensor(given).detach().cpu().float() for given in (window, weights, bias))
    count, size = len(window), window.shape[-1]
    sums = (weights * window).sum(dim=(2, 3))  # (out, in)
    results = sums.sum(dim=1) + bias
    high, left, top = size * CELL + 30, 120, 44
    biases = [f"+ {_factor(b)} (bias)" for b in bias.tolist()]
    slot = size * CELL + max(150, *(10.3 * len(text) + 30 for text in biases))
    said = "; ".join(
        f"kernel {i}: {' + '.join(map(_factor, row))} + bias {_factor(b)} = {short(r)}"
        for i, (row, b, r) in enumerate(zip(sums.tolist(), bias.tolist(), results.tolist(), strict=True))
    )
    floor = top + count * high
    alt = f"A window of {count} channels under {len(weights)} kernels of {count} tables each. {said}"
    sheet = Sheet(left + size * CELL + 60 + len(weights) * slot, floor + 84, alt)
    sheet.write(left, 20, "window")
    for i, table in enumerate(window):
        y = top + i * high
        sheet.write(10, y + size * CELL / 2, CHANNELS[i] if count == len(CHANNELS) else f"channel {i}", 12, GREY)
        _put_grid(sheet, size, size, left, y)
        _put_numbers(sheet, table, left, y)
    for o, kernel in enumerate(weights):
        x = left + size * CELL + 60 + o * slot
        sheet.write(x, 20, f"kernel {o}")
        for i, table in enumerate(kernel):
            y = top + i * high
            sheet.write(x - 24, y + size * CELL / 2, "×", 14, GREY, "center")
            _put_grid(sheet, size, size, x, y)
            _put_square(sheet, x - 3, y - 3, size * CELL + 6, size * CELL + 6, COLOURS[o % len(COLOURS)])
            _put_numbers(sheet, table, x, y)
            sheet.write(x + size * CELL + 12, y + size * CELL / 2, f"= {short(float(sums[o, i]))}")
        after = x + size * CELL + 12
        sheet.write(after, floor, biases[o])
        sheet.write(after, floor + 40, f"= {short(float(results[o]))}", 18)
        sheet.write(after - 8, floor + 40, f"cell of map {o}", 12, GREY, "right")
    return sheet


def _products(window, kernel, result):
    """The sum of a window's products as text, one line for each row of the kernel."""
    lines = [
        " + ".join(f"{short(pixel)}·{_factor(weight)}" for pixel, weight in zip(*pair, strict=True))
        for pair in zip(window.tolist(), kernel.tolist(), strict=True)
    ]
    lines = [lines[0], *(f"+ {line}" for line in lines[1:])]
    return [*lines[:-1], f"{lines[-1]} = {short(float(result))}"]


def _factor(weight):
    return f"({short(weight)})" if weight < 0 else short(weight)


def _put_window(sheet, image, kernel, left, top, place):
    """Put the image with its numbers; under the window's, the weights that lie on them."""
    (row, column), (kh, kw) = place, kernel.shape
    _put_grid(sheet, *image.shape, left, top)
    _put_square(sheet, left + column * CELL, top + row * CELL, kw * CELL, kh * CELL, ORANGE)
    for i, pixels in enumerate(image.tolist()):
        for j, pixel in enumerate(pixels):
            x, y = left + (j + 0.5) * CELL, top + (i + 0.5) * CELL
            if 0 <= i - row < kh and 0 <= j - column < kw:
                _put_number(sheet, pixel, x, y - 11)
                sheet.write(x, y + 11, f"×{short(float(kernel[i - row, j - column]))}", 11, ha="center")
            else:
                _put_number(sheet, pixel, x, y, GREY)


def _put_output(sheet, output, left, top, last):
    """Put the output up to its cell number `last`, which is framed; the cells after it are still empty."""
    rows, columns = output.shape
    _put_grid(sheet, rows, columns, left, top)
    for place, number in enumerate(output.flatten().tolist()[: last + 1]):
        x, y = left + place % columns * CELL, top + place // columns * CELL
        if place == last:
            _put_square(sheet, x, y, CELL, CELL, ORANGE)
        _put_number(sheet, number, x + CELL / 2, y + CELL / 2, "black" if place == last else GREY)


@drawn
def windows_and_cells(image, maps, size, stride):
    """A small image with its windows, each in its own colour, and maps whose cells have the colours of their windows.

    image: (height, width); maps: {title: (rows, columns)}, computed from the windows; size, stride: pixels. Raises
    ValueError for more than six windows: there are not enough colours.
    """
    image = torch.as_tensor(image).detach().cpu().float()
    maps = {title: torch.as_tensor(made).detach().cpu().float() for title, made in maps.items()}
    rows, columns = next(iter(maps.values())).shape
    if rows * columns > len(COLOURS):
        raise ValueError(f"{rows * columns} windows are too many: there are {len(COLOURS)} colours")
    height, width = image.shape
    title = f"image {height}×{width}, windows {size}×{size}, stride {stride}"
    said = ". ".join(f"{name}: {_rows(made)}" for name, made in maps.items())
    top, wide = 44, max(width * CELL, 9.5 * len(title))
    slots = [max(columns * CELL, 11 * len(name)) + 40 for name in maps]
    sheet = Sheet(wide + 60 + sum(slots), top + height * CELL + 10, f"{title}, and the cells that they become. {said}")
    sheet.write(10, 20, title)
    _put_grid(sheet, height, width, 10, top)
    _put_numbers(sheet, image, 10, top)
    corners = [(row, column) for row in range(rows) for column in range(columns)]
    for (row, column), colour in zip(corners, COLOURS, strict=False):
        x, y = 10 + column * stride * CELL, top + row * stride * CELL
        _put_square(sheet, x, y, size * CELL, size * CELL, colour)
    left, first = wide + 60, top + (height - rows) * CELL / 2
    sheet.write((10 + width * CELL + left) / 2, top + height * CELL / 2, "→", 18, GREY, "center")
    for (name, made), slot in zip(maps.items(), slots, strict=True):
        sheet.write(left, first - 20, name)
        _put_grid(sheet, rows, columns, left, first)
        _put_numbers(sheet, made, left, first)
        for (row, column), colour in zip(corners, COLOURS, strict=False):
            _put_square(sheet, left + column * CELL, first + row * CELL, CELL, CELL, colour)
        left += slot
    return sheet


def _rows(matrix):
    """A matrix as text: its rows, with semicolons between them."""
    return "; ".join(", ".join(map(short, numbers)) for numbers in matrix.tolist())


def _put_grid(sheet, rows, columns, left, top):
    """Put thin lines around rows × columns squares."""
    for row in range(rows + 1):
        y = top + row * CELL
        sheet.ax.plot((left, left + columns * CELL), (y, y), color="#bbbbbb", lw=1)
    for column in range(columns + 1):
        x = left + column * CELL
        sheet.ax.plot((x, x), (top, top + rows * CELL), color="#bbbbbb", lw=1)


def _put_number(sheet, number, x, y, colour="black"):
    """Write a number around (x, y), in small type if it is long."""
    text = short(number)
    sheet.write(x, y, text, 14 if len(text) < 4 else 10, colour, "center")


def _put_numbers(sheet, matrix, left, top):
    for i, numbers in enumerate(matrix.tolist()):
        for j, number in enumerate(numbers):
            _put_number(sheet, number, left + (j + 0.5) * CELL, top + (i + 0.5) * CELL)


def _put_square(sheet, left, top, width, height, colour):
    """Put a frame with a light background, a little inside its place, so that neighbouring frames stay apart."""
    place = (left + 3, top + 3), width - 6, height - 6
    sheet.ax.add_patch(Rectangle(*place, fc=colour, alpha=0.18, ec="none"))
    sheet.put_frame(left + 3, top + 3, width - 6, height - 6, colour, 2.5)
