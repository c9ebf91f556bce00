"""Chapter 4's checks beside their tables: what they hand over, what they leave alone, and networks of one's own."""

import math
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from helpers import checks, lenet, train, xavier
from helpers.checks import chapter4
from helpers.checks.verdict import NOT_YET
from helpers.data import Batches
from helpers.teacher.assignment import bound_by, read_by
from tests.lesson.script import script_of

EXERCISES = [checks.check_mended_loss, checks.check_training_step, checks.check_evaluate, checks.check_repaired_epoch]


@pytest.mark.parametrize("check", EXERCISES)
def test_checks_leave_the_random_numbers_alone(check):
    torch.manual_seed(7)
    assert check(check.solution)
    drawn = torch.rand(1)
    torch.manual_seed(7)
    assert torch.equal(drawn, torch.rand(1))


def tensors(value):
    if torch.is_tensor(value):
        return [value]
    if isinstance(value, nn.Module):
        return list(value.parameters())
    return [t for one in value for t in tensors(one)] if isinstance(value, (list, tuple)) else []


@pytest.mark.parametrize("check", EXERCISES)
def test_probes_live_on_the_device_that_the_chapter_works_on(check, monkeypatch):
    """Answers that move X and y there work on a machine with a GPU, as do those that move nothing."""
    monkeypatch.setattr(chapter4, "try_gpu", lambda: torch.device("meta"))
    found = [tensor for probe in check.probes() for tensor in tensors(probe)]
    assert len(found) > 3 and {tensor.device.type for tensor in found} == {"meta"}


def test_training_is_noted_without_a_trace():
    before = torch.Tensor.backward, torch.optim.Optimizer.zero_grad, nn.Module.zero_grad
    checks.check_training_step(lambda *arguments: 1 / 0)
    assert before == (torch.Tensor.backward, torch.optim.Optimizer.zero_grad, nn.Module.zero_grad)


class Knowing(nn.Module):
    """Reads the label that the test wrote into the first pixel; right on the classes below `limit`, and on class 0."""

    def __init__(self, seed, limit=10):
        super().__init__()
        self.limit, self.weight = limit, nn.Parameter(torch.full((1,), seed + 1.0))

    def forward(self, X):
        label = (X[:, 0, 0, 0] * 255).round().long()
        return F.one_hot(torch.where(label < self.limit, label, 0), 10) * self.weight


def pictures():
    labels = torch.arange(10).repeat(20)
    images = torch.zeros(200, 1, 28, 28, dtype=torch.uint8)
    images[:, 0, 0, 0] = labels
    return images, labels


def test_challenge():
    verdict = checks.check_challenge([Knowing(0), Knowing(1, 9), Knowing(2)], *pictures())
    assert verdict and "1.000, 0.900, 1.000, mean 0.967" in verdict.message and "by 0.100" in verdict.message
    assert checks.check_challenge(..., *pictures()) == NOT_YET
    assert checks.check_challenge([..., ..., ...], *pictures()) == NOT_YET


def trained_history(seed):
    return list(train(Knowing(seed), Batches(*pictures(), 100), 1, 0.1, device="cpu"))


def diverged(seed):
    net = xavier(lenet(padding=(0, 0)))
    with torch.no_grad():
        net[0].weight.fill_(float("nan"))
    return net


@pytest.mark.parametrize(
    ("one", "word"),
    [
        (lambda seed: Knowing(seed, 5), "the goal is 0.8"),
        (lambda seed: Knowing(0), "call torch.manual_seed(seed)"),
        (lambda seed: Knowing(seed, 10 if seed else 1), "about 0.1 is guessing"),
        (lambda seed: xavier(lenet(padding=(0, 0))), "guessing"),
        (lambda seed: xavier(lenet()), "61,706 parameters"),
        (trained_history, "number 0 is a list"),
        (lambda seed: None, "number 0 is nothing (None)"),
        (diverged, "Network 0: some weights are NaN or infinite"),
    ],
)
def test_challenge_mistakes(one, word):
    verdict = checks.check_challenge([one(seed) for seed in range(3)], *pictures())
    assert verdict.right is False and word in verdict.message


