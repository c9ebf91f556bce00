"""Chapter 2: slide a kernel over a picture."""

import math

import torch
from ipywidgets import Box, VBox
from torch.nn import functional as F

from helpers import plotting
from helpers.any_data import to_floats
from helpers.labs.board import word
from helpers.labs.cells import one_a_cell
from helpers.labs.living import Living, script
from helpers.labs.pad import Pad
from helpers.labs.settings import Button, Choice, Matrix, Slider
from helpers.labs.upload import Upload
from helpers.models import conv_output_size
from helpers.photos import NOTHING, as_grey

KERNELS = (
    "vertical edges (Sobel)",
    "horizontal edges (Sobel)",
    "outline (Laplacian)",
    "blur (mean)",
    "sharpen",
    "emboss",
    "identity",
    "random",
)
OWN = "own numbers"
SAMPLE, PHOTO, DRAWING = "sample", "own photo", "own drawing"
MISSING = {
    PHOTO: "There is no photograph yet: press “your photograph” and choose a file.",
    DRAWING: "There is no drawing yet: draw on the black pad with the mouse, or choose an example below it.",
}


def kernel_preset(name, size):
    """A classic kernel, (size, size), by its name in KERNELS: at 3×3 the textbook's, at other sizes by its rule."""
    places = torch.arange(size) - (size - 1) / 2
    ones, centre, cross = torch.ones(size, size), torch.zeros(size, size), torch.zeros(size, size)
    centre[size // 2, size // 2] = 1
    cross[size // 2, :] = cross[:, size // 2] = 1
    # Sobel's: a bell curve along the edge, and the slope of one across it; the bells are binomial numbers.
    bell = torch.tensor([math.comb(size - 1, k) for k in range(size)], dtype=torch.float)
    smaller_bell = torch.tensor([0, *(math.comb(size - 2, k) for k in range(size - 1)), 0], dtype=torch.float)
    sobel = torch.outer(bell, smaller_bell[:-1] - smaller_bell[1:])
    if size > Matrix.LARGEST:  # binomial numbers grow into the thousands: as strong as the 3×3 kernel instead
        sobel *= 4 / sobel.clamp(min=0).sum()
    kernels = {
        "vertical edges (Sobel)": sobel,
        "horizontal edges (Sobel)": sobel.T,
        "outline (Laplacian)": size**2 * centre - ones,
        "blur (mean)": ones / size**2,
        "sharpen": 2 * size * centre - cross,
        "emboss": places[:, None] + places + centre,
        "identity": centre,
        # From −1 to 1, and the same for everyone.
        "random": torch.randint(-10, 11, (size, size), generator=torch.Generator().manual_seed(0)) / 10,
    }
    return kernels[name].float()  # even if torch.set_default_dtype says otherwise


def resized(kernel, size):
    """A kernel cut, or padded with zeros, to (size, size) around its middle."""
    before = size // 2 - len(kernel) // 2
    after = size - len(kernel) - before
    return F.pad(kernel, (before, after, before, after))


def to_numbers(kernel):
    """A kernel as the value of a `Matrix`, rounded to three digits: the numbers shown are the numbers used."""
    return tuple(tuple(float(f"{round(x, 4):.3g}") + 0.0 for x in row) for row in kernel.tolist())


class Convolution(Living):
    """A kernel, chosen from a list or typed in, how it slides, and one cell of its output, pinned by hand.

    `weights` is the present kernel, (k, k); `images` maps names to the squares to slide over, None if missing.
    """

    NAME = "convolution"
    _esm = script("convolution.js")

    def __init__(self, image):
        self.images = {SAMPLE: as_grey(image), PHOTO: None, DRAWING: None}
        self.weights = kernel_preset(KERNELS[0], 3)
        self.filled_in = to_numbers(self.weights)  # what the matrix last showed, to notice when a hand changes it
        self.upload, self.pad = Upload(), Pad()
        self.own = Box()  # the upload or the pad
        n = len(self.images[SAMPLE])
        controls = {
            "image": Choice("image", list(self.images)),
            "kernel": Choice("kernel", [*KERNELS, OWN]),
            "size": Slider("kernel size", 3, 1, 11),
            "padding": Slider("padding", 0, 0, 5),
            "stride": Slider("stride", 1, 1, 4),
            "dilation": Slider("dilation", 1, 1, 4),
            "row": Slider("output row", n // 3, 0, n + 2 * 5 - 1, shown=False),
            "column": Slider("output column", n * 3 // 7, 0, n + 2 * 5 - 1, shown=False),
            "numbers": Matrix(self.filled_in),
            "invert": self.upload.invert,
            "example": self.pad.example,  # last: moving it redraws, and the others must be set by then
        }
        super().__init__(controls, {"slide": Button("slide over the image")})
        self.whole = VBox([self, self.own])
        self.upload.on_photo(lambda photo: self.take(PHOTO, photo))
        self.pad.on_drawing(lambda drawing: self.take(DRAWING, drawing))

    def take(self, source, image):
        """Slide over a new photograph or drawing; image: (1, 28, 28) bytes, all black if there is none."""
        self.images[source] = to_floats(image[0]).float() if image.any() else None
        self.redraw()

    def redraw(self):
        """Bring kernel, size and numbers into agreement, then draw; without an image, say how to get one."""
        self.agree()
        source = self.controls["image"].value
        self.own.children = {SAMPLE: (), PHOTO: (self.upload,), DRAWING: (self.pad,)}[source]
        if self.images[source] is None:
            missing = NOTHING if source == PHOTO and self.upload.photo is not None else MISSING[source]
            self.message.say(missing, trouble=True)
        else:
            super().redraw()

    def agree(self):
        """Numbers that were typed become the kernel; otherwise it follows the list and the size."""
        kernel, size, numbers = (self.controls[name] for name in ("kernel", "size", "numbers"))
        if numbers.value and numbers.value != self.filled_in:
            kernel.value = OWN
            self.weights = torch.tensor(numbers.value, dtype=torch.float)
            size.value = len(numbers.value)
        own = kernel.value == OWN
        size.max = Matrix.LARGEST if own else size.highest
        self.weights = resized(self.weights, size.value) if own else kernel_preset(kernel.value, size.value)
        self.filled_in = ()
        if size.value <= Matrix.LARGEST:
            self.filled_in = to_numbers(self.weights)
            self.weights = torch.tensor(self.filled_in, dtype=torch.float)
        numbers.value = self.filled_in
        # The numbers of a kernel from the list follow from its name, so the board line need not contain them.
        self.board.defaults["numbers"] = "" if own else word(numbers)

    def draw(self, image, size, padding, stride, dilation, row, column, **others):
        """The maps and the formula for the present weights on the image of that name."""
        X, window = self.images[image], dilation * (size - 1) + 1
        n = len(X)
        out = conv_output_size(n, size, padding, stride, dilation)
        for name in ("row", "column"):
            self.controls[name].max = out - 1
        cell = min(row, out - 1), min(column, out - 1)
        output = self.output(X, padding, stride, dilation)
        axis = {"size": size, "stride": stride, "dilation": dilation}
        facts = {"axes": [axis, axis], "padding": padding, "cell": cell}
        facts["inputTitle"] = f"input {n}×{n}" + (f", padding {padding}" if padding else "")
        facts["outputTitle"] = f"output {out}×{out}"
        covers = f"the window covers {dilation}·({size} − 1) + 1 = {window}; " if dilation > 1 else ""
        formula = f"⌊({n} + 2·{padding} − {window}) / {stride}⌋ + 1 = {out}"
        arrays = {"image": F.pad(X, [padding] * 4), "kernel": self.weights, "output": output}
        return arrays, facts, f"{covers}{formula}: the output is {out}×{out}"

    def output(self, X, padding, stride, dilation):
        """What the present weights make of an image, (rows, columns)."""
        options = {"padding": padding, "stride": stride, "dilation": dilation}
        return F.conv2d(X[None, None], self.weights[None, None], **options)[0, 0]

    def still(self, image, padding, stride, dilation, row, column, **others):
        """The same as a still picture."""
        X = self.images[image]
        if X is None:  # asked for, but not there yet
            X = self.images[SAMPLE]
        output = self.output(X, padding, stride, dilation)
        return plotting.convolution(X, self.weights, output, padding, stride, dilation, (row, column))


@one_a_cell
def convolution(image):
    """The convolution lab (chapter 2); image: a square of bytes or of floats from 0 to 1."""
    return Convolution(image)
