"""`predict`: a guess that is recorded, and shown again beside the answer."""

import pytest

from helpers.labs import question
from helpers.labs.question import predict


@pytest.fixture
def shown(monkeypatch):
    """What `answer` displays, as a list of HTML texts."""
    texts = []
    monkeypatch.setattr(question, "display", lambda made: texts.append(made.data))
    return texts


def test_a_guess_is_recorded_and_shown_beside_the_answer(shown):
    guess = predict("How wide?", "24", "28")
    assert guess.chosen is None
    guess.buttons.value = "28"
    guess.answer("24")
    assert guess.chosen == "28"
    assert "Your guess: <b>28</b> ❌" in shown[0]
    assert "Answer: <b>24</b>" in shown[0]


def test_a_right_guess_is_praised_and_a_missing_one_is_not_marked(shown):
    right, missing = predict("How wide?", "24", "28"), predict("How wide?", "24", "28")
    right.buttons.value = "24"
    right.answer("24", "28 − 5 + 1")
    missing.answer("24")
    assert "✅" in shown[0]
    assert "(28 − 5 + 1)" in shown[0]
    assert "You made no guess" in shown[1]
    assert not any(mark in shown[1] for mark in "✅❌")


def test_after_the_answer_nobody_can_change_the_guess(shown):
    guess = predict("How wide?", "24", "28")
    assert not guess.buttons.disabled
    guess.answer("24")
    assert guess.buttons.disabled


def test_an_answer_that_nobody_could_choose_is_an_error():
    with pytest.raises(ValueError, match="'25' is none of the options 24, 28"):
        predict("How wide?", "24", "28").answer("25")


def test_texts_are_shown_as_they_are_written(shown):
    guess = predict("Is 1 < 2 & 3?", "<b>", "no")
    guess.buttons.value = "<b>"
    guess.answer("no", "a < b")
    assert "1 &lt; 2 &amp; 3" in guess.children[0].value
    assert "&lt;b&gt;" in shown[0]
    assert "a &lt; b" in shown[0]


def test_without_a_kernel_the_question_stands_as_text():
    bundle = predict("How wide?", "24", "28")._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert all(text in bundle["text/html"] for text in ("How wide?", "24", "28"))
