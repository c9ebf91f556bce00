"""What is said when training fails: real runs that fail in different ways are told apart, and each gets its advice."""

import math
import sys
import threading

import pytest
import torch
from torch import nn

from helpers import (
    Accumulator,
    Batches,
    Progress,
    diagnose,
    evaluate_accuracy,
    labs,
    lenet,
    machine,
    save_weights,
    train,
    xavier,
)
from helpers.labs import runner as runner_module
from helpers.labs.recipe import network
from helpers.labs.runner import Runner
from helpers.labs.runs import points
from tests.support import threads, wait_for

VERSUS = sys.modules["helpers.labs.versus"]  # the module, whose name in the package is that of the function


def run_of(sample, lr, activation=nn.ReLU, pooling=nn.MaxPool2d, seed=0, epochs=1.0, images=9000, batch=64, **options):
    """The history of a real run on some training images of the sample, `epochs` of them, 20 reports each."""
    net = options.pop("net", None) or network(5, 6, True, activation, pooling, seed)
    train_iter = Batches(sample.train_images[:images], sample.train_labels[:images], batch, shuffle=True, seed=seed)
    history = []
    for progress in train(net, train_iter, math.ceil(epochs), lr, device="cpu", reports=20, **options):
        history.append(progress)
        if progress.epoch >= epochs:
            break
    return history


def made_up(losses, val_accs=(), train_acc=0.5, num_classes=10):
    """A history with the given mean loss of each epoch, in which every layer got a gradient."""
    history = []
    for epoch, loss in enumerate(losses, start=1):
        sums, gradients = Accumulator(3), Accumulator(2)
        sums.add(100 * loss, 100 * train_acc, 100)
        gradients.add(1.0, 2.0)
        val_acc = val_accs[epoch - 1] if val_accs else None
        history.append(Progress(epoch, 100 * epoch, val_acc, 1.0, sums, gradients, num_classes))
    return history


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_rate_of_1_5_kills_the_relu_network_and_it_is_called_dead_not_a_plateau(sample, seed):
    # Not 0.9: some processors round so that a few units stay alive, two of six seeds, and that is a plateau.
    found = diagnose(run_of(sample, 1.5, seed=seed, epochs=1.7))
    assert found.state == "dead"
    assert found.lost
    assert "never move again" in found.advice
    assert "smaller learning rate" in found.advice
    assert "ln 10 = 2.30" in found.advice


def test_adams_0_1_kills_the_relu_network_too(sample):
    assert diagnose(run_of(sample, 0.1, optimizer=torch.optim.Adam, epochs=1.6, images=3000)).state == "dead"


def test_weights_that_begin_at_zero_are_dead_from_the_start(sample):
    net = lenet(activation=nn.ReLU)
    for parameter in net.parameters():
        nn.init.zeros_(parameter)
    assert diagnose(run_of(sample, 0.1, net=net, images=2000)).state == "dead"


@pytest.mark.parametrize("lr", [0.1, 0.9])
def test_the_sigmoids_plateau_may_end_and_is_not_called_dead(sample, lr):
    found = diagnose(run_of(sample, lr, nn.Sigmoid, nn.AvgPool2d, images=3000))
    assert found.state == "plateau"
    assert not found.lost
    assert "may end" in found.advice


def test_a_rate_that_is_too_small_is_no_plateau(sample):
    found = diagnose(run_of(sample, 0.001, images=3000))
    assert found.state == "not learning"
    assert "larger learning rate" in found.advice
    found = diagnose(run_of(sample, 0.003, epochs=2, images=3000))
    assert found.state == "learning slowly"
    assert "larger learning rate" in found.advice
    assert not found.lost


def test_a_loss_that_is_no_longer_a_number_has_diverged(sample):
    found = diagnose(run_of(sample, 3, nn.GELU, images=2000))
    assert found.state == "diverged"
    assert found.lost
    assert "smaller learning rate" in found.advice
    assert diagnose(made_up([2.4, math.inf])).state == "diverged"


def test_a_loss_above_its_start_is_named_with_both_numbers(sample):
    history = run_of(sample, 0.9, nn.Tanh, epochs=0.4)
    found = diagnose(history)
    assert found.state == "above its start"
    assert f"{history[0].loss:.2f}" in found.advice
    assert found.lost


