"""The exercises as an nbgrader course, one notebook per chapter: `make assignment`.

It is made from the chapters and their solutions, so nothing is kept twice. This does not need nbgrader itself.
"""

import ast
import re
import shutil
import symtable
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parents[2]
POINTS = 2  # per exercise
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"  # nbgrader's marks: it removes what is between them for students
SHOWN = re.compile(r"<details><summary>Show me</summary>\s*```python\n(.*?)\n```", re.DOTALL)
CONFIG = '''"""The settings of this nbgrader course; `nbgrader generate_assignment exercises` is the next step."""

c = get_config()
c.CourseDirectory.course_id = "lenet-lab"
c.ClearSolutions.code_stub = {"python": ""}  # each exercise has its own stub above the solution
c.Execute.timeout = 180  # seconds per cell
c.Execute.interrupt_on_timeout = True  # an endless loop costs only its own points
'''


@dataclass
class Exercise:
    """An exercise of a chapter: its number "4.2", its text, the stub, and the call that checks the answer."""

    number: str
    text: str
    stub: str
    check: ast.Call


def assignment(chapter, solutions):
    """The exercises of a chapter as an nbgrader notebook with their solutions, which nbgrader removes for students.

    chapter, solutions: notebooks as nbformat reads them.
    """
    exercises, solved = exercises_of(chapter), {e.number: e for e in exercises_of(solutions)}
    title = chapter.cells[0].source.splitlines()[0]
    cells = [
        new_markdown_cell(f"{title}. Exercises", id="title"),
        _cell("set-up", set_up([solutions, chapter], exercises, solved.values()), locked=True),
    ]
    for exercise in exercises:
        name, solution = exercise.number.replace(".", "-"), solved[exercise.number]
        renamed = [
            f"{ours.id} = {ast.unparse(theirs)}"
            for ours, theirs in zip(exercise.check.args, solution.check.args, strict=True)
            if isinstance(ours, ast.Name) and ast.unparse(ours) != ast.unparse(theirs)
        ]
        answer = "\n".join([exercise.stub, "\n", BEGIN, solution.stub, *renamed, END])
        check = f"graded({POINTS}, lambda: {ast.unparse(exercise.check)})"
        cells += [
            new_markdown_cell(exercise.text, id=f"exercise-{name}"),
            _cell(f"answer-{name}", answer, solution=True),
            _cell(f"check-{name}", check, locked=True, grade=True, points=POINTS),
        ]
    return new_notebook(cells=cells, metadata=chapter.metadata)


def exercises_of(notebook):
    """The exercises of a chapter, or of its solutions: everything from an exercise's heading to its check."""
    found, number, text, stub = [], None, "", []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            heading = re.search(r"^#+ Exercise (\d\.\d):.*?(?=\n## |\Z)", cell.source, re.MULTILINE | re.DOTALL)
            number, text, stub = (heading[1], heading[0], []) if heading else (number, text, stub)
        elif number:
            for statement in ast.parse(cell.source).body:
                check = next((node for node in ast.walk(statement) if _is_check(node)), None)
                if check:
                    found.append(Exercise(number, text, "\n\n\n".join(stub), check))
                    number = None
                    break
                stub.append(_lines(cell.source, statement))
    return found


def set_up(notebooks, exercises, solved):
    """The imports and statements of the notebooks that exercises need, and those that these need in turn."""
    asked = [*(e.stub for e in exercises), *(ast.unparse(e.check) for e in exercises)]
    answers = "\n".join(e.stub for e in solved)
    # A student may also use what the solution repeats, such as a function of the chapter.
    wanted = set().union(*map(read_by, asked)) | read_by(answers) | bound_by(answers)
    wanted -= bound_by("\n".join(e.stub for e in exercises))
    imports, kept = [], []
    lessons = [pair for notebook in notebooks for pair in _statements(notebook)]
    for line, statement in reversed(lessons):  # the last one that binds a name counts
        if bound_by(line) & wanted:
            wanted = (wanted - bound_by(line)) | read_by(line)
            (imports if isinstance(statement, (ast.Import, ast.ImportFrom)) else kept).append(line)
    imports.insert(0, "from helpers.checks.grading import graded")
    return "\n".join(reversed(imports)) + "\n\n" + "\n\n".join(reversed(kept))


def shown_answers(chapter):
    """The answers to a chapter's blanks, {id of a cell with `@checks.yours`: the answer from the fold below it}."""
    answers = {}
    for cell, below in zip(chapter.cells, [*chapter.cells[1:], None], strict=True):
        if cell.cell_type == "code" and "@checks.yours" in cell.source:
            shown = SHOWN.search(below.source if below is not None else "")
            if not shown:
                raise ValueError(f"there is no answer (Show me) below the blank {cell.id}")
            answers[cell.id] = shown[1]
    return answers


def _statements(chapter):
    """(its lines, the statement) for each statement of the lessons that binds a name, with the blanks filled in."""
    answers, in_exercises = shown_answers(chapter), False
    for cell in chapter.cells:
        in_exercises |= cell.cell_type == "markdown" and bool(re.search("^#+ Exercise", cell.source, re.MULTILINE))
        fails = "raises-exception" in cell.metadata.get("tags", [])
        if cell.cell_type == "code" and cell.id != "start" and not fails and not in_exercises:
            source = answers.get(cell.id, cell.source).replace("@checks.yours\n", "")
            for statement in ast.parse(source).body:
                if not isinstance(statement, (ast.Expr, ast.Assert)):
                    yield _lines(source, statement), statement


def _lines(source, statement):
    """A statement as it is written, with its decorators and the comment at its end."""
    first = min([statement.lineno, *(node.lineno for node in getattr(statement, "decorator_list", []))])
    return "\n".join(source.splitlines()[first - 1 : statement.end_lineno])


def _is_check(node):
    return isinstance(node, ast.Call) and ast.unparse(node.func).startswith("checks.check_")


def bound_by(code):
    """The names that a cell gives to the cells after it."""
    table = symtable.symtable(code, "cell", "exec")
    return {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}


def read_by(code):
    """The names that a cell reads from the notebook, also inside its functions."""
    top = symtable.symtable(code, "cell", "exec")
    tables, names = [top], set()
    while tables:
        table = tables.pop()
        names |= {s.get_name() for s in table.get_symbols() if s.is_referenced() and (table is top or s.is_global())}
        tables += table.get_children()
    return names


def _cell(name, source, **marks):
    """A cell with nbgrader's marks: locked, grade and points, or solution."""
    every = {"schema_version": 3, "grade_id": name, "grade": False, "solution": False, "locked": False, "task": False}
    return new_code_cell(source, id=name, metadata={"nbgrader": every | marks})


def write(folder):
    """Write the course to `folder`; raises FileExistsError if it exists, as it may hold submissions."""
    if folder.exists():
        raise FileExistsError(f"{folder} exists already, perhaps with submissions in it: move it away first")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        part = Path(temporary) / folder.name
        (part / "source" / "exercises").mkdir(parents=True)
        (part / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
        for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
            solutions = nbformat.read(path.parent / "solutions" / path.name, as_version=4)
            made = assignment(nbformat.read(path, as_version=4), solutions)
            nbformat.write(made, part / "source" / "exercises" / path.name)
        shutil.move(part, folder)


def main():
    """Write build/assignment."""
    folder = ROOT / "build" / "assignment"
    try:
        write(folder)
    except FileExistsError as error:
        sys.exit(str(error))
    print(f"{folder.relative_to(ROOT)}: in that folder, `nbgrader generate_assignment exercises` comes next")


if __name__ == "__main__":
    main()
