"""The drawings of a class (chapter 5): one file per writer, beside the notebook and in the class's folder, if any."""

import io
import json
import os
import secrets
import struct
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch.nn import functional as F

from helpers.data import ImageData
from helpers.digits import SIZE
from helpers.errors import DataError
from helpers.files import new_file
from helpers.labs import class_folder
from helpers.labs.board import slug
from helpers.labs.class_folder import DRAWN, ClassFolder, why
from helpers.simulated_writers import simulated_writers

DIGITS = "0 1 2 3 4 5 6 7 8 9"
MOST, MOST_WORDS, LONGEST = 500, 62, 20  # drawings of a writer; words, and characters of one
MOST_BYTES = MOST * (SIZE**2 + 150)
FOLDS = 5


def as_words(text):
    """The words that a teacher types, in order: "cat house" becomes ("cat", "house"). Raises ValueError."""
    words = tuple(unicodedata.normalize("NFC", str(text)).replace(",", " ").split())
    if not 1 <= len(words) <= MOST_WORDS:
        raise ValueError(f"there are {len(words)} words: type 1 to {MOST_WORDS}, with spaces between them")
    known = {}
    for word in words:
        if len(word) > LONGEST or not slug(word):
            raise ValueError(f"“{word[:40]}” cannot be one of the words: use letters and digits, at most {LONGEST}")
        if slug(word) in known:
            raise ValueError(f"“{known[slug(word)]}” and “{word}” are too alike: keep one of them")
        known[slug(word)] = word
    return words


def as_file(words, images):
    """Drawings, one below the other, as the bytes of a PNG file that any program can show, with a line of JSON in it.

    words: the word for each drawing; images: (N, 28, 28) bytes.
    """
    line, file = PngInfo(), io.BytesIO()
    line.add_text("drawn", json.dumps(list(words)))
    Image.fromarray(images.reshape(-1, SIZE).numpy()).save(file, "PNG", pnginfo=line)
    return file.getvalue()


def from_file(content):
    """The words and images of such a file; raises ValueError for any other. Nothing in it is ever run."""
    no_drawings = ValueError("holds no drawings")
    if not content.startswith(b"\x89PNG") or len(content) < 33:
        raise no_drawings
    width, height = struct.unpack(">II", content[16:24])  # before it is unpacked: a small file can claim to be huge
    if width != SIZE or not 0 < height <= SIZE * MOST:
        raise no_drawings
    try:
        picture = Image.open(io.BytesIO(content), formats=["PNG"])
        words = json.loads(picture.info["drawn"])
        pixels = np.array(picture)
    except Exception as error:  # any error: a file of another kind can raise anything
        raise no_drawings from error
    if pixels.dtype != np.uint8 or pixels.ndim != 2 or not isinstance(words, list):
        raise no_drawings
    if len(words) * SIZE != height or not all(isinstance(word, str) and 0 < len(word) <= LONGEST for word in words):
        raise ValueError(f"has words that do not fit its {height // SIZE} drawings")
    return words, torch.from_numpy(pixels).reshape(-1, SIZE, SIZE)


class Files:
    """The drawings in a `ClassFolder`; `read` opens only the files that have changed since the last time."""

    def __init__(self, folder):
        self.folder, self._known = folder, {}

    def read(self):
        """{writer's mark: (words, images, time of the file)}, and a message about each thing that was not read."""
        if self.folder.path == own_folder() and not self.folder.path.exists():
            return {}, []  # nothing was drawn yet, which is no error
        found, troubles = self.folder.read(DRAWN, self._drawings)
        self._known = {name: self._known[name] for name in found}
        return {name.removesuffix(DRAWN): drawings for name, drawings in found.items()}, troubles

    def _drawings(self, entry):
        stat = entry.stat()
        state = stat.st_mtime_ns, stat.st_size, stat.st_ino
        if self._known.get(entry.name, (None,))[0] != state:
            if stat.st_size > MOST_BYTES:
                raise ValueError(f"has more than {MOST_BYTES:,} bytes")
            self._known[entry.name] = state, (*from_file(Path(entry.path).read_bytes()), stat.st_mtime)
        return self._known[entry.name][1]