def test_a_loss_far_above_guessing_is_never_called_near_it(sample):
    dead = diagnose(run_of(sample, 5, nn.Tanh, images=4000))
    assert dead.state == "dead"
    assert "above ln 10 = 2.30" in dead.advice
    unscaled = network(5, 6, True, nn.ReLU, nn.MaxPool2d, 0)
    train_iter = Batches(sample.train_images[:2000].float(), sample.train_labels[:2000], 64, shuffle=True, seed=0)
    falls = diagnose(list(train(unscaled, train_iter, 1, 1e-4, device="cpu")))  # from 63 to 5
    saturated = network(5, 6, True, nn.Tanh, nn.MaxPool2d, 0)
    for parameter in saturated.parameters():
        parameter.data *= 100
    stays = diagnose(run_of(sample, 0.1, net=saturated, images=3000))
    for found in (falls, stays):
        assert found.state == "not learning"
        assert "above ln 10 = 2.30" in found.advice
        assert "Scale the pixels" in found.advice
        assert not found.lost


def test_a_run_that_learns_needs_no_advice(sample):
    found = diagnose(run_of(sample, 0.1, images=3000))
    assert (found.state, found.advice, found.lost) == ("learning", "", False)
    assert "learning" in str(found)


def test_before_half_an_epoch_nobody_is_told_that_it_does_not_learn(sample):
    assert diagnose(run_of(sample, 0.001, epochs=0.2)).state == "learning"


def test_a_network_that_learns_its_images_by_heart_overfits(sample):
    val_iter = Batches(sample.test_images[:500], sample.test_labels[:500], 250)
    found = diagnose(
        run_of(sample, 0.05, images=200, batch=20, epochs=40, val_iter=val_iter, optimizer=torch.optim.SGD)
    )
    assert found.state == "overfitting"
    assert "validation images" in found.advice
    assert not found.lost
    said = diagnose(made_up([1, 0.4, 0.1], val_accs=[0.7, 0.8, 0.75], train_acc=0.99)).advice
    assert "75%" in said
    assert "80%, after epoch 2" in said


def test_a_loss_that_jumped_at_the_end_of_an_epoch_is_not_taken_for_overfitting():
    history = []
    sums, gradients = Accumulator(3), Accumulator(2)
    for step, loss in enumerate([2.3, 2.1, 1.8, 1.6, 1.4, 1.4, 1.4, 2.0], start=1):
        sums.add(100 * loss, 31, 100)
        gradients.add(1.0, 2.0)
        val_acc = 0.1 if step == 8 else None
        history.append(Progress(step / 8, 100 * step, val_acc, 1.0, sums.copy(), gradients.copy(), 10))
    found = diagnose(history)
    assert found.state == "unsteady"
    assert not found.lost
    for part in ("2.00 now", "1.55 on average", "10% of the validation images", "smaller learning rate"):
        assert part in found.advice


def test_a_loss_that_rises_after_it_had_fallen_is_noticed():
    found = diagnose(made_up([1.5, 0.6, 1.9]))
    assert found.state == "risen"
    assert "0.60" in found.advice
    assert "1.90" in found.advice


def test_what_guessing_costs_follows_from_the_number_of_classes(sample):
    few = sample.train_labels < 3
    net = xavier(lenet(num_classes=3))
    train_iter = Batches(sample.train_images[few][:2000], sample.train_labels[few][:2000], 64, shuffle=True, seed=0)
    found = diagnose(list(train(net, train_iter, 1, 0.1, device="cpu")))
    assert found.state == "plateau"
    assert "ln 3 = 1.10" in found.advice
    assert diagnose(made_up([1.2], num_classes=3)).state == "not learning"
    assert diagnose(made_up([2.2], num_classes=100)).state == "learning"


def test_layers_without_a_gradient_of_their_own_do_not_make_a_network_dead(sample):
    frozen = network(5, 6, True, nn.ReLU, nn.MaxPool2d, 0)
    frozen[:7].requires_grad_(False)
    assert not diagnose(run_of(sample, 1e-5, net=frozen, images=2000)).lost
    normalised = nn.Sequential(nn.Conv2d(1, 4, 5), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(2304, 10))
    assert not diagnose(run_of(sample, 1e-6, net=normalised, images=1000)).lost