def test_challenge_wants_a_list_of_three():
    assert "not 1: one may have been lucky" in checks.check_challenge(Knowing(0), *pictures()).message
    assert "not 2" in checks.check_challenge([Knowing(0), Knowing(1)], *pictures()).message
    assert "this is a float" in checks.check_challenge(0.83, *pictures()).message
    assert "number 0 is a float" in checks.check_challenge((0.83, 0.81), *pictures()).message


def test_challenge_tells_nearly_there_from_far_off():
    verdict = checks.check_challenge([Knowing(seed, 8) for seed in range(3)], *pictures(), target=0.8003)
    assert verdict.right is False and "0.80000, the goal is 0.8003: nearly there" in verdict.message


def test_challenge_sees_weights_that_do_not_train_and_copies_in_another_mode():
    hidden = [xavier(lenet()).requires_grad_(False) for seed in range(3)]
    assert "61,706 parameters" in checks.check_challenge(hidden, *pictures()).message
    copies = [Knowing(0), Knowing(1), Knowing(0).eval()]
    assert "Networks 0 and 2 have the same weights" in checks.check_challenge(copies, *pictures()).message


def cross_entropy(one_number):
    """The chapter's blank, its dots filled in."""
    return lambda y_hat, y: one_number(y_hat.softmax(dim=1)[range(len(y)), y])


def train_step(*lines):
    """The chapter's blank: what is called before the loss is computed, and what after it, in this order."""

    def step(net, X, y, optimizer):
        for line in lines[:1]:
            line(None, optimizer)
        loss = F.cross_entropy(net(X), y)
        for line in lines[1:]:
            line(loss, optimizer)
        return loss.detach()

    return step


def measure(mode, counted, result):
    """The chapter's blank, its three places filled in."""

    def share(net, data_iter):
        mode(net)
        num_right = num_images = 0
        with torch.no_grad():
            for X, y in data_iter:
                num_right += (net(X).argmax(dim=1) == y).sum()
                num_images += counted(y)
        return result(num_right, num_images)

    return share


def on_device(move_net, move_batch):
    """The chapter's blank, its two lines filled in; a line returns what is kept."""
    return lambda net, X, device: (move_net(net, device) or net, move_batch(X, device))


def one_epoch(added, result):
    """The chapter's blank, its two places filled in."""

    def epoch(net, train_iter, lr):
        optimizer = torch.optim.SGD(net.parameters(), lr=lr)
        loss_sum = num_images = 0
        for X, y in train_iter:
            optimizer.zero_grad()
            loss = F.cross_entropy(net(X), y)
            loss.backward()
            optimizer.step()
            loss_sum += added(loss.detach(), y)
            num_images += len(y)
        return result(loss_sum, num_images)

    return epoch


CLEAR, BACK, STEP, NOTHING = (
    lambda loss, optimizer: optimizer.zero_grad(),
    lambda loss, optimizer: loss.backward(),
    lambda loss, optimizer: optimizer.step(),
    lambda loss, optimizer: None,
)


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("cross_entropy", cross_entropy(lambda share: -share.log().mean())),
        ("cross_entropy", cross_entropy(lambda share: (1 / share).log().mean().item())),
        ("on_device", on_device(nn.Module.to, torch.Tensor.to)),
        ("one_epoch", one_epoch(lambda loss, y: loss * len(y), lambda total, count: total / count)),
        ("one_epoch", one_epoch(lambda loss, y: loss.item() * y.numel(), lambda total, count: total / count)),
        ("train_step", train_step(CLEAR, BACK, STEP)),
        ("train_step", train_step(NOTHING, CLEAR, BACK, STEP)),
        ("measure", measure(nn.Module.eval, len, lambda right, count: int(right) / count)),
        ("measure", measure(nn.Module.eval, len, lambda right, count: right / count)),
        ("measure", measure(lambda net: net.train(False), len, lambda right, count: (right / count).item())),
    ],
)
def test_a_blank_may_be_filled_in_several_ways(name, right):
    assert chapter4.BLANKS[name](right)


