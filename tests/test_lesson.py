"""The scripts of the rehearsed lesson: what a chapter has, its script names, and the other way round."""

import ast
import builtins

import pytest

from tests.lesson.script import CHAPTERS, script_of


def test_each_chapter_has_a_script():
    assert CHAPTERS == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_script_and_its_chapter_name_the_same(chapter):
    script = script_of(chapter)
    assert script.gaps() == []
    for cell in script.data.BLANKS:
        assert script.wrong_blank(cell)[0] != script.blanks[cell]
    for cell in script.data.EXERCISES:
        assert script.wrong_answer(cell)[0] != script.right_answer(cell)


@pytest.mark.parametrize(
    ("part", "cell", "words"),
    [
        ("RUN", "tiny", "tiny is in the chapter and not in the script"),
        ("GUESSES", "guess-flat", "guess-flat has labs.predict, and the script does not treat it so"),
        ("BLANKS", "pool2d", "pool2d is in the chapter and not in the script"),
        ("LABS", "lab-pooling", "lab-pooling is in the chapter and not in the script"),
        ("EXERCISES", "exercise-4", "exercise-4 is in the chapter and not in the script"),
    ],
)
def test_what_a_script_leaves_out_is_a_gap(monkeypatch, part, cell, words):
    script = script_of(2)
    whole = getattr(script.data, part)
    less = [one for one in whole if one != cell] if part == "RUN" else {k: v for k, v in whole.items() if k != cell}
    monkeypatch.setattr(script.data, part, less)
    assert words in script.gaps()


def test_a_cell_that_asks_for_a_change_and_gets_none_is_a_gap(monkeypatch):
    script = script_of(2)
    monkeypatch.setattr(script, "changes", {})
    assert script.gaps() == ["move asks for a change, and the script makes none"]
    monkeypatch.setattr(script, "changes", {"move": [("no such words", "others")]})
    assert script.gaps() == ["move has no no such words"]


def test_each_wrong_line_of_a_blank_is_python():
    for script in map(script_of, CHAPTERS):
        for cell in script.data.BLANKS:
            compile(script.wrong_blank(cell)[0], cell, "exec")


def _names(source, of):
    """The names that a source reads (ast.Load) or makes (ast.Store), those of functions and parameters with them."""
    tree = list(ast.walk(ast.parse(source)))
    found = {node.id for node in tree if isinstance(node, ast.Name) and isinstance(node.ctx, of)}
    if of is ast.Store:
        found |= {node.name for node in tree if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
        found |= {node.arg for node in tree if isinstance(node, ast.arg)}
        found |= {(node.asname or node.name).split(".")[0] for node in tree if isinstance(node, ast.alias)}
    return found


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_solution_can_be_pasted_into_its_chapter(chapter):
    script = script_of(chapter)
    made = set(dir(builtins)).union(*(_names(source, ast.Store) for source in script.sources.values()))
    cells = list(script.sources)
    for cell in script.data.EXERCISES:
        answer = script.right_answer(cell)
        assert _names(answer, ast.Load) - _names(answer, ast.Store) - made == set(), cell
        functions = {node.name for node in ast.parse(answer).body if isinstance(node, ast.FunctionDef)}
        for later in set(cells[cells.index(cell) + 1 :]) - set(script.data.EXERCISES):
            source = script.sources[later]
            taken = functions & (_names(source, ast.Load) - _names(source, ast.Store))
            assert taken == set(), f"{later} calls the chapter's, and {cell} has made another"


def test_what_a_chapter_no_longer_has_is_a_gap(monkeypatch):
    script = script_of(2)
    monkeypatch.setattr(script.data, "RUN", [*script.data.RUN, "gone"])
    assert script.gaps() == ["gone is in the script and not in the chapter"]


def test_a_board_line_of_the_text_that_is_never_typed_is_a_gap(monkeypatch):
    script = script_of(2)
    moves = [move for move in script.data.LABS["lab-pooling"] if move[0] != "line"]
    monkeypatch.setitem(script.data.LABS, "lab-pooling", moves)
    assert script.gaps() == ["the board line pooling window=4 stride=4 is in the chapter and not in the script"]


def test_a_cell_that_is_named_twice_and_a_wrong_guess_that_is_right_are_gaps(monkeypatch):
    script = script_of(2)
    monkeypatch.setattr(script.data, "RUN", [*script.data.RUN, "tiny"])
    monkeypatch.setitem(script.data.GUESSES, "guess-dot", ("flip", "K", "K"))
    assert set(script.gaps()) == {
        "tiny is in the script more than once",
        "guess-dot: the wrong guess is a right one",
    }
