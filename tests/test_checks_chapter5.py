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


def best_rate(better):
    def choose(accs):
        best = next(iter(accs))
        for rate, (train_acc, val_acc) in accs.items():
            if better(train_acc, val_acc, accs, best, rate):
                best = rate
        return best

    return choose


@pytest.mark.parametrize(
    "choose",
    [
        best_rate(lambda train_acc, val_acc, accs, best, rate: val_acc > accs[best][1]),
        best_rate(lambda train_acc, val_acc, accs, best, rate: val_acc >= accs[best][1]),
        lambda accs: max(accs, key=lambda rate: accs[rate][1]),
        lambda accs: sorted(accs, key=lambda rate: accs[rate][-1])[-1],
    ],
)
def test_a_rate_that_validation_chooses_is_right(choose):
    assert chapter5.BLANKS["best_rate"](choose)


@pytest.mark.parametrize(
    ("better", "words"),
    [
        (lambda train_acc, val_acc, accs, best, rate: train_acc > accs[best][0], "by training accuracy"),
        (lambda train_acc, val_acc, accs, best, rate: val_acc > best, "compare an accuracy with a rate"),
        (lambda train_acc, val_acc, accs, best, rate: val_acc > train_acc, "two accuracies of one rate"),
        (lambda train_acc, val_acc, accs, best, rate: val_acc < accs[best][1], "the worst"),
        (lambda train_acc, val_acc, accs, best, rate: rate > best, "the largest rate"),
        (lambda train_acc, val_acc, accs, best, rate: True, "Each rate replaces the one before"),
        (lambda train_acc, val_acc, accs, best, rate: val_acc > accs[best], "code stops"),
    ],
)
def test_a_rate_that_something_else_chooses_is_named(better, words):
    assert words in chapter5.BLANKS["best_rate"](best_rate(better)).message


def test_the_accuracy_in_place_of_the_rate_is_named():
    assert "is an accuracy" in chapter5.BLANKS["best_rate"](lambda accs: max(v for _, v in accs.values())).message


def by_two(columns):
    def two_to_the_right(images):
        moved = torch.zeros_like(images)
        moved[..., 2:] = columns(images)
        return moved

    return two_to_the_right


@pytest.mark.parametrize("columns", [lambda X: X[..., :-2], lambda X: X[:, :, :, :26], lambda X: X.roll(2, 3)[..., 2:]])
def test_two_pixels_to_the_right(columns):
    assert chapter5.BLANKS["two_to_the_right"](by_two(columns))


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (lambda X: X[..., 2:], "nothing has moved"),
        (lambda X: X[..., 1:-1], "by one pixel"),
        (lambda X: X[..., :-2].flip(3), "mirror"),
        (lambda X: X, "code stops"),
        (lambda X: X[..., :-2, :], "code stops"),
        (lambda X: 0, "All is black"),
    ],
)
def test_other_columns_are_named(columns, words):
    assert words in chapter5.BLANKS["two_to_the_right"](by_two(columns)).message


def test_a_roll_wraps_round():
    assert "wrap around" in chapter5.BLANKS["two_to_the_right"](lambda images: images.roll(2, -1)).message


@pytest.mark.parametrize(
    "units",
    [
        lambda parameters: round((parameters - 10) / (784 + 1 + 10)),
        lambda parameters: round((parameters - 10) / 795),
        lambda parameters: (parameters - 10 + 397) // 795,
        lambda parameters: int((parameters - 10) / 795 + 0.5),
    ],
)
def test_each_way_to_count_hidden_units_is_right(units):
    assert chapter5.BLANKS["hidden_units"](units)