@pytest.mark.parametrize(
    ("name", "wrong", "words"),
    [
        ("cross_entropy", cross_entropy(lambda share: share.log().mean()), "minus is missing"),
        ("cross_entropy", cross_entropy(lambda share: -share.mean()), "logarithm is missing"),
        ("cross_entropy", cross_entropy(lambda share: -share.log().sum()), "not the sum"),
        ("cross_entropy", cross_entropy(lambda share: -share.log()), "One number is expected"),
        ("on_device", on_device(nn.Module.to, lambda X, device: X), "keep in X"),
        ("on_device", on_device(lambda net, device: None, torch.Tensor.to), "The network has not moved"),
        ("on_device", on_device(nn.Module.to, lambda X, device: nn.Linear(3, 2).to(device)), "a network on meta"),
        ("on_device", on_device(nn.Module.to, lambda X, device: device), "and the batch are expected"),
        ("one_epoch", one_epoch(lambda loss, y: loss, lambda total, count: total / count), "times len(y)"),
        ("one_epoch", one_epoch(lambda loss, y: 64 * loss, lambda total, count: total / count), "smaller than 64"),
        ("one_epoch", one_epoch(lambda loss, y: loss * len(y), lambda total, count: total), "divide it by"),
        ("one_epoch", one_epoch(lambda loss, y: loss * len(y), lambda total, count: total / 141), "expected"),
        ("train_step", train_step(NOTHING, BACK, STEP), "added to the first ones"),
        ("train_step", train_step(CLEAR, NOTHING, STEP), "never call loss.backward()"),
        ("train_step", train_step(CLEAR, BACK, NOTHING), "never call optimizer.step()"),
        ("train_step", train_step(CLEAR, STEP, BACK), "First backward, then step"),
        ("train_step", train_step(NOTHING, BACK, CLEAR, STEP), "gone before they are used"),
        ("measure", measure(nn.Module.train, len, lambda right, count: right / count), "call net.eval() first"),
        ("measure", measure(nn.Module.eval, lambda y: 1, lambda right, count: right / count), "number of batches"),
        ("measure", measure(nn.Module.eval, lambda y: 64, lambda right, count: right / count), "as they come"),
        ("measure", measure(nn.Module.eval, len, lambda right, count: right), "number of right answers"),
        ("measure", measure(nn.Module.eval, len, lambda right, count: 100 * right / count), "in percent"),
    ],
)
def test_a_half_right_blank_hears_which_line_is_wrong(name, wrong, words):
    verdict = chapter4.BLANKS[name](wrong)
    assert verdict.right is False
    assert words in verdict.message


# What the chapter does with numbers of the student's functions, each of a kind that the checks accept.

NUMBERS = [float, np.float32, torch.tensor]
any_number = pytest.mark.parametrize("number", NUMBERS, ids=["a float", "NumPy's", "a tensor"])


class Question:
    """Stands for a `labs.predict`: keeps which option a cell says is right, and why."""

    def __init__(self, question, *options):
        self.options, self.right, self.reason = options, None, ""

    def answer(self, right, reason="", *shown):
        assert right in self.options
        self.right, self.reason = right, reason


def after_cells(*ids, **names):
    """The names that cells of the chapter leave, which found these, and what each of `labs` and `plotting` offers."""
    sources = script_of(4).sources
    names = {"torch": torch, "F": F, "math": math, "nn": nn, "plotting": mock.Mock(), **names}
    names["labs"] = SimpleNamespace(predict=Question)
    for cell in ids:
        exec(compile(sources[cell], cell, "exec"), names)
    return SimpleNamespace(**names)


