"""The training lab without a browser: runs begin, end, go on and are told apart."""

import time

import pytest
import torch

from helpers import accuracy, labs, lenet, save_weights
from helpers.any_network import classes_of
from helpers.experiments import EXPERIMENTS
from helpers.labs.recipe import PRESETS
from helpers.labs.runs import Run, keep, points
from tests.support import progress, threads, wait_for, workers


@pytest.fixture
def lab(sample):
    trainer = labs.trainer(sample, num_epochs=2)
    yield trainer
    trainer.close()


def present(lab):
    """The present curve, as the page has it."""
    return lab.state()["curves"][-1]["points"]


def rows(lab):
    """The cells of the run table, one text a row."""
    return [" | ".join(row["cells"]) for row in lab.state()["table"]]


def test_before_the_first_run_there_are_empty_axes_and_only_train_can_be_pressed(lab):
    assert lab.state()["curves"] == []
    assert (lab.state()["phase"], lab.state()["epochs"]) == ("idle", 2)
    assert "Press Train" in lab.message.value
    assert [name for name, button in lab.buttons.items() if not button.disabled] == ["Train", "Reset"]


def test_training_with_default_settings_learns_and_shows_its_curves(lab, sample):
    lab.buttons["Train"].click()
    lab.runner.wait()
    assert lab.history[-1].epoch == 2
    assert lab.history[-1].val_acc >= 0.5
    assert present(lab) == points(lab.history)
    assert "61,706 parameters" in lab.message.value
    val_iter = lab.supply.batches(lab.begun_with)[1]
    X, y = val_iter.images[:8], val_iter.labels[:8]
    state = lab.state()
    assert state["arrays"]["images"] == X.tolist()
    assert state["facts"]["true"] == [sample.class_names[i] for i in y]
    assert state["facts"]["said"] == [sample.class_names[i] for i in classes_of(lab.net, X)]
    assert f"{lab.history[-1].val_acc:.1%}" in rows(lab)[0]


def test_stop_acts_within_one_step_and_resume_goes_on_from_there(lab):
    lab.buttons["Train"].click()
    wait_for(lambda: len(lab.history) >= 3)
    steps = []
    forward = lab.net.register_forward_hook(lambda *args: steps.append(time.monotonic()))
    asked = time.monotonic()
    lab.buttons["Stop"].click()
    forward.remove()
    assert not workers()
    assert sum(moment > asked for moment in steps) <= 2  # one more step at most, and the picture of the predictions
    stopped = lab.history[-1].epoch
    weights = lab.net[0].weight.clone()
    lab.buttons["Stop"].click()  # twice does no harm
    assert torch.equal(lab.net[0].weight, weights)
    assert stopped < 2
    lab.buttons["Resume"].click()
    lab.runner.wait()
    epochs = [point.epoch for point in lab.history]
    assert epochs == sorted(set(epochs))
    assert epochs[-1] == 2
    assert not torch.equal(lab.net[0].weight, weights)
    assert lab.buttons["Resume"].disabled


