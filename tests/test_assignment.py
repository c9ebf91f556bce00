"""The exercises as an nbgrader course: what students get, and what nbgrader makes of what they hand in."""

import html
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from traitlets.config import PyFileConfigLoader

from helpers.checks import grading, verdict
from helpers.teacher import assignment

CHAPTERS = sorted((assignment.ROOT / "notebooks").glob("[0-9]*.ipynb"))
GRADED = "03-lenet-shapes.ipynb"  # all five are built, one is graded: what nbgrader does is the same for all
FULL = 5 * assignment.POINTS
CRASH = """import os


def conv_cost(in_channels, out_channels, kernel_size, image_size, padding):
    os._exit(1)"""


@pytest.fixture(scope="module", autouse=True)
def alembic():
    """nbgrader calls the command `alembic`, which lies beside this Python."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
        yield


@pytest.fixture(scope="module")
def course(alembic, tmp_path_factory):
    """The written course, with one chapter's exercises released."""
    folder = tmp_path_factory.mktemp("build") / "assignment"
    assignment.write(folder)
    kept = folder / "all"
    shutil.copytree(folder / "source" / "exercises", kept)
    for path in (folder / "source" / "exercises").iterdir():
        if path.name != GRADED:
            path.unlink()
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", "exercises"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def nbgrader_api(folder):
    """nbgrader with the settings of the course in `folder`, in this process: each command of its own takes seconds."""
    config = PyFileConfigLoader("nbgrader_config.py", str(folder)).load_config()
    config.CourseDirectory.root = str(folder)
    return NbGraderAPI(config=config)


def cells(path):
    return {cell.id: cell for cell in nbformat.read(path, as_version=4).cells}


def hand_in(course, student, **answers):
    """A submission: the stubs, with some cells' sources replaced."""
    notebook = nbformat.read(course / "release" / "exercises" / GRADED, as_version=4)
    for cell in notebook.cells:
        cell.source = answers.get(cell.id.replace("-", "_"), cell.source)
    folder = course / "submitted" / student / "exercises"
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / GRADED)


@pytest.fixture(scope="module")
def graded(course):
    """{student: points} of all submissions; each takes nbgrader some five seconds."""
    made = cells(course / "all" / GRADED)
    answers = {cell_id.replace("-", "_"): cell.source for cell_id, cell in made.items() if "answer" in cell_id}
    hand_in(course, "all-of-it", **answers)
    hand_in(course, "nothing")
    mixed = {
        "answer_3_1": answers["answer_3_1"],
        "answer_3_2": "def flatten_size(image_size, kernel_size, padding, channels):\n    while True:\n        pass",
        "answer_3_3": CRASH,
        "answer_3_4": answers["answer_3_4"],
        "answer_3_5": "my_net = nn.Sequential(nn.Flatten(), nn.Linear(784, 9))",
    }
    hand_in(course, "mixed", **mixed)
    api = nbgrader_api(course)
    steps = [api.autograde("exercises", student) for student in ("all-of-it", "nothing", "mixed")]
    steps.append(api.generate_feedback("exercises", "mixed"))
    assert all(step["success"] for step in steps), steps
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        return {entry["student"]: entry["score"] for entry in book.submission_dicts("exercises")}


def test_the_solutions_score_full_marks_and_the_stubs_none(graded):
    assert graded["all-of-it"] == FULL
    assert graded["nothing"] == 0


def test_a_part_scores_its_part_and_a_loop_without_end_or_a_crash_costs_its_own_points_only(graded):
    assert graded["mixed"] == 2 * assignment.POINTS


def test_feedback_names_what_went_wrong(course, graded):
    page = (course / "feedback" / "mixed" / "exercises" / GRADED.replace("ipynb", "html")).read_text(encoding="utf-8")
    verdicts = [html.unescape(line.partition("<")[0]) for line in page.split("❌")[1:]]
    loop, crash, network = verdicts
    assert "did not come to an end" in loop
    assert "Your code ended Python itself" in crash
    assert "9" in network and "10" in network  # the shape that came, and the one that was expected


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_exercise_of_a_chapter_is_there_with_its_stub_its_solution_and_its_points(path, course):
    chapter, made = nbformat.read(path, as_version=4), cells(course / "all" / path.name)
    numbers = re.findall(r"^#+ Exercise (\d\.\d):", "\n".join(cell.source for cell in chapter.cells), re.MULTILINE)
    assert [f"exercise-{number.replace('.', '-')}" for number in numbers] == [
        i for i in made if i.startswith("exercise")
    ]
    for number in numbers:
        answer, check = (made[f"{what}-{number.replace('.', '-')}"] for what in ("answer", "check"))
        assert answer.metadata.nbgrader.solution
        assert not answer.metadata.nbgrader.locked
        assert (check.metadata.nbgrader.locked, check.metadata.nbgrader.points) == (True, assignment.POINTS)
        stub, _, solution = answer.source.partition(assignment.BEGIN)
        assert stub.strip()
        assert assignment.END in solution
    read = set().union(*(assignment.read_by(cell.source) for cell in made.values() if cell.cell_type == "code"))
    bound = set().union(*(assignment.bound_by(cell.source) for cell in made.values() if cell.cell_type == "code"))
    assert read - bound <= set(dir(__builtins__) if not isinstance(__builtins__, dict) else __builtins__)


def test_what_students_get_holds_no_solution(course):
    released = (course / "release" / "exercises" / GRADED).read_text(encoding="utf-8")
    assert "BEGIN SOLUTION" not in released
    assert "(image_size + 2 * padding - kernel_size + 1) // 2" not in released


def test_a_course_that_exists_is_never_touched(tmp_path):
    (tmp_path / "assignment").mkdir()
    with pytest.raises(FileExistsError, match="submissions"):
        assignment.write(tmp_path / "assignment")


def test_a_complaint_on_stderr_costs_nothing_and_the_verdict_is_printed(capsys):
    def check():
        print("a student's own print")
        print("a warning", file=sys.stderr)
        return verdict.right("Right.")

    assert grading.graded(2, check) == 2
    printed = capsys.readouterr()
    assert printed.out == "✅ Right.\n"
    assert printed.err == ""


def test_a_name_that_is_missing_is_said(capsys):
    assert grading.graded(2, lambda: an_answer_that_was_deleted) == 0  # noqa: F821
    assert "an_answer_that_was_deleted" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot copy a running process")
def test_a_check_that_never_ends_is_ended():
    def endless():
        while True:
            pass

    assert "ended after 1 seconds" in grading.in_a_process(endless, limit=1)
