"""Two thousand random states of all labs, one after another as fast as they go, while the training lab trains."""

import collections
import contextlib
import random
import threading

from helpers.labs.expected import Expected, without
from helpers.labs.past import LookedAt
from helpers.labs.settings import Matrix
from tests import every_lab
from tests.support import explains, workers

# {lab: number of states}: the more, the less time a lab takes for one; the training lab waits for the step and the
# drawing that its last run is at.
STATES = {
    "explorer": 70,
    "convolution": 380,
    "pooling": 350,
    "learn_kernel": 240,
    "shapes": 410,
    "class_experiment": 40,
    "trainer": 100,
    "microscope": 140,
    "versus": 40,
    "drawing": 140,
    "collect": 60,
    "class_data": 20,
    "honest_split": 10,
}


def test_each_lab_has_its_number_of_states():
    assert STATES.keys() == every_lab.LABS.keys()


def reachable(control, dice):
    """A value that a hand can now give a control, another than it has."""
    if isinstance(control, Matrix):
        rows = dice.randint(1, Matrix.LARGEST)
        return tuple(tuple(dice.randint(-200, 200) / 10 for _ in range(rows)) for _ in range(rows))
    if isinstance(control, Expected | LookedAt):
        return None  # neither begins a run: tests/test_expected.py and tests/test_past.py move them
    if hasattr(control, "options"):
        values = [value for _, value in control.options]
    elif isinstance(control.value, bool):
        values = [True, False]
    else:
        values = range(control.min, control.max + 1, control.step)
    return dice.choice([value for value in values if value != control.value] or [None])


def move(lab, dice):
    """Bring a lab to another state: mostly a hand moves one control, else a board line moves several."""
    names = [name for name, control in lab.board.controls.items() if reachable(control, random.Random(0)) is not None]
    moved = {name: reachable(lab.board.controls[name], dice) for name in dice.sample(names, min(3, len(names)))}
    if dice.random() < 0.8:
        name, value = next(iter(moved.items()))
        lab.board.controls[name].value = value
    else:
        lab.board.move(moved)


@contextlib.contextmanager
def every_lab_open(sample):
    """{name: lab} for all labs, closed again at the end."""
    with contextlib.ExitStack() as stack:
        made = {}
        for name in every_lab.LABS:
            made[name] = every_lab.made(name, sample)
            stack.callback(made[name].close)
        yield made


def count_pictures(lab, name, drawn):
    """Let each new picture of `lab` be counted in `drawn[name]`."""
    show = lab.show

    def show_and_count(*args):
        drawn[name] += 1
        show(*args)

    lab.show = show_and_count


def test_two_thousand_states_in_random_order_while_a_network_trains(sample, monkeypatch):
    broken, drawn, seen = [], collections.Counter(), collections.Counter()
    monkeypatch.setattr(threading, "excepthook", broken.append)
    threads = set(threading.enumerate())
    dice = random.Random(0)
    turns = [name for name, number in STATES.items() for _ in range(number)]
    dice.shuffle(turns)
    with every_lab_open(sample) as labs:
        trainer = labs["trainer"]
        monkeypatch.setattr(trainer, "_explain", broken.append)  # what ends a run other than its end
        for name, lab in labs.items():
            count_pictures(lab, name, drawn)
        for name in turns:
            if not trainer.runner.running:
                trainer.start()
            lab, pictures, runs = labs[name], drawn[name], len(trainer.runs)
            picture = every_lab.shown(lab)
            move(lab, dice)
            if name == "trainer" and dice.random() < 0.3:
                trainer.hear({"move": {"looking": True, "moment": dice.randrange(300), "beside": runs - 1}}, [])
            explained = explains(lab)
            if name == "trainer":
                if len(trainer.runs) == runs:
                    assert explained
                    trainer.board.text.value = "trainer"  # back to settings that can be trained
                assert len(trainer.runs) == runs + 1
                assert trainer.runs[-1].line == without(trainer.board.line())  # a look back is no setting
            elif drawn[name] == pictures:  # red words below a new picture, as of a dead network, are no refusal
                assert explained, name
                assert every_lab.shown(lab) == picture, name
            assert len(workers()) <= 1
            assert not broken
            seen[name] += 1
        trainer.stop()
        assert workers() == []
        assert [run.line for run in trainer.runs if not run.history] == []  # each has trained, if only for a step
        assert len(trainer.runs) >= STATES["trainer"]
    assert seen == STATES
    assert seen.total() == 2000
    assert set(threading.enumerate()) == threads
    assert not broken
