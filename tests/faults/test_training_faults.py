"""Training that goes wrong: interrupted, restarted, asked for too often, too high a rate, too large a batch."""

import copy
import itertools
import math
import subprocess
import sys
import threading
import weakref

import pytest
import torch

from helpers import Accumulator, Batches, Progress, evaluate_accuracy, labs, mlp, plotting, train, xavier
from helpers.labs.runner import Runner
from tests.support import wait_for, workers


@pytest.fixture
def lab(sample):
    trainer = labs.trainer(sample, num_epochs=2)
    yield trainer
    trainer.close()


def replace_train(lab, monkeypatch, training):
    """Let the lab train by another generator function."""
    # Not by its dotted name: helpers.labs.trainer is also the name of the lab's function.
    monkeypatch.setattr(sys.modules[type(lab).__module__], "train", training)


def test_an_interrupt_ends_training_quietly(batches, capsys):
    def interrupted():
        yield from itertools.islice(batches, 5)
        raise KeyboardInterrupt

    class FiveBatches:
        def __iter__(self):
            return interrupted()

        def __len__(self):
            return len(batches)

    net = xavier(mlp((16,)))
    before = copy.deepcopy(net.state_dict())
    history = list(train(net, FiveBatches(), 3, lr=0.1, device="cpu", reports=len(batches)))
    assert len(history) == 5
    assert "320 examples" in capsys.readouterr().out
    assert not torch.equal(before["1.weight"], net.state_dict()["1.weight"])
    assert 0 <= evaluate_accuracy(net, batches) <= 1


