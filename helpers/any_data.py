"""Any images, labels or batches that a student may bring: turned into the usual tensors, or refused with a reason."""

from pathlib import Path

import numpy as np
import torch

from helpers.errors import DataError, ShapeError

PIXELS = "expected bytes from 0 to 255, or floats from 0 to 1"
PAIRS = "expected pairs of images and labels, (X, y), as Batches(images, labels, 64) or a DataLoader gives them"


def to_floats(X):
    """Bytes, 0-255, as floats from 0 to 1; floats are returned unchanged."""
    return X / 255 if X.dtype == torch.uint8 else X


def as_tensor(values, what):
    """A tensor from an array, a list or a tensor; raises ShapeError, calling them `what`, if that is impossible."""
    if torch.is_tensor(values):
        return values
    if isinstance(values, (list, tuple)) and values and torch.is_tensor(values[0]):
        values = [value.cpu().numpy() if torch.is_tensor(value) else value for value in values]
    try:
        array = np.array(values)  # a copy, because PyTorch warns about read-only arrays
    except (TypeError, ValueError) as error:
        raise ShapeError(f"the {what} are not a table of numbers of one size: {error}") from None
    if array.dtype.kind not in "biufc":
        raise ShapeError(f"the {what} are not a table of numbers of one size: it has {array.flat[:1].tolist()!s:.40}")
    return torch.from_numpy(array)


def path_of(given):
    """What someone gives as a path; a DataError if it is something else."""
    try:
        return Path(given).expanduser()
    except (TypeError, RuntimeError):
        raise DataError(f"{given!r:.60} is no path: give the name of a file or folder, as a text") from None


def as_images(images):
    """Images as (N, channels, height, width) bytes, or floats of PyTorch's default type; rows of pixels stay rows.

    (N, height, width) gets a channel axis; the last axis of (N, height, width, 1 or 3), TensorFlow's order, becomes the
    second. Raises ShapeError for other shapes and for whole numbers that are not bytes.
    """
    images = as_tensor(images, "images")
    if images.ndim == 3:
        images = images.unsqueeze(1)
    if images.ndim == 4 and images.shape[1] not in (1, 3) and images.shape[3] in (1, 3):
        images = images.movedim(3, 1).contiguous()
    if images.ndim not in (2, 4):
        raise ShapeError(f"the images have the shape {tuple(images.shape)}: expected (N, channels, height, width)")
    if images.is_complex():
        raise ShapeError(f"the images are complex numbers: {PIXELS}")
    if images.is_floating_point():
        return images.to(torch.get_default_dtype())
    if images.dtype == torch.bool:
        return images.to(torch.uint8) * 255
    if images.dtype != torch.uint8 and len(images):
        images = images.long()  # PyTorch does not compare numbers of 16 bits without a sign
        refuse_outside(images, 0, 255, "the images are whole numbers", f": {PIXELS}")
    return images.to(torch.uint8)


def as_labels(labels):
    """Labels as (N,) integers, given (N,) or (N, 1); floats, for other loss functions, keep their shape."""
    labels = as_tensor(labels, "labels")
    if labels.is_floating_point():
        return labels.to(torch.get_default_dtype())
    return (labels[:, 0] if labels.shape[1:] == (1,) else labels).long()


def as_data_set(images, labels, part, num_classes):
    """The images of a data set's `part` as bytes, (N, channels, height, width), and their labels, (N,) integers.

    Floats from 0 to 1 become bytes, and rows of 784 pixels become images of 28×28. Raises ShapeError for anything
    else, and for labels outside the classes.
    """
    images, labels = as_images(images), as_labels(labels)
    if images.ndim == 2 and (side := round(images.shape[1] ** 0.5)) ** 2 == images.shape[1]:
        images = images.reshape(-1, 1, side, side)
    if images.is_floating_point():
        refuse_outside(images, 0, 1, f"the {part} images are floats", f": {PIXELS}")
        images = (255 * images).round().to(torch.uint8)
    refuse_unequal(images, labels)
    if labels.is_floating_point() or labels.ndim != 1:
        came = f"have the shape {tuple(labels.shape)} and are {kind(labels)}"
        hint = "; of rows with a single 1 take labels.argmax(1)" if labels.ndim == 2 else ""
        raise ShapeError(f"the {part} labels {came}: expected whole numbers, (N,){hint}")
    names = f", but there are {num_classes} class names, counted from 0"
    refuse_outside(labels, 0, num_classes - 1, f"the {part} labels go", names)
    return images.cpu(), labels.cpu()


def refuse_outside(values, least, most, what, wanted):
    """Raise ShapeError unless all of `values` lie between `least` and `most`."""
    if len(values):
        ends = values.min().item(), values.max().item()
        if not least <= ends[0] <= ends[1] <= most:
            first, last = (f"{end:g}" if isinstance(end, float) else end for end in ends)
            raise ShapeError(f"{what} from {first} to {last}{wanted}")


def refuse_unequal(values, labels, what="image"):
    """Raise ShapeError unless there is one label for each of `values`; what: the word for one of them."""
    if not labels.ndim or len(values) != len(labels):
        count = len(labels) if labels.ndim else "one number as"
        raise ShapeError(f"{len(values)} {what}s but {count} labels: there must be one label per {what}")


def as_classes(values, what="scores"):
    """The class of each example, (batch,) integers, from (batch, classes) scores, or (batch,) or (batch, 1) classes.

    Raises ShapeError, with the shape it got, for anything else; what: the name of `values` in the message.
    """
    if isinstance(values, (tuple, dict)):
        raise ShapeError(f"the {what} are a {type(values).__name__}, but a tensor is expected, (batch, classes)")
    values = torch.as_tensor(values)
    whole = not values.is_floating_point() and not values.is_complex()
    if values.ndim == 2 and values.shape[1] > 1:
        return (values.byte() if values.dtype == torch.bool else values).argmax(dim=1)
    if whole and (values.ndim == 1 or values.shape[1:] == (1,)):
        return values.flatten().long()  # because 10 times a label may not fit into a byte
    raise ShapeError(
        f"the {what} have the shape {tuple(values.shape)} and are {kind(values)}, expected (batch, classes) scores, "
        "or (batch,) classes as whole numbers"
    )


def kind(values):
    """The kind of a tensor's numbers, such as float32."""
    return str(values.dtype).removeprefix("torch.")


def counted(batches):
    """Batches that can be iterated over again and again, and their number; ValueError if there are none."""
    refuse_no_batches(batches)
    if hasattr(batches, "__next__"):  # a generator gives its batches once
        batches = list(batches)
    try:
        number = len(batches)
    except TypeError:  # such as a DataLoader of an IterableDataset
        number = sum(1 for _ in batches)
    if not number:
        raise ValueError("there is no batch to train on: train_iter is empty")
    return batches, number


def refuse_no_batches(batches):
    """Raise ShapeError for something that yields no batches, such as images without labels, or a whole data set."""
    if torch.is_tensor(batches) or not (hasattr(batches, "__iter__") or hasattr(batches, "__getitem__")):
        raise ShapeError(f"this yields no batches ({type(batches).__name__}): {PAIRS}")


def first_tensor(output):
    """The tensor that a layer returned, or the first of several; None if there is none."""
    if torch.is_tensor(output):
        return output
    values = output.values() if isinstance(output, dict) else output if isinstance(output, (tuple, list)) else ()
    return next((found for value in values if (found := first_tensor(value)) is not None), None)
