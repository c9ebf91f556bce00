"""Chapters 4 and 5: the microscope's picture, the source of one number of a trained network and its arithmetic."""

from dataclasses import dataclass

import torch
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from helpers.plotting.colours import BLUE, GREY, RED
from helpers.plotting.style import Sheet, drawn, short

TOP, SIZE = 30, 196  # of the upper row, in pixels: image, thumbnails and map
IMAGE, THUMBNAILS, MAP, WORDS = 12, 244, 590, 806  # their left ends
ALL_WIDE = 320  # the thumbnails together
RESULT, WORKING, HEIGHT = 252, 282, 490  # the line with the sum; below it the arithmetic; the end of the sheet


@dataclass(frozen=True)
class Convolved:
    """One number of a convolution.

    windows, weights: (channels, rows, columns), one for each input channel; bias: a float.
    """

    windows: torch.Tensor
    weights: torch.Tensor
    bias: float

    @property
    def sums(self):
        """The sum of the products of each input channel, (channels,)."""
        return (self.windows * self.weights).sum((1, 2))

    @property
    def number(self):
        """The result of the convolution."""
        return float(self.sums.sum()) + self.bias

    def __str__(self):
        products = "·".join(str(size) for size in self.windows.shape if size > 1) or "1"
        sign = "−" if self.bias < 0 else "+"
        return (
            f"sum of {products} products and bias: "
            f"{_four(self.sums.sum())} {sign} {_four(abs(self.bias))} = {_four(self.number)}"
        )

    def put(self, sheet):
        """Put windows, weights and sums, and the products if there is only one input channel."""
        if len(self.windows) == 1:
            self._put_one_channel(sheet)
        elif len(self.windows) <= 16:
            self._put_channels(sheet)
        else:
            self._put_sums(sheet)

    def _put_one_channel(self, sheet):
        (window,), (weights,) = self.windows, self.weights
        rows, columns = window.shape
        cell = min(60, (HEIGHT - WORKING - 18) / rows, 290 / columns)
        grey = (min(0.0, float(window.min())), max(1.0, float(window.max())))
        left = IMAGE
        for title, matrix, options in (
            ("window", window, {"limits": grey}),
            ("×  weights", weights, {"signed": True}),
            ("=  products", window * weights, {"signed": True}),
        ):
            sheet.write(left, WORKING, title, 12)
            shown = sheet.put_image(matrix, left, WORKING + 14, cell, **options)
            _put_numbers(sheet, matrix, left, WORKING + 14, cell, shown)
            left += max(columns * cell, 110) + 34

    def _put_channels(self, sheet):
        channels, rows, columns = self.windows.shape
        left, top = 104, WORKING + 16
        cell = min(72 / rows, 880 / channels / (columns + 1))
        stride = max(columns + 1, int(880 / channels / cell))  # from one matrix to the next, in cells
        strongest = float(self.weights.abs().max())
        for title, matrices, options in (
            ("window", self.windows, {"colours": "viridis"}),
            ("× weights", self.weights, {"signed": True, "limits": (-strongest, strongest)}),
        ):
            sheet.write(IMAGE, top + rows * cell / 2, title, 12)
            strip = torch.full((rows, stride * (channels - 1) + columns), torch.nan)
            for i, matrix in enumerate(matrices):
                strip[:, i * stride : i * stride + columns] = matrix
            sheet.ax.add_artist(Rectangle((left, top), strip.shape[1] * cell, rows * cell, fc="#dddddd", zorder=-1))
            options.setdefault("limits", (float(matrices.min()), float(matrices.max())))
            sheet.put_image(strip, left, top, cell, **options)  # a single image: quicker than one per channel
            top += rows * cell + 12
        sheet.write(IMAGE, WORKING, "channel", 12)
        sheet.write(IMAGE, top + 2, "= sum", 12)
        middles = [left + (i * stride + columns / 2) * cell for i in range(channels)]
        for i, (x, total) in enumerate(zip(middles, self.sums.tolist(), strict=True)):
            sheet.write(x, WORKING, str(i), 11, ha="center")
            sheet.write(x, top + 2, _digits(total, 3), 11, ha="center")

    def _put_sums(self, sheet):
        sheet.write(IMAGE, WORKING, "the sum of the products of each input channel, from channel 0 on:", 12)
        shown, rest = self.sums[:96].tolist(), self.sums[96:]
        for i, x in enumerate(shown):
            sheet.write(40 + i % 16 * 60, WORKING + 28 + i // 16 * 24, _digits(x, 3), 11, ha="center")
        if len(rest):
            sheet.write(IMAGE, WORKING + 176, f"and the other {len(rest)} together {_four(rest.sum())}", 12)


@dataclass(frozen=True)
class Pooled:
    """One number of a pooling. window: (rows, columns); largest: True for its maximum, False for its mean."""

    window: torch.Tensor
    largest: bool

    @property
    def number(self):
        """The result of the pooling."""
        return float(self.window.max() if self.largest else self.window.mean())

    def __str__(self):
        count = self.window.numel()
        if self.largest:
            return f"largest of {count} numbers: {_four(self.number)}"
        return f"mean of {count} numbers: {_four(self.window.sum())} / {count} = {_four(self.number)}"

    def put(self, sheet):
        """Put the window, with a frame around the number that was taken."""
        rows, columns = self.window.shape
        cell, top = min(72, 160 / rows, 600 / columns), WORKING + 14
        sheet.write(IMAGE, WORKING, "window in the map of the layer before", 12)
        shown = sheet.put_image(self.window, IMAGE, top, cell, colours="viridis")
        _put_numbers(sheet, self.window, IMAGE, top, cell, shown, 13 if cell > 60 else 9)
        if self.largest:
            row, column = divmod(int(self.window.argmax()), columns)
            sheet.put_frame(IMAGE + column * cell, top + row * cell, cell, cell, RED)


@dataclass(frozen=True)
class Applied:
    """One number of a layer that works number by number, such as an activation. function: its name; x, number: floats.

    curve: many arguments and the function's values, a pair of (n,).
    """

    function: str
    x: float
    number: float
    curve: tuple[torch.Tensor, torch.Tensor]

    def __str__(self):
        return f"{self.function}({_four(self.x)}) = {_four(self.number)}"

    def put(self, sheet):
        """Put the function's curve and mark this number on it."""
        x, y = (values.detach().float() for values in self.curve)
        low, high = min(float(y.min()), 0.0), max(float(y.max()), 1e-6)
        left, top, width, height = IMAGE + 40, WORKING + 16, 380, 150

        def place(x_value, y_value):
            return (
                left + (x_value - x[0]) / (x[-1] - x[0]) * width,
                top + (high - y_value) / (high - low) * height,
            )

        for text, value, align in ((f"{x[0]:g}", x[0], "left"), (f"{x[-1]:g}", x[-1], "right")):
            sheet.write(place(value, 0)[0], top + height + 14, text.replace("-", "−"), 11, GREY, align)
        for ends in (((x[0], 0.0), (x[-1], 0.0)), ((0.0, low), (0.0, high))):
            sheet.ax.add_line(Line2D(*zip(*(place(*end) for end in ends), strict=True), color="#bbbbbb", lw=1))
        sheet.ax.add_line(Line2D(*place(x, y), color=BLUE, lw=2.5))
        across, up = place(self.x, self.number)
        sheet.ax.add_line(Line2D([across], [up], marker="o", markersize=10, color=RED, mec="black"))
        sheet.write(left + width + 24, top + 30, f"x = {_four(self.x)}", 13)
        sheet.write(left + width + 24, top + 58, f"{self.function}(x) = {_four(self.number)}", 13)


@drawn
def microscope(title, image, patch, maps, cell, working):
    """An image with the patch that a cell sees, all maps of a layer, the cell's own map enlarged, and its arithmetic.

    title, image: (1 or 3, height, width); patch: the rows and columns that the cell sees, two sorted lists; maps:
    (channels, height, width); cell: (channel, row, column); working: a `Convolved`, `Pooled` or `Applied`.
    """
    (channel, row, column), (count, height, width) = cell, maps.shape
    sees = [_span("row", patch[0]), _span("column", patch[1])] if all(patch) else ["nothing but padding"]
    alt = (
        f"{title}; {count} maps of {height}×{width}. In channel {channel}, row {row}, column {column}: {working}. "
        f"It sees {', '.join(sees)} of the image"
    )
    sheet = Sheet(1000, HEIGHT, alt)
    sheet.write(IMAGE, 14, title, 13)
    pixel = SIZE / max(image.shape[-2:])
    sheet.put_image(image, IMAGE, TOP, pixel)
    if all(patch):
        (top, bottom), (left, right) = ((places[0], places[-1] + 1) for places in patch)
        sheet.put_frame(IMAGE + left * pixel, TOP + top * pixel, (right - left) * pixel, (bottom - top) * pixel, RED)
    sheet.write(THUMBNAILS, 14, f"channels 0 to {count - 1}" if count > 1 else "its one channel", 13)
    sheet.put_image(_mosaic(maps), THUMBNAILS, TOP, 1, limits=(0, 1), colours="viridis")
    slot, columns = _slots(count)
    x, y = THUMBNAILS + channel % columns * slot, TOP + channel // columns * slot
    sheet.put_frame(x, y, slot - 2, slot - 2, RED)
    sheet.write(MAP, 14, f"channel {channel}, {height}×{width}", 13)
    size, chosen = SIZE / max(height, width), maps[channel]
    sheet.put_image(chosen, MAP, TOP, size, colours="viridis")
    sheet.put_frame(MAP + column * size, TOP + row * size, size, size, RED, 2)
    words = [f"row {row}, column {column}", "", "sees of the image", *sees]
    for i, line in enumerate(words):
        sheet.write(WORDS, TOP + 12 + 24 * i, line, 13)
    sheet.write(WORDS, TOP + SIZE - 34, f"darkest {short(float(chosen.min()))}", 12, GREY)
    sheet.write(WORDS, TOP + SIZE - 12, f"brightest {short(float(chosen.max()))}", 12, GREY)
    sheet.write(IMAGE, RESULT, str(working), 15)
    sheet.write(WORDS, RESULT, "numbers are rounded", 12, GREY)
    working.put(sheet)
    return sheet


def _slots(count):
    """The side of a thumbnail's square slot, in pixels, and how many fit side by side."""
    slot = max(size for size in range(1, SIZE + 1) if (ALL_WIDE // size) * (SIZE // size) >= count)
    return slot, ALL_WIDE // slot


def _mosaic(maps):
    """All maps in a single image, which is quicker than many; each on its own scale from 0 to 1, the gaps empty."""
    slot, columns = _slots(len(maps))
    side = max(slot - 2, 1)
    lowest, highest = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    scaled = (maps - lowest) / (highest - lowest).clamp_min(1e-12)
    used = min(columns, len(maps))
    mosaic = torch.full((-(-len(maps) // columns) * slot - 2, used * slot - 2), torch.nan)
    longest = max(maps.shape[1:])
    rows, across = (torch.arange(size * side // longest) * longest // side for size in maps.shape[1:])
    for i, thumbnail in enumerate(scaled[:, rows][:, :, across]):
        top, left = i // columns * slot, i % columns * slot
        mosaic[top : top + len(rows), left : left + len(across)] = thumbnail
    return mosaic


def _put_numbers(sheet, matrix, left, top, cell, shown, size=9):
    """Write the numbers of a matrix into cells if they fit; shown: the image below them."""
    if cell < 36:
        return
    sheet.put_numbers(matrix, left, top, cell, cell, size, shown, lambda number: _digits(number, 2))


def _span(name, places):
    return f"{name} {places[0]}" if len(places) == 1 else f"{name}s {places[0]}–{places[-1]}"


def _four(number):
    """A number with four digits after the point, and a minus sign as wide as a plus."""
    return _digits(float(number), 4).replace("-", "−")


def _digits(number, places):
    """A number with `places` digits after the point, or with a power of ten if it is large."""
    number = float(number)
    if abs(number) >= 10_000:
        return f"{number:.1e}"
    return f"{round(number, places) + 0.0:.{places}f}"  # + 0.0: no minus before a zero
