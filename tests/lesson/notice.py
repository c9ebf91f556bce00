"""What a rehearsal notices, and where it writes that down."""

from dataclasses import dataclass, field
from pathlib import Path

KINDS = {  # what may be noticed: the words of the report
    "red": "a red line that nobody caused",
    "empty": "an empty output",
    "cut": "something is cut off",
    "loading": "still loading",
    "dead": "a widget without life",
    "answer": "an answer before its guess",
    "alt": "a picture without words for it",
    "jump": "the page jumps under the hand",
    "wait": "a wait without a moving sign",
    "verdict": "a verdict with other words",
    "script": "the script does not fit the page",
    "stuck": "the lesson comes to no end",
}
SOFT = {"wait"}  # hangs on what else the machine does: is reported, and fails nothing
WINDOW = {"width": 1280, "height": 800}  # pixels of the page: a projector
LONGEST_WAIT = 2  # seconds without a sign
LONGEST_JUMP = 100  # pixels
EYES = (Path(__file__).parent / "notice.js").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Remark:
    """One thing that was noticed: its kind, the cell's id, and words."""

    kind: str
    cell: str
    words: str

    def __str__(self):
        return f"{KINDS[self.kind]}, {self.cell}: {' '.join(self.words.split())}"


@dataclass
class Part:
    """A section as it was rehearsed: seconds waited beside the minutes promised, [(file, words)] and remarks.

    worked: the part of the wait that the kernel worked, by its own clock; at: the cell that was last in hand.
    """

    title: str
    minutes: int | None = None
    seconds: float = 0
    worked: float = 0
    actions: int = 0
    at: str = "the page"
    pictures: list = field(default_factory=list)
    remarks: list = field(default_factory=list)

    def note(self, kind, cell, words):
        """Write down what was noticed, once."""
        remark = Remark(kind, cell, words)
        if remark not in self.remarks:
            self.remarks.append(remark)

    @property
    def faults(self):
        """The remarks that make a rehearsal fail."""
        return [remark for remark in self.remarks if remark.kind not in SOFT]


def open_eyes(page):
    """Put `window.lesson` into a page that has just been loaded."""
    page.evaluate(EYES)
