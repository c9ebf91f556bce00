"""How fast a data set of one's own is there: `make bench PART=own_images`.

Each part runs alone, too: `make bench PART=own_images ONLY="folder drawings"`. All that is read or drawn lies in a
temporary folder. The goals are those of two cores with nothing else to do.
"""

import concurrent.futures
import contextlib
import io
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from helpers import image_folder, labs
from helpers.labs.class_drawings import DIGITS, Writer, as_words, gathered
from helpers.labs.class_folder import VARIABLE
from helpers.labs.honest_split import accuracies, untrained
from helpers.reproduce_all import machine
from helpers.simulated_writers import simulated_writers
from tests.support import wait_for

CLASSES, PHOTOGRAPHS = 5, 5_000
WRITERS, AT_ONCE = 200, 16


@contextlib.contextmanager
def photographs():
    """A folder of 5,000 JPEG files in five classes, 800×600, each a thing of its class's form before noise."""
    chance = np.random.default_rng(0)
    noise = [Image.fromarray(chance.integers(0, 30, (600, 800, 3)).astype("uint8")) for _ in range(8)]
    with tempfile.TemporaryDirectory() as folder:
        for number in range(PHOTOGRAPHS):
            label = number % CLASSES
            wall, thing = (tuple(chance.integers(*ends, 3).tolist()) for ends in ((150, 220), (10, 110)))
            image = ImageChops.add(noise[number % 8], Image.new("RGB", (800, 600), wall))
            x, y, side = chance.integers(150, 350), chance.integers(100, 250), chance.integers(120, 250)
            ImageDraw.Draw(image).regular_polygon((x + side / 2, y + side / 2, side / 1.5), label + 3, fill=thing)
            place = Path(folder) / f"{label + 3} corners"
            place.mkdir(exist_ok=True)
            image.save(place / f"{number}.jpg", quality=85)
        yield Path(folder)


def seconds(function, *args, **kwargs):
    """How long a call takes, and what it returns."""
    started = time.perf_counter()
    result = function(*args, **kwargs)
    return time.perf_counter() - started, result


def folder():
    """Reading a folder of 5,000 photographs (goal: at most 20 s), with a bar that moves."""
    forms = {"grey, 28×28": {}, "colour, 64×64": {"size": 64, "channels": 3}, "prepared": {"prepared": True}}
    with photographs() as path:
        for what, form in forms.items():
            with contextlib.redirect_stdout(io.StringIO()) as shown:
                took, data = seconds(image_folder, path, **form)
            count = len(data.train_labels) + len(data.test_labels)
            yield f"{count:,} photographs, {what}: s", took
            yield "    moves of the bar", shown.getvalue().count("\r[")


def drawings():
    """Training on 24 of 30 simulated writers, 30 drawings each, and on as many at random (goal: at most 5 s each)."""
    found = {mark: (*drawn, 0) for mark, drawn in simulated_writers(30).items()}
    drawn = gathered(found, as_words(DIGITS), Path("."))
    took, results = seconds(list, accuracies(drawn, drawn.folds()[0], untrained(drawn)))
    yield f"two networks, {len(results)} epochs: s each", took / 2
    for name, accuracy in zip(("new writers", "drawings set aside at random"), results[-1], strict=True):
        yield f"    accuracy on {name}", accuracy


def follow():
    """What the projector needs to follow, from a drawing that is kept to its picture (goal: at most 2 s)."""
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as shared:
        os.environ["LENET_LAB_HOME"], os.environ[VARIABLE] = home, shared
        words, simulated = DIGITS.split(), list(simulated_writers(30).values())
        projector, writers = labs.class_data(), [Writer(new=True) for _ in range(WRITERS)]

        def draw(number):
            said, images = simulated[number % 30]
            for i in range(0, 30, 3):
                writers[number].keep(said[i], images[i : i + 1])

        def until(wanted):
            return seconds(wait_for, lambda: sum(projector.facts["counts"]) == wanted)[0]

        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as students:
            yield f"{WRITERS} writers keep 10 drawings each: s", seconds(list, students.map(draw, range(WRITERS)))[0]
        yield "then until the projector has them all: s", until(10 * WRITERS)
        for turn in range(3):
            writers[turn].keep(words[0], simulated[turn][1][:1])
            yield "from one more drawing to the projector: s", until(10 * WRITERS + turn + 1)
        projector.close()


PARTS = {part.__name__: part for part in (folder, drawings, follow)}


def main():
    print(machine())
    for name in sys.argv[1:] or PARTS:
        print(f"\n{name}: {PARTS[name].__doc__}")
        for what, figure in PARTS[name]():
            print(f"    {what:<60}{figure:,.3g}", flush=True)


if __name__ == "__main__":
    main()
