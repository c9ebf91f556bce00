"""Seconds that nbgrader takes for a submission: `make bench PART=grading`.

Thirty students hand in chapter 3: ten everything, ten nothing, ten a loop without end in one exercise.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat

from helpers.reproduce_all import machine
from helpers.teacher import assignment

CHAPTER = "03-lenet-shapes.ipynb"
ENDLESS = "def flatten_size(image_size, kernel_size, padding, channels):\n    while True:\n        pass"


def nbgrader(folder, *arguments):
    """Run one of nbgrader's commands in the course's folder; `alembic`, which it calls, lies beside this Python."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-m", "nbgrader", *arguments]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)


def hand_in(course, student, source, endless=False):
    """Put a notebook where nbgrader looks for submissions."""
    folder = course / "submitted" / student / "exercises"
    folder.mkdir(parents=True)
    notebook = nbformat.read(source, as_version=4)
    for cell in notebook.cells:
        if endless and cell.id == "answer-3-2":
            cell.source = ENDLESS
    nbformat.write(notebook, folder / CHAPTER)


def main():
    """Grade thirty submissions in one run, and print the seconds."""
    with tempfile.TemporaryDirectory() as temporary:
        course = Path(temporary) / "assignment"
        assignment.write(course)
        solved = Path(temporary) / CHAPTER
        shutil.copy(course / "source" / "exercises" / CHAPTER, solved)
        for path in (course / "source" / "exercises").iterdir():
            if path.name != CHAPTER:
                path.unlink()
        nbgrader(course, "generate_assignment", "exercises")
        empty = course / "release" / "exercises" / CHAPTER
        for i in range(10):
            hand_in(course, f"all-{i}", solved)
            hand_in(course, f"nothing-{i}", empty)
            hand_in(course, f"endless-{i}", solved, endless=True)
        started = time.perf_counter()
        nbgrader(course, "autograde", "exercises")
        seconds = time.perf_counter() - started
    print(f"{machine()}\n30 submissions of chapter 3 graded in {seconds:.0f} s, {seconds / 30:.1f} s each")


if __name__ == "__main__":
    main()
