"""The class experiment: lines in, one picture out, and nothing that a student pastes breaks it."""

import pytest

from helpers import labs, lenet, plotting
from helpers.labs.class_experiment import read_results, result_line
from helpers.labs.runs import Run
from tests.support import GOOD, progress


def test_a_runs_line_is_read_as_it_was_written():
    run = Run("trainer lr=0.3 channels=8 activation=gelu", {"lr": 0.3, "channels": 8, "kernel": 5}, lenet(), 61_706)
    assert result_line(run) == ""  # no epoch has ended yet
    run.history.append(progress(1, 0.5, 0.8125))
    results, troubles = read_results(result_line(run))
    assert results == [{"lr": 0.3, "channels": 8, "kernel": 5, "parameters": 61706, "accuracy": 0.8125}]
    assert troubles == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("hello", "not with “result”"),
        ("result", "lr is missing"),
        (GOOD.replace("0.8430", "84%"), "not a number"),
        (GOOD.replace("0.8430", "1.2"), "more than 1"),
        (GOOD.replace("lr=0.1", "lr=-1"), "cannot be"),
        (GOOD.replace("lr=0.1", "lr=nan"), "cannot be"),
        (GOOD.replace("lr=0.1", "lr=inf"), "cannot be"),
    ],
)
def test_a_malformed_line_is_listed_and_the_others_count(line, words):
    results, troubles = read_results(f"{GOOD}\n\n{line}\n{GOOD}")
    assert len(results) == 2
    assert len(troubles) == 1
    assert troubles[0].startswith("line 3: ")
    assert words in troubles[0]


def test_the_picture_is_that_of_the_pasted_lines():
    lab = labs.class_experiment()
    lines, row, message, picture = lab.children
    (against,) = row.children
    lines.value = f"{GOOD}\n{GOOD.replace('lr=0.1', 'lr=0.3').replace('0.8430', '0.5')}\nnonsense"
    assert (
        picture.image.value == plotting.scatter([0.1, 0.3], [0.843, 0.5], "learning rate", "validation accuracy").png()
    )
    assert "2 results" in message.value
    against.value = "channels"
    assert picture.image.value == plotting.scatter([6, 6], [0.843, 0.5], "first channels", "validation accuracy").png()


@pytest.mark.parametrize(
    ("text", "words"), [("", "0 results."), (GOOD, "1 result."), (f"{GOOD}\n{GOOD}", "2 results.")]
)
def test_one_result_is_one_result(text, words):
    message = labs.class_experiment(text).children[2]
    assert words in message.value


def test_more_lines_than_a_class_has_are_not_read():
    results, troubles = read_results("\n".join([GOOD] * 501))
    assert len(results) == 500
    assert "first 500" in troubles[0]