@threads(1)  # whose sums come in one order
def test_a_run_that_was_stopped_and_resumed_equals_one_that_was_not(lab):
    lab.buttons["Train"].click()
    lab.runner.wait()
    whole = [parameter.clone() for parameter in lab.net.parameters()]
    lab.buttons["Train"].click()
    wait_for(lambda: len(lab.history) >= 5)
    lab.buttons["Stop"].click()
    lab.buttons["Resume"].click()
    lab.runner.wait()
    for ours, theirs in zip(lab.net.parameters(), whole, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_a_slider_moved_during_training_starts_a_new_run_and_keeps_the_old_as_a_ghost(lab):
    lab.buttons["Train"].click()
    wait_for(lambda: lab.history)
    first = lab.net
    lab.controls["kernel"].value = 3
    wait_for(lambda: lab.history)
    assert lab.net is not first
    assert lab.net[0].kernel_size == (3, 3)
    assert len(lab.runs) == 2
    assert len(workers()) == 1
    lab.runner.stop()
    state = lab.state()
    assert [curve["points"] for curve in state["curves"]] == [points(run.history) for run in lab.runs]
    assert [curve["points"] for curve in state["going"]["curves"]] == [len(run.history) for run in lab.runs]


def test_presets_put_the_controls_where_they_say(lab):
    for name, (changes, _) in PRESETS.items():
        lab.preset.value = "own settings"
        lab.preset.value = name
        assert lab.board.values() == {**lab.begun_with, **changes, "expected": (), "moment": None}
        assert lab.preset.value == name
    lab.controls["lr"].value = 0.03
    assert lab.preset.value == "own settings"


@pytest.mark.parametrize("key", ["R4", "R5"])
def test_a_preset_that_bears_an_experiments_name_trains_as_it_does(lab, key):
    experiment = EXPERIMENTS[key]
    [changes] = [changes for name, (changes, _) in PRESETS.items() if name.startswith(f"{key}: ")]
    settings = {**lab.begun_with, **changes}
    assert repr(lab._network(settings)) == repr(experiment.network())
    assert settings["optimizer"] is experiment.optimizer
    asked = settings["lr"], settings["batch"], settings["epochs"]
    assert asked == (experiment.lr, experiment.batch_size, experiment.epochs)


def test_reset_forgets_the_runs_and_puts_every_control_back(lab):
    lab.controls["lr"].value = 0.3
    lab.buttons["Reset"].click()
    assert not workers()
    assert lab.runs == []
    assert lab.board.values() == {**lab.begun_with, "expected": (), "moment": None}
    assert lab.state()["curves"] == lab.state()["table"] == []


def test_the_test_images_are_measured_once_a_run(lab, sample):
    lab.controls["epochs"].value = 1
    lab.runner.wait()
    lab.buttons["Test"].click()
    right = int(accuracy(classes_of(lab.net, sample.test_images), sample.test_labels))
    assert lab.runs[-1].test_acc == pytest.approx(right / len(sample.test_labels))
    assert f"{lab.runs[-1].test_acc:.1%}" in rows(lab)[0]
    assert lab.buttons["Test"].disabled
    lab.controls["seed"].value = 1
    lab.buttons["Stop"].click()
    assert not lab.buttons["Test"].disabled


def test_sizes_that_do_not_fit_are_explained_and_nothing_runs(lab):
    lab.controls["padding"].value = False
    lab.controls["kernel"].value = 11
    assert "larger than" in lab.message.value
    assert lab.message.trouble
    assert lab.state()["going"]["refused"]  # the page dims what it shows
    assert not workers()
    lab.controls["kernel"].value = 5
    assert not lab.state()["going"]["refused"]


def test_resume_does_not_go_on_with_a_network_of_other_settings(lab):
    lab.buttons["Train"].click()
    wait_for(lambda: lab.history)
    lab.buttons["Stop"].click()
    weights = lab.net[0].weight.clone()
    lab.board.move({"padding": False, "kernel": 11})  # impossible: the network that was stopped is still the latest
    assert lab.buttons["Resume"].disabled
    lab.resume()
    assert not lab.runner.running
    assert torch.equal(lab.net[0].weight, weights)
    assert "has other settings, trainer: press Train" in lab.message.value
    assert lab.message.trouble


def test_runs_shorter_than_an_epoch_do_not_fill_the_table(lab):
    assert rows(lab) == []  # and an empty one takes no room
    for channels in (1, 2, 3):
        lab.controls["channels"].value = channels
        wait_for(lambda: lab.history)
        lab.buttons["Stop"].click()
        assert len(rows(lab)) == 1  # the latest run, as long as it is that
        assert f"channels={channels}" in rows(lab)[0]
    lab.board.move({"channels": 4, "epochs": 1})
    lab.runner.wait()
    lab.controls["channels"].value = 5
    lab.buttons["Stop"].click()
    assert "channels=4" in rows(lab)[1]
    assert len(rows(lab)) == 2


def test_the_state_has_the_curves_of_the_latest_run_and_of_those_in_grey(lab):
    lab.buttons["Train"].click()
    wait_for(lambda: len(lab.history) > 2)
    lab.controls["lr"].value = 0.3
    lab.runner.wait()
    grey, present = lab.state()["curves"]
    assert (grey["name"], present["name"]) == ("trainer", "trainer lr=0.3")
    assert [epoch for epoch, *_ in present["points"]] == [point.epoch for point in lab.history]
    assert present["points"][-1][-1] == lab.history[-1].val_acc
    assert lab.state()["result"].startswith("result lr=0.3 ")


def test_the_full_data_set_is_asked_for_where_only_the_sample_is(lab):
    lab.controls["images"].value = "full"
    assert "only 10,000 training images are here" in lab.message.value
    assert not workers()


def test_training_in_the_lab_leaves_the_notebooks_random_numbers_alone(lab):
    before = torch.random.get_rng_state()
    lab.buttons["Train"].click()
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_run_keeps_some_twenty_points_an_epoch():
    run = Run("trainer", {}, lenet(), 61_706)
    for step in range(1, 141):
        keep(run.history, progress(step / 140, 1.0, 0.5 if step == 140 else None))
    assert 20 <= len(run.history) <= 22
    assert run.val_acc == 0.5


def test_weights_are_saved_once_and_loaded_into_the_same_settings(lab, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save, load = lab.save, lab.load
    save()
    assert "press Train first" in lab.message.value
    lab.controls["epochs"].value = 1
    lab.runner.wait()
    trained = lab.net
    save()
    assert [path.name for path in tmp_path.iterdir()] == ["my-lenet.pt"]
    before = (tmp_path / "my-lenet.pt").read_bytes()
    save()
    assert "exists already" in lab.message.value
    assert (tmp_path / "my-lenet.pt").read_bytes() == before
    load()
    assert lab.net is not trained
    assert torch.equal(lab.net[0].weight, trained[0].weight)
    assert f"{lab.runs[-2].val_acc:.1%}" in lab.message.value


def test_loading_for_the_full_data_set_is_refused_in_words_where_only_the_sample_is(lab, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_weights(lenet(activation=torch.nn.ReLU, pooling=torch.nn.MaxPool2d), "my-lenet.pt")
    lab.controls["images"].value = "full"
    lab.load()
    assert "Not loaded: only 10,000 training images are here" in lab.message.value
    assert lab.message.trouble
    assert lab.runs == []
