"""Chapter 4's checks: right answers pass, stubs are not done yet, typical mistakes get their own words."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from helpers import checks, lenet, train, xavier
from helpers.data import Batches


def right_loss(net, X, y):
    return F.cross_entropy(net(X / 255), y)


def test_mended_loss_right():
    assert checks.check_mended_loss(right_loss)
    assert checks.check_mended_loss(lambda net, X, y: F.nll_loss(net(X / 255).log_softmax(dim=1), y))


def test_mended_loss_knows_the_line_as_it_was_printed():
    verdict = checks.check_mended_loss(lambda net, X, y: F.cross_entropy(net(X).sigmoid(), y))
    assert verdict.right is None and "change the marked line" in verdict.message
    assert checks.check_mended_loss(lambda net, X, y: ...) is checks.NOT_YET


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (lambda net, X, y: F.cross_entropy(net(X / 255).sigmoid(), y), "the sigmoid still squeezes"),
        (lambda net, X, y: F.cross_entropy(net(X), y), "pixels are still 0 to 255"),
        (lambda net, X, y: F.cross_entropy(net(X / 255).softmax(dim=1), y), "softmax twice: F.cross_entropy"),
        (lambda net, X, y: F.cross_entropy(net(X).softmax(dim=1), y), "softmax twice, and pixels"),
        (lambda net, X, y: F.cross_entropy(net(X) / 255, y), "divide the scores"),
        (lambda net, X, y: F.cross_entropy(net(X / 256), y), "not 256"),
        (lambda net, X, y: F.cross_entropy(net(X / 255), y, reduction="sum"), "not the sum"),
        (lambda net, X, y: F.cross_entropy(net(X / 100), y), "as they are"),
        (lambda net, X, y: right_loss(net, X, y).item(), "no gradient leads back"),
        (lambda net, X, y: None, "one number"),
        (lambda net, X, y: F.cross_entropy(net(X / 255), y, reduction="none"), "one number"),
        (lambda net, X, y: F.cross_entropy(net(X / 255)), "with TypeError: cross_entropy() missing"),
        (2.3, "cannot be called"),
    ],
)
def test_mended_loss_mistakes(answer, word):
    verdict = checks.check_mended_loss(answer)
    assert verdict.right is False and word in verdict.message


def right_step(net, X, y, optimizer):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(X), y)
    loss.backward()
    optimizer.step()
    return loss


def no_backward(net, X, y, optimizer):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(X), y)
    optimizer.step()
    return loss


def no_step(net, X, y, optimizer):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(X), y)
    loss.backward()
    return loss


def no_zero_grad(net, X, y, optimizer):
    loss = F.cross_entropy(net(X), y)
    loss.backward()
    optimizer.step()
    return loss


def own_optimizer(net, X, y, optimizer, lr=0.5):
    return right_step(net, X, y, torch.optim.SGD(net.parameters(), lr=lr))


def step_before_backward(net, X, y, optimizer):
    loss = F.cross_entropy(net(X), y)
    optimizer.step()
    optimizer.zero_grad()
    loss.backward()
    return loss


def wiped(net, X, y, optimizer):
    loss = F.cross_entropy(net(X), y)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss


def softmax_twice(net, X, y, optimizer):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(X).softmax(dim=1), y)
    loss.backward()
    optimizer.step()
    return loss


def sum_of_losses(net, X, y, optimizer):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(X), y, reduction="sum")
    loss.backward()
    optimizer.step()
    return loss


def swapped(net, X, y, optimizer):
    optimizer.zero_grad()
    loss = F.cross_entropy(y, net(X))
    loss.backward()
    optimizer.step()
    return loss


def forgets_return(net, X, y, optimizer):
    right_step(net, X, y, optimizer)


def returns_scores(net, X, y, optimizer):
    right_step(net, X, y, optimizer)
    return net(X)


def returns_loss_after(net, X, y, optimizer):
    right_step(net, X, y, optimizer)
    return F.cross_entropy(net(X), y)


def test_training_step_right():
    assert checks.check_training_step(right_step)
    assert checks.check_training_step(lambda *args: right_step(*args).item())
    assert checks.check_training_step(lambda *args: ...) is checks.NOT_YET


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (no_backward, "never call loss.backward()"),
        (no_step, "never call optimizer.step()"),
        (no_zero_grad, "zero_grad"),
        (own_optimizer, "optimizer that your function is given"),
        (lambda *args: own_optimizer(*args, lr=0.1), "optimizer that your function is given"),
        (step_before_backward, "step before backward"),
        (wiped, "between backward() and step()"),
        (softmax_twice, "softmax twice"),
        (sum_of_losses, "not their sum"),
        (forgets_return, "return the loss"),
        (returns_scores, "single number"),
        (returns_loss_after, "before the step"),
        (swapped, "line 3 of swapped, `loss = F.cross_entropy(y, net(X))`, with"),
        (torch.tensor(2.3), "cannot be called"),
    ],
)
def test_training_step_mistakes(answer, word):
    verdict = checks.check_training_step(answer)
    assert verdict.right is False and word in verdict.message


@pytest.mark.parametrize(
    ("check", "answer"), [(checks.check_mended_loss, right_loss), (checks.check_training_step, right_step)]
)
def test_checks_leave_the_random_numbers_alone(check, answer):
    torch.manual_seed(7)
    assert check(answer)
    drawn = torch.rand(1)
    torch.manual_seed(7)
    assert torch.equal(drawn, torch.rand(1))


def measure(net, data_iter, mode=True, graph=False, mean="examples", which=slice(None)):
    if mode:
        net.eval()
    rights, counts = [], []
    with torch.set_grad_enabled(graph):
        for X, y in data_iter:
            rights.append(int((net(X).argmax(dim=1) == y).sum()))
            counts.append(len(y))
    rights, counts = rights[which], counts[which]
    if mean == "batches":
        return sum(r / n for r, n in zip(rights, counts, strict=True)) / len(counts)
    return (
        sum(rights)
        / {"examples": sum(counts), "number of batches": len(counts), "one": 1, "percent": sum(counts) / 100}[mean]
    )


def test_evaluate_right():
    assert checks.check_evaluate(measure)
    assert checks.check_evaluate(lambda net, it: torch.tensor(measure(net, it)))
    assert checks.check_evaluate(lambda net, it: np.float32(measure(net, it)))
    assert checks.check_evaluate(lambda net, it: ...) is checks.NOT_YET


@pytest.mark.parametrize(
    ("slip", "word"),
    [
        ({"mode": False}, "net.eval()"),
        ({"graph": True}, "no_grad"),
        ({"mean": "batches"}, "average over the batches"),
        ({"mean": "number of batches"}, "divide by the number of batches"),
        ({"mean": "one"}, "number of right answers"),
        ({"mean": "percent"}, "percent"),
        ({"which": slice(-1)}, "last, smaller batch is missing"),
        ({"which": slice(1)}, "move return out of the loop"),
        ({"which": slice(-1, None)}, "set both sums to 0 before the loop"),
    ],
)
def test_evaluate_mistakes(slip, word):
    verdict = checks.check_evaluate(lambda net, data_iter: measure(net, data_iter, **slip))
    assert verdict.right is False and word in verdict.message


def test_evaluate_wants_a_number():
    assert "one number" in checks.check_evaluate(lambda net, it: None).message
    assert "cannot be called" in checks.check_evaluate(0.5).message
    assert "with AttributeError" in checks.check_evaluate(lambda net, it: sum(batch.mean for batch in it)).message
    assert "10 of 19" in checks.check_evaluate(lambda net, it: measure(net, it) / 7).message


def epoch(net, train_iter, lr, zero="before", divide="examples"):
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    num_right = num_images = 0
    for X, y in train_iter:
        y_hat = net(X)
        if zero == "before":
            optimizer.zero_grad()
        F.cross_entropy(y_hat, y).backward()
        if zero == "between":
            optimizer.zero_grad()
        optimizer.step()
        num_right += (y_hat.argmax(dim=1) == y).sum()
        num_images += len(y)
    by = {
        "examples": num_images,
        "batches": len(train_iter),
        "full": len(train_iter) * len(train_iter[0][1]),
        "none": 1,
    }
    return num_right / by[divide]


def test_repaired_epoch_right():
    assert checks.check_repaired_epoch(epoch)
    assert checks.check_repaired_epoch(...) is checks.NOT_YET


@pytest.mark.parametrize(
    ("slip", "word"),
    [
        ({"zero": "between", "divide": "batches"}, "do not move at all"),
        ({"zero": "between"}, "do not move at all"),
        ({"zero": "never"}, "add up"),
        ({"divide": "batches"}, "divided by the number of batches"),
        ({"divide": "full"}, "last batch is smaller"),
        ({"divide": "none"}, "number of examples"),
    ],
)
def test_repaired_epoch_mistakes(slip, word):
    verdict = checks.check_repaired_epoch(lambda *args: epoch(*args, **slip))
    assert verdict.right is False and word in verdict.message


def test_repaired_epoch_odd_answers():
    assert "by its name" in checks.check_repaired_epoch(0.9).message
    assert "out of the loop" in checks.check_repaired_epoch(lambda net, it, lr: epoch(net, it[:1], lr)).message
    assert "return the accuracy" in checks.check_repaired_epoch(lambda *args: epoch(*args) and None).message
    assert "line 2 of epoch" in checks.check_repaired_epoch(lambda net, it, lr: epoch(it, net, lr)).message
    assert "lr times" in checks.check_repaired_epoch(lambda net, it, lr: epoch(net, it, 2 * lr)).message


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
    assert checks.check_challenge(..., *pictures()) is checks.NOT_YET
    assert checks.check_challenge([..., ..., ...], *pictures()) is checks.NOT_YET


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
        (trained_history, "a list is in the list"),
        (lambda seed: None, "a NoneType is in the list"),
        (diverged, "Network 0: some weights are not numbers"),
    ],
)
def test_challenge_mistakes(one, word):
    verdict = checks.check_challenge([one(seed) for seed in range(3)], *pictures())
    assert verdict.right is False and word in verdict.message


def test_challenge_wants_a_list_of_three():
    assert "not 1: one may have been lucky" in checks.check_challenge(Knowing(0), *pictures()).message
    assert "not 2" in checks.check_challenge([Knowing(0), Knowing(1)], *pictures()).message
    assert "this is a float" in checks.check_challenge(0.83, *pictures()).message
    assert "this is a tuple" in checks.check_challenge((0.83, 0.81), *pictures()).message
