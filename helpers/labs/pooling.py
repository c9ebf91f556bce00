"""Chapter 2: shrink a map and shift what is in it."""

from torch.nn import functional as F

from helpers import plotting
from helpers.any_data import to_floats
from helpers.labs.cells import one_a_cell
from helpers.labs.controls import choice, slider
from helpers.labs.lab import Lab
from helpers.models import conv_output_size

POOLINGS = {"max": F.max_pool2d, "average": F.avg_pool2d}


@one_a_cell
def pooling(image):
    """Choose the pooling, its window and stride, and a shift to the right.

    image: a square of bytes or of floats from 0 to 1.
    """
    image = to_floats(image.squeeze()).float()

    def draw(kind, window, stride, shift):
        n, pool = len(image), POOLINGS[kind]
        out = conv_output_size(n, window, stride=stride)
        shifted = F.pad(image, (shift, -shift))  # black comes in from the left
        before, after = (pool(X[None, None], window, stride)[0, 0] for X in (image, shifted))
        figure = plotting.pooling(image, shifted, before, after, kind, window, stride, shift)
        return figure, f"⌊({n} − {window}) / {stride}⌋ + 1 = {out}: the pooled map is {out}×{out}"

    return Lab(
        "pooling",
        draw,
        {
            "kind": choice("pooling", list(POOLINGS)),
            "window": slider("window", 2, 1, 8),
            "stride": slider("stride", 2, 1, 8),
            "shift": slider("shift (pixels)", 1, 0, 8),
        },
    )
