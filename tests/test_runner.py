"""One run at a time, in a thread that can be stopped, whose errors are not lost."""

import threading
import time

import pytest

from helpers.labs.runner import Runner


def nothing(*args):
    """For runs whose end does not matter."""


def steps(done, number=10**6):
    for i in range(number):
        done.append(i)
        time.sleep(0.001)
        yield


def test_a_run_goes_on_in_another_thread_until_it_is_stopped():
    runner, done, ended = Runner(), [], []
    runner.start(steps(done), then=lambda: ended.append(threading.current_thread()), failed=nothing)
    while len(done) < 3:
        time.sleep(0.001)
    runner.stop()
    number = len(done)
    assert not runner.running
    assert ended[0] is not threading.current_thread()
    time.sleep(0.01)
    assert len(done) == number


def test_a_generator_that_was_stopped_goes_on_where_it_was():
    runner, done = Runner(), []
    generator = steps(done, 50)
    while len(done) < 50:
        runner.start(generator, nothing, nothing)
        time.sleep(0.01)
        runner.stop()
    assert done == list(range(50))


def test_only_one_run_goes_on_whoever_starts_it():
    first, second, done = Runner(), Runner(), []
    first.start(steps([]), nothing, nothing)
    second.start(steps(done), nothing, nothing)
    assert not first.running
    assert second.running
    Runner()
    assert not second.running


def test_a_cancelled_run_does_not_draw_its_end():
    runner, ended = Runner(), []
    runner.start(steps([]), then=lambda: ended.append("drawn"), failed=nothing)
    runner.cancel()
    assert ended == []


def test_an_error_in_the_thread_is_raised_where_it_is_awaited():
    def broken():
        yield
        raise RuntimeError("broken")

    runner, said = Runner(), []
    runner.start(broken(), then=lambda: said.append("the end"), failed=lambda error: said.append(str(error)))
    with pytest.raises(RuntimeError, match="broken"):
        runner.wait()
    assert said == ["broken"]
