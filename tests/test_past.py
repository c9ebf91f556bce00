"""The past of a run: which moments are kept, how much they take, and what the lab shows of them."""

import math

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import parameters_to_vector

from helpers import ImageData, accuracy, labs
from helpers.labs import past
from helpers.labs.past import LookBack, Past
from helpers.labs.recipe import network
from helpers.labs.runs import Run
from tests.support import wait_for

SETTINGS = {
    "kernel": 5, "channels": 6, "padding": True, "activation": nn.ReLU, "pooling": nn.MaxPool2d, "seed": 0,
    "images": "sample",
}  # fmt: skip


def net_of(settings):
    return network(**{name: value for name, value in settings.items() if name != "images"})


def trained(number, change, total=100):
    """A run whose weights `change`, a number, moves at each step; its past is that of a training."""
    net = net_of(SETTINGS)
    run = Run(f"trainer lr={number}", SETTINGS, net, 61_706, number=number, past=Past(total, net))
    for step in range(1, total + 1):
        with torch.no_grad():
            for parameter in net.parameters():
                parameter += change
        run.past.note(step, step / 50, net)
    return run


@pytest.fixture(scope="module")
def shown(sample):
    """A function: the picture of a `LookBack` for some runs."""

    def show(back, runs, drawing=None):
        images, labels = sample.train_images[:1_200], sample.train_labels[:1_200]
        return back.picture(runs, images, labels, sample.class_names, net_of, drawing)

    return show


def looking(**where):
    back = LookBack()
    back.heard({"looking": True, **where})
    return back


@given(total=st.integers(1, 200_000), most=st.integers(4, 60))
def test_moments_lie_close_together_at_the_beginning_and_reach_the_end(total, most):
    steps = past.steps_to_keep(total, most)
    assert steps == sorted(set(steps))
    assert (steps[0], steps[-1]) == (0, total)
    assert len(steps) <= most


def test_a_default_run_keeps_its_first_steps_one_by_one():
    assert past.steps_to_keep(705)[:7] == [0, 1, 2, 3, 4, 5, 6]
    assert len(past.steps_to_keep(705)) >= 30


def test_moments_are_copies_in_half_precision_of_the_weights_after_their_steps():
    run = trained(0, 0.001)
    begun, last = run.past.moments[0], run.past.moments[-1]
    torch.testing.assert_close(begun.weights, parameters_to_vector(net_of(SETTINGS).parameters()).detach().half())
    torch.testing.assert_close(last.weights, parameters_to_vector(run.net.parameters()).detach().half())
    assert past.bytes_of(run.past.moments) == 2 * 61_706 * len(run.past.moments)
    assert len(run.past.moments) <= past.MOMENTS


def test_the_moment_at_which_a_run_was_stopped_is_kept_until_it_has_gone_on():
    net = nn.Linear(2, 2)
    kept = Past(100, net)
    unplanned = next(step for step in range(101) if step not in kept.planned)
    kept.note(unplanned, 0.5, net)
    assert kept.moments[-1].step == 0
    kept.pause(net)
    kept.pause(net)
    assert [moment.step for moment in kept.moments] == [0, unplanned]
    kept.note(100, 1, net)
    assert [moment.step for moment in kept.moments] == [0, 100]


def test_an_earlier_run_keeps_ten_moments_and_one_that_is_no_ghost_keeps_none():
    run = trained(0, 0.001)
    run.put_aside(as_ghost=True)
    run.put_aside(as_ghost=True)
    steps = [moment.step for moment in run.past.moments]
    assert len(steps) == past.GHOST_MOMENTS
    assert (steps[0], steps[-1]) == (0, 100)
    run.put_aside(as_ghost=False)
    assert run.past is None


def test_all_pasts_fit_into_their_room_and_the_oldest_are_forgotten_first():
    ghosts = [trained(number, 0.001) for number in range(3)]
    for run in ghosts:
        run.put_aside(as_ghost=True)
    room = 2.5 * past.bytes_of(ghosts[0].past.moments)
    past.forget([run.past for run in ghosts], room)
    assert [len(run.past.moments) for run in ghosts] == [0, 10, 10]
    large = Past(1000, nn.Linear(1000, 1000))  # two megabytes a moment
    assert 2 * 1_001_000 * len(large.planned) <= past.MOST_BYTES / 2


