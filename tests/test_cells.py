"""The plug-in that runs a chapter's claims after its cells, and fills in its blanks."""

import os
import shutil
import subprocess
import sys

import nbformat
import pytest

from helpers.teacher.assignment import shown_answers
from tests.cells import claims_of

ANSWER = "<details><summary>Show me</summary>\n\n```python\ndouble = lambda x: 2 * x\n```\n</details>"


@pytest.fixture
def chapter(tmp_path):
    """A chapter with a blank, and a claim after the cell that uses it."""
    cells = [
        nbformat.v4.new_code_cell("@checks.yours\ndef double(x):\n    return ...", id="blank"),
        nbformat.v4.new_markdown_cell(ANSWER),
        nbformat.v4.new_code_cell("four = double(2)", id="use"),
    ]
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "tests" / "claims").mkdir(parents=True)
    path = tmp_path / "notebooks" / "09-small.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    (tmp_path / "tests" / "claims" / "09-small.py").write_text("# %% use\nassert four == 4\nassert four < 5\n")
    return path


def test_claims_and_answers_are_found(chapter):
    assert claims_of(chapter) == {"use": "assert four == 4\nassert four < 5\n"}
    assert shown_answers(nbformat.read(chapter, as_version=4)) == {"blank": "double = lambda x: 2 * x"}


def test_filled_blanks_make_true_claims_true_and_a_false_one_fails_the_cell_that_it_belongs_to(chapter):
    false = chapter.with_name("10-false.ipynb")
    shutil.copy(chapter, false)
    (chapter.parents[1] / "tests" / "claims" / "10-false.py").write_text("# %% use\nassert four == 5\n")
    command = [sys.executable, "-m", "pytest", "-q", "--nbval-lax", "--nbval-current-env", "-p", "tests.cells"]
    command += ["-c", os.devnull, "--rootdir", str(chapter.parent), str(chapter), str(false)]
    done = subprocess.run(command, env=os.environ | {"LENET_LAB_SOLVED": "1"}, capture_output=True, text=True)
    assert done.returncode == 1
    assert "1 failed, 3 passed" in done.stdout
    assert "10-false.ipynb::Cell 1" in done.stdout
    assert "after use" in done.stdout
    assert "assert four == 5" in done.stdout


def test_a_blank_without_an_answer_below_it_is_an_error(chapter):
    notebook = nbformat.read(chapter, as_version=4)
    del notebook.cells[1]
    nbformat.write(notebook, chapter)
    with pytest.raises(ValueError, match="no answer"):
        shown_answers(nbformat.read(chapter, as_version=4))
