"""The notebooks as files: what every chapter holds, and how it is kept in git."""

import ast
import importlib
import re
from pathlib import Path

import nbformat
import pytest

from helpers.plotting.course_map import WAYS
from helpers.teacher.assignment import bound_by, read_by

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SOLUTIONS = sorted((ROOT / "notebooks" / "solutions").glob("*.ipynb"))
NAMES = ["01-data", "02-convolution-and-pooling", "03-lenet-shapes", "04-training-on-gpu", "05-lenet-vs-mlp"]


def read(path):
    return nbformat.read(path, as_version=4)


def prose(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def code(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def by_name(path):
    return path.stem


def sections(notebook):
    """[(heading, its cells), ...] of a chapter, the cells before the first heading under an empty one."""
    found = [("", [])]
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            found.append((cell.source.splitlines()[0].removeprefix("## "), []))
        found[-1][1].append(cell)
    return found


def core(notebook):
    """The cells that a class goes through: up to the Summary, without the sections that are called Deeper."""
    parts = sections(notebook)
    last = [heading for heading, _ in parts].index("Summary")
    return [cell for heading, cells in parts[: last + 1] if not heading.startswith("Deeper: ") for cell in cells]


def is_deeper(cell):
    return "deeper" in cell.metadata.get("tags", [])


def is_open(cell):
    """Whether the code of a cell can be seen."""
    return cell.cell_type == "code" and not cell.metadata.get("jupyter", {}).get("source_hidden")


def answers(cell):
    """The calls `guess.answer(...)` of a cell."""
    calls = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Call)]
    return [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "answer"]


def test_there_are_five_chapters_each_with_solutions():
    assert [path.stem for path in CHAPTERS] == NAMES
    assert [path.stem for path in SOLUTIONS] == NAMES


@pytest.mark.parametrize("path", CHAPTERS, ids=by_name)
def test_a_chapter_holds_its_parts_in_their_order(path):
    number, text = int(path.stem[:2]), prose(read(path))
    parts = [
        rf"^# Chapter {number}: ",
        r"^## What you will be able to do$",
        r"^### Minutes$",
        r"^### Before you start$",
        r"^## 1 .*\(\d+ min\)$",
        r"^## Summary$",
        r"^## Questionnaire$",
        r"^## Exercises \(\d+ min\)$",
        r"^## Going further$",
    ]
    places = [re.search(part, text, re.MULTILINE) for part in parts]
    assert None not in places, f"missing: {parts[places.index(None)]}"
    assert [place.start() for place in places] == sorted(place.start() for place in places)


@pytest.mark.parametrize("path", CHAPTERS, ids=by_name)
def test_the_table_of_minutes_is_that_of_the_headings(path):
    notebook = read(path)
    headings = re.findall(r"^## (.*) \((\d+) min\)$", prose(notebook), re.MULTILINE)
    table = re.findall(r"^\| *([^|*]+?) *\| *(\d+) *\|$", prose(notebook).split("## 1 ")[0], re.MULTILINE)
    assert sorted(table) == sorted(headings)
    in_core = sum(int(minutes) for title, minutes in headings if title[0].isdigit())
    assert f"| **core** | **{in_core}** |" in prose(notebook)
    assert in_core <= 60
    assert ("Exercises", "15") in headings
    assert all(title[0].isdigit() or title == "Exercises" or title.startswith("Deeper: ") for title, _ in headings)


@pytest.mark.parametrize("path", CHAPTERS, ids=by_name)
def test_a_core_fits_a_class(path):
    cells = core(read(path))
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    to_read = [cell.source for cell in cells if is_open(cell)]
    assert len(to_read) <= 30
    assert sum(bool(line.strip()) for source in to_read for line in source.splitlines()) <= 180
    assert len(re.findall(r"\w+", text)) <= 2400
    assert sum(line.lstrip().startswith("assert ") for source in to_read for line in source.splitlines()) <= 5
    assert all(len(source.splitlines()) <= 25 for source in code(read(path)))


@pytest.mark.parametrize("path", CHAPTERS, ids=by_name)
def test_a_section_begins_with_a_cell_and_deeper_ones_are_marked(path):
    for heading, cells in sections(read(path)):
        for cell in cells:
            assert cell.cell_type == "code" or "\n## " not in cell.source, f"a section begins amid {cell.id}"
            if cell.cell_type == "code":
                assert is_deeper(cell) == heading.startswith("Deeper: "), cell.id


@pytest.mark.parametrize("path", CHAPTERS, ids=by_name)
def test_the_core_runs_without_what_is_deeper(path):
    deeper = set()  # names that a deeper cell was the last to bind
    for cell in read(path).cells:
        if cell.cell_type == "code" and is_deeper(cell):
            deeper |= bound_by(cell.source)
        elif cell.cell_type == "code":
            deeper -= bound_by(cell.source)
            needed = read_by(cell.source) & deeper
            assert not needed, f"{cell.id} needs {', '.join(needed)} from a deeper section"


