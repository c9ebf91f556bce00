"""Published data sets (chapter 1): files in MNIST's format, which KMNIST and EMNIST also use, and in NumPy's."""

import gzip
import math
import struct
import zlib

import numpy as np
import torch

from helpers.any_data import path_of
from helpers.data import ImageData
from helpers.errors import DataError

TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}  # of the numbers, by their code in the header
NAMES = {  # of the arrays in an .npz file: Keras, MedMNIST and KMNIST use different ones
    "train_images": ("train_images", "x_train", "X_train", "images", "x", "X"),
    "train_labels": ("train_labels", "y_train", "Y_train", "labels", "y", "Y"),
    "test_images": ("test_images", "x_test", "X_test"),
    "test_labels": ("test_labels", "y_test", "Y_test"),
}


def idx_files(images, labels, test_images=None, test_labels=None, class_names=None, turned=False):
    """An `ImageData` from files in MNIST's format, packed with gzip or not, such as KMNIST's or EMNIST's (chapter 1).

    images, labels, test_images, test_labels: paths; without the last two, every fifth image becomes a test image.
    class_names: in the order of the labels, which may begin at 1; None takes their numbers. turned: True if rows and
    columns are exchanged, as in EMNIST. Raises DataError, which names the file, and ShapeError.
    """
    if (test_images is None) != (test_labels is None):
        raise ValueError("give both test images and test labels, or neither")
    parts = [images, labels, *([] if test_images is None else [test_images, test_labels])]
    tensors = [_idx(path_of(path), 1 if i % 2 else 3) for i, path in enumerate(parts)]
    tensors[::2] = [pixels.mT.contiguous() if turned else pixels for pixels in tensors[::2]]
    tensors[1::2], class_names = _from_zero(tensors[1::2], class_names)
    path = path_of(images).resolve()
    return ImageData(path.parent.name, *tensors, *[None] * (4 - len(tensors)), class_names, str(path), path.parent)


def npz_file(path, class_names=None):
    """An `ImageData` from the arrays in an `.npz` file, named as in Keras (x_train, …) or MedMNIST (train_images, …).

    Chapter 1. path: of the file; class_names: as in `idx_files`. Without test images, every fifth image becomes one.
    Raises DataError, which names the file, and ShapeError.
    """
    path = path_of(path).resolve()
    try:
        with open(path, "rb") as file:
            arrays = np.load(file, allow_pickle=False)
            arrays = {"one array without a name": arrays} if isinstance(arrays, np.ndarray) else dict(arrays)
    except FileNotFoundError:
        raise DataError(f"{path} is missing: check its name and folder") from None
    except Exception as error:  # zipfile's, NumPy's or the system's: they all mean the same
        raise DataError(f"{path} cannot be read as arrays ({error}): save it again with np.savez") from None
    found = {want: next((arrays[name] for name in names if name in arrays), None) for want, names in NAMES.items()}
    if found["train_images"] is None or found["train_labels"] is None:
        raise DataError(f"{path} holds {', '.join(arrays) or 'nothing'}: call its arrays train_images and train_labels")
    labels = [np.asarray(found[name]).squeeze() for name in ("train_labels", "test_labels") if found[name] is not None]
    if any(each.dtype.kind in "iu" for each in labels):
        changed, class_names = _from_zero([torch.from_numpy(each.astype("int64")) for each in labels], class_names)
        found |= dict(zip(("train_labels", "test_labels"), changed, strict=False))
    return ImageData(path.stem, *found.values(), class_names, str(path), path.parent)


def _from_zero(labels, class_names):
    """Labels renumbered from 0 without gaps, and names for them."""
    present = torch.cat([each.flatten() for each in labels]).unique()
    if class_names is None:
        class_names = [str(int(label)) for label in present]
    elif not hasattr(class_names, "__len__") or len(present) != len(class_names) or present[0] == 0:
        return [each.long() for each in labels], class_names  # then `ImageData` says what does not fit
    return [torch.searchsorted(present, each) for each in labels], class_names


def _idx(path, dimensions):
    """The numbers of an IDX file as a tensor with 3 dimensions (images) or 1 (labels). Raises DataError.

    The format: two zeros, the type of the numbers, the number of dimensions, each size as a big-endian integer, the
    numbers (chapter 1).
    """
    try:
        with open(path, "rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else open(path, "rb") as file:
            head = file.read(4)
            if len(head) < 4 or head[:2] != b"\0\0":
                raise DataError(
                    f"{path} is not in MNIST's format: its first two bytes are not 0. Unpack a zip or tar first"
                )
            kind, found = head[2:]
            if kind not in TYPES:
                raise DataError(
                    f"{path} is not in MNIST's format, which has no numbers of type {kind}: download it again"
                )
            if found != dimensions:
                is_what, wanted = ({1: "labels", 3: "images"}.get(n, f"{n} dimensions") for n in (found, dimensions))
                raise DataError(f"{path} holds {is_what} instead of {wanted}: give images first, then labels")
            shape = struct.unpack(f">{dimensions}I", file.read(4 * dimensions))
            count = math.prod(shape)
            raw = file.read()  # not a number of bytes: a damaged header may promise more than fits into memory
    except FileNotFoundError:
        raise DataError(f"{path} is missing: check its name and folder") from None
    except (OSError, EOFError, zlib.error, struct.error) as error:
        raise DataError(f"{path} cannot be read ({error}): download it again") from None
    numbers = np.dtype(TYPES[kind])
    if len(raw) != count * numbers.itemsize or not count:
        had = len(raw) // numbers.itemsize
        raise DataError(f"{path} promises {count:,} numbers but has {had:,}: download it again")
    return torch.from_numpy(np.frombuffer(raw, numbers).astype(numbers.newbyteorder("=")).reshape(shape))