def own_folder():
    """The folder of a student's own drawings: "drawings" in LENET_LAB_HOME or, without it, beside the notebook."""
    return Path(os.environ.get("LENET_LAB_HOME", ".")).absolute() / "drawings"


class Writer:
    """A student, known only by a random mark, with their drawings: `words`, and `images`, (N, 28, 28).

    They are kept in one file per student, with a copy in the class's folder if there is one. Starts from the file of
    the given mark, otherwise from the most recently changed one, otherwise (or if `new`) with a new mark.
    """

    def __init__(self, new=False, mark=None):
        self.folder, self.shared = own_folder(), class_folder.named()
        known = [] if new or mark else self._known()
        self.mark = mark or (known[-1] if known else secrets.token_hex(4))
        self.file = self.folder / f"{self.mark}{DRAWN}"
        self.words, self.images = _nothing()
        self.behind = False  # whether a change did not reach the class's folder
        if mark or known:
            self.look()

    def _known(self):
        """The marks of everyone who has drawn on this machine, the most recently changed file's last."""
        found = Files(ClassFolder(self.folder)).read()[0]
        return sorted(found, key=lambda mark: found[mark][2])

    def earlier(self):
        """The `Writer` whose file was changed just before this one's, or else the last one. May raise OSError."""
        known = self._known()
        if not {*known} - {self.mark}:
            raise OSError("has no drawings of anyone else")
        return Writer(mark=known[known.index(self.mark) - 1 if self.mark in known else -1])

    def look(self):
        """Read the file again: a second lab of this writer may have changed it. May raise OSError."""
        try:
            self.words, self.images = from_file(self.file.read_bytes())
        except FileNotFoundError:
            self.words, self.images = _nothing()
        except ValueError as error:
            raise OSError(f"has a file, {self.file.name}, that {error}: move it away") from None

    def keep(self, word, image):
        """Add a drawing, (1, 28, 28) bytes; returns a message. Raises OSError if it is not kept."""
        self.look()
        if len(self.words) == MOST:
            raise OSError(f"has {MOST} drawings of this writer, which are enough")
        self._write([*self.words, word], torch.cat([self.images, image]))
        trouble = self._share()
        if trouble:
            return f"Kept. But {trouble}: your next change will bring it there."
        return f"Kept. The class's folder {self.shared.path} has it too." if self.shared else "Kept."

    def take_back(self, which):
        """Remove drawing number `which`, or all if it is None; returns a message. May raise OSError."""
        self.look()
        left = [i for i in range(len(self.words)) if which is not None and i != which]
        self._write([self.words[i] for i in left], self.images[left])
        trouble = self._share()
        if trouble and self.words:
            return f"Taken back here. But {trouble}: your next change will take it back there, too."
        if trouble:
            then = f"press “Take all back” again when it can be used, or have {self.file.name} deleted there"
            return f"Taken back here. But {trouble}: {then}."
        return f"Taken back, also from the class's folder {self.shared.path}." if self.shared else "Taken back."

    def _write(self, words, images):
        self.folder.mkdir(exist_ok=True)
        _put(self.file, words, images)
        self.words, self.images = words, images

    def _share(self):
        """Update the copy in the class's folder; returns what went wrong, or ""."""
        if not self.shared:
            return ""
        self.behind = True
        try:
            _put(self.shared.path / self.file.name, self.words, self.images)
        except OSError as error:
            return f"the class's folder {self.shared.path} {why(error)}"
        self.behind = False
        return ""


def _nothing():
    return [], torch.zeros(0, SIZE, SIZE, dtype=torch.uint8)


def _put(path, words, images):
    if not words:
        path.parent.stat()  # raises OSError if the folder has vanished: the file may come back with it
        path.unlink(missing_ok=True)
        return
    with new_file(path, overwrite=True) as file:  # its name is this writer's alone
        file.write(as_file(words, images))


