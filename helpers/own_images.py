"""Images of your own: a folder of pictures, or files in the formats of published data sets (chapter 1)."""

import hashlib
import os
import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from helpers.any_data import path_of
from helpers.data import ImageData
from helpers.errors import DataError
from helpers.files import new_file
from helpers.photos import NOTHING, PhotoError, as_example, brightness, read_photo
from helpers.sentences import say
from helpers.splitting import split
from helpers.whole_sets import SIZES

MOST_CLASSES = 62  # that every lab and chart can show
MOST_FILES, LARGEST = 100_000, 50_000_000  # files in a folder; bytes of one
SYSTEM = {"thumbs.db", "desktop.ini", "__macosx"}  # what Windows and macOS leave in folders; the rest is hidden
HEAD = "put the pictures of each class into a folder of their own, as in pets/cat/1.jpg and pets/dog/1.jpg"


def image_folder(path, size=28, channels=1, prepared=False, cache=False):
    """An `ImageData` from a folder that has one folder per class, as for torchvision's `ImageFolder` (chapter 1).

    path: the folder; size: pixels per side, 16 to 64; channels: 1 grey, 3 colour. An image is the middle square of its
    picture, and each of its pixels is a mean; prepared: True prepares it as chapter 1 prepares a photograph: one thing,
    bright on black, 28×28 and grey. cache: keep the result in a file beside the folder, to be read the next time.
    Pictures are turned upright, as the camera noted, and transparency becomes white. Every fifth image of a class is a
    test image (`splitting.split`). Unreadable files are left out and named; nothing in the folder is changed.
    Raises DataError, with the reason, if this gives no data set, and ValueError for another size or number of channels.
    """
    _refuse_other_forms(size, channels, prepared)
    path = path_of(path)
    files = _files(path)
    form = (size, channels, bool(prepared))
    kept = path.resolve().with_name(f"{path.resolve().name}.lenet-lab.npz")
    found = _kept(kept, files, form) if cache else None
    if found is None:
        found = _read_all(path, files, form)
        if cache:
            _keep(kept, files, form, found)
    return _as_data_set(path, found)


def _refuse_other_forms(size, channels, prepared):
    if not hasattr(size, "__index__") or size not in SIZES:
        raise ValueError(f"size is {size!r}: choose a whole number from {SIZES[0]} to {SIZES[-1]}, such as 28")
    if channels not in (1, 3):
        raise ValueError(f"channels is {channels!r}: choose 1 for grey or 3 for colour")
    if prepared and (size, channels) != (28, 1):
        raise ValueError("prepared images are grey, 28×28, as in Fashion-MNIST: leave size and channels out")


def _files(path):
    """The files of each class, {name: sorted paths}; hidden ones do not count. Raises DataError."""
    if not path.is_dir():
        there = "is a file, not a folder" if path.exists() else f"does not exist (looked in {Path.cwd()})"
        raise DataError(f"{path} {there}: give the folder of your pictures; {HEAD}")
    try:
        folders = sorted(entry for entry in path.iterdir() if entry.is_dir() and _is_the_users(entry.name))
        deeper = len(folders) == 1 and any(entry.is_dir() for entry in folders[0].iterdir())
    except OSError as error:
        raise DataError(f"{error.filename} cannot be read ({error.strerror}): choose another folder") from None
    names = {}
    for folder in folders:  # macOS writes é as two letters: two folders of one name are one class
        names.setdefault(unicodedata.normalize("NFC", _shown(folder.name)), []).append(folder)
    if len(names) < 2:
        what = f"has one folder, {_shown(folders[0].name)}" if folders else "has no folders"
        do = f"give {folders[0]}, or {HEAD}" if deeper else HEAD
        raise DataError(f"{path} {what}, but a network chooses between two or more classes: {do}")
    if {name.lower() for name in names} <= {"train", "training", "test", "val", "valid", "validation"}:
        inside = folders[-1]
        raise DataError(
            f"{path} is already split, into {', '.join(names)}: give one of them, {inside}, which is split again"
        )
    if len(names) > MOST_CLASSES:
        raise DataError(
            f"{path} has {len(names):,} folders, but the labs show at most {MOST_CLASSES} classes: copy those that you "
            "want into another folder"
        )
    files = {name: [file for folder in each for file in _walked(folder)] for name, each in names.items()}
    if (count := sum(map(len, files.values()))) > MOST_FILES:
        raise DataError(f"{path} has more than {MOST_FILES:,} files ({count:,}): choose a folder with fewer")
    return files


def _is_the_users(name):
    return not name.startswith(".") and name.lower() not in SYSTEM


