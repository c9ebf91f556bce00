"""Chapter 4's checks: right answers pass, stubs are not done yet, typical mistakes get their own words."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from helpers import checks, lenet, train, xavier
from helpers.data import Batches


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
        (step_before_backward, "step before backward"),
        (wiped, "between backward() and step()"),
        (softmax_twice, "softmax twice"),
        (sum_of_losses, "not their sum"),
        (forgets_return, "return the loss"),
        (returns_scores, "single number"),
        (returns_loss_after, "before the step"),
    ],
)
def test_training_step_mistakes(answer, word):
    verdict = checks.check_training_step(answer)
    assert verdict.right is False and word in verdict.message


def test_training_step_leaves_the_random_numbers_alone():
    torch.manual_seed(7)
    checks.check_training_step(right_step)
    drawn = torch.rand(1)
    torch.manual_seed(7)
    assert torch.equal(drawn, torch.rand(1))


def measure(net, data_iter, mode=True, graph=False, mean="examples", last=True):
    if mode:
        net.eval()
    rights, counts = [], []
    with torch.set_grad_enabled(graph):
        for X, y in data_iter:
            rights.append(int((net(X).argmax(dim=1) == y).sum()))
            counts.append(len(y))
    if not last:
        rights, counts = rights[:-1], counts[:-1]
    if mean == "batches":
        return sum(r / n for r, n in zip(rights, counts, strict=True)) / len(counts)
    return (
        sum(rights)
        / {"examples": sum(counts), "number of batches": len(counts), "one": 1, "percent": sum(counts) / 100}[mean]
    )


def test_evaluate_right():
    assert checks.check_evaluate(measure)
    assert checks.check_evaluate(lambda net, it: torch.tensor(measure(net, it)))
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
        ({"last": False}, "last, smaller batch is missing"),
    ],
)
def test_evaluate_mistakes(slip, word):
    verdict = checks.check_evaluate(lambda net, data_iter: measure(net, data_iter, **slip))
    assert verdict.right is False and word in verdict.message


def test_evaluate_wants_a_number():
    assert "one number" in checks.check_evaluate(lambda net, it: None).message
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
    assert "return the accuracy" in checks.check_repaired_epoch(lambda *args: epoch(*args) and None).message
    assert "lr times" in checks.check_repaired_epoch(lambda net, it, lr: epoch(net, it, 2 * lr)).message


class Knowing(nn.Module):
    """Reads the label that the test wrote into the first pixel; right on a share of the images."""

    def __init__(self, limit=10):
        super().__init__()
        self.limit, self.weight = limit, nn.Parameter(torch.ones(1))

    def forward(self, X):
        label = (X[:, 0, 0, 0] * 255).round().long()
        return F.one_hot(torch.where(label < self.limit, label, 0), 10) * self.weight


def pictures():
    labels = torch.arange(10).repeat(20)
    images = torch.zeros(200, 1, 28, 28, dtype=torch.uint8)
    images[:, 0, 0, 0] = labels
    return images, labels


def test_challenge():
    images, labels = pictures()
    assert checks.check_challenge(..., images, labels) is checks.NOT_YET
    assert checks.check_challenge(Knowing(), images, labels)
    assert "the goal is 0.8" in checks.check_challenge(Knowing(limit=5), images, labels).message


def test_challenge_mistakes():
    images, labels = pictures()
    history = list(train(Knowing(), Batches(images, labels, 100), 1, 0.1, device="cpu"))
    assert "the network" in checks.check_challenge(history, images, labels).message
    assert "61,706 parameters" in checks.check_challenge(lenet(), images, labels).message
    small = xavier(lenet(padding=(0, 0)))
    assert "guessing" in checks.check_challenge(small, images, labels).message
    with torch.no_grad():
        small[0].weight.fill_(float("nan"))
    assert "learning rate was too high" in checks.check_challenge(small, images, labels).message