def test_few_batches_an_epoch_and_few_reports_are_enough(sample):
    net = network(5, 6, True, nn.ReLU, nn.MaxPool2d, 0)
    train_iter = Batches(sample.train_images[:300], sample.train_labels[:300], 100, shuffle=True, seed=0)
    assert diagnose(list(train(net, train_iter, 60, 3, device="cpu", reports=1))).state == "dead"


@threads(1)
def test_looking_at_the_gradients_changes_no_weight(sample, monkeypatch):
    with_them, without = (network(5, 6, True, nn.ReLU, nn.MaxPool2d, 0) for _ in range(2))
    run_of(sample, 0.1, net=with_them, images=640)
    monkeypatch.setattr("helpers.training.gradient_range", lambda net: (0, 0))
    run_of(sample, 0.1, net=without, images=640)
    assert all(map(torch.equal, with_them.parameters(), without.parameters()))


def test_whoever_watches_gets_the_same_words_below_the_curves(sample, capsys):
    train_iter = Batches(sample.train_images[:2000], sample.train_labels[:2000], 64, shuffle=True, seed=0)
    history = labs.watch(train(network(5, 6, True, nn.Sigmoid, nn.AvgPool2d, 0), train_iter, 1, 0.1, device="cpu"))
    assert str(diagnose(history)) in capsys.readouterr().out
    history = labs.watch(train(network(5, 6, True, nn.Tanh, nn.AvgPool2d, 0), train_iter, 1, 0.1, device="cpu"))
    assert str(diagnose(history)) not in capsys.readouterr().out  # all is well


# The training lab


@pytest.fixture
def lab(sample):
    trainer = labs.trainer(sample, num_epochs=2)
    yield trainer
    trainer.close()


def test_the_lab_says_that_0_9_has_killed_the_network(lab):
    lab.controls["lr"].value = 0.9
    lab.runner.wait()
    assert "Dead" in lab.message.value
    assert "plateau" not in lab.message.value.lower()
    assert lab.message.trouble


def test_the_labs_network_has_as_many_scores_as_the_data_has_classes(sample):
    few, few_tested = sample.train_labels < 3, sample.test_labels < 3
    three = type(sample)(
        "three", sample.train_images[few].repeat(4, 1, 1, 1)[:10_000], sample.train_labels[few].repeat(4)[:10_000],
        sample.test_images[few_tested], sample.test_labels[few_tested], sample.class_names[:3], "a test", sample.folder,
    )  # fmt: skip
    lab = labs.trainer(three, num_epochs=1)
    lab.board.move({"activation": nn.Sigmoid, "pooling": nn.AvgPool2d})
    lab.runner.wait()
    assert "ln 3 = 1.10" in lab.message.value
    lab.close()


@pytest.fixture
def saved(lab, tmp_path, monkeypatch):
    """The trained weights of the lab's default network, in a file beside the notebook."""
    monkeypatch.chdir(tmp_path)
    net = lab._network(lab.begun_with)
    save_weights(net, tmp_path / "my-lenet.pt")
    return net