def test_a_moment_shows_its_filters_its_maps_and_how_many_it_gets_right(shown, sample):
    run = trained(0, 0.001)
    moment = run.past.moments[8]
    arrays, facts = shown(looking(moment=moment.step, image=3), [run])
    net = past.as_it_was(net_of(SETTINGS), moment)
    torch.testing.assert_close(arrays["filters0"], net[0].weight[:, 0])
    X, y = sample.train_images[:1000] / 255, sample.train_labels[:1000]
    torch.testing.assert_close(arrays["maps0"], net[0](X[3:4])[0])
    assert (facts["step"], facts["truth"]) == (moment.step, sample.class_names[y[3]])
    right = int(accuracy(net(X), y)) / 1000
    assert f"{right:.1%} of 1,000 right" in facts["shown"][0]["words"][1]
    assert f"{sample.class_names[net(X[3:4]).argmax()]} (" in facts["shown"][0]["words"][0]


def test_two_runs_are_compared_at_the_same_steps_and_agree_while_they_are_one(shown):
    ghost, run = trained(7, -0.002), trained(8, 0.01)
    ghost.put_aside(as_ghost=True)
    back = looking(moment=0, beside=7)
    assert [step for step, _ in back.offers([ghost, run])["moments"]] == [m.step for m in ghost.past.moments]
    agreed = []
    for step, _ in back.offers([ghost, run])["moments"]:
        back.heard({"moment": step})
        facts = shown(back, [ghost, run])[1]
        assert [one["step"] for one in facts["shown"]] == [step, step]
        agreed.append(facts["agree"])
    assert agreed[0] == 1000 > agreed[-1]
    back.heard({"beside": 99})  # a run that is forgotten
    assert len(shown(back, [ghost, run])[1]["shown"]) == 1


def test_before_a_page_looks_back_and_before_the_first_run_nothing_is_computed(shown):
    assert shown(LookBack(), [trained(0, 0.001)]) == ({}, {})
    assert shown(looking(), []) == ({}, {})
    assert looking().offers([]) == {"moments": [], "others": []}
    loaded = Run("trainer", SETTINGS, net_of(SETTINGS), 61_706)
    assert shown(looking(), [loaded]) == ({}, {})


@pytest.fixture(scope="module")
def any_runs():
    """One that learnt, one whose weights are no longer numbers, one beyond half precision."""
    ghosts = [trained(0, 0.001), trained(1, math.nan), trained(2, 1e4)]
    for run in ghosts:
        run.put_aside(as_ghost=True)
    return [*ghosts, trained(3, 1e4, total=30)]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    moment=st.none() | st.integers(-5, 300), beside=st.none() | st.integers(-1, 4), image=st.integers(-10, 10**6),
    own=st.booleans(), drawn=st.booleans(),
)  # fmt: skip
def test_no_move_of_the_past_ends_in_an_error(shown, any_runs, moment, beside, image, own, drawn):
    drawing = torch.zeros(1, 28, 28, dtype=torch.uint8) if drawn else None
    back = looking(moment=moment, beside=beside, image=image, own=own)
    facts = shown(back, any_runs, drawing)[1]
    assert (facts["truth"] == "your drawing") == (own and drawn)
    assert len(facts["shown"]) == (2 if beside in (0, 1, 2) else 1)
    assert all(math.isfinite(facts[name]) for name in ("step", "epoch", "image"))


@pytest.fixture
def images_in_colour():
    """Three classes, as noise of 20×20 pixels."""
    chance = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (90, 3, 20, 20), dtype=torch.uint8, generator=chance)
    return ImageData("noise", images, torch.arange(90) % 3)


@pytest.fixture
def lab(sample):
    trainer = labs.trainer(sample, num_epochs=1)
    trainer.board.move({"batch": 256}, then=lambda: None)
    yield trainer
    trainer.close()


def test_the_lab_looks_back_at_its_runs_and_at_a_drawing(lab):
    lab.hear({"move": {"looking": True}}, [])
    assert lab.state()["facts"]["look"] == {}
    lab.start()
    lab.runner.wait()
    look = lab.state()["facts"]["look"]
    assert (look["step"], look["epoch"]) == (36, 1.0)  # the end, by itself
    right = float(look["shown"][0]["words"][1].partition("% of")[0])
    assert right == pytest.approx(100 * lab.history[-1].val_acc, abs=0.2)  # the weights are kept in half precision
    assert [step for step, _ in lab.below["past"]["moments"]] == list(range(37))
    lab.hear({"move": {"moment": 5}}, [])
    assert lab.state()["facts"]["look"]["step"] == 5
    lab.pad.example.value = "7"
    lab.hear({"move": {"own": True}}, [])
    assert lab.state()["facts"]["look"]["truth"] == "your drawing"
    assert lab.state()["arrays"]["look"] == lab.drawing.tolist()
    assert lab.board.text.value == "trainer batch=256 moment=5"  # a look starts no run
    assert len(lab.runs) == 1