@dataclass(frozen=True, eq=False)
class Drawings:
    """All drawings of some words: images, (N, 1, 28, 28) bytes; labels and writers, (N,) indices of names and marks."""

    images: torch.Tensor
    labels: torch.Tensor
    writers: torch.Tensor
    times: torch.Tensor  # (N,) seconds: when the writer's file was last changed
    class_names: tuple[str, ...]
    marks: tuple[str, ...]
    source: str
    folder: Path

    def of_first(self, count):
        """The drawings of the first `count` writers."""
        mine = self.writers < count
        parts = {name: getattr(self, name)[mine] for name in ("images", "labels", "writers", "times")}
        return replace(self, **parts, marks=self.marks[:count])

    def folds(self):
        """Up to five ways to set some drawings aside for testing: pairs of (N,) booleans, by writer and at random.

        Both set the same number aside, and each drawing once. By writer, no one has drawings on both sides.
        """
        count = min(FOLDS, len(self.marks))
        by_writer = self.writers % count
        # The random folds get the sizes of the others: if sizes differed, they would cause a part of the gap.
        turns = F.one_hot(by_writer, count).cumsum(dim=0).gather(1, by_writer[:, None])[:, 0]
        in_turn = by_writer[(count * turns + by_writer).argsort()]
        order = torch.randperm(len(self.labels), generator=torch.Generator().manual_seed(0), device="cpu")
        at_random = torch.empty_like(order).scatter_(0, order, in_turn)
        return [(by_writer == fold, at_random == fold) for fold in range(count)]


def place_of_all():
    """The folder that holds everyone's drawings: the class's if one is named, else the student's own."""
    return class_folder.named() or ClassFolder(own_folder())


def gathered(found, words, folder, source=None):
    """`Drawings` of the given `words`; found: {mark: (words, images, time)}."""
    picked = [
        (image, words.index(word), writer, when)
        for writer, (said, images, when) in enumerate(found.values())
        for word, image in zip(said, images, strict=True)
        if word in words
    ]
    images = torch.stack([image for image, *_ in picked]) if picked else _nothing()[1]
    labels, writers, times = (torch.tensor([row[i] for row in picked]) for i in (1, 2, 3))
    source = source or f"the drawings of {len(found)} writer{'s' * (len(found) != 1)} in {folder}"
    return Drawings(images[:, None], labels.long(), writers.long(), times.double(), words, tuple(found), source, folder)


def drawings_or_simulated(words, least=1):
    """Everyone's drawings; if fewer than `least` have drawn, simulated writers make up ten. Raises DataError.

    words: a tuple; only digits can be simulated.
    """
    folder = place_of_all()
    found = {mark: drawn for mark, drawn in Files(folder).read()[0].items() if set(drawn[0]) & set(words)}
    digits = set(words) <= set(DIGITS.split())
    if len(found) >= least or (found and not digits):
        return gathered(found, words, folder.path)
    if not digits:
        raise DataError(f"there is no drawing of {', '.join(words)} in {folder.path} yet: collect some in labs.collect")
    simulated = {mark: (*drawn, 0) for mark, drawn in simulated_writers(10 - len(found)).items()}
    made = f"{len(simulated)} simulated writers, made from MNIST's digits"
    if found:
        source = f"the drawings in {folder.path} and {made}, until someone else draws"
    else:
        source = f"{made}, until there is a drawing in {folder.path}"
    return gathered(found | simulated, words, folder.path, source)


def class_data(words=DIGITS):
    """What the class has drawn, as `ImageData` (chapter 5); the test images are the drawings of every fifth writer.

    words: those that `labs.collect` asked for; they name the classes, in this order. The drawings are those in the
    folder named by LENET_LAB_CLASS, else the student's own; if there are none yet, those of ten simulated writers.
    `ImageData.source` says which. A single writer's drawings are on both sides. Raises ValueError for words that
    `labs.collect` cannot ask for, and DataError if there is no drawing of them yet.
    """
    drawings = drawings_or_simulated(as_words(words))
    alone = len(drawings.marks) == 1
    test = torch.arange(len(drawings.labels)) % FOLDS == FOLDS - 1 if alone else drawings.folds()[0][0]
    parts = [part[chosen] for chosen in (~test, test) for part in (drawings.images, drawings.labels)]
    return ImageData("Drawings", *parts, drawings.class_names, drawings.source, drawings.folder)
