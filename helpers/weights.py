"""A network's weights in a file, loaded without running code; two trained networks come with the course."""

import io
import zipfile
from pathlib import Path

import torch
from torch import nn

from helpers.any_network import first_number, refuse_other_weights, refuse_unknown_sizes, unwrapped
from helpers.errors import WeightsError
from helpers.files import new_file
from helpers.models import lenet

FOLDER = Path(__file__).resolve().parent / "trained"
TRAINED = ("digits", "clothes")


def save_weights(net, path, overwrite=False):
    """Write the weights of `net` to the file `path`; no half-written file is ever left (chapter 4).

    Raises FileExistsError if the file exists, unless `overwrite` is set, another OSError if it cannot be written, and
    ShapeError if lazy layers do not know their sizes yet.
    """
    refuse_unknown_sizes(net)
    content = io.BytesIO()  # on a full disk torch.save itself would raise a RuntimeError, not an OSError
    torch.save(unwrapped(net).state_dict(), content)
    with new_file(path, overwrite) as file:
        file.write(content.getbuffer())


def load_weights(net, path):
    """Read the weights in the file `path` into `net`, on its device; returns `net` (chapter 4).

    `save_weights` wrote it; no code in it is run. Raises OSError if the file cannot be opened, and WeightsError if it
    is damaged, or holds more than weights, those of another network, or NaN; `net` is then left as it was.
    """
    if Path(path).is_dir():
        raise WeightsError(f"{path} is a folder: give the name of a file of weights")
    content = io.BytesIO(Path(path).read_bytes())
    inner = unwrapped(net)
    device = first_number(inner).device
    try:
        with zipfile.ZipFile(content) as file:
            if file.testzip():  # torch.load does not compare the checksums, and one wrong byte is another weight
                raise zipfile.BadZipFile
        content.seek(0)
        weights = torch.load(content, map_location=device, weights_only=True)
    except Exception as error:  # any error: a file of another kind can raise anything
        raise WeightsError(f"{path} holds no weights, or only a part of them: save the network again") from error
    refuse_other_weights(weights, inner, path)  # load_state_dict would leave the network half changed
    inner.load_state_dict(weights)
    return net


def pretrained(name):
    """The course's trained LeNet for "digits" or "clothes" (all chapters but 4): an `nn.Sequential` in eval mode.

    It is on the CPU and takes (batch, 1, 28, 28) floats from 0 to 1. `make weights` trained it, without test images.
    Raises ValueError for another name, WeightsError if the file is damaged, and OSError if it cannot be read.
    """
    if name not in TRAINED:
        raise ValueError(f"there is no trained network {name!r}: choose from {', '.join(TRAINED)}")
    net, path = lenet(activation=nn.ReLU, pooling=nn.MaxPool2d), FOLDER / f"{name}.pt"
    try:
        return load_weights(net, path).eval()
    except WeightsError as error:
        raise WeightsError(f"{path} is damaged: get the course again, or run `make weights`") from error
