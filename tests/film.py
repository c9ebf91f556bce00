"""The past of a run as a film for the README and the lecture: `make film`, or `make film LINE="trainer lr=0.01"`.

It goes to .github/screenshots/film.gif. Look at it.
"""

import os
import sys
from pathlib import Path

from matplotlib.animation import PillowWriter

from helpers import fashion_mnist, labs
from helpers.labs.runs import points
from helpers.plotting.colours import DPI
from helpers.plotting.style import Sheet, drawn

PATH = Path(__file__).resolve().parents[1] / ".github" / "screenshots" / "film.gif"
MOST_BYTES = 2_000_000
PAUSE = 8  # frames that the last one stays
IMAGE = 4  # of the validation images: a shoe with stripes


def pictures(lab):
    """Arrays and facts of each moment of the lab's latest run, as `Past` keeps them."""
    for step, _ in lab.below["past"]["moments"]:
        lab.hear({"move": {"looking": True, "image": IMAGE, "moment": step}}, [])
        yield dict(lab.arrays), lab.facts["look"]


@drawn
def frame(curve, end, arrays, look):
    """The image, the curves up to this moment, the filters, and what each makes of the image.

    curve: the run's `points`; end: its epochs.
    """
    (run,) = look["shown"]
    says, right = run["words"][0], run["words"][1].partition(" of")[0]
    sheet = Sheet(900, 400, f"Epoch {look['epoch']:.2f}")
    sheet.write(
        20, 24, f"epoch {look['epoch']:.2f}, step {look['step']}: {right} of the images right", 15, weight="bold"
    )
    sheet.write(20, 60, f"it says {says}", 13)
    sheet.put_image(arrays["look"], 60, 76, 112 / arrays["look"].shape[-1])
    past = list(zip(*[point for point in curve if point[0] <= look["epoch"] + 1e-6] or [(0, 0, 0, 0)], strict=True))
    chart = sheet.add_axes((0.045, 0.13, 0.22, 0.29), xlim=(0, end), ylim=(0, 2.5), xlabel="epoch")
    for row, label in ((1, "loss"), (2, "accuracy")):
        chart.plot(past[0], past[row], label=label)
    chart.legend(loc="upper right")
    layers = [arrays["filters0"], arrays["maps0"]]
    slot = min(600 / len(layers[0]), 120)
    for top, layer, title in zip((60, 224), layers, ("its first filters", "what each makes of the image"), strict=True):
        sheet.write(290, top, title)
        limit = float(layer.abs().max())
        for i, channel in enumerate(layer):
            sheet.put_image(
                channel, 290 + i * slot, top + 16, (slot - 8) / channel.shape[-1], limits=(-limit, limit), signed=True
            )
    return sheet


def film(lab, path):
    """Write the past of the lab's latest run to `path`, a GIF; returns its size in bytes."""
    curve, end = points(lab.history), lab.history[-1].epoch
    frames = [frame(curve, end, arrays, look) for arrays, look in pictures(lab)]
    writer = PillowWriter(fps=8)
    with writer.saving(frames[0], path, DPI):
        for writer.fig in [*frames, *frames[-1:] * PAUSE]:
            writer.grab_frame()
    return path.stat().st_size


def main(line="trainer"):
    os.environ["LENET_LAB_OFFLINE"] = "1"
    lab = labs.trainer(fashion_mnist("sample"))
    lab.board.text.value = line
    if lab.board.trouble.value:
        raise SystemExit(lab.board.trouble.value)
    if not lab.runs:
        lab.start()
    lab.runner.wait()
    size = film(lab, PATH)
    print(f"{PATH}: {size:,} bytes")
    if size > MOST_BYTES:
        raise SystemExit(f"more than {MOST_BYTES:,} bytes: take fewer channels")


if __name__ == "__main__":
    main(*sys.argv[1:])
