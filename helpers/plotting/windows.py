"""A window that slides: convolution and pooling."""

from helpers.plotting.style import ORANGE, SKY, Sheet, drawn


@drawn
def convolution(image, kernel, output, window=None, padding=0):
    """Input, kernel and output map of a convolution side by side.

    image: (height, width), with its padding; kernel: (k, k), its numbers written out up to 5×5;
    output: (height, width), in red and blue where the kernel has negative weights; window: (row, column, size) of the
    input patch to frame; padding: how much of it there is.
    """
    size = 276  # pixels
    height, width = len(image) - 2 * padding, len(image[0]) - 2 * padding
    sheet = Sheet(900, 320, f"A convolution: {height}×{width} input, {len(kernel)}×{len(kernel)} kernel and output")
    cell = size / len(image)
    sheet.put_image(image, 12, 36, cell)
    shown = sheet.put_image(kernel, 312, 36, size / len(kernel), signed=True)
    sheet.put_image(output, 612, 36, size / len(output), signed=bool(kernel.min() < 0))
    if len(kernel) <= 5:
        sheet.put_numbers(kernel, 312, 36, size / len(kernel), 13 if len(kernel) <= 3 else 11, shown)
    if padding:
        sheet.put_frame(12 + padding * cell, 36 + padding * cell, width * cell, height * cell, SKY, 2, ":")
    if window:
        row, column, covered = window
        sheet.put_frame(12 + column * cell, 36 + row * cell, covered * cell, covered * cell, ORANGE)
    sheet.write(12, 18, f"input {height}×{width}" + (f" + padding {padding}" if padding else ""), 14)
    sheet.write(312, 18, f"kernel {len(kernel)}×{len(kernel)}", 14)
    sheet.write(612, 18, f"output {len(output)}×{len(output[0])}", 14)
    return sheet