def test_a_file_that_cannot_be_loaded_leaves_a_running_training_alone(lab, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lab.buttons["Train"].click()
    wait_for(lambda: lab.history)
    lab.load()
    assert lab.runner.running
    assert "Not loaded: " in lab.file_message.value
    assert not lab.buttons["Stop"].disabled
    lab.runner.wait()
    assert lab.history[-1].epoch == 2


def test_a_loaded_network_stands_in_the_table_without_anothers_curve_and_can_be_tested(lab, saved, sample):
    lab.buttons["Train"].click()
    wait_for(lambda: lab.history)
    first = lab.runs[0].history
    lab.load()
    assert not lab.runner.running
    assert [curve["points"] for curve in lab.state()["curves"]] == [points(first), []]
    acc = evaluate_accuracy(saved, lab.val_iter)
    loaded = lab.state()["table"][0]["cells"]
    assert f"{acc:.1%}" in loaded
    assert "loaded" in loaded
    assert lab.buttons["Resume"].disabled
    assert not lab.buttons["Test"].disabled
    lab.buttons["Test"].click()
    test_acc = evaluate_accuracy(saved, Batches(sample.test_images, sample.test_labels, 256))
    assert f"{test_acc:.1%}" in lab.state()["table"][0]["cells"]
    lab.buttons["Train"].click()  # and the next run goes on from there
    lab.buttons["Stop"].click()
    assert f"{acc:.1%}" in lab.state()["table"][-1]["cells"]


def test_a_refused_run_keeps_the_one_that_it_ended_in_the_table(lab):
    lab.buttons["Train"].click()
    wait_for(lambda: lab.history)
    lab.board.move({"padding": False, "kernel": 11})
    assert "larger than" in lab.message.value
    assert not lab.runner.running
    assert "as at the beginning" in lab.state()["table"][0]["cells"]


def test_a_step_that_never_ends_is_told_and_a_new_run_can_begin(lab, monkeypatch):
    monkeypatch.setattr(runner_module, "PATIENCE", 0.05)
    steps, hanging, entered = lab._steps, threading.Event(), threading.Event()

    def hangs(run, train_iter):
        entered.set()
        hanging.wait()
        yield

    monkeypatch.setattr(lab, "_steps", hangs)
    lab.buttons["Train"].click()
    entered.wait()
    old = lab.runner._thread
    lab.buttons["Stop"].click()
    assert "takes unusually long" in lab.message.value
    monkeypatch.setattr(lab, "_steps", steps)
    lab.buttons["Train"].click()
    wait_for(lambda: lab.history)
    hanging.set()
    old.join(60)
    assert lab.runner.running  # the old run has nothing to tell any more
    assert not lab.buttons["Stop"].disabled


# The rivals' lab


@pytest.fixture
def versus(sample, monkeypatch):
    monkeypatch.setattr(VERSUS, "SEEN", 2000)
    nets = {"LeNet": xavier(lenet(activation=nn.ReLU)), "MLP": xavier(lenet(activation=nn.ReLU))}
    made = labs.versus(nets, sample)
    yield made
    made.close()


def test_each_rival_trains_at_its_own_rate(versus, monkeypatch):
    rates = []

    def noted(net, train_iter, epochs, lr, *args, **options):
        rates.append(lr)
        return train(net, train_iter, epochs, lr, *args, **options)

    monkeypatch.setattr(VERSUS, "train", noted)
    versus.board.text.value = "versus images=1000 lr_lenet=0.1 lr_mlp=0.001"
    versus.buttons["Train"].click()
    versus.runner.wait()
    assert rates == [0.1, 0.001]
    assert versus.board.line() == "versus images=1000 lr_lenet=0.1 lr_mlp=0.001"


def test_the_rivals_lab_says_which_of_them_does_not_learn(versus, monkeypatch):
    monkeypatch.setattr(VERSUS, "SEEN", 9000)
    versus.board.move({"images": 1000, "lr_lenet": 0.1})
    versus.buttons["Train"].click()
    versus.runner.wait()
    advice = diagnose(versus.bout().histories["LeNet"]).advice
    assert advice
    assert f"LeNet: {advice}" in versus.message.value


# Threads


def test_only_the_thread_that_set_its_number_of_threads_restores_it(monkeypatch):
    """Without GNU OpenMP, as on macOS and Windows, a run computes with one thread, and only the run."""
    monkeypatch.setattr(runner_module, "lend_cores", lambda: False)
    with threads(2):
        runner = Runner()
        steps = machine.sharing(iter(range(10**9)), 1)
        runner.start(steps, lambda: None, print)
        runner.stop()
        steps.close()  # in the main thread, as when the lab drops the run that was stopped
        assert torch.get_num_threads() == 2


def test_a_stopped_run_of_the_lab_leaves_the_notebook_its_threads(lab, monkeypatch):
    monkeypatch.setattr(runner_module, "lend_cores", lambda: False)
    with threads(2):
        lab.buttons["Train"].click()
        wait_for(lambda: lab.history)
        lab.buttons["Stop"].click()
        lab.buttons["Reset"].click()
        assert torch.get_num_threads() == 2


def test_a_step_that_hangs_holds_up_neither_stop_nor_the_next_run(monkeypatch):
    monkeypatch.setattr(runner_module, "PATIENCE", 0.05)
    hanging, said, done = threading.Event(), [], []

    def hangs():
        hanging.wait()
        yield

    first, second = Runner(), Runner()
    first.start(hangs(), lambda: said.append("the end"), said.append)
    old = first._thread
    first.stop()
    assert first.running
    second.start(iter(range(3)), lambda: done.append("the end"), done.append)
    second.wait()
    assert done == ["the end"]
    hanging.set()
    old.join(60)
    assert not old.is_alive()
    assert said == []  # it has nothing to tell any more
