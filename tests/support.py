"""What several tests need: waiting for a thread, reading a picture's type, photographs, results of a run."""

import contextlib
import io
import itertools
import struct
import threading
import time
import zlib

import numpy as np
import torch
from matplotlib.cbook import get_sample_data
from PIL import Image

from helpers import Accumulator, Progress


def wait_for(condition):
    """Wait until `condition()` holds; fail after a minute, which only a hang can take."""
    for _ in range(6000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never happened")


@contextlib.contextmanager
def threads(number):
    """Compute with `number` threads in here, and with as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def workers():
    """The threads in which a run goes on."""
    return [thread for thread in threading.enumerate() if thread.name == "a lab's run"]


def check_type(figure, smallest):
    """Every word of a `plotting.Sheet` is at least `smallest` points high, whole, and clear of the others."""
    assert figure.png().startswith(b"\x89PNG")
    assert all(text.get_fontsize() >= smallest for text in figure.ax.texts)
    places = [text.get_window_extent() for text in figure.ax.texts]
    for place in places:
        assert 0 <= place.x0 < place.x1 <= figure.bbox.x1
        assert 0 <= place.y0 < place.y1 <= figure.bbox.y1
    for one, other in itertools.combinations(places, 2):
        assert not one.overlaps(other)


# What red words must say: a size does not fit; the convolution lab has nothing to slide over; the training lab lacks
# the data, or its present run diverges.
EXPLANATIONS = ["larger than", "no photograph yet", "no drawing yet", "choose the sample", "smaller learning rate"]


def explains(lab):
    """True if a lab's words are red; they must then say what is wrong."""
    said = lab.message.value
    assert not lab.message.trouble or any(words in said for words in EXPLANATIONS), said
    return lab.message.trouble


GOOD = "result lr=0.1 channels=6 kernel=5 parameters=61706 accuracy=0.8430"


def progress(epoch, loss, val_acc=None):
    sums = Accumulator(3)
    sums.add(loss * 100, 50, 100)
    return Progress(epoch, 100, val_acc, 1.0, sums, Accumulator(2), 10)


def hand_over(upload, content, name="photo.jpg"):
    """Do what a browser does with a chosen file."""
    upload.take(name, content)


def file_of(image, kind="PNG", **options):
    """The bytes of a picture file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def checkers(mode="RGB"):
    """A picture, 6 wide and 4 high, of red, white, black and blue blocks."""
    image = Image.new("RGB", (6, 4), "white")
    image.paste("red", (0, 0, 3, 2))
    image.paste("black", (0, 2, 3, 4))
    image.paste("blue", (3, 2, 6, 4))
    return image.convert(mode)


def pixels(image):
    """A picture of Pillow's as (3, height, width) bytes."""
    return torch.from_numpy(np.array(image.convert("RGB"))).movedim(-1, 0)


def grey_of_16_bits():
    return Image.fromarray(np.array(checkers("L")).astype("uint16") * 257)


def hopper():
    with open(get_sample_data("grace_hopper.jpg", asfileobj=False), "rb") as file:
        return file.read()


def png_that_promises(width, height):
    """A PNG file of a hundred bytes whose header says that it is much larger."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"0")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data
