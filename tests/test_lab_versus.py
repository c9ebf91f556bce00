"""LeNet against the MLP: images move under both, and new conditions ask for a new training."""

import sys

import pytest
import torch
from torch import nn

from helpers import (
    confusion_counts,
    labs,
    layer_table,
    lenet,
    mlp,
    moved,
    num_parameters,
    plotting,
    train_validation_split,
    xavier,
)
from helpers.any_network import classes_of
from helpers.labs.versus import shuffle_pixels
from tests.support import wait_for, workers

MODULE = sys.modules[shuffle_pixels.__module__]  # not by its dotted name, which is also the name of the lab's function


@pytest.fixture
def rivals():
    return {"LeNet": xavier(lenet(activation=nn.ReLU)), "MLP": xavier(mlp((8,)))}


@pytest.fixture
def lab(rivals, sample, monkeypatch):
    monkeypatch.setattr(MODULE, "SEEN", 6000)
    made = labs.versus(rivals, sample)
    yield made
    made.close()


@pytest.fixture
def validation(sample):
    """The 500 validation images that the lab measures with, and their labels."""
    split = train_validation_split(sample.train_images[:10_000], sample.train_labels[:10_000], 1000)
    return split[2][:500], split[3][:500]


def right(net, images, labels):
    return float((classes_of(net, images) == labels).float().mean())


def check_accuracy(lab, X, accuracies, upright):
    """The lab shows these images and these accuracies."""
    state = lab.state()
    assert state["arrays"]["images"] == X[:8].tolist()
    assert dict(zip(state["facts"]["names"], state["facts"]["accuracies"], strict=True)) == pytest.approx(accuracies)
    assert dict(zip(state["facts"]["names"], state["facts"]["upright"], strict=True)) == pytest.approx(upright)


def test_trained_networks_are_measured_on_moved_validation_images(lab, rivals, validation):
    images, labels = validation
    lab.board.move({"shift": 3, "rotation": -20, "scale": 80})
    X = moved(images, 3, -20, 0.8)
    accuracies = {name: right(net, X, labels) for name, net in rivals.items()}
    upright = {name: right(net, images, labels) for name, net in rivals.items()}
    check_accuracy(lab, X, accuracies, upright)
    assert "LeNet 61,706, MLP 6,370" in lab.message.value
    assert "500 validation images" in lab.message.value
    assert lab.buttons["Train"].disabled


def test_shuffling_is_one_order_for_all_images(sample):
    images = sample.train_images[:3]
    shuffled = shuffle_pixels(images)
    numbered = shuffle_pixels(torch.arange(784).reshape(1, 1, 28, 28)).flatten()
    assert sorted(numbered.tolist()) == list(range(784))
    assert torch.equal(shuffled.flatten(1), images.flatten(1)[:, numbered])
    assert not torch.equal(shuffled, images)


def test_confusions_are_those_of_both_networks(lab, rivals, validation, sample):
    lab.board.move({"view": "confusion", "shift": 2})
    X, labels = moved(validation[0], 2), validation[1]
    counts = {name: confusion_counts(classes_of(net, X), labels) for name, net in rivals.items()}
    state = lab.state()
    assert state["arrays"]["counts"] == [counts[name].tolist() for name in state["facts"]["names"]]
    assert state["facts"]["classes"] == list(sample.class_names)
    assert state["facts"]["view"] == "confusion"


def test_the_worst_confusion_is_named(sample):
    counts = torch.diag(torch.arange(10, 20))
    assert plotting.confusions({"a": counts, "b": counts}, sample.class_names).alt.endswith("no mistake")
    counts[2, 4] = 7
    counts[4, 2] = 6
    said = "pullover taken for coat (7 times)"
    assert said in plotting.confusions({"a": counts, "b": counts}, sample.class_names).alt


def test_matched_networks_have_as_many_parameters_others_as_much_arithmetic(lab):
    lab.board.move({"images": 1000})
    matched = lab.bout().nets
    assert num_parameters(matched["MLP"]) == pytest.approx(num_parameters(matched["LeNet"]), rel=0.01)
    lab.board.move({"matched": False})
    work = {name: layer_table(net).multiply_adds for name, net in lab.bout().nets.items()}
    assert work["MLP"] == pytest.approx(work["LeNet"], rel=0.01)
    assert "MLP 417,385" in lab.message.value


