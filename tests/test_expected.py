"""The curve that a student expects: its word on a line, its gap to a run in words, and how it goes with the runs."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import labs
from helpers.labs import expected
from helpers.labs.board import BoardError
from helpers.labs.expected import gap
from tests.support import wait_for

ACCURACIES = st.lists(st.integers(0, 100).map(lambda percent: percent / 100), max_size=3).map(tuple)


@given(ACCURACIES)
def test_the_word_of_a_guess_leads_back_to_it(accuracies):
    assert expected.read("expected", expected.written(accuracies)) == accuracies


@given(st.text(max_size=30))
def test_any_text_is_a_guess_or_is_refused_in_words(said):
    try:
        accuracies = expected.read("expected", said)
    except BoardError as error:
        assert "expected" in str(error)
    else:
        assert len(accuracies) <= 3
        assert all(0 <= accuracy <= 1 for accuracy in accuracies)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("0.7/x/0.8", "“x” is not one number"),
        ("0.7//0.8", "“” is not one number"),
        ("0.7/1.2", "an accuracy is between 0 and 1, 1.2 is not"),
        ("0.7/-0.1", "an accuracy is between 0 and 1"),
        ("0.7/nan", "“nan” is not one number"),
        ("0.1/0.2/0.3/0.4", "has 4 numbers: give at most 3"),
        ("__import__('os')", "is not one number"),
    ],
)
def test_what_does_not_fit_is_said_in_words(said, words):
    with pytest.raises(BoardError, match=words):
        expected.read("expected", said)


def test_a_guess_may_be_typed_as_people_write():
    assert expected.read("expected", "70% / 0,8 / .85") == (0.7, 0.8, 0.85)


@pytest.mark.parametrize(("epochs", "at"), [(1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (5, [1, 3, 5]), (20, [1, 10, 20])])
def test_the_handles_are_at_the_first_the_middle_and_the_last_epoch(epochs, at):
    assert expected.handles(epochs) == at


def curve(*accuracies, loss=0.5, epoch=None):
    """A run that measured these accuracies after its epochs, and ended at `epoch`."""
    rows = [(0.5, 1.0, 0.3, None), *((float(i), 0.6, 0.7, acc) for i, acc in enumerate(accuracies, 1))]
    return rows if epoch is None else [*rows, (epoch, loss, 0.7, None)]


@pytest.mark.parametrize(
    ("guess", "run", "words"),
    [
        ([], curve(0.8), ""),
        ([(1, 0.8)], [], ""),
        ([(1, 0.8)], curve(0.82), "Nearly right: 0.02 off."),
        ([(1, 0.8), (2, 0.85)], curve(0.82, 0.82), "Nearly right: at most 0.03 off."),
        ([(1, 0.9)], curve(0.7, 0.85, 0.91), "You expected 0.90 after one epoch; it took three."),
        (
            [(1, 0.9), (3, 0.95)],
            curve(0.7, 0.85, 0.91),
            "You expected 0.90 after one epoch; it took three. On average you were 0.12 off.",
        ),
        (
            [(1, 0.7), (3, 0.99)],
            curve(0.7, 0.8, 0.87),
            "You expected 0.99 after three epochs; the run never got there: its best was 0.87. "
            "On average you were 0.06 off.",
        ),
        ([(3, 0.8)], curve(0.7, 0.85, 0.6), "You expected 0.80 after three epochs; it was back at 0.60."),
        ([(1, 0.3)], curve(0.7), "You expected 0.30 after one epoch; it was at 0.70 already."),
        (
            [(3, 0.75)],
            curve(0.76, 0.8, 0.87),
            "You expected 0.75 after three epochs; it took only one, and was at 0.87 by then.",
        ),
        (
            [(1, 0.7), (3, 0.9), (5, 0.95)],
            curve(0.71, epoch=1.6),
            "Nearly right: 0.01 off. You expected 0.90 after three epochs; the run was stopped before that.",
        ),
        ([(1, 0.7)], curve(epoch=0.6), "You expected 0.70 after one epoch; the run was stopped before that."),
        (
            [(1, 0.7), (2, 0.8)],
            curve(epoch=0.6, loss=math.nan),
            "You expected 0.70 after one epoch; the run diverged before that.",
        ),
        ([(2, 0.8)], curve(0.1, epoch=1.1, loss=math.inf), "You expected 0.80 after two epochs; the run diverged"),
    ],
)
def test_the_gap_is_named_in_words(guess, run, words):
    said = gap(guess, run)
    assert said == words or (words and words[-1] != "." and said.startswith(words))


@given(ACCURACIES, st.lists(st.floats(0, 1), max_size=5), st.sampled_from([0.5, math.nan]))
def test_there_are_words_for_every_guess_and_every_run(accuracies, run, loss):
    guess = list(zip(expected.handles(5), accuracies, strict=False))
    said = gap(guess, curve(*run, epoch=len(run) + 0.3, loss=loss))
    assert bool(said) == bool(guess)
    assert "  " not in said


@pytest.fixture
def lab(sample):
    made = labs.trainer(sample, num_epochs=2)
    yield made
    made.close()


def hear(lab, **message):
    lab._hear(lab, {**message, "turn": "t"}, [])


def draw(lab, *accuracies):
    """What the page sends while a hand draws; the last of it twice, as a hand that rests does."""
    hear(lab, move={"expected": [0.5, 0.5]})
    for _ in range(2):
        hear(lab, move={"expected": list(accuracies)})


def test_a_drawn_curve_starts_no_run_and_joins_the_board_line(lab):
    draw(lab, 0.7, 0.812)
    assert lab.runs == []
    assert lab.board.text.value == "trainer expected=0.7/0.81"
    assert lab.guess == {
        "at": [1, 2],
        "values": [0.7, 0.81],
        "said": "You expect 0.70 after one epoch, 0.81 after two.",
    }
    hear(lab, move={"expected": []})
    assert (lab.board.text.value, lab.guess["said"]) == ("trainer", "")


def test_the_run_is_compared_and_its_result_line_has_the_guess(lab):
    draw(lab, 0.99, 0.99)
    lab.buttons["Train"].click()
    lab.runner.wait()
    assert lab.guess["said"].startswith("You expected 0.99 after one epoch; the run never got there")
    reached = "/".join(f"{round(p.val_acc, 4):g}" for p in lab.history if p.val_acc is not None)
    assert f"epochs=2 expected=0.99/0.99 reached={reached}" in lab.result_text()
    assert "expected" not in lab.runs[-1].name
    draw(lab, 0.6, 0.7)  # the next guess
    assert lab.guess["said"].startswith("You expect 0.60")
    assert len(lab.runs) == 1
    assert "expected=0.99/0.99" in lab.result_text()


def test_a_run_that_was_stopped_hands_in_no_guess_and_says_so(lab):
    draw(lab, 0.7, 0.8)
    lab.buttons["Train"].click()
    wait_for(lambda: lab.history)
    lab.buttons["Stop"].click()
    assert "the run was stopped before that" in lab.guess["said"]
    assert "expected" not in lab.result_text()
    assert not lab.buttons["Resume"].disabled


def test_a_guess_counts_for_the_next_run_and_for_no_other(lab):
    draw(lab, 0.7, 0.8)
    hear(lab, line="trainer lr=0.3")  # as the teacher wrote it
    assert lab.board.text.value == "trainer lr=0.3 expected=0.7/0.8"
    assert lab.runs[-1].expected == (0.7, 0.8)
    hear(lab, move={"lr": 2})
    assert lab.board.text.value == "trainer lr=0.01"
    assert lab.runs[-1].expected == ()


def test_looking_back_at_a_run_leaves_the_guess_and_what_was_said_of_it(lab):
    draw(lab, 0.99, 0.99)
    lab.buttons["Train"].click()
    lab.runner.wait()
    before = lab.guess
    for move in ({"looking": True}, {"moment": 5}, {"image": 2}, {"own": True}):
        hear(lab, move=move)
    assert lab.guess == before
    assert before["values"] == [0.99, 0.99]


def test_train_pressed_again_is_another_run_without_the_guess(lab):
    draw(lab, 0.7, 0.8)
    for nth, guess in ((1, (0.7, 0.8)), (1, (0.7, 0.8)), (2, ())):  # a double click is one press
        hear(lab, press="Train", nth=nth)
        assert lab.runs[-1].expected == guess
    assert lab.board.text.value == "trainer"


def test_a_guess_for_a_run_of_another_length_is_the_same_curve(lab):
    draw(lab, 0.6, 0.8)
    hear(lab, line="trainer epochs=5")
    assert lab.guess["values"] == [0.6, 0.8, 0.8]
    draw(lab, 0.6, 0.8, 0.9)
    hear(lab, line="trainer epochs=2 lr=0.3")
    assert lab.board.text.value == "trainer lr=0.3 expected=0.6/0.7"
    assert lab.runs[-1].expected == (0.6, 0.7)


def test_a_typed_line_brings_its_guess(lab):
    hear(lab, line="trainer expected=0.7/0.8")
    assert lab.guess["values"] == [0.7, 0.8]
    assert lab.runs == []
    hear(lab, line="trainer lr=0.3 expected=0.7/2")
    assert "an accuracy is between 0 and 1" in lab.board.trouble.value
    hear(lab, line="trainer lr=0.3 expected=0.7")
    assert "does not fit the other settings" in lab.board.trouble.value  # two epochs, one number
    assert lab.guess["values"] == []


def test_reset_erases_the_guess(lab):
    draw(lab, 0.7, 0.8)
    lab.buttons["Reset"].click()
    assert lab.board.text.value == "trainer"
    assert lab.guess["values"] == []
