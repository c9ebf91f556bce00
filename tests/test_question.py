"""`predict`: a guess that is noted, and an answer that cannot be seen before there is one."""

import pytest
import torch

from helpers import plotting
from helpers.labs import living, question
from helpers.labs.cells import Cell
from helpers.labs.question import Reveal, predict


def said(thing):
    """The words of what was displayed, a widget's children included."""
    if isinstance(thing, Reveal):
        return " ".join(child.value for child in thing.children if hasattr(child, "value"))
    return thing.data


def test_a_guess_is_noted_and_shown_beside_the_answer(shown):
    guess = predict("How wide?", "24", "28")
    assert guess.chosen is None
    assert "noted" not in guess.noted.value
    guess.choices.value = "28"
    assert "noted: <b>28</b>" in guess.noted.value
    guess.answer("24")
    assert guess.chosen == "28"
    assert "Your guess: <b>28</b> ❌" in said(shown[0])
    assert "Answer: <b>24</b>" in said(shown[0])


def test_a_right_guess_is_praised_and_the_reason_comes_with_the_answer(shown):
    guess = predict("How wide?", "24", "28")
    guess.choices.value = "24"
    guess.answer("24", "28 − 5 + 1")
    assert "✅" in said(shown[0])
    assert "(28 − 5 + 1)" in said(shown[0])


def test_without_a_guess_neither_the_answer_nor_its_reason_nor_a_picture_is_sent(shown):
    guess = predict("How wide?", "24", "28")
    guess.answer("24", "28 − 5 + 1", "a picture")
    (reveal,) = shown
    assert "Guess first: How wide?" in said(reveal)
    assert not any(secret in said(reveal) for secret in ("Answer", "28 − 5 + 1", "picture"))
    assert not guess.choices.disabled


def test_a_guess_opens_the_answer_that_waits_without_running_its_cell_again(shown):
    guess = predict("How wide?", "24", "28")
    guess.answer("24", "28 − 5 + 1", "a picture")
    guess.choices.value = "28"
    (reveal,) = shown
    assert "Your guess: <b>28</b> ❌" in said(reveal)
    assert "(28 − 5 + 1)" in said(reveal)
    assert "a picture" in reveal.children[1].outputs[0]["data"]["text/plain"]
    assert guess.choices.disabled


def test_a_figure_waits_behind_its_guess_too(shown):
    guess = predict("How bright?", "0", "1")
    guess.answer("1", "", plotting.matrices([torch.ones(1, 1)], ["white"]))
    guess.choices.value = "1"
    assert 'aria-label="Matrices with their numbers: white"' in shown[0].children[1].outputs[0]["data"]["text/html"]


def test_a_reason_of_whole_sentences_has_a_line_of_its_own(shown):
    guess = predict("How wide?", "24", "28")
    guess.choices.value = "24"
    guess.answer("24", "It stays inside.")
    assert "<br>It stays inside." in said(shown[0])
    assert "(It" not in said(shown[0])


def test_code_in_a_reason_looks_like_code(shown):
    guess = predict("How wide?", "24", "28")
    guess.choices.value = "24"
    guess.answer("24", "A tensor's `to` leaves `X < 3` as it is.")
    assert "A tensor&#x27;s <code>to</code> leaves <code>X &lt; 3</code> as it is." in said(shown[0])


def test_show_me_opens_the_answer_without_a_guess_and_marks_none(shown):
    guess = predict("How wide?", "24", "28")
    guess.answer("24")
    (reveal,) = shown
    reveal.show_me.click()
    assert "You made no guess" in said(reveal)
    assert "Answer: <b>24</b>" in said(reveal)
    assert not any(mark in said(reveal) for mark in "✅❌")
    assert guess.choices.disabled


def test_a_cell_that_is_run_again_leaves_one_answer(shown):
    guess = predict("How wide?", "24", "28")
    guess.answer("24")
    guess.answer("24")
    first, second = shown
    assert first.comm is None
    guess.choices.value = "24"
    assert "Answer" in said(second)


def test_tests_and_pages_open_all_answers(shown, monkeypatch):
    monkeypatch.setenv("LENET_LAB_REVEAL", "1")
    guess = predict("How wide?", "24", "28")
    guess.answer("24", "28 − 5 + 1", "a picture")
    assert "You made no guess" in said(shown[0])
    assert shown[1] == "a picture"


def test_the_options_stand_in_chance_order_and_no_seed_is_touched():
    torch.manual_seed(0)
    options = tuple("abcdefgh")
    orders = {predict("Which?", *options).choices.options for _ in range(20)}
    assert len(orders) > 1
    assert all(sorted(order) == sorted(options) for order in orders)
    after = torch.rand(1)
    torch.manual_seed(0)
    assert torch.equal(after, torch.rand(1))


def test_an_answer_that_nobody_could_choose_is_an_error():
    with pytest.raises(ValueError, match="'25' is not one of the options 24, 28"):
        predict("How wide?", "24", "28").answer("25")


def test_texts_are_shown_as_they_are_written(shown):
    guess = predict("Is 1 < 2 & 3?", "<b>", "no")
    guess.choices.value = "<b>"
    guess.answer("no", "a < b")
    assert "1 &lt; 2 &amp; 3" in guess.children[0].value
    assert "&lt;b&gt;" in guess.noted.value
    assert "&lt;b&gt;" in said(shown[0])
    assert "a &lt; b" in said(shown[0])


def test_without_a_kernel_the_question_stands_as_text(monkeypatch):
    outputs = []
    monkeypatch.setattr(living, "display", lambda output, **how: outputs.append(output))
    predict("How wide?", "24", "28")._ipython_display_()
    text, widget = outputs
    assert all(words in text.data for words in ("How wide?", "24", "28", "Run this cell again to guess", "lab-still"))
    assert "application/vnd.jupyter.widget-view+json" in widget
    assert "text/html" not in widget


def test_without_a_kernel_an_answer_that_waited_stays_closed(shown, monkeypatch):
    guess = predict("How wide?", "24", "28")
    guess.answer("24", "28 − 5 + 1", "a picture")
    outputs = []
    monkeypatch.setattr(living, "display", lambda output, **how: outputs.append(output))
    shown[0]._ipython_display_()
    assert "How wide?" in outputs[0].data
    assert "28" not in outputs[0].data


def test_a_question_whose_cell_is_run_again_keeps_its_guess_and_its_answer(shown, monkeypatch):
    monkeypatch.setattr(question, "this_cell", lambda: Cell("one cell", "this run"))
    predict("How wide?", "24", "28").choices.value = "28"  # a click makes its cell the active one: Shift+Enter follows
    again = predict("How wide?", "24", "28")
    assert again.chosen == "28"
    again.answer("24")
    assert "Your guess: <b>28</b> ❌" in said(shown[0])
    assert predict("How high?", "24", "28").chosen is None
    monkeypatch.setattr(question, "this_cell", lambda: Cell("another cell", "this run"))
    assert predict("How wide?", "24", "28").chosen is None


def test_outside_a_notebook_each_question_is_a_new_one(shown):
    predict("How wide?", "24", "28").choices.value = "28"
    assert predict("How wide?", "24", "28").chosen is None