def _shown(name):
    """A name as it can be printed: one that an old Windows wrote may be no text for this system."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in name)


def _walked(folder):
    """All files below a folder except hidden ones, and folders that are closed; links to folders are not followed.

    Ends at just over MOST_FILES.
    """
    found, closed = [], []
    for place, folders, names in os.walk(folder, onerror=closed.append):
        folders[:] = sorted(filter(_is_the_users, folders))
        found += [Path(place) / name for name in sorted(names) if _is_the_users(name)]
        if len(found) > MOST_FILES:
            break
    return found + [Path(error.filename) for error in closed]


def _read_all(path, files, form):
    """The contents of the files as a dict of arrays: images, labels, the hash of each file, names, and notes."""
    listed = [(label, file) for label, each in enumerate(files.values()) for file in each]
    images, labels, keys, shown, left_out = [], [], [], [], {}
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        results = pool.map(lambda item: _read(item[1], form), listed)
        for (label, file), result in zip(listed, _moving_bar(results, len(listed)), strict=True):
            name = _shown(file.relative_to(path).as_posix())
            if isinstance(result, str):
                left_out.setdefault(result, []).append(name)
                continue
            image, key = result
            images.append(image)
            labels.append(label)
            keys.append(key)
            shown.append(name)
    notes = [_left_out(why, names) for why, names in left_out.items()]
    filled = sorted(set(labels))
    if empty := [name for label, name in enumerate(files) if label not in filled]:
        notes.append(f"without a picture, and left out: {', '.join(empty)}.")
    if len(filled) < 2:
        why = " ".join(notes[:3])
        raise DataError(f"{path} has pictures in {len(filled) or 'none'} of its folders; two are needed: {HEAD}. {why}")
    names = [list(files)[label] for label in filled]
    labels = np.searchsorted(filled, labels)
    pixels = torch.stack(images).numpy()
    return {
        "images": pixels,
        "labels": labels,
        "keys": np.array(keys),
        "files": np.array(shown),
        "names": np.array(names),
        "notes": np.array(notes, str),
    }


def _left_out(why, names):
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")
    return f"left out: {shown}. {why}"


def _read(file, form):
    """An image and the hash of its file, or a text that says why it cannot be used."""
    try:
        if not file.is_file():
            return "This cannot be read: it is a closed folder, or a link that leads nowhere. Copy it again."
        if file.stat().st_size > LARGEST:
            return f"This file has more than {LARGEST // 1_000_000} MB. Make the picture smaller."
        content = file.read_bytes()
        return as_image(content, *form), hashlib.sha256(content).hexdigest()
    except OSError as error:
        return f"This file cannot be read ({error.strerror}). Copy it again."
    except PhotoError as error:
        return str(error)


def as_image(content, size=28, channels=1, prepared=False):
    """The image, (channels, size, size) bytes, from the bytes of a picture file; options as in `image_folder`.

    Raises PhotoError.
    """
    if prepared:
        image = as_example(read_photo(content, longest=256))
        if not image.any():
            raise PhotoError(NOTHING)
        return image
    square = read_photo(content, 3 * size, square=True)
    square = brightness(square) if channels == 1 else square.float()
    return F.adaptive_avg_pool2d(square, size).round().byte()


def _moving_bar(results, count):
    """Yields the results as they come, with a progress bar after the first second."""
    began, shown = time.monotonic(), 0.0
    for done, result in enumerate(results, start=1):
        now = time.monotonic()
        if now - began > 1 and now - shown > 0.2:
            shown, full = now, 30 * done // count
            print(f"\r[{'█' * full}{'·' * (30 - full)}] {done:,} of {count:,} pictures", end="", flush=True)
        yield result
    if shown:
        print(f"\r{' ' * 70}\r", end="")


def _as_data_set(path, found):
    images, labels = torch.from_numpy(found["images"]), torch.from_numpy(found["labels"])
    names = tuple(found["names"].tolist())
    train, test, notes = split(images, labels, found["keys"].tolist(), found["files"].tolist())
    of_class = labels.bincount(minlength=len(names))
    notes = [*found["notes"].tolist(), *notes]
    if few := [f"{name} {count}" for name, count in zip(names, of_class.tolist(), strict=True) if count < 10]:
        notes.append(f"few images, which may not be enough to learn from: {', '.join(few[:10])}.")
    if lacking := [names[i] for i in (labels[test].bincount(minlength=len(names)) == 0).nonzero().flatten()]:
        notes.append(f"without a test image: {', '.join(lacking[:10])}.")
    parts = images[train], labels[train], images[test], labels[test]
    data = ImageData(path.resolve().name, *parts, names, str(path.resolve()), path.resolve())
    say("\n".join([repr(data), *notes]))
    return data


# ---- the file beside the folder


def _fingerprint(files, form):
    """A hash that changes with the folder: names, sizes and times of its files, and the form of the images."""
    known = [(name, str(file), *_size_and_time(file)) for name, each in files.items() for file in each]
    return hashlib.sha256(repr((form, known)).encode()).hexdigest()


def _size_and_time(file):
    try:
        return file.stat().st_size, file.stat().st_mtime_ns
    except OSError:
        return ()


def _kept(kept, files, form):
    """What an earlier reading left in the file beside the folder; None if there is no such file, or it is outdated."""
    try:
        with np.load(kept, allow_pickle=False) as found:
            arrays = dict(found)
    except Exception:  # whatever is wrong with that file, the folder is read instead
        return None
    return arrays if str(arrays.pop("fingerprint", "")) == _fingerprint(files, form) else None


def _keep(kept, files, form, found):
    try:
        with new_file(kept, overwrite=True) as file:
            np.savez(file, fingerprint=np.array(_fingerprint(files, form)), **found)
    except OSError as error:
        say(f"{kept} cannot be written ({error.strerror}): next time the pictures will be read again.")
