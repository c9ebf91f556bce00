"""Chapter 2: shrink a map and shift what is in it."""

from torch.nn import functional as F

from helpers import plotting
from helpers.labs.cells import one_a_cell
from helpers.labs.living import Living, script
from helpers.labs.settings import Button, Choice, Slider
from helpers.models import conv_output_size
from helpers.photos import as_grey
from helpers.plotting.pooling import percent, relative_change

POOLINGS = {"max": F.max_pool2d, "average": F.avg_pool2d}


class Pooling(Living):
    """An image and its shifted copy, both pooled; image: (height, width) floats from 0 to 1."""

    NAME = "pooling"
    _esm = script("pooling.js")

    def __init__(self, image):
        self.image, n = image, len(image)
        controls = {
            "kind": Choice("pooling", list(POOLINGS)),
            "window": Slider("window", 2, 1, 8),
            "stride": Slider("stride", 2, 1, 8),
            "shift": Slider("shift (pixels)", 1, 0, 8),
            "row": Slider("row of the map", n // 4, 0, n - 1, shown=False),
            "column": Slider("column of the map", n // 4, 0, n - 1, shown=False),
        }
        super().__init__(controls, {"slide": Button("slide over the image")})

    def maps(self, kind, window, stride, shift, **cell):
        """The shifted image, and what pooling makes of the image and of its shifted copy."""
        conv_output_size(len(self.image), window, stride=stride)  # raises ShapeError if the window does not fit
        shifted = F.pad(self.image, (shift, -shift))  # black comes in from the left
        before, after = (POOLINGS[kind](X[None, None], window, stride)[0, 0] for X in (self.image, shifted))
        return shifted, before, after

    def draw(self, kind, window, stride, shift, row, column):
        """The four maps, and how much of each pair the shift changed."""
        shifted, before, after = self.maps(kind, window, stride, shift)
        n, out = len(self.image), len(before)
        for name in ("row", "column"):
            self.controls[name].max = max(out - 1, 1)
        axis = {"size": window, "stride": stride, "dilation": 1}
        changes = [relative_change(self.image, shifted), relative_change(before, after)]
        facts = {
            "axes": [axis, axis],
            "cell": (min(row, out - 1), min(column, out - 1)),
            "kind": kind,
            "titles": [f"input {n}×{n}", f"shifted by {shift}", f"{kind}-pooled {out}×{out}", "after the shift"],
            "changes": [percent(change) for change in changes],
        }
        arrays = {"image": self.image, "shifted": shifted, "before": before, "after": after}
        return arrays, facts, f"⌊({n} − {window}) / {stride}⌋ + 1 = {out}: the pooled map is {out}×{out}"

    def still(self, kind, window, stride, shift, **cell):
        """The same as a still picture."""
        return plotting.pooling(self.image, *self.maps(kind, window, stride, shift), kind, window, stride, shift)


@one_a_cell
def pooling(image):
    """Choose the pooling, its window and stride, and a shift to the right (chapter 2).

    image: a square of bytes or of floats from 0 to 1.
    """
    return Pooling(as_grey(image))
