"""The images of the course in memory, and how they reach the network in batches. Chapter 1 teaches all of it."""

from dataclasses import dataclass, fields
from pathlib import Path

import torch

from helpers import image_files
from helpers.any_data import as_images, as_labels, as_tensor, refuse_unequal, to_floats
from helpers.sentences import in_html
from helpers.whole_sets import whole_set

CLOTHES = (
    "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip
DIGITS = tuple("0123456789")


@dataclass(frozen=True, eq=False)
class ImageData:
    """A data set in memory (chapter 1).

    Images are bytes, 0 (black) to 255 (white), (N, channels, height, width); labels are integers, the places of their
    names in `class_names`, (N,). `source` says where the files came from, and `folder` is where they are now.
    Takes what `Batches` takes; floats from 0 to 1 become bytes. Without test images every fifth image becomes one.
    Raises ShapeError for anything else.
    """

    name: str
    train_images: torch.Tensor
    train_labels: torch.Tensor
    test_images: torch.Tensor = None
    test_labels: torch.Tensor = None
    class_names: tuple[str, ...] = None
    source: str = "arrays in memory"
    folder: Path = None

    def __post_init__(self):
        names = [field.name for field in fields(self)][1:6]
        for name, value in zip(names, whole_set(*(getattr(self, name) for name in names)), strict=True):
            object.__setattr__(self, name, value)  # the only place that changes this frozen class

    def __repr__(self):
        return (
            f"{self.name}: {len(self.train_images):,} training and {len(self.test_images):,} test images "
            f"in {len(self.class_names)} classes\nfrom {self.source}"
        )

    def _repr_html_(self):
        return in_html(repr(self))  # as text, JupyterLab would break a long source in the middle of a word


def fashion_mnist(part=None):
    """Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017, arXiv:1708.07747) as `ImageData` (chapter 1).

    part: "full", 60,000 training and 10,000 test images of clothes, 28×28; "sample", the bundled 10,000 and 2,000; or
    None: the full set if it is available, else the sample, and a line says why. `ImageData.source` says which it is.
    Raises `DataError` if the folder named by LENET_LAB_DATA is unfit, or if "full" is not available.
    """
    tensors, source, folder = image_files.read("FashionMNIST", part)
    return ImageData("FashionMNIST", *tensors, CLOTHES, source, folder)


def mnist(part=None):
    """MNIST (LeCun, Cortes and Burges, 1998) as `ImageData` (chapter 1): digits, otherwise as `fashion_mnist`."""
    tensors, source, folder = image_files.read("MNIST", part)
    return ImageData("MNIST", *tensors, DIGITS, source, folder)


def train_validation_split(images, labels, num_validation, seed=0):
    """Set random images aside (chapter 1); returns (train_images, train_labels, val_images, val_labels).

    images: (N, ...); labels: (N,); both tensors, arrays or lists; num_validation: how many images to set aside. The
    same `seed` chooses the same ones. Raises ValueError if nothing would be left on one side, and ShapeError unless
    there is one label per image.
    """
    images, labels = as_tensor(images, "images"), as_tensor(labels, "labels")
    refuse_unequal(images, labels)
    if not hasattr(num_validation, "__index__"):
        raise ValueError(f"num_validation is {num_validation!r}: give a number of images, such as {len(images) // 10}")
    if not 0 < num_validation < len(images):
        raise ValueError(f"cannot set {num_validation} of {len(images)} images aside: leave at least one on each side")
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed), device="cpu")
    val, train = order[:num_validation], order[num_validation:]
    return images[train], labels[train], images[val], labels[val]


class Batches:
    """Mini-batches of a data set in memory (chapter 1); use it wherever you would use a `DataLoader`.

    images: (N, channels, height, width) bytes, 0-255, or floats, which are passed on as they are; labels: (N,)
    integers. NumPy arrays and lists work too, in any shape that `any_data` understands.
    Yields X, (batch, channels, height, width) floats from 0 to 1, and y, (batch,) integers, both on `device`. The last
    batch may be smaller; do not change y in place, as it may be a view. With `shuffle` every pass has a new order; the
    same `seed` gives the same orders again.
    change: a function applied to each batch of images before it is yielded, such as `mirrored`.
    Raises ShapeError, a ValueError, for unfit images and labels, and ValueError if `batch_size` is below 1.

    The whole set is on the device as bytes (47 MB for 60,000 images), and each batch is picked and scaled there in one
    go, as in Keller Jordan's airbench (github.com/KellerJordan/cifar10-airbench): nothing is done image by image.
    """

    def __init__(self, images, labels, batch_size, shuffle=False, seed=None, device="cpu", change=None):
        images, labels = as_images(images), as_labels(labels)
        refuse_unequal(images, labels)
        if not hasattr(batch_size, "__index__") or batch_size < 1:
            raise ValueError(f"batch_size is {batch_size!r}: use a whole number, 1 or more")
        self.images, self.labels = images.to(device), labels.to(device)
        self.batch_size, self.shuffle, self.change = batch_size, shuffle, change
        self.generator = None if seed is None else torch.Generator().manual_seed(int(seed))

    def __len__(self):
        """Number of batches."""
        return -(-len(self.images) // self.batch_size)

    def __iter__(self):
        if self.shuffle:
            order = torch.randperm(len(self.images), generator=self.generator, device="cpu").to(self.images.device)
            picks = order.split(self.batch_size)
        else:
            picks = (slice(i, i + self.batch_size) for i in range(0, len(self.images), self.batch_size))
        for pick in picks:
            X, y = self.images[pick], self.labels[pick]
            yield to_floats(self.change(X) if self.change else X), y


def mirrored(X):
    """Mirror each image of a batch with probability 1/2 (chapter 5), drawn from PyTorch's own random numbers.

    X: (batch, channels, height, width), bytes or floats; returns a new batch of the same shape, kind and device.
    """
    mirror = torch.rand(len(X), 1, 1, 1, device=X.device) < 0.5
    return torch.where(mirror, X.flip(3), X)
