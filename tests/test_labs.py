"""The labs without a browser: a control moves, the right picture stands there."""

import functools
import itertools
import time

import pytest

from helpers import labs, mlp, plotting, train
from helpers.labs.controls import slider
from helpers.labs.live import FiveTimesASecond, Lab, Picture


def test_every_place_of_every_slider_draws_or_explains_itself(sample):
    for lab in (
        labs.explorer(sample),
        labs.shapes(),
    ):
        for control in lab.controls.values():
            start = control.value
            for move in moves(control):
                move()
                refused = plotting.TROUBLE in lab.message.value
                assert not refused or "larger than" in lab.message.value
            control.value = start


def moves(control):
    """Ways to put a control at each option of a list, or at both ends of a slider."""
    if hasattr(control, "options"):
        return [functools.partial(setattr, control, "index", i) for i in range(len(control.options))]
    return [functools.partial(setattr, control, "value", end) for end in (control.min, control.max)]


@pytest.mark.parametrize("shown_width", [1000, 500])
def test_a_click_lands_right_also_while_the_browser_reads_a_new_picture(shown_width):
    picture, places = Picture(), []
    picture.show_png(b"", 1000, "a picture that the page may be too narrow for")
    picture.on_click(lambda x, y: places.append((x, y)))
    pending = {"dataX": 0, "dataY": 0}  # as the browser has it before it knows the picture's size
    where = {"relativeX": 0.3 * shown_width, "relativeY": 0.2 * shown_width, "boundingRectWidth": shown_width}
    picture._clicks._handle_mouse_msg(None, pending | where, [])
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
