"""Chapter 2: shrink a map and shift what is in it."""

from torch.nn import functional as F

from helpers import plotting
from helpers.data import to_floats
from helpers.labs.controls import choice, slider
from helpers.labs.live import Lab
from helpers.models import conv_output_size

POOLINGS = {"max": F.max_pool2d, "average": F.avg_pool2d}


def pooling(image):
    """Choose the pooling, its window and stride, and a shift to the right; image: a square of bytes or floats."""
    image = to_floats(image.squeeze()).float()

    def draw(kind, window, stride, shift):
        conv_output_size(len(image), window, stride=stride)
        shifted = F.pad(image, (shift, -shift))  # black comes in from the left
        pool = POOLINGS[kind]
        before, after = (pool(x[None, None], window, stride)[0, 0] for x in (image, shifted))
        figure = plotting.images(
            [shifted, after, (after - before).abs()],
            ["input", f"{kind}-pooled", "changed by the shift"],
            columns=3,
            limits=(0, 1),
        )
        changed_in, changed_out = (float((b - a).norm() / a.norm()) for a, b in ((image, shifted), (before, after)))
        return figure, f"relative change by the shift: {changed_in:.0%} of the input, {changed_out:.0%} after pooling"

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
