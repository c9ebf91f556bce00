"""The labs without a browser: a control moves, the right picture stands there."""

import functools
import itertools
import math
import sys
import threading
import time

import pytest
import torch
from torch.nn import functional as F

from helpers import Accumulator, Progress, conv_output_size, labs, layer_table, lenet, mlp, plotting, train, xavier
from helpers.labs.controls import slider
from helpers.labs.convolution import KERNELS, kernel_preset
from helpers.labs.live import FiveTimesASecond, Lab
from helpers.labs.runner import Runner


def test_a_convolution_is_the_one_that_the_controls_name(sample):
    image = sample.train_images[0]
    lab = labs.convolution(image)
    lab.controls["kernel"].value = "horizontal edges"  # a flipped one would change its sign
    lab.controls["kernel_size"].value = 5
    lab.controls["padding"].value = 2
    lab.controls["stride"].value = 2
    kernel, scaled = kernel_preset("horizontal edges", 5), image[0] / 255
    output = F.conv2d(scaled[None, None], kernel[None, None], padding=2, stride=2)[0, 0]
    expected = plotting.convolution(F.pad(scaled, [2] * 4), kernel, output, (0, 0, 5), padding=2)
    assert lab.picture.image.value == expected.png()
    assert "⌊(28 + 2·2 − 5) / 2⌋ + 1 = 14" in lab.message.value


@pytest.mark.parametrize("name", KERNELS)
def test_kernels_answer_to_what_they_are_named_after(name):
    flat, left_to_right = torch.ones(9, 9), torch.arange(9.0).repeat(9, 1)
    respond = {"flat": flat, "vertical": left_to_right, "horizontal": left_to_right.T}
    kernel = kernel_preset(name, 5)
    answers = {pattern: float((X[2:7, 2:7] * kernel).sum()) for pattern, X in respond.items()}
    if "edges" in name:
        along = name.split()[0]
        across = "horizontal" if along == "vertical" else "vertical"
        assert answers[along] > 0.1
        assert answers["flat"] == pytest.approx(0, abs=1e-5)
        assert answers[across] == pytest.approx(0, abs=1e-5)
    else:
        assert answers["flat"] == pytest.approx(0 if "outline" in name else 1, abs=1e-5)


def test_the_explorer_shows_the_class_that_was_chosen(sample):
    lab = labs.explorer(sample)
    lab.controls["class_name"].value = "bag"
    lab.controls["first"].value = 3
    places = (sample.train_labels == sample.class_names.index("bag")).nonzero().flatten()[3:]
    lab.controls["number"].value = 10
    titles = [f"#{place}" for place in places[:10]]
    assert lab.picture.image.value == plotting.images(sample.train_images[places[:10]], titles, columns=10).png()


@pytest.mark.parametrize(("kind", "pool"), [("max", F.max_pool2d), ("average", F.avg_pool2d)])
def test_the_pooling_lab_shows_the_pooling_that_was_chosen(kind, pool, sample):
    image = sample.train_images[0, 0] / 255
    lab = labs.pooling(image)
    lab.controls["kind"].value = kind
    lab.controls["shift"].value = 0
    pooled = pool(image[None, None], 2)[0, 0]
    titles = ["input", f"{kind}-pooled", "changed by the shift"]
    expected = plotting.images([image, pooled, torch.zeros(14, 14)], titles, columns=3, limits=(0, 1))
    assert lab.picture.image.value == expected.png()


def test_pooling_explains_a_window_and_measures_the_shift(sample):
    lab = labs.pooling(sample.train_images[0])
    lab.controls["shift"].value = 0
    assert "0% of the input, 0% after pooling" in lab.message.value
    lab.controls["shift"].value = 1
    assert ", 0% after pooling" not in lab.message.value


def test_shapes_explain_an_impossible_choice_and_keep_the_last_picture():
    lab = labs.shapes()
    assert "61,706 parameters" in lab.message.value
    assert lab.picture.image.value == plotting.network(layer_table(lenet())).png()
    lab.controls["image_size"].value = 12
    good = lab.picture.image.value
    lab.controls["kernel_size"].value = 11
    assert "larger than" in lab.message.value
    assert "add padding" in lab.message.value
    assert lab.picture.image.value == good
    lab.controls["kernel_size"].value = 3
    assert "parameters" in lab.message.value