def test_what_both_networks_have_as_much_of_is_a_choice_of_two(lab):
    lab.board.text.value = "versus matched=multiply-adds"
    assert lab.board.trouble.value == ""
    assert "MLP 417,385" in lab.message.value
    assert [label for label, _ in lab.controls["matched"].options] == ["parameters", "multiply-adds"]


def test_new_conditions_wait_for_train_and_are_kept_once_they_were_trained(lab, validation):
    lab.board.move({"images": 1000})
    assert "untrained" in lab.message.value
    assert not lab.runner.running
    lab.buttons["Train"].click()
    lab.runner.wait()
    trained, (images, labels) = lab.bout(), validation
    assert trained.done == 1
    assert min(right(net, images, labels) for net in trained.nets.values()) > 0.4
    shown = lab.state()["facts"], lab.state()["arrays"]
    accuracies = {name: right(net, images, labels) for name, net in trained.nets.items()}
    check_accuracy(lab, images, accuracies, accuracies)
    assert [curve["points"][-1][0] for curve in lab.state()["curves"]] == [6, 6]  # epochs
    lab.board.move({"images": 9000})
    lab.board.move({"images": 1000})
    assert lab.bout() is trained
    assert (lab.state()["facts"], lab.state()["arrays"]) == shown
    assert lab.buttons["Train"].disabled


def test_shuffled_networks_are_trained_and_measured_on_images_that_are_moved_and_then_shuffled(lab, validation):
    lab.board.move({"images": 1000, "shuffled": True})
    lab.buttons["Train"].click()
    lab.runner.wait()
    lab.board.move({"shift": 4})
    nets, (images, labels) = lab.bout().nets, validation
    X, upright = shuffle_pixels(moved(images, 4)), shuffle_pixels(images)
    before = {name: right(net, upright, labels) for name, net in nets.items()}
    assert min(before.values()) > 0.4
    accuracies = {name: right(net, X, labels) for name, net in nets.items()}
    check_accuracy(lab, X, accuracies, before)


def test_stop_ends_the_training_and_train_goes_on_with_it(lab, validation):
    lab.board.move({"images": 1000})
    lab.buttons["Train"].click()
    wait_for(lambda: lab.bout().done > 0)
    lab.buttons["Stop"].click()
    stopped = lab.bout().done
    assert 0 < stopped < 1
    assert not workers()
    assert f"Stopped after {round(6 * stopped, 2):g} of 6 epochs" in lab.message.value
    assert lab.buttons["Stop"].disabled
    lab.buttons["Train"].click()
    lab.runner.wait()
    assert lab.bout().done == 1
    one, other = (right(net, *validation) for net in lab.bout().nets.values())
    assert ("equally well" if one == other else "percentage points") in lab.message.value


def test_new_conditions_during_a_training_end_it_and_start_theirs(lab):
    lab.board.move({"images": 1000})
    lab.buttons["Train"].click()
    first = lab.bout()
    lab.board.move({"shift": 1})  # asks for no other training
    assert lab.running is first
    lab.board.move({"shuffled": True})
    assert lab.running is lab.bout() is not first
    assert len(workers()) == 1
    lab.runner.wait()
    assert lab.bout().done == 1
    assert first.done < 1


def test_training_leaves_the_rivals_and_the_notebooks_random_numbers_alone(lab, rivals):
    weights = [parameter.clone() for net in rivals.values() for parameter in net.parameters()]
    before = torch.random.get_rng_state()
    lab.board.move({"images": 1000})
    lab.buttons["Train"].click()
    lab.runner.wait()
    assert torch.equal(torch.random.get_rng_state(), before)
    after = [parameter for net in rivals.values() for parameter in net.parameters()]
    assert all(map(torch.equal, weights, after))
    assert all(net.training for net in rivals.values())


def test_an_error_in_training_is_said_in_words_and_the_next_training_begins_anew(lab, monkeypatch):
    def breaks(*args, **kwargs):
        raise RuntimeError("out of <memory>")
        yield

    monkeypatch.setattr(MODULE, "train", breaks)
    lab.board.move({"images": 1000})
    broken = lab.bout()
    lab.buttons["Train"].click()
    with pytest.raises(RuntimeError, match="out of <memory>"):
        lab.runner.wait()
    assert "out of <memory>" in lab.message.value
    assert lab.message.trouble
    assert lab.bout() is not broken
    assert not lab.buttons["Train"].disabled
