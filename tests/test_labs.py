"""What all labs stand on, without a browser."""

import itertools
import time

import pytest

from helpers import labs, mlp, train
from helpers.labs.controls import slider
from helpers.labs.lab import FiveTimesASecond, Lab, Picture


def test_a_click_lands_right_however_small_the_page_shows_the_picture():
    picture, places = Picture(), []
    picture.show_png(b"", 1000, "a picture that the page may be too narrow for")
    picture.on_click(lambda x, y: places.append((x, y)))
    # What the browser sends: shares of the width that it shows.
    picture.children[-1]._handle_custom_msg({"x": 0.3, "y": 0.2}, [])
    assert places == [(300, 200)]


def test_an_error_that_is_not_about_the_values_is_not_hidden():
    def draw(number):
        raise KeyError(number)

    with pytest.raises(KeyError):
        Lab("broken", draw, {"number": slider("number", 1, 0, 2)})


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
    draw = FiveTimesASecond(lambda: calls.append(time.monotonic()))
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        draw()
    assert calls
    assert all(later - earlier >= 0.2 for earlier, later in itertools.pairwise(calls))