def test_every_place_of_every_slider_draws_or_explains_itself(sample):
    nets = {"LeNet": lenet(), "MLP": mlp((8,))}
    images, labels = sample.test_images[:20], sample.test_labels[:20]
    for lab in (
        labs.explorer(sample),
        labs.convolution(sample.train_images[0]),
        labs.pooling(sample.train_images[0]),
        labs.shapes(),
        labs.versus(nets, images, labels),
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


def test_the_comparison_measures_both_networks_on_moved_images(sample):
    nets = {"LeNet": xavier(lenet()), "MLP": xavier(mlp((8,)))}
    images, labels = sample.test_images[:50], sample.test_labels[:50]
    lab = labs.versus(nets, images, labels)
    correct = (nets["MLP"](images / 255).argmax(dim=1) == labels).float().mean()
    assert f"MLP {correct:.1%}" in lab.picture.alt.value
    upright = lab.picture.image.value
    lab.controls["rotation"].value = 90
    assert lab.picture.image.value != upright


def test_an_error_that_is_not_about_the_values_is_not_hidden():
    def draw(number):
        raise KeyError(number)

    with pytest.raises(KeyError):
        Lab("broken", draw, {"number": slider("number", 1, 0, 2)})


def wait_for(condition):
    """Wait until `condition()` holds; fail after a minute, which only a hang can take."""
    for _ in range(6000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never happened")


def test_training_starts_stops_and_leaves_no_thread(sample):
    lab = labs.trainer(sample)
    assert not lab.runner.running
    lab.train_button.click()
    wait_for(lambda: len(lab.history) >= 2)
    lab.stop_button.click()
    assert not lab.runner.running
    assert lab.history[-1].epoch < lab.num_epochs
    assert not any("_work" in thread.name for thread in threading.enumerate())
    lab.runner.wait()
    assert "parameters" in lab.message.value
    assert lab.picture.image.value == plotting.curves(lab.history, lab.ghosts, lab.num_epochs).png()


def test_a_slider_moved_during_training_starts_a_new_run_and_keeps_the_old_as_a_ghost(sample):
    lab = labs.trainer(sample)
    lab.train_button.click()
    wait_for(lambda: lab.history)
    first_net = lab.net
    lab.controls["kernel_size"].value = 3
    wait_for(lambda: lab.history)
    assert lab.net is not first_net
    assert lab.net[0].kernel_size == (3, 3)
    assert len(lab.ghosts) == 1
    assert sum(thread.name.startswith("Thread") and "_work" in thread.name for thread in threading.enumerate()) == 1
    lab.stop_button.click()
    lab.runner.wait()


def test_training_with_default_settings_learns(sample):
    lab = labs.trainer(sample, num_epochs=2)
    lab.train_button.click()
    lab.runner.wait()
    assert lab.history[-1].val_acc >= 0.5
    assert lab.history[-1].epoch == 2


def test_a_learning_rate_that_is_too_high_is_said_in_words(sample):
    lab = labs.trainer(sample, num_epochs=1)
    sums = Accumulator(3)
    sums.add(math.nan, 0, 1)
    lab.history = [Progress(0.5, 1, None, 1.0, sums)]
    lab.draw()
    assert "too high" in lab.message.value


def test_an_error_in_the_thread_is_raised_where_it_is_awaited():
    def steps():
        yield
        raise RuntimeError("broken")

    runner = Runner()
    said = []
    runner.start(steps(), then=lambda: said.append("the end"), failed=lambda error: said.append(str(error)))
    with pytest.raises(RuntimeError, match="broken"):
        runner.wait()
    assert said == ["broken"]


def test_an_error_in_training_is_shown_in_the_lab_in_words(sample, monkeypatch):
    def breaks(*args, **kwargs):
        raise RuntimeError("CUDA out of <memory>")
        yield

    # Not by its dotted name: helpers.labs.trainer is also the name of the lab's function.
    monkeypatch.setattr(sys.modules[type(labs.trainer(sample)).__module__], "train", breaks)
    lab = labs.trainer(sample)
    lab.train_button.click()
    with pytest.raises(RuntimeError, match="out of <memory>"):
        lab.runner.wait()
    assert "CUDA out of &lt;memory&gt;" in lab.message.value
    assert plotting.TROUBLE in lab.message.value


def test_training_in_the_lab_leaves_the_notebooks_random_numbers_alone(sample):
    lab = labs.trainer(sample)
    before = torch.random.get_rng_state()
    lab.train_button.click()
    assert torch.equal(torch.random.get_rng_state(), before)
    lab.stop_button.click()
    lab.runner.wait()


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


def test_the_formula_in_the_message_is_the_size_of_the_output(sample):
    lab = labs.convolution(sample.train_images[0])
    for size in range(1, 12):
        lab.controls["kernel_size"].value = size
        assert f"the output is {conv_output_size(28, size)}×" in lab.message.value