@any_number
def test_the_loss_of_an_untrained_network_may_be_any_number(number):
    batch = torch.zeros(3, 10), torch.tensor([0, 4, 9])
    made = {"new_net": lambda: nn.Linear(10, 10), "few_batches": lambda: [batch]}
    after = after_cells("guess-loss", "loss", **made, cross_entropy=lambda y_hat, y: number(2.303))
    assert after.guess_loss.right == "2.3"


@any_number
def test_a_step_may_return_any_number(number):
    batch, net = (torch.zeros(4, 10), torch.zeros(4, dtype=torch.long)), nn.Linear(10, 10)
    found = {"X": batch[0], "y": batch[1], "y_hat": net(batch[0]), "net": net}
    made = {"new_net": lambda: nn.Linear(10, 10), "few_batches": lambda batch_size: [batch]}
    after = after_cells("step", "by-heart", **found, **made, train_step=lambda *given: number(0.5))
    assert after.losses == [0.5] * 3 and after.ours == [0.5] * 150
    assert {type(loss) for loss in after.losses + after.ours} == {float}


@any_number
def test_the_loss_of_an_epoch_is_printed_as_short_as_the_courses(number, capsys):
    made = dict.fromkeys(("new_net", "few_batches"), mock.Mock())
    after_cells("generator", **made, lr=0.1, val_iter=[], train=lambda *given: ["loss 1.601"],
                one_epoch=lambda *given: number(1.6012345))  # fmt: skip
    assert capsys.readouterr().out.splitlines() == ["your epoch:  loss 1.601", "loss 1.601"]


@any_number
@pytest.mark.parametrize(("accuracy", "place"), [(0.7, 0), (0.5, 1), (0.1, 2)])
def test_any_number_says_what_undivided_pixels_do(number, accuracy, place):
    made = {
        "new_net": mock.Mock(),
        "few_batches": lambda count: [],
        "train": lambda *given, **how: [mock.Mock(loss=30)],
    }
    after = after_cells("guess-undivided", "undivided", **made, val_iter=[], val_accs={0.1: 0.7},
                        measure=lambda net, batches: number(accuracy))  # fmt: skip
    assert after.guess_undivided.right == after.guess_undivided.options[place]


@any_number
@pytest.mark.parametrize(("lead", "right"), [(0.05, "yours, by"), (0.01, "neither by"), (-0.05, "LeNet, by")])
def test_any_number_says_which_network_is_ahead(number, lead, right):
    nets = {"net": 0.75, "own_net": 0.75 + lead}
    after = after_cells("guess-own", "own-ahead", **nets, val_iter=[], num_parameters=lambda net: 1,
                        measure=lambda net, batches: number(net))  # fmt: skip
    assert after.guess_own.right.startswith(right)


def test_the_reason_fits_a_listing_that_was_repaired_at_once():
    learns = {"new_net": nn.Sequential, "by_heart": lambda net, step: [2.3, 0.1], "step_a": None, "step_b": None}
    after = after_cells("guess-bugs", "bugs", **learns, ours=[])
    assert after.guess_bugs.right == "both"
    assert after.guess_bugs.reason.startswith("You have repaired A. As printed, its loss never changes: nothing calls")
    assert "You have repaired B. As printed, its loss falls, but can never go below 1.46:" in after.guess_bugs.reason


def test_no_later_section_takes_a_name_that_an_earlier_one_reads():
    """A click on a guess makes its cell the active one: what is run again then must find its names as they were."""
    in_hand = {"net", "X", "y", "y_hat"}  # the network and the batch at work
    cells = [
        (place, cell.id, bound_by(cell.source), read_by(cell.source))
        for place, (_, _, section) in enumerate(script_of(4).sections())
        for cell in section
        if cell.cell_type == "code"
    ]
    taken = [
        (reader, name, later)
        for i, (section, reader, own, read) in enumerate(cells)
        for name in read - own - in_hand
        for place, later, bound, _ in cells[i:]
        if name in bound and place > section and any(name in before for _, _, before, _ in cells[:i])
    ]
    assert taken == []
