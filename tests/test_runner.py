"""One run at a time, in a thread that can be stopped, whose errors are not lost."""

import subprocess
import sys
import threading
import time

import pytest
import torch

from helpers.labs.runner import Runner, lend_cores


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


def test_fifty_runs_leave_no_thread_behind():
    before = threading.active_count()
    runner = Runner()
    for _ in range(50):
        runner.start(steps([]), nothing, nothing)
    runner.stop()
    assert threading.active_count() == before


def test_the_cores_of_this_thread_are_lent_and_come_back():
    X = torch.rand(500, 500)
    expected = X @ X
    threads = torch.get_num_threads()
    assert lend_cores() or sys.platform != "linux"
    assert torch.equal(X @ X, expected)
    assert torch.get_num_threads() == threads


INTERRUPTED = """
import time
from jupyter_client.manager import start_new_kernel

manager, client = start_new_kernel()
client.execute_interactive('''
from helpers.labs.runner import Runner
import time
ended = []
def steps():
    while True:
        time.sleep(0.01)
        yield
runner = Runner()
runner.start(steps(), then=lambda: ended.append("then"), failed=ended.append)
''', timeout=60)
manager.interrupt_kernel()
time.sleep(1)
client.execute_interactive("print(runner.running, ended)", timeout=60)
manager.shutdown_kernel(now=True)
"""


def test_an_interrupt_of_an_idle_kernel_ends_the_run_without_a_traceback():
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "False ['then']", done.stdout + done.stderr
