"""The class experiment: lines in, one picture out, and nothing that a student pastes breaks it."""

import pytest

from helpers import labs, lenet
from helpers.labs.class_experiment import by_setting, read_lines, result_line
from helpers.labs.runs import Run
from tests.support import GOOD, progress


def test_a_runs_line_is_read_as_it_was_written():
    run = Run("trainer lr=0.3 channels=8 activation=gelu", {"lr": 0.3, "channels": 8, "kernel": 5}, lenet(), 61_706)
    assert result_line(run) == ""  # no epoch has ended yet
    run.history.append(progress(1, 0.5, 0.8125))
    results, troubles = read_lines(result_line(run))
    assert results == [{"lr": 0.3, "channels": 8, "kernel": 5, "parameters": 61706, "seconds": 1.0, "accuracy": 0.8125}]
    assert troubles == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("hello", "not with “result”"),
        ("result", "lr is missing"),
        (GOOD.replace("0.8430", "84%"), "not a number"),
        (GOOD.replace("0.8430", "1.2"), "more than 1"),
        (GOOD.replace("lr=0.1", "lr=-1"), "is impossible"),
        (GOOD.replace("lr=0.1", "lr=nan"), "is impossible"),
        (GOOD.replace("lr=0.1", "lr=inf"), "is impossible"),
        (f"{GOOD} seconds=soon", "not a number"),
    ],
)
def test_a_malformed_line_is_listed_and_the_others_count(line, words):
    results, troubles = read_lines(f"{GOOD}\n\n{line}\n{GOOD}")
    assert len(results) == 2
    assert len(troubles) == 1
    assert troubles[0].startswith("line 3: ")
    assert words in troubles[0]


@pytest.fixture
def lab():
    made = labs.class_experiment()
    yield made
    made.close()


def line(lr, accuracy, **more):
    words = {"lr": lr, "channels": 6, "kernel": 5, "parameters": 61706, "accuracy": accuracy, **more}
    return " ".join(["result", *(f"{name}={word}" for name, word in words.items())])


def test_the_picture_is_that_of_the_pasted_lines(lab):
    lab.hear({"lines": f"{line(0.1, 0.84)}\n{line(0.3, 0.5, channels=8)}\n{line(0.1, 0.8)}\nnonsense"}, [])
    assert lab.arrays["dots"].tolist() == [pytest.approx(dot) for dot in [(0.1, 0.84), (0.3, 0.5), (0.1, 0.8)]]
    first, second = lab.facts["groups"]
    assert (first["x"], first["count"]) == (0.1, 2)
    assert (first["mean"], first["spread"]) == pytest.approx((0.82, 0.02 * 2**0.5))
    assert second == {"x": 0.3, "count": 1, "mean": 0.5, "spread": 0}
    assert lab.message.value == "3 results. One line could not be read: see below."
    assert lab.facts["troubles"] == ["line 4: it begins with “nonsense”, not with “result”"]
    lab.controls["against"].value = "channels"
    assert [group["x"] for group in lab.facts["groups"]] == [6, 8]
    assert lab.facts["label"] == "first channels"
    assert lab.board.text.value == "class_experiment against=first-channels"


def test_results_without_the_number_of_an_axis_are_left_out_and_counted(lab):
    lab.lines = f"{line(0.1, 0.84, seconds=4.5)}\n{line(0.3, 0.5)}"
    lab.controls["against"].value = "seconds"
    assert lab.arrays["dots"].tolist() == [pytest.approx((4.5, 0.84))]
    assert lab.message.value == "2 results. 1 of them does not give the seconds of training."


def test_many_lines_that_cannot_be_read_are_counted(lab):
    lab.lines = "x\n" * 9
    assert lab.message.value == "0 results. 9 lines could not be read: see below."
    assert lab.facts["troubles"][-1] == "and 4 more"
    assert len(lab.facts["troubles"]) == 6


@pytest.mark.parametrize(
    ("text", "words"), [("", "0 results."), (GOOD, "1 result."), (f"{GOOD}\n{GOOD}", "2 results.")]
)
def test_one_result_is_one_result(text, words):
    assert labs.class_experiment(text).state()["said"] == words


def test_lines_that_stand_in_a_cell_may_be_indented():
    lab = labs.class_experiment(f"""{GOOD}
        {GOOD}""")
    assert lab.lines == f"{GOOD}\n{GOOD}"


def test_the_spread_of_a_setting_is_that_of_its_results():
    results = [
        {"lr": 0.3, "accuracy": 0.5},
        {"lr": 0.1, "accuracy": 0.7},
        {"lr": 0.1, "accuracy": 0.9},
        {"accuracy": 1},
    ]
    small, large = by_setting(results, "lr")
    assert (small["x"], small["count"], large["x"], large["count"]) == (0.1, 2, 0.3, 1)
    assert (small["mean"], small["spread"]) == pytest.approx((0.8, 0.1 * 2**0.5))
    assert (large["mean"], large["spread"]) == (0.5, 0)
    assert by_setting([], "lr") == []


def test_more_lines_than_a_class_has_are_not_read():
    results, troubles = read_lines("\n".join([GOOD] * 501))
    assert len(results) == 500
    assert "first 500" in troubles[0]
