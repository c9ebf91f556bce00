"""Curves that a cell draws while it trains, and the time that drawing leaves."""

import itertools
import time
from types import SimpleNamespace

import ipywidgets
import pytest

from helpers import labs, mlp, plotting, train
from helpers.labs import living
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


def test_at_the_end_the_curves_are_a_drawing_that_takes_the_pages_colours(batches):
    net, here = mlp((8,)), set(ipywidgets.widgets.widget._instances)
    history = labs.watch(train(net, batches, 1, lr=0.1, device="cpu"))
    new = [widget for name, widget in ipywidgets.widgets.widget._instances.items() if name not in here]
    drawings = [widget.value for widget in new if isinstance(widget, ipywidgets.HTML)]
    assert drawings == [plotting.curves(history).svg()]
    assert not [widget for widget in new if isinstance(widget, ipywidgets.Image)]


@pytest.mark.parametrize("interrupted", [False, True])
def test_without_a_kernel_the_finished_curves_stand_in_place_of_the_widget(batches, monkeypatch, interrupted):
    outputs, updates = [], []

    def display(output, **how):
        outputs.append(output)
        return SimpleNamespace(update=updates.append)

    def training():
        yield from train(mlp((8,)), batches, 1, lr=0.1, device="cpu")
        if interrupted:
            raise KeyboardInterrupt

    monkeypatch.setattr(living, "display", display)
    history = labs.watch(training())
    text, widget = outputs
    assert "lab-still" in text.data
    assert "Run this cell again" in text.data  # as long as the training goes on
    assert "application/vnd.jupyter.widget-view+json" in widget
    assert plotting.curves(history).svg() in updates[-1].data
    assert "Run this cell again" not in updates[-1].data


def test_drawing_leaves_time_between_two_pictures():
    calls = []
    draw = NowAndThen(lambda: calls.append(time.monotonic()))
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        draw()
    assert calls
    assert all(later - earlier >= 0.2 for earlier, later in itertools.pairwise(calls))
