"""What the student of a rehearsed lesson does, cell by cell: a data file a chapter, `tests/lesson/chapterN.py`.

Each names all code cells of its chapter once, by their ids:
    RUN: cells to run and to look at;
    CHANGES: {cell of RUN: [(words of its code, what the student writes for them, more such pairs), ...]}, each tried on
        the cell as it comes; a cell whose comment says "change this" has some;
    GUESSES: {the question's cell: (the cell with the answer, a wrong option, the right one)}, several right ones if
        it hangs on a training; of bars, how the right numbers begin;
    BLANKS: {cell: (what is written for the dots at first, words of the verdict on it)}, a list for several dots;
    LABS: {cell: moves}, as `Student.move` in rehearse.py does them; {"red": words} at a move's end is what it causes;
    EXERCISES: {cell: the label of a wrong attempt in tests/attempts/chapterN.jsonl}.
The right lines of blanks and exercises are the course's own.
"""

import ast
import importlib
import json
import re
from pathlib import Path

import nbformat

from helpers.teacher.assignment import exercises_of, shown_answers

DOTS = r"(?<!\[)\.\.\."  # not those of X[..., 0]
ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = [int(path.stem.removeprefix("chapter")) for path in sorted(Path(__file__).parent.glob("chapter*.py"))]


def script_of(chapter):
    """The `Script` of a chapter of the course."""
    (path,) = (ROOT / "notebooks").glob(f"{chapter:02}-*.ipynb")
    data = importlib.import_module(f"tests.lesson.chapter{chapter}")
    notebooks = [nbformat.read(folder / path.name, as_version=4) for folder in (path.parent, path.parent / "solutions")]
    return Script(chapter, path.name, data, *notebooks)


class Script:
    """The script of a chapter beside the chapter itself.

    chapter: its number; name: its file's; data: a module as above; notebook, solutions: as nbformat reads them.
    """

    def __init__(self, chapter, name, data, notebook, solutions):
        self.chapter, self.name, self.data, self.notebook = chapter, name, data, notebook
        self.exercises = exercises_of(self.notebook)
        self.solved = {exercise.number: exercise for exercise in exercises_of(solutions)}
        self.blanks, self.changes = shown_answers(self.notebook), data.CHANGES
        self.sources = {cell.id: cell.source for cell in self.notebook.cells if cell.cell_type == "code"}

    def sections(self):
        """(title, minutes that it promises or None, its cells), in the order of the chapter."""
        found = []
        for cell in self.notebook.cells:
            heading = re.search(r"^##? (.+)$", cell.source, re.MULTILINE) if cell.cell_type == "markdown" else None
            if heading:
                minutes = re.search(r"\((\d+) min\)", heading[1])
                found.append((re.sub(r" \(\d+ min\)", "", heading[1]), int(minutes[1]) if minutes else None, []))
            found[-1][2].append(cell)
        return found

    def follows(self, cell, other):
        """Whether `other` is the next cell after `cell`."""
        ids = [cell.id for cell in self.notebook.cells]
        return ids.index(other) == ids.index(cell) + 1

    def named(self):
        """The ids that the script names, in its order."""
        data = self.data
        answers = [answer for answer, _, _ in data.GUESSES.values()]
        return [*data.RUN, *data.GUESSES, *answers, *data.BLANKS, *data.LABS, *data.EXERCISES]

    def gaps(self):
        """What the chapter has and the script does not name, and the other way round, in words."""
        named, cells = self.named(), list(self.sources)
        gaps = [f"{cell} is in the chapter and not in the script" for cell in cells if cell not in named]
        gaps += [f"{cell} is in the script and not in the chapter" for cell in named if cell not in cells]
        gaps += [f"{cell} is in the script more than once" for cell in set(named) if named.count(cell) > 1]
        kinds = {
            "labs.predict": self.data.GUESSES,
            "@checks.yours": self.data.BLANKS,
            "checks.check_": self.data.EXERCISES,
        }
        for words, part in kinds.items():
            holding = [cell for cell, source in self.sources.items() if words in source]
            gaps += [f"{cell} has {words}, and the script does not treat it so" for cell in holding if cell not in part]
            gaps += [f"{cell} has no {words}" for cell in part if cell in cells and cell not in holding]
        for cell, source in self.sources.items():
            if "# change th" in source and cell not in self.changes:
                gaps.append(f"{cell} asks for a change, and the script makes none")
        for cell, changes in self.changes.items():
            olds = [old for change in changes for old in change[::2]]
            gaps += [f"{cell} has no {old}" for old in olds if old not in self.sources.get(cell, "")]
        for cell, (_, wrong, right) in self.data.GUESSES.items():
            if wrong == right or (wrong in right and not isinstance(right, str)):
                gaps.append(f"{cell}: the wrong guess is a right one")
        return gaps + self._lines_of_the_text() + [gap for cell in self.data.BLANKS for gap in self._dots(cell)]

    def _lines_of_the_text(self):
        """Board lines of the chapter's text that the student does not type."""
        names = {source.split("labs.")[1].split("(")[0] for source in self.sources.values() if "labs." in source}
        typed = [move[1] for moves in self.data.LABS.values() for move in moves if move[0] == "line"]
        text = "\n".join(cell.source for cell in self.notebook.cells if cell.cell_type == "markdown")
        words = {"learn_kernel": "learn"}
        lines = re.findall(rf"`((?:{'|'.join(words.get(name, name) for name in names)}) [\w-]+=[^`]+)`", text)
        return [f"the board line {line} is in the chapter and not in the script" for line in lines if line not in typed]

    def _dots(self, cell):
        lines = self.data.BLANKS[cell][0]
        dots = len(re.findall(DOTS, self.sources.get(cell, "").split('"""')[-1]))
        given = 1 if isinstance(lines, str) else len(lines)
        return [] if dots == given else [f"{cell} has {dots} blanks, and the script fills {given}"]

    def wrong_blank(self, cell):
        """The cell with the student's first, wrong lines, and words of its verdict."""
        lines, words = self.data.BLANKS[cell]
        head, quotes, body = self.sources[cell].rpartition('"""')
        for line in [lines] if isinstance(lines, str) else lines:
            body = re.sub(DOTS, lambda _, line=line: line, body, count=1)
        return head + quotes + body, words

    def wrong_answer(self, cell):
        """The cell of an exercise with a typical wrong answer, and words of its verdict."""
        number, label = self.number(cell), self.data.EXERCISES[cell]
        corpus = ROOT / "tests" / "attempts" / f"chapter{self.chapter}.jsonl"
        attempts = map(json.loads, corpus.read_text(encoding="utf-8").splitlines())
        (attempt,) = (
            a
            for a in attempts
            if f"{self.chapter}.{a['exercise']}" == number and a["label"] == label and a["kind"] == "wrong"
        )
        return f"{attempt['code']}\n\n{attempt['call']}", attempt["said"]

    def right_answer(self, cell):
        """The cell of an exercise with the course's solution."""
        exercise = next(e for e in self.exercises if e.number == self.number(cell))
        solved = self.solved[exercise.number]
        renamed = [
            f"{ours.id} = {ast.unparse(theirs)}"
            for ours, theirs in zip(exercise.check.args, solved.check.args, strict=True)
            if isinstance(ours, ast.Name) and ast.unparse(ours) != ast.unparse(theirs)
        ]
        return "\n".join([solved.stub, *renamed, "", ast.unparse(exercise.check)])

    def number(self, cell):
        """The number of an exercise, "2.1"."""
        return self.exercises[list(self.data.EXERCISES).index(cell)].number
