"""Chapter 2: the convolution lab's picture, a window, its products and their sum."""

import torch
from torch.nn import functional as F

from helpers.plotting.colours import GREY, ORANGE, SKY
from helpers.plotting.style import Sheet, drawn, scaled, short

MAP, MAP_TOP, INPUT_LEFT, OUTPUT_LEFT = 236, 40, 10, 754  # pixels: the two maps of a convolution
TABLE_WIDTH, TABLE_HEIGHT, LARGEST_WRITTEN = 223, 130, 5  # pixels, pixels, rows of numbers


def decimals(number):
    """A number with at most two decimals and, if there is room, three digits."""
    return short(round(number, 2) + 0.0)  # −0 is 0


@drawn
def convolution(image, kernel, output, padding=0, stride=1, dilation=1, cell=(0, 0)):
    """A convolution and the arithmetic of one cell of its output.

    image: (height, width), from 0 to 1, without its padding; kernel: (k, k); output: (rows, columns); padding, stride,
    dilation: pixels; cell: (row, column) of the output. Numbers are written for kernels up to 5×5, with two decimals.
    """
    (row, column), size = cell, len(kernel)
    covered = dilation * (size - 1) + 1
    padded = F.pad(image, [padding] * 4)
    top, left = row * stride, column * stride
    window = padded[top : top + covered : dilation, left : left + covered : dilation]
    products, result = window * kernel, float(output[row, column])
    shape = f"{len(output)}×{len(output[0])}"
    sheet = Sheet(
        1000,
        352,
        f"A convolution: {len(image)}×{len(image[0])} input, {size}×{size} kernel, {shape} output. Row {row}, column "
        f"{column} of the output is the sum of {size**2} products, {decimals(result)}",
    )

    pixel = MAP / len(padded)
    sheet.write(INPUT_LEFT, 20, f"input {len(image)}×{len(image[0])}" + (f" + padding {padding}" if padding else ""))
    sheet.put_image(padded, INPUT_LEFT, MAP_TOP, pixel, limits=(0, 1))
    if padding:
        inside = MAP - 2 * padding * pixel
        sheet.put_frame(INPUT_LEFT + padding * pixel, MAP_TOP + padding * pixel, inside, inside, SKY, 2, ":")
    corner = INPUT_LEFT + left * pixel, MAP_TOP + top * pixel
    if dilation > 1:
        put_taps(sheet, *corner, pixel, size, dilation)
    sheet.put_frame(*corner, covered * pixel, covered * pixel, ORANGE, 2.5)
    sheet.write(INPUT_LEFT, 296, f"orange: the window, {covered}×{covered}", 12)
    sheet.write(INPUT_LEFT, 320, "dotted: edge of the image" if padding else "black 0, white 1", 12, GREY)

    put_table(sheet, "window", window, 268, 40)
    sheet.write(501, 105, "×", 16, ha="center")
    strongest = float(kernel.abs().max())  # pixels are at most 1, so no product is larger
    put_table(sheet, f"kernel {size}×{size}", kernel, 511, 40, strongest, short)
    sheet.write(257, 277, "=", 16, ha="center")
    put_table(sheet, "products", products, 268, 212, strongest)
    sheet.write(511, 192, f"sum of the {size**2} products" if size > 1 else "the product")
    sheet.put_frame(541, 224, 163, 56, ORANGE, 2.5)
    sheet.write(622, 252, decimals(result), 24, ha="center")
    sheet.write(622, 302, f"output row {row}, column {column}", 12, ha="center")

    put_output(sheet, output, f"output {shape}", cell)
    return sheet


def put_output(sheet, output, title, cell):
    """Put the output map of a convolution with a frame around one cell, and a key to its colours."""
    (row, column), pixel = cell, MAP / len(output)
    sheet.write(OUTPUT_LEFT, 20, title)
    sheet.put_image(output, OUTPUT_LEFT, MAP_TOP, pixel, signed=True)
    sheet.put_frame(OUTPUT_LEFT + column * pixel, MAP_TOP + row * pixel, pixel, pixel, ORANGE, 2.5)
    put_cells(sheet, torch.linspace(-1, 1, 101)[None], OUTPUT_LEFT, 290, MAP, 12, strongest=1)
    limit = float(output.abs().max())
    sheet.write(OUTPUT_LEFT, 320, short(-limit) if limit else "negative", 12)
    sheet.write(OUTPUT_LEFT + MAP / 2, 320, "0", 12, ha="center")
    sheet.write(OUTPUT_LEFT + MAP, 320, short(limit) if limit else "positive", 12, ha="right")


def put_taps(sheet, left, top, pixel, size, dilation):
    """Mark the pixels that a dilated kernel reads; (left, top): the upper left corner of its window."""
    places = (torch.arange(size) * dilation + 0.5) * pixel
    y, x = torch.meshgrid(top + places, left + places, indexing="ij")
    points = 0.72 * pixel - 2  # a point is 100/72 pixels, and the edge is drawn around the mark
    sheet.ax.plot(x.flatten(), y.flatten(), "s", markersize=points, mfc="none", mec=ORANGE, mew=1.5)


def put_table(sheet, title, matrix, left, top, strongest=None, text=decimals):
    """Put a square matrix below its title: up to 5×5 with numbers in wide cells, else as coloured squares.

    strongest: the number that is full red, its negative being full blue; None for grey from 0 to 1; text: a function
    that writes a number.
    """
    size = len(matrix)
    sheet.write(left, top - 20, title)
    if size > LARGEST_WRITTEN:
        middle = left + (TABLE_WIDTH - TABLE_HEIGHT) / 2
        put_cells(sheet, matrix, middle, top, TABLE_HEIGHT, TABLE_HEIGHT, strongest)
        return
    shown = put_cells(sheet, matrix, left, top, TABLE_WIDTH, TABLE_HEIGHT, strongest)
    points = {5: 9, 4: 10}.get(size, 13)
    sheet.put_numbers(matrix, left, top, TABLE_WIDTH / size, TABLE_HEIGHT / size, points, shown, text)


def put_cells(sheet, matrix, left, top, width, height, strongest=None):
    """Put a matrix as coloured cells, not necessarily square, into a rectangle; strongest: as in `put_table`."""
    image, options = scaled(matrix, strongest is not None, (0, 1) if strongest is None else (-strongest, strongest))
    sheet.put_frame(left, top, width, height, "#bbbbbb", 1)
    return sheet.ax.imshow(image, extent=(left, left + width, top + height, top), aspect="auto", **options)
