"""What the three labs that run something have in common: phases, words, buttons, and nothing left when they close."""

import gc
import json
import sys
import weakref

import pytest

from helpers import labs, mlp
from helpers.labs import runner as runner_module
from helpers.labs.runner import RunningLab
from tests.support import wait_for

START = {"trainer": "Train", "versus": "Train", "learn_kernel": "Run"}
UNIT = {"trainer": "epoch", "versus": "epoch", "learn_kernel": "step"}


def module(name):
    """A lab's module, whose name in the package is that of the lab's function."""
    return sys.modules[f"helpers.labs.{name}"]


@pytest.fixture(params=START)
def name(request):
    return request.param


@pytest.fixture
def lab(name, sample, monkeypatch):
    monkeypatch.setattr(module("versus"), "SEEN", 2000)
    made = {
        "trainer": lambda: labs.trainer(sample, num_epochs=1),
        "versus": lambda: labs.versus({"LeNet": mlp((8,)), "MLP": mlp((8,))}, sample),
        "learn_kernel": lambda: labs.learn_kernel(sample.train_images[0]),
    }[name]()
    if name == "versus":
        made.board.move({"images": 1000})  # conditions under which nothing was trained yet
    yield made
    made.close()


def test_a_lab_is_idle_then_trains_is_stopped_goes_on_and_is_done(lab, name):
    assert lab.state()["phase"] == "idle"
    assert lab.buttons["Stop"].disabled
    lab.buttons[START[name]].click()
    assert lab.state()["phase"] in ("waiting", "training")
    assert not lab.buttons["Stop"].disabled
    wait_for(lambda: f"Training: {UNIT[name]} " in lab.message.value and lab.state()["phase"] == "training")
    lab.buttons["Stop"].click()
    state = lab.state()
    assert state["phase"] == "stopped"
    assert 0 < state[UNIT[name]] < state[f"{UNIT[name]}s"]
    assert (
        f"Stopped after {round(state[UNIT[name]], 2):g} of {state[f'{UNIT[name]}s']} {UNIT[name]}" in lab.message.value
    )
    assert lab.buttons["Stop"].disabled
    lab.buttons["Resume" if name == "trainer" else START[name]].click()
    lab.runner.wait()
    state = lab.state()
    assert state["phase"] == "done"
    assert state[UNIT[name]] == state[f"{UNIT[name]}s"]
    assert f"Done: {state[f'{UNIT[name]}s']} {UNIT[name]}" in state["message"]
    assert lab.buttons["Stop"].disabled
    assert json.loads(json.dumps(state))["curves"][-1]["points"][-1][0] == state[UNIT[name]]


def break_training(name, monkeypatch, error):
    """Let the lab's next step raise an `error`, a function that makes one."""

    def breaks(*args, **options):
        raise error()
        yield

    if name == "learn_kernel":
        monkeypatch.setattr(module(name).Descent, "step", lambda descent: next(breaks()))
    else:
        monkeypatch.setattr(module(name), "train", breaks)


def test_an_error_without_words_is_named_and_the_lab_can_go_on(lab, name, monkeypatch):
    break_training(name, monkeypatch, AssertionError)
    lab.buttons[START[name]].click()
    with pytest.raises(AssertionError):
        lab.runner.wait()
    state = lab.state()
    assert (state["message"], state["trouble"]) == ("The run ended: AssertionError", True)
    assert state["phase"] == "idle"
    assert lab.buttons["Stop"].disabled
    assert not lab.buttons[START[name]].disabled


def test_a_lab_that_is_closed_after_an_error_leaves_no_network_in_memory(lab, name, monkeypatch):
    break_training(name, monkeypatch, RuntimeError)
    work = {"versus": lambda: lab.bout(), "learn_kernel": lambda: lab.descent, "trainer": lambda: lab.runs[-1]}[name]
    made = None if name == "trainer" else weakref.ref(work())
    lab.buttons[START[name]].click()
    made = made or weakref.ref(work())
    with pytest.raises(RuntimeError):
        lab.runner.wait()
    lab.close()
    gc.collect()
    assert made() is None


class Run(RunningLab):
    """A run that has come to some place."""

    def __init__(self, *far, running=True):
        self._far, self._since, self.running = far, (0.0, 0), running or None

    def far(self):
        return self._far


def test_the_status_says_how_long_it_still_takes(monkeypatch):
    monkeypatch.setattr(runner_module.time, "monotonic", lambda: 3.0)
    assert Run(1.5, 5).status() == "Training: epoch 2 of 5, about 7 s left."
    assert Run(0.1, 10).status() == "Training: epoch 1 of 10, about 5 min left."
    assert Run(4.99, 5).status() == "Training: epoch 5 of 5, about 1 s left."
    assert Run(0, 5).status() == "Training: epoch 1 of 5."
    monkeypatch.setattr(runner_module.time, "monotonic", lambda: 0.2)  # too early to tell
    assert Run(0.1, 5).status() == "Training: epoch 1 of 5."


def test_the_status_of_a_run_that_does_not_go_on():
    assert Run(0, 5, running=False).status() == ""
    assert Run(1.234, 5, running=False).status() == "Stopped after 1.23 of 5 epochs."
    assert Run(0.5, 1, running=False).status() == "Stopped after 0.5 of 1 epoch."
    assert Run(5.0, 5, running=False).status() == "Done: 5 epochs."
