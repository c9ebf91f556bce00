"""The lab in which gradient descent finds a kernel."""

import math
import sys

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from helpers import labs, plotting
from helpers.labs.convolution import KERNELS, kernel_preset
from helpers.labs.learn_kernel import LEARNING_RATES, NUM_STEPS, Descent
from tests.support import wait_for, workers


@pytest.fixture
def lab(sample):
    made = labs.learn_kernel(sample.train_images[0])
    yield made
    made.close()
    assert not workers()


def descend(image, target, lr, count=NUM_STEPS):
    """A `Descent` after `count` steps, or when it has diverged."""
    descent = Descent(image, target, lr)
    for _ in range(count):
        if descent.diverged:
            break
        descent.step()
    return descent


def test_a_step_is_that_of_pytorchs_gradient_descent(sample):
    image, target = sample.train_images[0, 0] / 255, kernel_preset("sharpen", 3)
    descent = Descent(image, target, 0.1)
    conv = nn.Conv2d(1, 1, 3, bias=False)
    conv.weight.data = descent.weight.detach().clone()
    optimizer = torch.optim.SGD(conv.parameters(), lr=0.1)
    for _ in range(5):
        loss = F.mse_loss(conv(image[None, None]), F.conv2d(image[None, None], target[None, None]))
        optimizer.zero_grad()
        loss.backward()
        assert descent.losses[-1] == pytest.approx(loss.item(), rel=1e-5)
        optimizer.step()
        descent.step()
        assert torch.allclose(descent.weight, conv.weight, atol=1e-5)


@pytest.mark.parametrize("name", KERNELS)
def test_one_run_with_the_learning_rate_at_the_start_finds_every_kernel_of_the_list(name, sample):
    descent = descend(sample.train_images[0, 0] / 255, kernel_preset(name, 3), 0.2)
    assert descent.losses[-1] < 0.02 * descent.losses[0]


def test_the_largest_learning_rate_diverges_and_the_smallest_does_not(sample):
    for image in sample.train_images[:30, 0] / 255:
        target = kernel_preset(KERNELS[0], 3)
        assert descend(image, target, LEARNING_RATES[-1]).diverged
        assert not descend(image, target, LEARNING_RATES[0], 10).above_start


def test_step_moves_the_picture_by_one_step(lab, sample):
    assert "begins with random weights" in lab.message.value
    lab.buttons["Step"].click()
    lab.buttons["Step"].click()
    expected = descend(sample.train_images[0, 0] / 255, kernel_preset(KERNELS[0], 3), 0.2, 2)
    assert lab.picture.image.value == expected.figure().png()
    assert "Step 2: the loss is" in lab.message.value


def test_run_goes_on_by_itself_and_stop_ends_it_where_it_is(lab):
    lab.buttons["Run"].click()
    wait_for(lambda: len(lab.descent.losses) > 20)
    lab.buttons["Stop"].click()
    stopped_at = len(lab.descent.losses)
    assert not lab.runner.running
    assert stopped_at < NUM_STEPS
    assert lab.picture.image.value == lab.descent.figure().png()
    lab.buttons["Run"].click()
    wait_for(lambda: len(lab.descent.losses) > stopped_at + 5)
    assert lab.descent.losses[0] > lab.descent.losses[stopped_at]  # it went on, and did not begin again


def test_a_control_moved_during_a_run_begins_a_new_one_and_the_old_stays_as_a_ghost(lab):
    lab.buttons["Run"].click()
    wait_for(lambda: len(lab.descent.losses) > 5)
    first = lab.descent
    lab.controls["lr"].value = 0.1
    assert lab.runner.running
    assert lab.descent is not first
    assert lab.ghosts == [("lr 0.2", first.losses)]
    assert len(workers()) == 1
    lab.controls["target"].value = "emboss"  # ghosts on the way to another target would mean nothing
    assert lab.ghosts == []
    assert lab.board.text.value == "learn target=emboss lr=0.1"


def test_reset_ends_the_run_and_forgets(lab):
    begun = lab.picture.image.value
    lab.buttons["Step"].click()
    lab.controls["lr"].value = 0.3
    lab.buttons["Run"].click()
    lab.controls["lr"].value = 0.2
    lab.buttons["Reset"].click()
    assert not lab.runner.running
    assert lab.picture.image.value == begun


def test_a_learning_rate_that_is_too_high_is_said_in_words_and_the_run_ends(lab):
    lab.controls["lr"].value = 1
    lab.buttons["Run"].click()
    lab.runner.wait()
    assert len(lab.descent.losses) < 20
    assert "above its start (4.2): the learning rate 1 is too high" in lab.message.value
    assert plotting.TROUBLE in lab.message.value


def test_a_loss_that_is_not_a_number_draws_and_counts_as_diverged(lab):
    lab.descent.losses += [math.inf, math.nan]
    lab.show()
    assert lab.descent.diverged
    assert "too high" in lab.message.value


def test_a_black_image_has_nothing_to_teach(sample):
    lab = labs.learn_kernel(torch.zeros(1, 28, 28, dtype=torch.uint8))
    lab.buttons["Step"].click()
    assert "the loss is 0" in lab.message.value


def test_closing_the_lab_ends_its_run(lab):
    lab.buttons["Run"].click()
    lab.close()
    assert not lab.runner.running


def test_a_cell_that_is_run_again_ends_the_run_of_the_old_lab(lab, sample):
    lab.buttons["Run"].click()
    labs.learn_kernel(sample.train_images[0])
    assert not lab.runner.running


def test_an_error_in_the_run_is_shown_in_words(lab, monkeypatch):
    def breaks(descent):
        raise RuntimeError("out of <memory>")

    monkeypatch.setattr(sys.modules[Descent.__module__].Descent, "step", breaks)
    lab.buttons["Run"].click()
    with pytest.raises(RuntimeError, match="out of <memory>"):
        lab.runner.wait()
    assert "The run ended: out of &lt;memory&gt;" in lab.message.value
