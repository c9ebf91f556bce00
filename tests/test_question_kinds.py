"""Bars and a grid to guess with: the rules of `predict`, and what their answers say in words."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from helpers.labs import living, predict_bars, predict_place, question_bars, question_place
from helpers.labs.cells import Cell
from helpers.labs.question import Reveal

RIGHT = {"bars": [0.9, 0.4], "place": torch.eye(3)}


@pytest.fixture(params=RIGHT)
def kind(request):
    return request.param


def made(kind):
    return predict_bars("How much?", ["a", "b"]) if kind == "bars" else predict_place("Where?", 3, 3)


def note(guess, value):
    """What the page sends if a hand makes a guess and presses the button."""
    name = "values" if hasattr(guess.choices, "values") else "marked"
    guess.choices.set_state({name: value, "is_noted": True})


def said(thing):
    if isinstance(thing, Reveal):
        return " ".join(child.value for child in thing.children if hasattr(child, "value"))
    return thing.data


VALUE = {"bars": [0.5, 0.5], "place": [[0, 0]]}


def test_a_guess_counts_once_the_button_is_pressed(kind):
    guess = made(kind)
    guess.choices.set_state({"values": [0.5, 0]} if kind == "bars" else {"marked": [[1, 1]]})
    assert guess.chosen is None
    note(guess, VALUE[kind])
    assert guess.chosen == ((0.5, 0.5) if kind == "bars" else {(0, 0)})
    assert "Your guess is noted" in guess.noted.value
    guess.choices.set_state({"is_noted": False})  # a hand has changed it
    assert guess.chosen is None
    assert "noted" not in guess.noted.value


def test_the_answer_waits_for_the_guess_and_then_opens_by_itself(kind, shown):
    guess = made(kind)
    guess.answer(RIGHT[kind], "the reason", "a picture")
    (reveal,) = shown
    assert "Answer" not in said(reveal)
    assert "reason" not in said(reveal)
    assert guess.choices.right == []  # nothing of it goes to the page before
    note(guess, VALUE[kind])
    assert "Answer" in said(reveal)
    assert "reason" in said(reveal)
    assert guess.choices.disabled
    assert len(guess.choices.right) > 1


def test_show_me_opens_it_without_a_guess(kind, shown):
    guess = made(kind)
    guess.answer(RIGHT[kind])
    shown[0].show_me.click()
    assert "You made no guess." in said(shown[0])
    assert not any(mark in said(shown[0]) for mark in "✅❌")
    assert "You are" not in said(shown[0])


def test_tests_and_pages_open_it_at_once(kind, shown, monkeypatch):
    monkeypatch.setenv("LENET_LAB_REVEAL", "1")
    made(kind).answer(RIGHT[kind], "the reason", "a picture")
    assert "Answer" in said(shown[0])
    assert shown[1] == "a picture"


def test_a_question_whose_cell_is_run_again_keeps_its_guess(kind, monkeypatch):
    for module in (question_bars, question_place):
        monkeypatch.setattr(module, "this_cell", lambda: Cell(f"the cell of {kind}", "this run"))
    note(made(kind), VALUE[kind])
    assert made(kind).chosen is not None


def test_without_a_kernel_the_question_stands_as_text(kind, monkeypatch):
    outputs = []
    monkeypatch.setattr(living, "display", lambda output, **how: outputs.append(output))
    made(kind)._ipython_display_()
    words = ["How much?", "a, b"] if kind == "bars" else ["Where?", "3 rows"]
    assert all(word in outputs[0].data for word in [*words, "Run this cell again to guess"])


@pytest.mark.parametrize(
    ("values", "mark", "words"),
    [
        ([0.87, 0.42], "✅", "Nearly right: at most 0.03 off."),
        ([0.9, 0.8], "", "You are furthest off for b: 0.80 instead of 0.40. On average 0.20 off."),
    ],
)
def test_bars_say_how_far_they_are_off(values, mark, words, shown):
    guess = made("bars")
    note(guess, values)
    guess.answer(RIGHT["bars"], "It was measured.")
    assert f"<b>a {values[0]:.2f}, b {values[1]:.2f}</b>{mark and f' {mark}'} &nbsp;" in said(shown[0])
    assert f"Answer: <b>a 0.90, b 0.40</b><br>{words} It was measured." in said(shown[0])


@pytest.mark.parametrize(
    ("marked", "words"),
    [
        ([[0, 0], [1, 1], [2, 2]], "3 pixels</b> ✅"),
        ([[0, 0], [0, 1]], "You missed 2 of its 3 and marked 1 that does not belong to it."),
        ([[0, 0], [1, 1]], "You missed 1 of its 3."),
        ([[i, j] for i in range(3) for j in range(3)], "You marked 6 that do not belong to it."),
    ],
)
def test_a_place_says_what_was_missed_and_what_does_not_belong(marked, words, shown):
    guess = made("place")
    note(guess, marked)
    guess.answer(RIGHT["place"])
    assert words in said(shown[0])


def test_a_rectangle_is_called_by_its_size_and_place(shown):
    field = torch.zeros(5, 5)
    field[1:3, 2:] = 1
    guess = predict_place("Where?", 5, 5)
    note(guess, [[0, 0]])
    guess.answer(field)
    assert "Answer: <b>2×3 pixels, from row 1 and column 2</b>" in said(shown[0])


@given(
    st.sets(st.tuples(st.integers(0, 3), st.integers(0, 3))), st.sets(st.tuples(st.integers(0, 3), st.integers(0, 3)))
)
def test_every_place_has_words(marked, right):
    guess = predict_place("Where?", 4, 4)
    note(guess, [list(cell) for cell in marked])
    mark, words = guess._verdict_on(right)
    assert (mark, bool(words)) == (("✅", False) if marked == right else ("❌", True))
    assert "pixel" in guess._words(marked)
    guess.close()


def test_an_answer_of_another_size_is_an_error():
    with pytest.raises(ValueError, match="3 numbers for 2 bars"):
        made("bars").answer([1, 2, 3])
    with pytest.raises(ValueError, match="the answer has 2×3 cells, but the grid has 3×3"):
        made("place").answer(torch.ones(2, 3))