@pytest.mark.parametrize("path", CHAPTERS, ids=by_name)
def test_the_first_imports_are_those_of_the_core_and_the_exercises(path):
    cells = [cell for cell in read(path).cells if cell.cell_type == "code"]
    imports = next(cell.source for cell in cells if cell.id == "imports")
    used = set().union(*(read_by(cell.source) for cell in cells if not is_deeper(cell)))
    used |= {"F", "DataLoader", "TensorDataset"}  # for other right answers of 1.3 and 3.5
    assert bound_by(imports) <= used, f"only a deeper section needs {', '.join(bound_by(imports) - used)}"


@pytest.mark.parametrize("path", CHAPTERS, ids=by_name)
def test_a_student_has_something_to_do_after_three_cells_at_most(path):
    in_a_row = []  # open cells that are finished; a guess, a curve to watch, a number to change are no doing
    for cell in core(read(path)):
        if cell.cell_type == "code" and re.search(r"@checks\.yours|\blabs\.(?!predict|watch)\w+\(", cell.source):
            in_a_row = []
        elif is_open(cell):
            in_a_row.append(cell.id)
        assert len(in_a_row) <= 3, in_a_row


@pytest.mark.parametrize("path", CHAPTERS, ids=by_name)
def test_the_student_writes_what_the_chapter_is_about(path):
    blanks = re.findall(r"^@checks\.yours\ndef (\w+)", "\n".join(code(read(path))), re.MULTILINE)
    assert len(blanks) >= 2
    assert blanks == list(importlib.import_module(f"helpers.checks.chapter{path.stem[1]}").BLANKS)


@pytest.mark.parametrize("path", CHAPTERS, ids=by_name)
def test_what_gives_an_answer_away_is_folded_and_was_measured(path):
    for cell in read(path).cells:
        if cell.cell_type == "code" and (answers(cell) or "labs.predict" in cell.source or cell.id == "start"):
            assert not is_open(cell), f"{cell.id} is not folded"
            assert "hide-input" in cell.metadata.get("tags", []), f"{cell.id} is not folded in the book"
        for answer in answers(cell) if cell.cell_type == "code" else []:
            measured = [node for node in ast.walk(answer.args[0]) if isinstance(node, ast.Name)]
            assert measured, f"{cell.id}: the answer is a literal"
            assert "print(" not in cell.source
            last = ast.unparse(ast.parse(cell.source).body[-1])
            assert last == ast.unparse(answer), f"{cell.id} ends in something else than its answer"


@pytest.mark.parametrize("path", CHAPTERS, ids=by_name)
def test_a_chapter_leads_to_its_neighbours(path):
    place = NAMES.index(path.stem)
    neighbours = [f"]({name}.ipynb)" for name in NAMES if abs(NAMES.index(name) - place) == 1]
    cells = read(path).cells
    for link in neighbours:
        assert link in cells[0].source, f"no link {link} at the top"
        assert link in cells[-1].source, f"no link {link} at the bottom"


@pytest.mark.parametrize("path", CHAPTERS, ids=by_name)
def test_every_exercise_has_a_check_and_a_solution_that_uses_it(path):
    chapter, solutions = read(path), read(path.parent / "solutions" / path.name)
    number = int(path.stem[:2])
    exercises = re.findall(rf"^#+ (Exercise {number}\.\d: .+)$", prose(chapter), re.MULTILINE)
    assert 4 <= len(exercises) <= 6
    assert exercises == re.findall(rf"^#+ (Exercise {number}\.\d: .+)$", prose(solutions), re.MULTILINE)
    checks = set(re.findall(r"checks\.(check_\w+)", "\n".join(code(chapter))))
    solved = set(re.findall(r"checks\.(check_\w+)", "\n".join(code(solutions))))
    assert len(checks) >= 4
    assert checks == solved


@pytest.mark.parametrize("path", CHAPTERS, ids=by_name)
def test_the_imports_end_with_a_picture_of_the_whole(path):
    imports = next(cell.source for cell in read(path).cells if cell.id == "imports")
    assert imports.endswith(f"plotting.course_map({int(path.stem[:2])})")


@pytest.mark.parametrize("path", CHAPTERS, ids=by_name)
def test_the_picture_of_the_whole_names_every_section(path):
    text = prose(read(path))
    sections = re.findall(r"^## (\d+) .*\(\d+ min\)$", text, re.MULTILINE)
    assert ", ".join(WAYS[int(path.stem[:2])]).split(", ") == sections