MOMENTS = {
    "in the forward pass": lambda net, interrupt: net.register_forward_pre_hook(interrupt),
    "after the forward pass": lambda net, interrupt: net.register_forward_hook(interrupt),
    "in the backward pass": lambda net, interrupt: net[3].register_full_backward_hook(interrupt),
    "at a gradient": lambda net, interrupt: net[1].weight.register_hook(interrupt),
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("call", [1, 2, 17])
def test_an_interrupt_at_any_moment_of_a_step_leaves_a_usable_network(moment, call, batches):
    net, calls = xavier(mlp((16,))), itertools.count(1)

    def interrupt(*args):
        if next(calls) == call:
            raise KeyboardInterrupt

    hook = MOMENTS[moment](net, interrupt)
    history = list(train(net, batches, 2, lr=0.1, device="cpu", reports=len(batches)))
    hook.remove()
    assert len(history) == call - 1
    assert all(parameter.isfinite().all() for parameter in net.parameters())
    assert 0 <= evaluate_accuracy(net, batches) <= 1
    assert len(list(train(net, batches, 1, lr=0.1, device="cpu", reports=1))) == 1  # and it learns on


@pytest.mark.parametrize("frame", [0, 1, "the last"])
def test_an_interrupt_while_the_curves_are_drawn_keeps_network_and_history(frame, batches, monkeypatch, capsys):
    net, drawn = xavier(mlp((16,))), itertools.count()

    def png(curves, history):
        if next(drawn) == frame:
            raise KeyboardInterrupt
        return b""

    def curves(*given, **options):
        if frame == "the last" and not next(ended):
            raise KeyboardInterrupt
        return make(*given, **options)

    make, ended = plotting.curves, itertools.count()
    monkeypatch.setattr(plotting.LiveCurves, "png", png)
    monkeypatch.setattr(plotting, "curves", curves)
    history = labs.watch(train(net, batches, 3, lr=0.1, device="cpu", reports=len(batches)))
    assert (len(history) > 0) == (frame != 0)
    assert 0 <= evaluate_accuracy(net, batches) <= 1
    assert "Stopped" in capsys.readouterr().out


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


RESTARTED = """
from jupyter_client.manager import start_new_kernel

TRAIN = '''
from helpers import fashion_mnist, labs
import time
lab = labs.trainer(fashion_mnist("sample"), num_epochs=20)
lab.buttons["Train"].click()
while len(lab.history) < 2:
    time.sleep(0.05)
'''
manager, client = start_new_kernel()
client.execute_interactive(TRAIN, timeout=120)
manager.restart_kernel(now=False)
client.wait_for_ready(timeout=60)
client.execute_interactive(TRAIN + "runs = len(lab.runs); lab.close(); print(runs, lab.runner.running)", timeout=120)
manager.shutdown_kernel(now=True)
"""


def test_a_kernel_that_is_restarted_during_a_run_trains_again():
    done = subprocess.run([sys.executable, "-c", RESTARTED], capture_output=True, text=True, timeout=240)
    assert done.stdout.strip().splitlines()[-1] == "1 False", done.stdout + done.stderr


def test_fifty_retrain_requests_in_a_row_leave_one_run_and_then_no_thread(lab):
    before = threading.active_count()
    for i in range(50):
        lab.controls["channels"].value = 1 + i % 8
    assert len(workers()) == 1
    assert lab.net[0].out_channels == 1 + 49 % 8
    lab.buttons["Stop"].click()
    assert not workers()
    assert threading.active_count() == before


def test_stop_can_be_pressed_twice_and_before_anything_runs(lab):
    lab.stop()
    lab.buttons["Train"].click()
    wait_for(lambda: lab.history)
    lab.stop()
    weights = lab.net[0].weight.clone()
    lab.stop()
    assert not workers()
    assert torch.equal(lab.net[0].weight, weights)


def test_a_new_lab_ends_the_run_of_the_old_and_closing_ends_it_too(lab, sample):
    lab.buttons["Train"].click()
    wait_for(lambda: lab.history)
    again = labs.trainer(sample)  # as when the cell is run again
    assert not lab.runner.running
    again.buttons["Train"].click()
    again.close()
    assert not workers()


def test_a_closed_tab_ends_nothing_and_breaks_nothing(lab):
    lab.buttons["Train"].click()
    wait_for(lambda: lab.history)
    lab.comm.close()  # what is left of a page that is gone
    lab.runner.wait()
    assert lab.history[-1].epoch == 2


def test_fifty_runs_leave_no_thread_behind():
    before = threading.active_count()
    runner = Runner()
    for _ in range(50):
        runner.start(itertools.repeat(None), lambda: None, lambda error: None)
    runner.stop()
    assert threading.active_count() == before


def test_a_run_that_diverges_ends_by_itself(lab, monkeypatch):
    sums = Accumulator(3)
    sums.add(math.nan, 50, 100)
    replace_train(
        lab,
        monkeypatch,
        lambda *args, **kwargs: (Progress(i, 100, None, 1.0, sums, Accumulator(2), 10) for i in range(1, 1000)),
    )
    lab.buttons["Train"].click()
    lab.runner.wait()
    assert len(lab.history) == 1
    assert "smaller learning rate" in lab.message.value


def test_a_rate_far_too_high_is_said_in_words(lab):
    lab.board.move({"lr": 3, "activation": torch.nn.ReLU})
    lab.buttons["Train"].click()
    lab.runner.wait()
    assert "smaller learning rate" in lab.message.value
    assert not lab.buttons["Train"].disabled


def test_an_error_in_training_is_shown_in_the_lab_in_words(lab, monkeypatch):
    def breaks(*args, **kwargs):
        raise RuntimeError("CUDA out of <memory>")
        yield

    replace_train(lab, monkeypatch, breaks)
    lab.buttons["Train"].click()
    with pytest.raises(RuntimeError, match="out of <memory>"):
        lab.runner.wait()
    assert "CUDA out of <memory>" in lab.message.value
    assert lab.message.trouble
    assert not lab.buttons["Train"].disabled


FULL = {
    "cuda": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    "mps": RuntimeError("MPS backend out of memory (MPS allocated: 5.4 GB)"),
    "cpu": RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"),
}


@pytest.mark.parametrize("device", FULL)
def test_a_batch_that_does_not_fit_is_explained_with_a_smaller_one(device, batches):
    def full(*args):
        raise FULL[device]

    net = xavier(mlp((16,)))
    net.register_forward_pre_hook(full)
    with pytest.raises(MemoryError, match=r"a batch of 64 does not fit .* try batches of 32") as caught:
        list(train(net, batches, 1, lr=0.1, device="cpu"))
    assert caught.value.__cause__ is FULL[device]


def test_the_advice_does_not_keep_the_memory_full(batches):
    made, net = [], xavier(mlp((16,)))

    def full(y_hat, y):
        made.append(weakref.ref(y_hat))
        raise FULL["cuda"]

    with pytest.raises(MemoryError) as caught:
        list(train(net, batches, 1, lr=0.1, device="cpu", loss_function=full))
    assert "does not fit" in str(caught.value)
    assert made[0]() is None  # nobody holds the scores of the step that failed, though the error is held here


def test_one_image_that_does_not_fit_needs_a_smaller_network(sample):
    def full(*args):
        raise FULL["cuda"]

    net = xavier(mlp((16,)))
    net.register_forward_pre_hook(full)
    with pytest.raises(MemoryError, match="smaller network"):
        list(train(net, Batches(sample.train_images[:3], sample.train_labels[:3], 1), 1, lr=0.1, device="cpu"))


def test_other_errors_of_a_step_keep_their_words(batches):
    class Own(torch.nn.Linear):
        def forward(self, X):
            raise LookupError("of the student's own")

    with pytest.raises(ValueError, match="shapes cannot be multiplied"):
        list(train(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(5, 10)), batches, 1, lr=0.1, device="cpu"))
    with pytest.raises(LookupError, match="of the student's own"):
        list(train(Own(5, 10), batches, 1, lr=0.1, device="cpu"))


def test_the_lab_says_which_batch_to_take_where_one_does_not_fit(lab, monkeypatch):
    def full(*args, **kwargs):
        raise FULL["cuda"]

    replace_train(lab, monkeypatch, lambda *args, **kwargs: train(*args, **kwargs, loss_function=full))
    lab.buttons["Train"].click()
    with pytest.raises(MemoryError):
        lab.runner.wait()
    assert "a batch of 64 does not fit" in lab.message.value
    assert "try batches of 32" in lab.message.value
    assert not lab.buttons["Train"].disabled
