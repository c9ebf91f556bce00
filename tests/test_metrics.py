"""Accumulator, Timer and accuracy: the values of d2l's, on the same inputs."""

import time

import pytest
import torch
from d2l import torch as d2l

from helpers import Accumulator, Timer, accuracy, confusion_counts


def test_accumulator_sums_as_d2l_does():
    ours, theirs = Accumulator(3), d2l.Accumulator(3)
    for i in range(1, 6):
        for accumulator in (ours, theirs):
            accumulator.add(i, i / 7, torch.tensor(i * 1.5))
    assert [ours[i] for i in range(3)] == pytest.approx([theirs[i] for i in range(3)])
    assert type(ours[2]) is float
    ours.reset()
    assert [ours[i] for i in range(3)] == [0.0, 0.0, 0.0]


def test_a_copy_of_an_accumulator_keeps_the_sums_of_its_moment():
    sums = Accumulator(2)
    sums.add(1, 2)
    before = sums.copy()
    sums.add(1, 2)
    before.add(10, 10)
    assert [list(map(int, each.sums)) for each in (before, sums)] == [[11, 12], [2, 4]]


def test_accumulator_keeps_no_tensor_of_the_cpu():
    sums = Accumulator(1)
    sums.add(torch.ones((), requires_grad=True) * 2)
    assert type(sums.sums[0]) is float
    assert sums[0] == 2


def test_accumulator_says_how_many_values_it_takes():
    with pytest.raises(ValueError, match="keeps 2 sums, but add\\(\\) got 3"):
        Accumulator(2).add(1, 2, 3)


def test_timer_adds_its_intervals_up_as_d2l_does():
    ours, theirs = Timer(), d2l.Timer()
    for timer in (ours, theirs):
        timer.times = [0.5, 1.5, 4.0]
    assert ours.sum() == theirs.sum()
    assert ours.avg() == theirs.avg()
    assert ours.cumsum() == theirs.cumsum()


def test_timer_measures_what_lies_between_start_and_stop(monkeypatch):
    instants = iter([0.0, 10.0, 10.5, 20.0, 22.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(instants))
    timer = Timer()
    timer.start()
    assert timer.stop() == 0.5
    timer.start()
    timer.stop()
    assert timer.times == [0.5, 2.0]


def test_accuracy_counts_as_d2l_does():
    y_hat, y = torch.randn(50, 10), torch.randint(10, (50,))
    assert float(accuracy(y_hat, y)) == d2l.accuracy(y_hat, y)
    assert float(accuracy(y_hat.argmax(dim=1), y)) == d2l.accuracy(y_hat.argmax(dim=1), y)
    assert accuracy(torch.eye(10), torch.arange(10)) == 10


def test_confusion_counts_have_the_truth_in_rows():
    y, y_hat = torch.tensor([0, 0, 1, 2]), torch.tensor([0, 1, 1, 0])
    assert confusion_counts(y_hat, y, num_classes=3).tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]
    assert torch.equal(confusion_counts(torch.eye(10)[y_hat], y), confusion_counts(y_hat, y))
