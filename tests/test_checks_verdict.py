"""What a check says when the student's code stops with an exception."""

import gzip

import pytest
import torch
from torch import nn

from helpers.checks.verdict import Verdict, checked, wrong


@checked
def check_double(double):
    """A check that knows one mistake of its own, and has one."""
    try:
        answer = double(2)
    except KeyError:
        return wrong("a mistake that this check knows")
    if answer == "the check's own mistake":
        return {}["missing"]
    return Verdict(answer == 4, "seen")


@checked
def check_net(net):
    """A check of a network."""
    return Verdict(net(torch.ones(1, 3)).shape == (1, 2), "seen")


def test_a_check_that_is_not_stopped_answers_as_before():
    assert check_double(lambda x: 2 * x) == Verdict(True, "seen")
    assert check_double(lambda x: x) == Verdict(False, "seen")
    assert check_double.__name__ == "check_double"


def test_an_exception_becomes_words_with_the_students_line():
    def double(x):
        y = x
        return y + "2"

    verdict = check_double(double)
    assert verdict.right is False
    assert verdict.message.startswith('Your code stops in line 3 of double, `return y + "2"`, with TypeError: unsupp')


def test_the_line_is_the_students_where_a_library_stops():
    def double(x):
        return gzip.decompress(x)

    assert "in line 2 of double, `return gzip.decompress(x)`" in check_double(double).message


def test_the_line_is_that_of_the_function_which_the_students_function_calls():
    def half(x):
        return x / 0

    verdict = check_double(lambda x: 4 * half(x))
    assert "in line 2 of half, `return x / 0`, with ZeroDivisionError: division by zero" in verdict.message


def test_an_exception_without_words_and_a_long_one():
    def silent(x):
        raise NotImplementedError

    def long(x):
        raise ValueError("first line\nsecond line")

    assert check_double(silent).message.endswith("with NotImplementedError.")
    assert check_double(long).message.endswith("with ValueError: first line")


def test_an_answer_without_source_is_named_without_a_line_of_it():
    scope = {"__name__": "__main__"}
    exec("def double(x):\n    return x.nothing", scope)
    assert "in line 2 of double with AttributeError" in check_double(scope["double"]).message


@pytest.mark.parametrize("answer", [4, None, lambda: 4, lambda x, y: 4])
def test_what_cannot_be_called_gets_words(answer):
    assert "cannot be called as the exercise asks" in check_double(answer).message


def test_a_network_that_stops_gets_words():
    assert check_net(nn.Linear(3, 2))
    assert check_net(nn.Linear(4, 2)).message.startswith("Your network stops with RuntimeError: mat1 and mat2")


def test_a_network_of_the_students_own_class_gets_its_line():
    class Net(nn.Module):
        def forward(self, X):
            return X @ torch.ones(5)

    assert "in line 2 of forward, `return X @ torch.ones(5)`, with RuntimeError" in check_net(Net()).message


def test_a_mistake_that_the_check_knows_keeps_its_own_words():
    def double(x):
        raise KeyError(x)

    assert check_double(double).message == "a mistake that this check knows"


def test_the_checks_own_mistake_stays_an_exception():
    with pytest.raises(KeyError, match="missing"):
        check_double(lambda x: "the check's own mistake")


def test_stop_stays_stop():
    def double(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check_double(double)
