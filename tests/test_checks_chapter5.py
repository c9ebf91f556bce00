"""Chapter 5's exercises: right answers in other styles. Wrong ones: test_exercises.py, test_attempts_chapter5.py."""

import pytest
import torch
from torch import nn

from helpers import checks
from helpers.checks import NOT_YET, chapter5

EXERCISES = [checks.check_choose_rates, checks.check_shift_right, checks.check_lead, checks.check_freeze_features]


@pytest.mark.parametrize("check", EXERCISES)
def test_dots_exceptions_and_nothing_become_words(check):
    assert check(lambda *args: ...) == NOT_YET
    assert "Your code stops in line 1 of your function" in check(lambda *args: args[0].nothing_of_this_name).message
    assert "cannot be called as the exercise asks" in check(lambda: 1).message
    assert "nothing (None)" in check(None).message
    assert "nothing (None)" in check(lambda *args: None).message


def test_a_rate_may_have_gone_through_single_precision():
    assert checks.check_choose_rates(
        lambda tried: {name: torch.tensor(max(accs, key=accs.get)) for name, accs in tried.items()}
    )


def shift_right(images, dx):
    moved = images.roll(dx, dims=3)
    moved[..., slice(0, dx) if dx > 0 else slice(dx, None) if dx else slice(0, 0)] = 0
    return moved


def test_a_shift_keeps_the_type_of_the_images():
    assert checks.check_shift_right(shift_right)
    assert "Bytes stay bytes" in checks.check_shift_right(lambda images, dx: shift_right(images.float(), dx)).message


def test_it_is_said_with_which_arguments_an_answer_stops():
    def for_positive_dx_only(images, dx):
        moved = torch.zeros_like(images)
        moved[..., dx:] = images[..., : images.shape[-1] - dx]
        return moved

    assert "dx = -1" in checks.check_shift_right(for_positive_dx_only).message


def test_what_an_answer_gets_lies_where_the_chapter_trains(monkeypatch):
    monkeypatch.setattr(chapter5, "try_gpu", lambda: torch.device("meta"))
    for exercise in EXERCISES[1:]:
        for probe in exercise.probes():
            for given in probe:
                if isinstance(given, nn.Module):
                    given = next(given.parameters())
                assert not torch.is_tensor(given) or given.device.type == "meta"


class Constant(nn.Module):
    """A network that knows the labels of its images by their first pixel, but only for some of them."""

    def __init__(self, known):
        super().__init__()
        self.known = known

    def forward(self, X):
        labels = (X.amax(dim=(1, 2, 3)) * 255).round().long() - 1
        right = torch.arange(len(X)) < self.known * len(X) if len(X) > 4 else torch.ones(len(X))
        return nn.functional.one_hot(torch.where(right.bool(), labels, (labels + 1) % 10) % 10, 10).float()


@pytest.fixture
def labelled():
    labels = torch.arange(500) % 10
    images = torch.zeros(500, 1, 28, 28, dtype=torch.uint8)
    images[:, 0, 14, 14] = (labels + 1).byte()
    return images, labels


@pytest.mark.parametrize(("known", "words"), [(1, "all at least 0.8"), (0.79, "nearly there"), (0, "learnt nothing")])
def test_nearly_there_is_told_from_far_off(labelled, known, words):
    assert words in checks.check_tolerant(Constant(known), *labelled).message


def test_a_rounded_accuracy_never_looks_as_if_it_reached_the_goal():
    assert chapter5._below(0.7997, 0.8) == "0.7997"
    assert chapter5._below(0.8, 0.8) == "0.800"


def test_a_frozen_network_that_cannot_run_gets_words():
    def freeze_features(net):
        return nn.ModuleList(chapter5._freeze(net))

    assert "use nn.Sequential" in checks.check_freeze_features(freeze_features).message
