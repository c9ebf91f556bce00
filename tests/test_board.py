"""The board line: what a lab writes it reads again, and what nobody wrote is refused in words."""

import ipywidgets as widgets
import pytest

from helpers import labs
from helpers.labs import board
from helpers.labs.board import BoardLine
from helpers.labs.controls import Matrix, choice, slider, steps, switch


@pytest.fixture
def controls():
    return {
        "size": slider("size (pixels)", 3, 1, 11, 2),
        "lr": steps("learning rate", [0.1, 0.3], 0.1),
        "kernel": choice("kernel", ["blur (mean)", "own numbers"]),
        "padded": switch("padded", True),
        "numbers": Matrix(((1.0, 0.0), (0.0, -1.5))),
    }


@pytest.fixture
def line(controls):
    return BoardLine("demo", controls, lambda: None)


def test_a_line_names_only_what_was_moved(line, controls):
    assert line.text.value == "demo"
    controls["size"].value = 5
    controls["kernel"].value = "own numbers"
    controls["padded"].value = False
    controls["numbers"].value = ((0.5,),)
    assert line.text.value == "demo size=5 kernel=own-numbers padded=off numbers=0.5"


def test_a_line_moves_the_controls_at_once_and_puts_the_others_back(controls):
    moves = []
    line = BoardLine("demo", controls, lambda: moves.append(line.values()))
    controls["size"].value = 11
    line.text.value = "  Demo  LR = 0.3 kernel=OWN-numbers numbers=1,2;3,4 "
    expected = {"size": 3, "lr": 0.3, "kernel": "own numbers", "padded": True, "numbers": ((1.0, 2.0), (3.0, 4.0))}
    assert line.values() == expected
    assert len(moves) == 2
    assert line.text.value == "demo lr=0.3 kernel=own-numbers numbers=1,2;3,4"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "begins with “demo”"),
        ("trainer lr=0.1", "begins with “demo”"),
        ("demo size", "not a setting"),
        ("demo sise=3", "not a setting"),
        ("demo size=4", "in steps of 2"),
        ("demo size=99", "from 1 to 11"),
        ("demo size=1e1", "from 1 to 11"),
        ("demo lr=0.2", "choose from 0.1, 0.3"),
        ("demo kernel=sobel", "choose from"),
        ("demo padded=maybe", "choose from on, off"),
        ("demo numbers=1,x", "commas between them"),
        ("demo numbers=1,2", "square"),
        ("demo numbers=nan", "from −99 to 99"),
        ("demo numbers=1e9", "from −99 to 99"),
        ("demo " + "x" * 500, "at most 500"),
    ],
)
def test_a_line_that_nobody_wrote_is_refused_and_nothing_moves(text, words, line, controls):
    controls["size"].value = 5
    before = line.values()
    line.text.value = text
    assert words in line.trouble.value
    assert line.values() == before
    controls["size"].value = 7
    assert words not in line.trouble.value  # the next move of a hand clears it


def test_a_range_that_a_lab_narrowed_is_whole_again_for_a_line(line, controls):
    controls["size"].max = 3
    line.text.value = "demo size=9"
    assert controls["size"].value == 9


def test_a_matrix_takes_typed_numbers_and_grows():
    matrix = Matrix(((1.0, 2.0), (3.0, 4.0)))
    matrix.children[1].value = -0.5
    assert matrix.value == ((1.0, -0.5), (3.0, 4.0))
    matrix.value = ((0.0,) * 3,) * 3
    assert [cell.value for cell in matrix.children] == [0.0] * 9
    matrix.children[8].value = 1000
    assert matrix.value[2][2] == Matrix.HIGHEST


def test_every_lab_reads_its_own_first_line(sample):
    lab = labs.pooling(sample.train_images[0])
    assert board.read(lab.board.line(), lab.board.lab, lab.board.controls, lab.board.defaults) == lab.board.values()
    assert isinstance(lab.board.text, widgets.Text)
