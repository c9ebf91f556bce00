"""The board line: what a lab writes it reads again, and what nobody wrote is refused in words."""

import pytest
import torch

from helpers import labs, lenet
from helpers.labs import board
from helpers.labs.settings import Choice, Matrix, Slider, Steps, Switch, Words


def board_line(lab, controls, moved):
    return board.Board(lab, controls, moved, Words(value=lab), Words())


@pytest.fixture
def controls():
    return {
        "size": Slider("size (pixels)", 3, 1, 11, 2),
        "lr": Steps("learning rate", [0.1, 0.3], 0.1),
        "kernel": Choice("kernel", ["blur (mean)", "own numbers"]),
        "padded": Switch("padded", True),
        "numbers": Matrix(((1.0, 0.0), (0.0, -1.5))),
    }


@pytest.fixture
def line(controls):
    return board_line("demo", controls, lambda: None)


def test_a_line_names_only_what_was_moved(line, controls):
    assert line.text.value == "demo"
    controls["size"].value = 5
    controls["kernel"].value = "own numbers"
    controls["padded"].value = False
    controls["numbers"].value = ((0.5,),)
    assert line.text.value == "demo size=5 kernel=own-numbers padded=off numbers=0.5"


def test_a_line_moves_the_controls_at_once_and_puts_the_others_back(controls):
    moves = []
    line = board_line("demo", controls, lambda: moves.append(line.values()))
    controls["size"].value = 11
    line.text.value = "  Demo  LR = 0.3 kernel=OWN-numbers numbers=1,2;3,4 "
    expected = {"size": 3, "lr": 0.3, "kernel": "own numbers", "padded": True, "numbers": ((1.0, 2.0), (3.0, 4.0))}
    assert line.values() == expected
    assert len(moves) == 2
    assert line.text.value == "demo lr=0.3 kernel=own-numbers numbers=1,2;3,4"


@pytest.mark.parametrize(
    "text",
    [
        "[28.11.26, 10:15] Ms Smith: demo lr=0.3", "Board: demo lr=0.3", "labs.demo(lr=0.3)", "_demo lr=0.3_",
        "demo lr=0·3", "demo lr=0′3", "demo lr=0'3", "demo lr=3/10", "demo lr=3×10⁻¹", "demo lr=3*10^-1",
        "demo lr=0.3!", "demo (lr=0.3)", "demo lr=0.3 👍", "demo lr=0.3 …", "demo lr=0.3 (size=3)",
    ],
)  # fmt: skip
def test_a_line_is_read_as_it_was_copied_from_a_chat_or_a_book(text, line):
    line.text.value = text
    assert line.trouble.value.count("possible") == 0
    assert line.line() == "demo lr=0.3"


def test_a_minus_sign_is_never_lost(line):
    for text in ("demo lr=-0.3", "demo lr=−0.3", "demo lr=−.3!"):
        line.text.value = text
        assert "is not possible" in line.trouble.value
        assert line.line() == "demo"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "begins with “demo”"),
        ("trainer lr=0.1", "begins with “demo”"),
        ("lr=0.3", "begins with “demo”, this one with “lr”"),
        ("demo size", "“size” has no =: write name=value. The settings are size, lr, kernel, padded, numbers"),
        ("demo size 3", "“size 3” has no ="),
        ("demo size=", "size= has no value"),
        ("demo sise=3", "“sise” is not a setting of this lab: did you mean size?"),
        ("demo learning-rat=3", "did you mean lr?"),
        ("demo colour=3", "not a setting of this lab: the settings are size, lr"),
        ("demo lr=0.3 lr=0.1", "lr is given twice"),
        ("demo lr=0.3 demo lr=0.1", "two lines"),
        ("demo size=4", "in steps of 2. The nearest is size=3"),
        ("demo size=-3", "from 1 to 11 in steps of 2. The nearest is size=1"),
        ("demo size=3.5", "from 1 to 11 in steps of 2. The nearest is size=3"),
        ("demo size=5×5", "“5×5” is not one number; a whole number from 1 to 11 in steps of 2. The nearest is size=5"),
        ("demo size=big", "“big” is not one number; a whole number from 1 to 11"),
        ("demo size=0x", "“0x” is not one number; a whole number from 1 to 11 in steps of 2. The nearest is size=1"),
        ("demo kernel=×", "choose from blur-mean, own-numbers"),
        ("demo kernel=3x3 own", "kernel=3x3 own is not possible: choose from blur-mean, own-numbers"),
        ("demo size=1e999", "The nearest is size=11"),
        ("demo size=11²", "from 1 to 11"),
        ("demo lr=0.3x", "“0.3x” is not one number; choose from 0.1, 0.3. The nearest is lr=0.3"),
        ("demo lr=0.3, then 0.1", "“0.3, then 0.1” is not one number"),
        ("demo lr=1", "choose from 0.1, 0.3. The nearest is lr=0.3"),
        ("demo lr=0.1+0.2", "“0.1+0.2” is not one number"),
        ("demo lr=__import__('os')", "choose from 0.1, 0.3"),
        ("demo kernel=own", "choose from blur-mean, own-numbers. The nearest is kernel=own-numbers"),
        ("demo kernel=bulr-mean", "The nearest is kernel=blur-mean"),
        ("demo numbers=0,5 1; 1 0", "write 0.5, not 0,5"),
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


