"""Chapter 2: slide a kernel over a picture."""

import torch
from torch.nn import functional as F

from helpers import plotting
from helpers.data import to_floats
from helpers.labs.controls import choice, slider
from helpers.labs.live import Lab
from helpers.models import conv_output_size


def kernel_preset(name, size):
    """A classic kernel of size×size weights, by name. For odd sizes edges, blur and the like grow with the size."""
    places = torch.arange(size) - (size - 1) / 2
    y, x = torch.meshgrid(places, places, indexing="ij")
    bell = torch.exp(-(x**2 + y**2) / (2 * (size / 4) ** 2))
    centre = torch.zeros(size, size)
    centre[size // 2, size // 2] = 1
    blur = torch.ones(size, size) / size**2
    kernels = {
        "identity": centre,
        "blur (mean)": blur,
        "sharpen": 2 * centre - blur,
        "vertical edges": x * bell,
        "horizontal edges": y * bell,
        "outline (Laplacian)": centre - blur,
    }
    return kernels[name]


KERNELS = ("vertical edges", "horizontal edges", "outline (Laplacian)", "blur (mean)", "sharpen", "identity")


def convolution(image):
    """Choose a kernel, its size, padding, stride and dilation; image: a square of bytes or floats."""
    image = to_floats(image.squeeze()).float()

    def draw(kernel, kernel_size, padding, stride, dilation):
        weights = kernel_preset(kernel, kernel_size)
        n = len(image)
        out = conv_output_size(n, kernel_size, padding, stride, dilation)
        output = F.conv2d(image[None, None], weights[None, None], padding=padding, stride=stride, dilation=dilation)[
            0, 0
        ]
        covered = dilation * (kernel_size - 1) + 1
        formula = f"⌊({n} + 2·{padding} − {covered}) / {stride}⌋ + 1 = {out}: the output is {out}×{out}"
        return plotting.convolution(F.pad(image, [padding] * 4), weights, output, (0, 0, covered), padding), formula

    return Lab(
        "convolution",
        draw,
        {
            "kernel": choice("kernel", KERNELS),
            "kernel_size": slider("kernel size", 3, 1, 11),
            "padding": slider("padding", 0, 0, 5),
            "stride": slider("stride", 1, 1, 4),
            "dilation": slider("dilation", 1, 1, 4),
        },
    )