def at(lab):
    """The step that the lab shows."""
    return lab.state()["facts"]["look"]["step"]


def test_a_line_shares_a_look_back(lab):
    lab.hear({"move": {"looking": True}}, [])
    lab.hear({"line": "trainer batch=256 moment=5"}, [])  # of a run that is not there yet
    lab.runner.wait()
    assert (at(lab), len(lab.runs), lab.runs[0].line, lab.below["past"]["opened"]) == (5, 1, "trainer batch=256", 1)
    lab.hear({"line": "trainer batch=256 moment = 7, "}, [])
    assert (at(lab), len(lab.runs), lab.below["past"]["opened"]) == (7, 1, 2)
    lab.hear({"move": {"moment": 36}}, [])  # by hand to the end, which needs no word
    assert (at(lab), lab.board.text.value) == (36, "trainer batch=256")
    lab.hear({"line": "trainer batch=256 moment=99999"}, [])
    lab.hear({"line": "trainer batch=256 moment=latest"}, [])
    assert (at(lab), lab.board.text.value, len(lab.runs)) == (36, "trainer batch=256", 1)
    lab.hear({"line": "trainer lr=0.3 batch=256 moment=7"}, [])  # the same moment of another run
    lab.runner.wait()
    assert (at(lab), len(lab.runs)) == (7, 2)
    lab.hear({"move": {"lr": 3}}, [])  # a hand begins a run, and looks at its end
    assert lab.board.text.value == "trainer lr=0.03 batch=256"
    lab.runner.wait()
    assert at(lab) == 36


@pytest.mark.parametrize("said", ["soon", "-3", "2.5", "1e999", "1/0"])
def test_a_line_with_no_moment_of_a_run_is_refused(lab, said):
    lab.hear({"line": f"trainer moment={said}"}, [])
    assert "is not possible: give a step of the run, moment=12" in lab.state()["refusal"]
    assert lab.runs == []


def test_runs_of_the_same_settings_are_told_apart_by_their_rows(lab):
    for _ in range(3):
        lab.start()
        lab.runner.wait()
    lab.start()
    lab.stop()
    names = [name for _, name in lab.below["past"]["others"]]
    assert names == [f"batch=256 (run {row['cells'][0]})" for row in reversed(lab.table[-3:])] == [
        "batch=256 (run 1)", "batch=256 (run 2)", "batch=256 (run 3)",
    ]  # fmt: skip


def test_a_drawing_is_looked_at_by_a_network_for_colour_images_too(images_in_colour):
    lab = labs.trainer(images_in_colour, num_epochs=1)
    lab.start()
    lab.runner.wait()
    lab.hear({"move": {"looking": True, "own": True}}, [])
    lab.pad.example.value = "7"
    assert lab.state()["facts"]["look"]["truth"] == "your drawing"
    assert torch.tensor(lab.state()["arrays"]["look"]).shape == (3, 20, 20)
    lab.close()


def test_a_move_during_training_looks_at_the_present_run_and_a_new_run_begins_at_its_end(lab):
    lab.hear({"move": {"looking": True, "moment": 3}}, [])
    lab.start()
    wait_for(lambda: len(lab.runs[-1].past.moments) > 5 if lab.runs[-1].past else False)
    lab.hear({"move": {"moment": 3}}, [])
    assert lab.state()["facts"]["look"]["step"] == 3
    lab.hear({"move": {"lr": 3}}, [])
    wait_for(lambda: lab.runs[-1].past)
    lab.hear({"move": {"beside": lab.runs[0].number}}, [])
    assert lab.state()["facts"]["look"]["beside"] == lab.runs[0].number
    lab.runner.wait()
    assert lab.below["past"]["others"] == [[lab.runs[0].number, lab.runs[0].title]]
    assert lab.state()["facts"]["look"]["step"] < 36  # the earlier run was not trained so far
    lab.hear({"move": {"beside": None}}, [])
    assert lab.state()["facts"]["look"]["step"] == 36


def test_a_look_back_leaves_the_guess_and_what_is_said_of_it(lab):
    lab.hear({"move": {"expected": [0.9]}}, [])
    lab.start()
    lab.runner.wait()
    guess = lab.state()["guess"]
    for look in ({"looking": True}, {"moment": 5}, {"image": 3}, {"own": True}, {"beside": None}):
        lab.hear({"move": look}, [])
    assert lab.state()["guess"] == guess
    assert guess["said"].startswith("You expected 0.90 after one epoch")