@pytest.mark.parametrize(
    "text",
    [
        "demo lr=0.3, size=5",
        "demo lr=0.3,size=5.",
        "demo: lr=0.3; size=5;",
        "Demo LR = 0.3 SIZE = 5",
        "ＤＥＭＯ　ｌｒ＝０．３，ｓｉｚｅ＝５",
        "demo lr=0,3 size=5",
        "demo lr=.3 size=5.0",
        "demo lr=3e-1 size=0.5e1",
        "demo lr=30 % size=+5",
        "demo lr=0.30\tsize=5",
        "demo\tlr=0.3\r\n\tsize=5\n",
        "demo lr=0.3size=5",  # a browser drops the end of a line that is pasted
        "demo\u00a0lr\u2009=\u200b0.3 size=5",
        "“demo lr=0.3 size=5”",
        "`demo lr='0.3' size=\"5\"`",
        "- demo lr=0.3 size=5",
        "2. demo lr=0.3, and size=5",
        "demo | lr=0.3 | size=5 |",
        "demo lr: 0.3 size: 5",
        "demo lr==0.3 size:=5",
        "demo learning rate=0.3 size=5 pixels",
        "demo Learning_Rate=0.3 size=5px",
        "demo lr=0.3 size=5 lr=0,3",
    ],
)
def test_a_line_is_taken_as_keyboards_and_lecture_notes_make_it(text, line):
    line.text.value = text
    assert line.trouble.value == ""
    assert line.text.value == "demo size=5 lr=0.3"


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("demo kernel=own numbers", "kernel", "own numbers"),
        ("demo kernel=Own_Numbers, size=5", "kernel", "own numbers"),
        ("demo kernel = “blur (mean)”", "kernel", "blur (mean)"),
        ("demo padded=No", "padded", False),
        ("demo padded=FALSE.", "padded", False),
        ("demo padded=0", "padded", False),
        ("demo padded=yes", "padded", True),
        ("demo numbers=−1,0;0,–1", "numbers", ((-1.0, 0.0), (0.0, -1.0))),
        ("demo numbers = 1, 2; 3, 4, size=5", "numbers", ((1.0, 2.0), (3.0, 4.0))),
        ("demo numbers=[[1, 2], [3, 4]]", "numbers", ((1.0, 2.0), (3.0, 4.0))),
        ("demo numbers=1 2;3 .5", "numbers", ((1.0, 2.0), (3.0, 0.5))),
    ],
)
def test_words_switches_and_matrices_are_taken_in_other_spellings(text, name, value, line, controls):
    line.text.value = text
    assert controls[name].value == value


def test_thousands_are_read_with_and_without_marks():
    controls = {"images": Steps("images", [1000, 3000, 9000], 1000), "place": Slider("place", 0, 0, 5000)}
    for typed in ("9,000", "9 000", "9\u202f000", "9’000", "9e3"):
        assert board.named(f"demo images={typed}", "demo", board_line("demo", controls, print).controls) == {
            "images": 9000
        }
    with pytest.raises(board.BoardError, match=r"from 0 to 5000\. The nearest is place=5000"):
        board.named("demo place=9,000", "demo", controls)


def test_the_number_of_a_name_is_not_its_place_in_the_list():
    line = board_line("demo", {"layer": Choice("layer", {"1 convolution": 0, "2 ReLU": 1})}, lambda: None)
    line.text.value = "demo layer=1"
    assert "choose from 1-convolution, 2-relu. The nearest is layer=1-convolution" in line.trouble.value
    line.text.value = "demo layer=2 ReLU"
    assert line.values() == {"layer": 1}


def test_no_refusal_offers_what_was_typed(line):
    for typed in ("0.3x", "0.3//1", "x0.3", "0.3 0.3"):
        line.text.value = f"demo lr={typed}"
        assert f"“{typed}” is not one number" in line.trouble.value


def test_an_image_that_is_not_there_is_refused_by_the_right_bound(sample):
    lab = labs.microscope(lenet(), sample.train_images[:20])
    lab.board.text.value = "microscope image=20"
    assert "image=20 is not possible: a whole number from 0 to 19. The nearest is image=19" in lab.board.trouble.value
    lab.board.text.value = "microscope image=19"
    assert lab.controls["image"].value == 19


def test_a_value_that_does_not_fit_the_others_is_said(sample):
    lab = labs.microscope(lenet(), sample.train_images[:20])
    lab.board.text.value = "microscope channel=15"
    assert "does not fit the other settings, so it is channel=5 now" in lab.board.trouble.value
    lab.board.text.value = "microscope channel=3"
    assert "fit" not in lab.board.trouble.value


def test_a_range_that_a_lab_narrowed_is_whole_again_for_a_line(line, controls):
    controls["size"].max = 3
    line.text.value = "demo size=9"
    assert controls["size"].value == 9


def test_every_lab_reads_its_own_first_line(sample):
    lab = labs.pooling(sample.train_images[0])
    assert board.read(lab.board.line(), lab.board.lab, lab.board.controls, lab.board.defaults) == lab.board.values()


def test_no_numbers_ask_for_nothing():
    image = torch.arange(784, dtype=torch.uint8).reshape(1, 28, 28)
    lab = labs.convolution(image)
    lab.board.text.value = "convolution numbers="
    assert (lab.board.text.value, lab.board.trouble.value) == ("convolution", "")
    lab.close()