@pytest.mark.parametrize(
    ("units", "words"),
    [
        (lambda parameters: (parameters - 10) // 795, "round down"),
        (lambda parameters: (parameters - 10) / 795, "no fraction of a unit"),
        (lambda parameters: round((parameters - 10) / 795, 0), "int is expected"),
        (lambda parameters: torch.tensor(round((parameters - 10) / 795)), "int is expected"),
        (lambda parameters: round(parameters / 784), "Each unit has 784 weights"),
        (lambda parameters: round(parameters / 795), "biases of the ten outputs"),
        (lambda parameters: round(parameters - 10 / 795), "needs brackets"),
        (lambda parameters: 78, "same whatever its arguments"),
        (lambda parameters: True, "number is expected"),
    ],
)
def test_other_numbers_of_hidden_units_are_named(units, words):
    assert words in chapter5.BLANKS["hidden_units"](units).message


def frozen(layers):
    return layers.requires_grad_(False)


def each(do):
    """`reuse` with features of which `do` has had each parameter."""

    def reuse(features, dense):
        for parameter in features.parameters():
            do(parameter)
        return nn.Sequential(features, dense)

    return reuse


@pytest.mark.parametrize(
    "reuse",
    [
        lambda features, dense: nn.Sequential(frozen(features), dense),
        lambda features, dense: nn.Sequential(*frozen(features), *dense),
        lambda features, dense: frozen(features) + dense,
        lambda features, dense: nn.Sequential(frozen(features.eval()), dense),
        each(lambda parameter: parameter.requires_grad_(False)),
        each(lambda parameter: setattr(parameter, "requires_grad", False)),
    ],
)
def test_each_way_to_reuse_features_is_right(reuse):
    assert chapter5.BLANKS["reuse"](reuse)


@pytest.mark.parametrize(
    ("reuse", "words"),
    [
        (lambda features, dense: nn.Sequential(features, dense), "The features still train"),
        (lambda features, dense: nn.Sequential(features.requires_grad_(), dense), "The features still train"),
        (lambda features, dense: nn.Sequential(features.requires_grad_, dense), "code stops"),
        (lambda features, dense: nn.Sequential(features.eval(), dense), "`eval()` freezes nothing"),
        (lambda features, dense: setattr(features, "requires_grad", False) or features + dense, "new attribute"),
        (lambda features, dense: setattr(features, "requires_grad_", False) or features + dense, "is a method"),
        (each(lambda parameter: setattr(parameter, "requires_grad_", False)), "is a method"),
        (each(lambda parameter: parameter.requires_grad is False), "The features still train"),
        (lambda features, dense: frozen(features[0]) and features + dense, "Some parameters"),
        (lambda features, dense: frozen(features[0].bias) is None or features + dense, "Some parameters"),
        (lambda features, dense: nn.Sequential(features, frozen(dense)), "wrong half"),
        (lambda features, dense: nn.Sequential(frozen(features), frozen(dense)), "nothing trains"),
        (lambda features, dense: frozen(nn.Sequential(features, dense)), "nothing trains"),
        (lambda features, dense: frozen(features), "dense half is missing"),
        (lambda features, dense: dense, "features are missing"),
        (lambda features, dense: nn.Sequential(dense, frozen(features)), "order"),
        (lambda features, dense: frozen(features).append(dense), "uses again"),
        (lambda features, dense: frozen(features).extend(dense), "uses again"),
        (lambda features, dense: (frozen(features), dense), "network is expected"),
        (lambda features, dense: None, "nothing (None)"),
    ],
)
def test_other_ways_to_reuse_features_are_named(reuse, words):
    assert words in chapter5.BLANKS["reuse"](reuse).message


@pytest.mark.parametrize(
    "only_first",
    [
        lambda a, b: (a & ~b).sum(),
        lambda a, b: int((a > b).sum()),
        lambda a, b: sum(x and not y for x, y in zip(a.tolist(), b.tolist(), strict=True)),
        lambda a, b: len(a[a & ~b]),
        lambda a, b: a.sum() - (a & b).sum(),
    ],
)
def test_each_way_to_count_what_one_alone_knows_is_right(only_first):
    assert chapter5.BLANKS["only_first"](only_first)


@pytest.mark.parametrize(
    ("only_first", "words"),
    [
        (lambda a, b: (a & b).sum(), "both are right"),
        (lambda a, b: (~a & b).sum(), "B alone is right"),
        (lambda a, b: (a != b).sum(), "the two differ"),
        (lambda a, b: (a & ~b).float().mean(), "a share"),
        (lambda a, b: a & ~b, "number"),
        (lambda a, b: (a and not b).sum(), "code stops"),
        (lambda a, b: (a - b).sum(), "code stops"),
    ],
)
def test_other_counts_of_what_one_alone_knows_are_named(only_first, words):
    assert words in chapter5.BLANKS["only_first"](only_first).message
