"""The guesses of a class: read from its lines as strictly as the rest, ranked, and nothing in them believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import labs, lenet
from helpers.labs import class_folder
from helpers.labs.class_experiment import read_lines, result_line
from helpers.labs.runs import Run
from tests.support import GOOD, progress

ACCURACY = st.integers(0, 100).map(lambda percent: percent / 100)


def line(expected="0.7/0.8/0.85", reached="0.72/0.8/0.843", **more):
    words = {"epochs": 5, **more, "expected": expected, "reached": reached}
    return " ".join([GOOD, *(f"{name}={word}" for name, word in words.items())])


@given(st.integers(1, 20), st.data())
def test_a_runs_guess_is_read_as_it_was_handed_in(epochs, data):
    at = sorted({1, (epochs + 1) // 2, epochs})
    guess = tuple(data.draw(ACCURACY) for _ in at)
    run = Run("trainer", {"lr": 0.1, "channels": 6, "kernel": 5, "epochs": epochs}, lenet(), 61_706, expected=guess)
    run.history += [progress(epoch, 0.5, data.draw(st.integers(1, 1000)) / 1000) for epoch in range(1, epochs + 1)]
    (result,), troubles = read_lines(result_line(run))
    assert troubles == []
    reached = tuple(run.history[epoch - 1].val_acc for epoch in at)
    assert result["guess"]["at"] == at
    assert (result["guess"]["expected"], result["guess"]["reached"]) == (guess, pytest.approx(reached))


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (line(expected="0.7/0.8"), "expected has 2 numbers, but a run of 5 epochs needs 3"),
        (line(reached="none"), "reached has 0 numbers, but a run of 5 epochs needs 3"),
        (f"{GOOD} epochs=5 expected=0.7/0.8/0.9", "reached has 0 numbers"),
        (line(expected="0.7/0.8/9"), "an accuracy is between 0 and 1"),
        (line(expected="0.7/0.8/open('x')"), "is not one number"),
        (line(reached="0.72/0.8/0.99"), "reached ends at 0.99, but the accuracy is 0.843"),
        (line(epochs="many"), "this line has epochs=many"),
        (line(epochs="0"), "this line has epochs=0"),
        (f"{GOOD} expected=0.8 reached=0.843", "this line has epochs="),
    ],
)
def test_a_guess_that_lies_is_named_and_its_line_does_not_count(written, words):
    results, (trouble,) = read_lines(f"{GOOD}\n{written}")
    assert len(results) == 1
    assert trouble.startswith("line 2: ")
    assert words in trouble


@pytest.fixture
def lab():
    made = labs.class_experiment()
    yield made
    made.close()


def test_who_was_nearest_is_named_by_name_or_by_line(lab):
    lines = [line("0.2/0.2/0.2"), line(name="Ada"), line("0.7/0.8/0.8", name="<b>Bo</b>"), GOOD]
    lab.hear({"lines": "\n".join(lines)}, [])
    lab.hear({"move": {"against": 5}}, [])
    assert lab.board.text.value == "class_experiment against=epoch-with-guesses"
    assert [guess["who"] for guess in lab.facts["guesses"]] == ["Ada", "_b_Bo_b_", "line 1"]
    said = "4 results. 3 guesses. Nearest: Ada (0.01 off); then _b_Bo_b_ (0.02 off), line 1 (0.59 off)."
    assert lab.message.value == said
    assert lab.facts["groups"] == []


def test_without_a_guess_the_lab_says_how_to_make_one(lab):
    lab.hear({"lines": GOOD}, [])
    lab.hear({"move": {"against": 5}}, [])
    assert "No line has a guess: draw one in the training lab" in lab.message.value
    assert lab.facts["guesses"] == []


def test_guesses_come_from_the_folder_with_the_name_of_their_file_if_they_have_no_other(tmp_path, monkeypatch):
    monkeypatch.setenv(class_folder.VARIABLE, str(tmp_path))
    (tmp_path / f"a{class_folder.ENDING}").write_text(f"{line()}\n{line(name='Bo')}\n{line(expected='1/1/7')}\n")
    lab = labs.class_experiment()
    lab.hear({"move": {"against": 5}}, [])
    assert {guess["who"] for guess in lab.facts["guesses"]} == {f"a{class_folder.ENDING}, line 1", "Bo"}
    assert "line 3: expected=1/1/7 is not possible" in lab.facts["troubles"][0]
    lab.close()
