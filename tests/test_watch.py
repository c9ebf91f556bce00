"""Curves that a cell draws while it trains, and the time that drawing leaves."""

import itertools
import time

from helpers import labs, mlp, train
from helpers.labs.growing import NowAndThen


def test_watching_returns_the_history_and_survives_an_interrupt(batches, capsys):
    net = mlp((8,))
    history = labs.watch(train(net, batches, 2, lr=0.1, device="cpu"), 2)
    assert [progress.epoch for progress in history][-1] == 2

    def interrupted():
        yield from train(net, batches, 1, lr=0.1, device="cpu")
        raise KeyboardInterrupt

    assert len(labs.watch(interrupted())) == 5
    assert "Stopped" in capsys.readouterr().out


def test_drawing_leaves_time_between_two_pictures():
    calls = []
    draw = NowAndThen(lambda: calls.append(time.monotonic()))
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        draw()
    assert calls
    assert all(later - earlier >= 0.2 for earlier, later in itertools.pairwise(calls))