@pytest.mark.parametrize("path", CHAPTERS, ids=by_name)
def test_students_guess_before_a_cell_shows_the_truth(path):
    cells = code(read(path))
    asked = [
        (place, name) for place, cell in enumerate(cells) for name in re.findall(r"(\w+) = labs.predict\w*\(", cell)
    ]
    assert len(asked) >= 3
    assert len({name for _, name in asked}) == len(asked)
    for place, name in asked:
        assert cells[place].endswith(f"\n{name}"), f"{name} is not shown"
        assert any(f"{name}.answer(" in cell for cell in cells[place + 1 : place + 4]), f"{name} is never answered"


@pytest.mark.parametrize("path", CHAPTERS, ids=by_name)
def test_the_summary_has_five_lines_and_the_questionnaire_folds_its_answers(path):
    _, _, rest = prose(read(path)).partition("\n## Summary\n")
    summary, _, rest = rest.partition("\n## Questionnaire\n")
    questionnaire, _, _ = rest.partition("\n## Exercises")
    assert len(re.findall(r"^- ", summary, re.MULTILINE)) == 5
    folded = re.findall(r"<details><summary>(.+?)</summary>(.+?)</details>", questionnaire, re.DOTALL)
    assert 6 <= len(folded) <= 10
    assert all(question.strip().endswith(("?", ".")) and answer.strip() for question, answer in folded)


@pytest.mark.parametrize("path", CHAPTERS, ids=by_name)
def test_hints_come_in_steps(path):
    _, *exercises = re.split(r"^### Exercise", prose(read(path)).partition("## Going further")[0], flags=re.MULTILINE)
    for exercise in exercises:
        assert re.findall(r"<summary>(Hint \d)</summary>", exercise)[:2] == ["Hint 1", "Hint 2"], exercise[:40]


@pytest.mark.parametrize("path", CHAPTERS, ids=by_name)
def test_markdown_in_a_folded_text_is_set_off_by_empty_lines(path):
    # Without them `x` and *this* stand there as they are written.
    for folded in re.findall(r"<details>.*?</details>", prose(read(path)), re.DOTALL):
        inside = folded.partition("</summary>")[2]
        assert inside.startswith("\n\n") or not re.search(r"[`*$]", inside), folded


@pytest.mark.parametrize("path", CHAPTERS, ids=by_name)
def test_a_chapter_names_its_sources(path):
    _, _, rest = prose(read(path)).partition("## Going further")
    _, _, reading = rest.partition("### Further reading")
    assert len(re.findall(r"^- .*\b(?:19|20)\d\d\b", reading, re.MULTILINE)) >= 3
    assert "Dive into Deep Learning" in reading


@pytest.mark.parametrize("path", CHAPTERS + SOLUTIONS, ids=str)
def test_a_notebook_imports_from_helpers_alone_and_by_name(path):
    for cell in read(path).cells:
        if cell.cell_type == "code":
            # The cell `start` only asks whether there are helpers: tests/faults.
            whole = "import helpers" in cell.source and cell.id != "start"
            assert not whole
            assert not re.search(r"import \*|from helpers\.", cell.source)
            assert "plt." not in cell.source


@pytest.mark.parametrize("path", CHAPTERS, ids=by_name)
def test_a_chapter_has_a_lab_and_a_cell_that_fails_on_purpose(path):
    notebook = read(path)
    assert re.search(r"labs\.(?!watch)\w+\(", "\n".join(code(notebook)))
    assert any("raises-exception" in cell.metadata.get("tags", []) for cell in notebook.cells)


@pytest.mark.parametrize("path", CHAPTERS + SOLUTIONS, ids=str)
def test_a_notebook_is_kept_without_outputs_and_with_telling_ids(path):
    notebook = read(path)
    assert "widgets" not in notebook.metadata
    for cell in notebook.cells:
        assert re.fullmatch(r"[a-z][a-z0-9-]+", cell.id)
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
    ids = [cell.id for cell in notebook.cells]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("path", CHAPTERS + SOLUTIONS, ids=str)
def test_pictures_in_prose_have_alternative_text(path):
    text = prose(read(path))
    assert "![](" not in text
    assert all("alt=" in tag for tag in re.findall(r"<img[^>]*>", text))


@pytest.mark.parametrize("path", CHAPTERS, ids=by_name)
def test_every_claim_belongs_to_a_cell_that_is_there(path):
    claims = path.parents[1] / "tests" / "claims" / f"{path.stem}.py"
    written = claims.read_text(encoding="utf-8") if claims.exists() else ""
    named = re.findall(r"^# %% (\S+)$", written, re.MULTILINE)
    assert len(named) == len(set(named))
    assert set(named) <= {cell.id for cell in read(path).cells if cell.cell_type == "code"}
