"""The class's drawings on the projector: how the set grows, which are missing, and which stand out."""

import threading

import torch
from torch.nn import functional as F

from helpers import plotting
from helpers.labs.cells import one_a_cell
from helpers.labs.class_drawings import DIGITS, Files, as_words, gathered, place_of_all
from helpers.labs.living import Living, script
from helpers.labs.settings import Choice

SHOWN, MOST_ROWS = 30, 8  # drawings; writers who are not done yet
LOOKS_EVERY = 1  # seconds between two checks of the folder


def oddness(images, labels):
    """How much each drawing stands out, (N,): its distance to the nearest of its class, minus that to another class.

    images: (N, 1, height, width) bytes; labels: (N,). Above 0, a drawing of another class is nearer. Of 20 wrong labels
    among 900 simulated drawings, 16 to 19 were among the first 30; ranked by the distance from the class means, 8 to
    11. A drawing that is alone in its class cannot be judged, so it comes last.
    """
    # Four pixels become one: a quarter of the work, and just as many wrong labels found.
    X, found = F.avg_pool2d(images.float() / 255, 2).flatten(1), [torch.zeros(0)]
    for start in range(0, len(X), 500):  # all distances of a large class at once would take a gigabyte
        rows = slice(start, start + 500)
        far = torch.cdist(X[rows], X)
        far[:, rows].fill_diagonal_(torch.inf)
        same = labels[rows, None] == labels
        own, other = (far.masked_fill(out, torch.inf).amin(dim=1) for out in (~same, same))
        odd = own - other.where(other.isfinite(), torch.zeros(()))
        found.append(odd.where(own.isfinite(), odd.new_full((), -torch.inf)))
    return torch.cat(found)


class ClassData(Living):
    """Shows what is in the folder of everyone's drawings; writes nothing.

    words: a tuple; files: `Files`.
    """

    NAME = "class_data"
    _esm = script("class_data.js")

    def __init__(self, words, files):
        self.words, self.files, self._ended = words, files, threading.Event()
        self._drawing = threading.RLock()  # held while a picture is made, so that all of it comes from one reading
        self._take(files.read())
        controls = {
            "order": Choice("order", ["outliers first", "newest first"]),
            "word": Choice("word", ["all", *words] if "all" not in words else list(words)),
        }
        super().__init__(controls)
        self._thread = threading.Thread(target=self._watch, name="lenet-lab drawings", daemon=True)
        self._thread.start()

    def close(self):
        """Close the lab and stop watching the folder."""
        self._ended.set()
        self._thread.join(1)  # at most a second, since a network drive may hold it up
        super().close()

    def redraw(self):
        """As every lab does, in the thread that handles a move or in the one that watches the folder."""
        with self._drawing:
            super().redraw()

    def _take(self, found):
        """Show `found` from now on, as `Files.read` returned it."""
        self._found, self.drawings = found, gathered(found[0], self.words, self.files.folder.path)
        # Not at each move of a hand: of a class's 900 drawings they take 12 ms.
        self._outliers = oddness(self.drawings.images, self.drawings.labels).argsort(descending=True)
        self._copies = len(self.drawings.labels) - len(self.drawings.images.flatten(1).unique(dim=0))

    def _watch(self):
        while not self._ended.wait(LOOKS_EVERY):
            found = self.files.read()
            if _state(found) != _state(self._found):
                with self._drawing, self.hold_sync():
                    self._take(found)
                    self.redraw()

    def places(self, order, word):
        """The indices of the drawings to show, in this order."""
        drawings = self.drawings
        if order == "newest first":
            # Within a file, drawings are in the order in which they were made.
            order = sorted(range(len(drawings.times)), key=lambda i: (drawings.times[i], i), reverse=True)
            places = torch.tensor(order, dtype=torch.long)
        else:
            places = self._outliers
        if word in self.words and len(self.controls["word"].options) > 1:
            places = places[drawings.labels[places] == self.words.index(word)]
        return places[:SHOWN]

    def missing(self):
        """[(mark, number of drawings, missing words)] of writers who are not done yet, fewest drawings first."""
        drawings, rows = self.drawings, []
        for writer, mark in enumerate(drawings.marks):
            labels = drawings.labels[drawings.writers == writer]
            left = [word for word, count in zip(self.words, self._counts(labels), strict=True) if not count]
            if left:
                rows.append((mark, len(labels), left))
        return sorted(rows, key=lambda row: row[1])

    def _counts(self, labels):
        return labels.bincount(minlength=len(self.words)).tolist()

    def draw(self, order, word):
        """The numbers of drawings, the writers who are not done yet, and the drawings that stand out."""
        drawings, troubles, rows = self.drawings, list(self._found[1]), self.missing()
        places = self.places(order, word)
        facts = {
            "words": list(self.words), "counts": self._counts(drawings.labels),
            "missing": [{"mark": mark, "count": count, "words": left} for mark, count, left in rows[:MOST_ROWS]],
            "more": max(0, len(rows) - MOST_ROWS), "troubles": troubles, "writers": len(drawings.marks),
            "labels": drawings.labels[places].tolist(),
            "marks": [drawings.marks[writer] for writer in drawings.writers[places]],
        }  # fmt: skip
        return {"images": drawings.images[places]}, facts, self._text()

    def _text(self):
        drawings, folder = self.drawings, self.files.folder.path
        if not len(drawings.labels):
            return f"No drawings yet. They will appear here, from {folder}, as soon as labs.collect keeps one."
        count, writers = len(drawings.labels), len(drawings.marks)
        text = [f"{count} drawing{'s' * (count > 1)} by {writers} writer{'s' * (writers > 1)}, from {folder}."]
        if self._copies:
            are = "is a copy" if self._copies == 1 else "are copies"
            text.append(f"{self._copies} of them {are} of another, pixel by pixel.")
        return " ".join(text)

    def still(self, order, word):
        """The drawings as a still picture."""
        with self._drawing:
            drawings, places = self.drawings, self.places(order, word)
        return plotting.drawings(drawings.images[places], [self.words[i] for i in drawings.labels[places]])


def _state(found):
    """Something that changes whenever a file does: `Files` then makes new objects."""
    drawn, troubles = found
    return {mark: id(drawings) for mark, drawings in drawn.items()}, troubles


@one_a_cell
def class_data(words=DIGITS):
    """The class's drawings as they arrive (chapter 5): how many of each word, who is not done yet, and what stands out.

    words: those that `labs.collect` asked for. Drawings appear within two seconds; they come from the folder that
    LENET_LAB_CLASS names, else from the student's own. Raises ValueError for words that `labs.collect` cannot ask for.
    """
    return ClassData(as_words(words), Files(place_of_all()))
