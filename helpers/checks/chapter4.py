"""Chapter 4: repairing a loss and a loop, the training step, measuring, networks of your own."""

import collections.abc
import contextlib
import copy
import math
from collections import OrderedDict
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple
from unittest import mock

import torch
from torch import nn
from torch.nn import functional as F
from torch.optim.optimizer import register_optimizer_step_pre_hook

from helpers.any_data import to_floats
from helpers.checks import answers, networks
from helpers.checks.attempt import Attempt, NotYet, Stopped
from helpers.checks.exercise import Exercise, Mistake, Sign, checked
from helpers.checks.verdict import NOT_YET, right, wrong
from helpers.data import Batches
from helpers.machine import try_gpu
from helpers.training import evaluate_accuracy

WHATEVER = object()  # what a wrong training of the tables returns, if its number does not matter


class Net(nn.Module):
    """One dense layer from ten pixels, (N, 1, 2, 5), to ten scores, which notes how it is run."""

    def __init__(self, weight, bias):
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(bias)
        self.log, self.training_modes, self.gradients_on, self.graphs = [], [], [], []

    def forward(self, X):
        """(N, 1, 2, 5) floats to (N, 10)."""
        if X[0].numel() != 10:
            raise ValueError(f"`net` gets {answers.shape(X)}, but the images of this call have 1×2×5 pixels: are these "
                             "the images that your function is given?")  # fmt: skip
        self.log.append("forward")
        y_hat = X.flatten(1) @ self.weight + self.bias
        self.training_modes.append(self.training)
        self.gradients_on.append(torch.is_grad_enabled())
        self.graphs.append(y_hat.requires_grad)
        return y_hat


def _random(*sizes, seed):
    return torch.randn(*sizes, generator=torch.Generator().manual_seed(seed)).to(try_gpu())


def _random_net(seed):
    return Net(_random(10, 10, seed=seed), _random(10, seed=seed + 1))


def _scores_are_pixels(shift):
    return Net(torch.eye(10, device=try_gpu()), torch.full((10,), float(shift), device=try_gpu()))


def _run(attempt, net, *arguments):
    """What an answer returns for `net` itself, and notes on its side effects; dots after a training are a value."""
    before = copy.deepcopy(net)
    handed = [one for one in arguments if isinstance(one, torch.optim.Optimizer)]
    try:
        value = attempt(net, *arguments, as_they_are=(net, *handed))
    except NotYet:
        if not net.log:
            raise
        value = ...
    except Stopped as stopped:
        if "forward" in net.log or type(stopped.error) is not RuntimeError:
            raise
        words = "Until then it has not run the `net` that it is given: is that a different network?"
        raise Stopped(f"{stopped.words}. {words}", stopped.error) from None
    if [p.requires_grad for p in net.parameters()] != [p.requires_grad for p in before.parameters()]:
        attempt.manners.append("your function leaves weights of `net` without gradients: it could not be trained on")
    return value


def _weights(net):
    return torch.cat([p.detach().flatten() for p in net.parameters()]).cpu()


# Exercise 4.1


def _loss(attempt, net, X, y):
    net, before = copy.deepcopy(net), net
    value = _run(attempt, net, X, y)
    if not all(net.training_modes):
        attempt.manners.append("this loss is for training: leave out net.eval(), which changes the mode of `net`")
    if not torch.equal(_weights(net), _weights(before)):
        attempt.manners.append("your function moves the weights of `net`: the loss alone is expected, no step")
    if any(p.grad is not None for p in net.parameters()):
        attempt.manners.append("your function calls backward() too: the loss alone is expected")
    if isinstance(_number(attempt, value), float) and not _leads_back(value, net):
        attempt.manners.append("no gradient leads back from your number to the weights of `net`: return the tensor "
                               "that F.cross_entropy makes of its scores")  # fmt: skip
    return value


def _leads_back(value, net):
    """True if a gradient leads from a number to the weights of `net`."""
    if not torch.is_tensor(value) or not value.requires_grad or value.numel() != 1:
        return False
    try:
        return any(g is not None for g in torch.autograd.grad(value.sum(), net.parameters(), allow_unused=True))
    except RuntimeError:  # backward() has freed the graph
        return False


def _loss_probes():
    X = torch.tensor([[0, 51, 102, 153, 204, 0, 51, 102, 0, 51], [204, 153, 0, 0, 51, 204, 0, 102, 51, 51]])
    device, images = try_gpu(), (_random(12, 1, 2, 5, seed=40).abs() * 80).clamp(max=250).round()
    return [
        (_scores_are_pixels(-0.5), X.float().reshape(2, 1, 2, 5).to(device), torch.tensor([4, 1], device=device)),
        (_random_net(41), images, torch.arange(12, device=device) * 3 % 10),
    ]


def _one_hot(loss):
    return lambda net, X, y: loss(net(X), F.one_hot(y, 10).float())


# Wrong losses of images from 0 to 1, for all exercises that compute one.
LOSSES = [
    ("Softmax twice: F.cross_entropy contains one already.",
     lambda net, X, y: F.cross_entropy(net(X).softmax(dim=1), y)),
    ("A tanh squeezes the scores as a sigmoid does: leave it out.",
     lambda net, X, y: F.cross_entropy(net(X).tanh(), y)),
    ("A ReLU cuts off the scores below 0: leave it out.", lambda net, X, y: F.cross_entropy(net(X).relu(), y)),
    ("Take the mean over the batch, not the sum.", lambda net, X, y: F.cross_entropy(net(X), y, reduction="sum")),
    ("F.cross_entropy takes the mean already; you divide by the images once more.",
     lambda net, X, y: F.cross_entropy(net(X), y) / len(y)),
    ("The sign of the loss is the wrong way round: its steps would lead uphill.",
     lambda net, X, y: -F.cross_entropy(net(X), y)),
    ("Only the first image of the batch is used.", lambda net, X, y: F.cross_entropy(net(X)[:1], y[:1])),
    ("The last image of the batch is missing.", lambda net, X, y: F.cross_entropy(net(X)[:-1], y[:-1])),
    ("F.nll_loss expects logarithms of shares: F.cross_entropy takes scores.", lambda net, X, y: F.nll_loss(net(X), y),
     lambda net, X, y: F.nll_loss(net(X).softmax(dim=1), y)),
    ("The mean square error is a different loss: F.cross_entropy is expected.", _one_hot(F.mse_loss)),
    ("That is the binary cross-entropy, with a sigmoid for each class.", _one_hot(F.binary_cross_entropy_with_logits)),
    ("Smoothed labels make a different loss: the plain one is expected.",
     lambda net, X, y: F.cross_entropy(net(X), y, label_smoothing=0.1)),
]  # fmt: skip
STILL_SIGMOID = ("There is a sigmoid between the scores and the loss: leave it out.",
                 lambda net, X, y: F.cross_entropy(net(X).sigmoid(), y))  # fmt: skip
STILL_255 = ("The images of a batch are 0 to 1 already: do not divide them by 255.",
             lambda net, X, y: F.cross_entropy(net(X / 255), y))  # fmt: skip


def _of(words, scores, then=lambda loss: loss):
    """A mistake in the scores from which the loss is computed, or in what is done with the loss."""
    return Mistake(words, lambda net, X, y: then(F.cross_entropy(scores(net, X), y)))


def _in_training(train, *losses):
    """The mistakes of wrong losses in a training, made by `train`."""
    return [Mistake(words, *map(train, gives)) for words, *gives in losses]


check_mended_loss = Exercise(
    task="4.1; loss_of(net, X, y): the mean cross-entropy for images X of pixels from 0 to 255.",
    solution=lambda net, X, y: F.cross_entropy(net(X / 255), y),
    probes=_loss_probes,
    praise="Right: pixels from 0 to 1, scores as they are; the softmax is inside the cross-entropy.",
    untouched=lambda net, X, y: F.cross_entropy(net(X).sigmoid(), y),
    read=answers.number,
    observe=_loss,
    may_change=("net",),
    setting=lambda net, X, y: f"for X = {answers.shown(X)}, y = {answers.shown(y)}"
    + (" and a network whose ten scores are the pixels it gets, less 0.5," if len(X) == 2 else ""),
    mistakes=[
        _of("The sigmoid still squeezes every score into 0 to 1: leave it out.", lambda net, X: net(X / 255).sigmoid()),
        _of("The sigmoid is gone, but the pixels are still 0 to 255: divide X by 255.", lambda net, X: net(X)),
        _of("Softmax twice, and pixels from 0 to 255.", lambda net, X: net(X).softmax(dim=1)),
        _of("You divide the scores by 255: divide the pixels, before net sees them.", lambda net, X: net(X) / 255),
        _of("You divide what the sigmoid makes: leave it out, and divide the pixels, before net sees them.",
            lambda net, X: net(X).sigmoid() / 255),
        Mistake("You divide by 255 twice: once is enough.", lambda net, X, y: F.cross_entropy(net(X / 255) / 255, y),
                lambda net, X, y: F.cross_entropy(net(X / 255 / 255), y)),
        _of("The pixels are multiplied by 255, not divided.", lambda net, X: net(X * 255)),
        _of("The largest byte is 255, not 256.", lambda net, X: net(X / 256)),
        _of("You divide by the largest pixel of this batch: each batch has a different one.",
            lambda net, X: net(X / X.max())),
        _of("// rounds down to whole numbers: nearly all pixels become 0.", lambda net, X: net(X // 255)),
        _of("Clamping makes all pixels from 1 on equal: divide instead.", lambda net, X: net(X.clamp(0, 1))),
        _of("Your pixels go from -1 to 1; Batches hands out 0 to 1.", lambda net, X: net(X / 127.5 - 1)),
        _of("You standardise the pixels: 0 to 1 is expected.", lambda net, X: net((X - X.mean()) / X.std())),
        _of("The sigmoid comes after the loss now: leave it out.", lambda net, X: net(X / 255), torch.sigmoid),
        _of("The sigmoid comes after the loss now, and the pixels are still 0 to 255.", lambda net, X: net(X),
            torch.sigmoid),
        _of("You divide the loss by 255: divide the pixels, before net sees them.", lambda net, X: net(X),
            lambda loss: loss / 255),
        *_in_training(lambda loss: lambda net, X, y: loss(net, X / 255, y), *LOSSES),
    ],
)  # fmt: skip


# Exercises 4.2 and 4.4: what a training did


class Trained(NamedTuple):
    """How far the weights have moved after each call, (call, weight); what each call returned; what the first ran.

    numbers: floats, words if something else came back, or None if it does not matter; calls: "zero_grad forward
    backward step", with "own" before what was done to another optimizer than the one given, or to one of other weights
    """

    moved: torch.Tensor
    numbers: tuple
    calls: str


@contextlib.contextmanager
def _noted(net, given=None):
    """A context in which `net.log` gets the names of the calls that train; given: the optimizer to use, or None."""
    log, weights = net.log, set(map(id, net.parameters()))

    def noting(kind, name):
        call = getattr(kind, name)

        def note(self, *args, **kwargs):
            own = given is not None and isinstance(self, torch.optim.Optimizer) and self is not given
            log.append("own " + name if own else name)
            return call(self, *args, **kwargs)

        return mock.patch.object(kind, name, note)

    def step(optimizer, *args):
        held = {id(p) for group in optimizer.param_groups for p in group["params"]}
        log.append("step" if given is optimizer or (given is None and held & weights) else "own step")

    hook = register_optimizer_step_pre_hook(step)
    kinds = [(torch.Tensor, "backward"), (torch.optim.Optimizer, "zero_grad"), (nn.Module, "zero_grad")]
    with contextlib.ExitStack() as stack:
        stack.callback(hook.remove)
        for kind, name in kinds:
            stack.enter_context(noting(kind, name))
        yield


def _trained(attempt, net, calls, given=None):
    """A `Trained`: what happened to a copy of `net` in calls that also got these arguments."""
    start, moved, numbers, first = _weights(net), [], [], None
    for arguments in calls:
        with _noted(net, given):
            numbers.append(_number(attempt, _run(attempt, net, *arguments)))
        moved.append(_weights(net) - start)
        first = first or " ".join(net.log)
    if not all(mode for mode, recorded in zip(net.training_modes, net.graphs, strict=True) if recorded):
        attempt.manners.append("the network is in evaluation mode while it is trained, so that dropout would be off: "
                               "leave out net.eval(), or call it at the end")  # fmt: skip
    return Trained(torch.stack(moved), tuple(numbers), first)


def _number(attempt, value):
    """A float; words if `value` is none; None for WHATEVER."""
    try:
        return None if value is WHATEVER else answers.number(value)
    except answers.Unreadable as unreadable:
        return attempt.returns_nothing() if value is None else str(unreadable)


def _same(some, other):
    pairs = zip(some.numbers, other.numbers, strict=True)
    return (
        answers.same(some.moved, other.moved)
        and ("own step" in some.calls) == ("own step" in other.calls)
        and all(a is None or b is None or (type(a) is type(b) and answers.same(a, b)) for a, b in pairs)
    )


def _difference(value, expected):
    """How a training differs from the right one: in the first step that does, else in its result."""
    for moved, right_one in zip(value.moved, expected.moved, strict=True):
        if not answers.same(moved, right_one):
            return _moves(moved, right_one)
    for number, right_one in zip(value.numbers, expected.numbers, strict=True):
        if isinstance(number, str):
            return f"the weights move as they should, but {number}"
        if number is not None and not answers.same(number, right_one):
            return f"the weights move as they should, but {_numbers_differ(number, right_one)}"
    return "the weights move as they should"


def _moves(moved, expected):
    """Words for how far weights moved; if all moved in proportion, how many times as far as expected."""
    if not moved.isfinite().all():
        return "the weights become infinite or NaN, not numbers"
    if not moved.any():
        return "the weights do not move"
    ratio = (moved @ expected / (expected @ expected)).item()
    if answers.same(moved, ratio * expected):
        return f"the weights move {ratio:.3g} times as far as expected"
    i = (moved - expected).abs().argmax()
    return f"a weight moves by {answers.shown(moved[i].item())}, expected {answers.shown(expected[i].item())}"


def _sign(words, seen):
    """A mistake seen from what the first call ran, and whether the weights never moved."""
    return Sign(words, lambda value, *probe: seen(value.calls, not value.moved.any()))


NOT_RUN = _sign("Your function does not run the `net` that it is given.", lambda calls, still: "forward" not in calls)
EARLY_STEP = _sign("You step before backward(): the step has only old gradients, or none. First backward, then step.",
                   lambda calls, still: "step" in calls.partition("backward")[0] and "backward" in calls)  # fmt: skip


# Exercise 4.2


def _two_steps(attempt, net, batches, lr):
    net = copy.deepcopy(net)
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    return _trained(attempt, net, [(X, y, optimizer) for X, y in batches], optimizer)


def _step(loss_of=lambda net, X, y: F.cross_entropy(net(X), y), give=lambda loss, net, X, y: WHATEVER, zero=True,
          rate=None):  # fmt: skip
    """A training step, perhaps with a mistake."""

    def step(net, X, y, optimizer):
        optimizer.param_groups[0]["lr"] = rate or optimizer.param_groups[0]["lr"]
        if zero:
            optimizer.zero_grad()
        loss = loss_of(net, X, y)
        loss.backward()
        optimizer.step()
        return give(loss.detach(), net, X, y)

    return step


def _returns(words, give):
    return Mistake(words, _step(give=give))


def _step_probes():
    net = _random_net(44)
    return [(net, _batches(net, (4, 3), (2, 1), seed=46), lr) for lr in (0.5, 0.2)]


check_training_step = Exercise(
    task="4.2; training_step(net, X, y, optimizer): one step of gradient descent; returns the loss.",
    solution=_step(give=lambda loss, *rest: loss),
    probes=_step_probes,
    praise="Right: zero_grad, forward, loss, backward, step. All training in this course does just this.",
    read=lambda trained: trained,
    same=_same,
    difference=_difference,
    observe=_two_steps,
    may_change=("net", "optimizer"),
    setting=lambda *probe: "with a small network,",
    mistakes=[
        NOT_RUN,
        _sign("The weights move, but not by the optimizer that your function is given: call its step().",
              lambda calls, still: "own step" in calls or ("step" not in calls and not still)),
        _sign("You compute the loss alone: no gradients, no step.",
              lambda calls, still: "backward" not in calls and "step" not in calls),
        _sign("You never call loss.backward(), so no parameter has a gradient.",
              lambda calls, still: "backward" not in calls),
        _sign("The gradients are there, but you never call optimizer.step(), with its brackets.",
              lambda calls, still: "step" not in calls),
        EARLY_STEP,
        _sign("You call zero_grad() between backward() and step(): the gradients are gone before they are used.",
              lambda calls, still: still and "backward zero_grad step" in calls),
        _sign("backward() finds no way back to the weights: is it called on the loss of `net` itself, not on a number "
              "made from it?", lambda calls, still: still),
        _sign("You step several times with each batch; one step a call is expected.",
              lambda calls, still: calls.count("step") > 1),
        _sign("You call backward() several times for one step, so that gradients are added.",
              lambda calls, still: calls.count("backward") > 1),
        Mistake("The second step is too long: its gradients were added to the first ones. Call optimizer.zero_grad() "
                "in each step.", _step(zero=False)),
        Mistake("You set the learning rate yourself: the optimizer that your function is given has one.",
                *(_step(rate=rate) for rate in (0.5, 0.1, 0.01, 0.001, 1.0))),
        *_in_training(_step, STILL_255, STILL_SIGMOID, *LOSSES),
        _returns("That is the loss after the step: return the one that was computed before it.",
                 lambda loss, net, X, y: F.cross_entropy(net(X), y).item()),
        _returns("That is the sum of the losses: return their mean.", lambda loss, net, X, y: loss * len(y)),
        _returns("The loss is a mean already: do not divide it once more.", lambda loss, net, X, y: loss / len(y)),
        _returns("That is the loss with the wrong sign.", lambda loss, net, X, y: -loss),
        _returns("That is the share of right answers: return the loss.",
                 lambda loss, net, X, y: (Net.forward(net, X).argmax(dim=1) == y).float().mean()),
    ],
)  # fmt: skip


# Exercises 4.3 and 4.4: wrong shares, from the right answers and the examples of each batch


def _share(rights, sizes):
    return sum(rights) / sum(sizes)


SHARES = [
    ("You divide by the number of batches: divide by the number of examples.", lambda r, n: sum(r) / len(n)),
    ("You average over the batches, so the last, smaller one counts too much: add up the right answers and the "
     "examples, and divide once.", lambda r, n: sum(a / b for a, b in zip(r, n, strict=True)) / len(n)),
    ("The shares of the batches are added: divide once, at the end.",
     lambda r, n: sum(a / b for a, b in zip(r, n, strict=True))),
    ("The last, smaller batch is missing.", lambda r, n: _share(r[:-1], n[:-1])),
    ("The first batch is missing.", lambda r, n: _share(r[1:], n[1:])),
    ("That is the first batch alone: go through all of them.", lambda r, n: r[0] / n[0]),
    ("That is the last batch alone: set both sums to 0 before the loop, and add to them in it.",
     lambda r, n: r[-1] / n[-1]),
    ("The examples are those of all batches, but the right answers those of the last.", lambda r, n: r[-1] / sum(n)),
    ("All right answers are divided by the examples of one batch.", lambda r, n: sum(r) / n[-1],
     lambda r, n: sum(r) / n[0]),
    ("The last batch is smaller than the others: count the examples as they come.",
     lambda r, n: sum(r) / len(n) / n[0], lambda r, n: sum(r) / len(n) / n[-1], lambda r, n: sum(r) / len(n) / 64),
    ("That is the number of right answers: divide it by the number of examples.", lambda r, n: sum(r)),
    ("That is the number of examples.", lambda r, n: sum(n)),
    ("That is in percent: a share lies between 0 and 1.", lambda r, n: 100 * _share(r, n)),
    ("Those are the wrong answers.", lambda r, n: 1 - _share(r, n)),
    ("That is examples by right answers: divide the other way around.", lambda r, n: sum(n) / max(sum(r), 1)),
    ("A share is not a whole number: int() and // cut off what is after the point.", lambda r, n: int(_share(r, n))),
    ("That is 0: does the loop add to the sum, and does it compare classes with the labels, not scores?",
     lambda r, n: 0),
]  # fmt: skip


def _numbers_differ(value, expected):
    """Two shares, and how many right answers or examples would give the wrong one, if whole numbers do."""
    said = f"you return {answers.shown(value)}, expected {answers.shown(expected)}"
    total, count = Fraction(expected).limit_denominator(200).as_integer_ratio()  # the probes' shares cannot be reduced
    if not 0 <= expected <= 1 or total == count:
        return said
    if 0 < value <= 1 and math.isclose(value * count, round(value * count), abs_tol=1e-3):
        return f"{said}; that would be {round(value * count):,} of {count} right"
    if 1e-6 < value < 1e6 and math.isclose(total / value, round(total / value), abs_tol=1e-3):
        return f"{said}; that would be {total} right answers divided by {round(total / value):,}"
    return said


def _of_right(rights, sizes):
    each = ", ".join(f"{r} of {n}" for r, n in zip(rights, sizes, strict=True))
    return f"{sum(rights)} of {sum(sizes)} answers are right ({each} in the batches):"


def _batches(net, sizes, right_ones, seed):
    """Batches of so many images, of which `net` gets so many right."""
    batches, net = [], copy.deepcopy(net)
    for i, (size, num_right) in enumerate(zip(sizes, right_ones, strict=True)):
        X = _random(size, 1, 2, 5, seed=seed + i)
        y = net(X).argmax(dim=1)
        batches.append((X, (y + (torch.arange(size, device=y.device) >= num_right) * (1 + i)) % 10))
    return batches


# Exercise 4.3


def _measured(attempt, net, batches):
    net, before = copy.deepcopy(net), net
    value = _run(attempt, net, batches)
    if any(net.training_modes):
        attempt.manners.append(
            "the network was in training mode again after the first batch: leave out net.train() in the loop"
            if not net.training_modes[0]
            else "the network was in training mode while you measured: call net.eval() first"
        )
    if not torch.equal(_weights(net), _weights(before)):
        attempt.manners.append("your function trains: measuring moves no weights")
    if any(net.gradients_on):
        attempt.manners.append(
            "a graph was built for each batch, which measuring does not need: work within `with torch.no_grad()`"
            if any(net.graphs)
            else "you switch the weights' gradients off and on again: `with torch.no_grad()` leaves `net` as it is"
        )
    return value


def _counted(net, batches, count=lambda net, X, y: net(X).argmax(dim=1) == y):
    """The right answers and the examples of each batch."""
    net = copy.deepcopy(net)
    return [int(count(net, X, y).sum()) for X, y in batches], [len(y) for X, y in batches]


def _counts(words, count):
    return Mistake(words, lambda net, batches: _share(*_counted(net, batches, count)))


def _measure(net, data_iter):
    net.eval()
    with torch.no_grad():
        return _share(*_counted(net, data_iter))


def _measure_probes():
    net = Net(0.4 * torch.eye(10, device=try_gpu()), 0.2 * _random(10, seed=50) - 0.2)
    return [
        (net, _batches(net, sizes, rights, seed=51))
        for sizes, rights in [((8, 8, 4), (6, 4, 1)), ((5, 3), (5, 3)), ((4, 3), (4, 2)), ((70, 70, 21), (66, 33, 10))]
    ]


check_evaluate = Exercise(
    task="4.3; measure(net, data_iter): the share of right answers, 0 to 1.",
    solution=_measure,
    probes=_measure_probes,
    praise="Right: evaluation mode, no graph, and each example counts once.",
    read=answers.number,
    difference=_numbers_differ,
    observe=_measured,
    may_change=("net",),
    setting=lambda net, batches: _of_right(*_counted(net, batches)),
    mistakes=[
        *(Mistake(words, *(lambda net, batches, give=give: give(*_counted(net, batches)) for give in gives))
          for words, *gives in SHARES),
        *(_counts("A threshold is no answer: the largest score is, however small it may be.", count) for count in (
            lambda net, X, y: net(X)[range(len(y)), y] > 0.5,
            lambda net, X, y: (net(X).sigmoid() > 0.5).int().argmax(dim=1) == y)),
        _counts("You count scores above a threshold, right or not.", lambda net, X, y: net(X) > 0.5),
        _counts("You take the smallest score: the largest one is the answer.",
                lambda net, X, y: net(X).argmin(dim=1) == y),
        _counts("Without their signs the scores have a different order: take them as they are.",
                lambda net, X, y: net(X).abs().argmax(dim=1) == y),
        *(_counts("Rounded scores are often equal: take them as they are.", count) for count in (
            lambda net, X, y: net(X).round().argmax(dim=1) == y, lambda net, X, y: net(X).long().argmax(dim=1) == y)),
        _counts("The images of a batch are 0 to 1 already: do not divide them by 255.",
                lambda net, X, y: net(X / 255).argmax(dim=1) == y),
        _counts("Each image has its own largest score; you take that of the whole batch.",
                lambda net, X, y: (net(X) == net(X).max()).int().argmax(dim=1) == y),
        Mistake("Only 64 images of each batch are measured; a batch may have any size.",
                lambda net, batches: _measure(net, [(X[:64], y[:64]) for X, y in batches])),
    ],
)  # fmt: skip


# Exercise 4.4


def _one_epoch(attempt, net, batches, lr):
    return _trained(attempt, copy.deepcopy(net), [(batches, lr)])


def _epoch(give=lambda rights, sizes: WHATEVER, loss_of=lambda net, X, y: F.cross_entropy(net(X), y), zero=True,
           kind=torch.optim.SGD, rate=None, after=False):  # fmt: skip
    """An epoch of training, perhaps with a mistake."""

    def epoch(net, train_iter, lr):
        optimizer, rights = kind(net.parameters(), lr=rate or lr), []
        for X, y in train_iter:
            if not after:
                rights += _counted(net, [(X, y)])[0]
            if zero:
                optimizer.zero_grad()
            loss_of(net, X, y).backward()
            optimizer.step()
            if after:
                rights += _counted(net, [(X, y)])[0]
        return give(rights, [len(y) for X, y in train_iter])

    return epoch


def _then_measured(net, train_iter, lr):
    _epoch()(net, train_iter, lr)
    return _share(*_counted(net, train_iter))


def _mean_loss(net, train_iter, lr):
    losses, sizes = [], [len(y) for X, y in train_iter]
    _epoch(loss_of=lambda net, X, y: losses.append(F.cross_entropy(net(X), y)) or losses[-1])(net, train_iter, lr)
    return sum(loss.item() * size for loss, size in zip(losses, sizes, strict=True)) / sum(sizes)


def _epoch_probes():
    some, sure = _random_net(63), _scores_are_pixels(0)
    return [
        (some, _batches(some, (8, 8, 4), (6, 5, 2), seed=65), 0.5),
        (sure, _batches(sure, (5, 3), (5, 3), seed=70), 0.25),  # all are right
    ]


check_repaired_epoch = Exercise(
    task="4.4; epoch(net, train_iter, lr): one epoch of training; returns the share of right answers in it.",
    solution=_epoch(_share),
    probes=_epoch_probes,
    praise="Right: both bugs are gone.",
    read=lambda trained: trained,
    same=_same,
    difference=_difference,
    observe=_one_epoch,
    may_change=("net",),
    setting=lambda net, batches, lr: f"with batches of {', '.join(str(len(y)) for X, y in batches)} images,",
    mistakes=[
        NOT_RUN,
        _sign("The weights do not move at all: backward() is never called, so no parameter has a gradient.",
              lambda calls, still: still and "backward" not in calls),
        _sign("The weights do not move at all: optimizer.step() is never called.",
              lambda calls, still: still and "step" not in calls),
        EARLY_STEP,
        _sign("The weights of a different network are stepped: make the optimizer of `net.parameters()`.",
              lambda calls, still: still and "own step" in calls),
        _sign("The weights do not move at all. What is in the gradients at the moment of optimizer.step()?",
              lambda calls, still: still),
        Mistake("Now gradients of all steps add up: clear them once for each batch, before backward().",
                _epoch(zero=False)),
        Mistake("Only the first batch moves the weights: the loop ends after it.",
                lambda net, batches, lr: _epoch()(net, batches[:1], lr)),
        Mistake("The last batch does not move the weights.", lambda net, batches, lr: _epoch()(net, batches[:-1], lr)),
        Sign("Your loop goes through the batches several times: one epoch is expected.",
             lambda value, net, batches, lr: value.calls.count("step") > len(batches)),
        *_in_training(lambda loss: _epoch(loss_of=loss), STILL_255, STILL_SIGMOID, *LOSSES),
        Mistake("That is a different optimizer: keep the SGD of the exercise.", _epoch(kind=torch.optim.Adam)),
        *(Mistake(f"The learning rate is always {rate}: use `lr`, which your function is given.", _epoch(rate=rate))
          for rate in (0.1, 0.01, 1.0)),
        *(Mistake(words, *map(_epoch, gives)) for words, *gives in SHARES),
        Mistake("You count after the steps: count the answers that each loss is computed from.",
                _epoch(_share, after=True), _then_measured),
        Mistake("That is the mean loss: return the share of right answers.", _mean_loss),
    ],
)  # fmt: skip


# Exercise 4.5


@checked
def check_challenge(nets, images, labels, target=0.8, max_parameters=45_000):
    """Exercise 4.5; nets: a list of three networks or more, trained in the same way from different seeds.

    images, labels: the validation images, bytes, on which their mean accuracy must reach `target`.
    """
    nets = [nets] if isinstance(nets, nn.Module) and not isinstance(nets, nn.ModuleList) else nets
    nets = list(nets) if isinstance(nets, (collections.abc.ValuesView, set)) else nets
    if not isinstance(nets, (list, tuple, nn.ModuleList)):
        calls = ", which is to be called once for each seed" if callable(nets) else ""
        return wrong(f"Hand over a list of trained networks; this is {answers.kind(nets)}{calls}.")
    if any(net is ... for net in nets):
        return NOT_YET
    if [getattr(images, "ndim", 0), getattr(labels, "ndim", 0)] != [4, 1] or len(images) != len(labels):
        return wrong("Hand over the networks, then the validation images and the labels of the same: these are "
                     f"{answers.kind(images)} and {answers.kind(labels)}.")  # fmt: skip
    for i, net in enumerate(nets):
        if not isinstance(net, nn.Module):
            return wrong(f"Hand over a list of trained networks; number {i} is {answers.kind(net)}. {_advice(net)}")
    if len(nets) < 3:
        return wrong(f"Hand over three networks from three seeds, not {len(nets)}: one may have been lucky.")
    for i, net in enumerate(nets):
        try:
            _fits(net, images[:8], max_parameters)
        except (Stopped, answers.Unreadable) as trouble:
            raise Stopped(f"Network {i}: {trouble}") from None
    for i, net in enumerate(nets):
        for j in range(i):
            if net is nets[j]:
                return wrong(f"Networks {j} and {i} are one and the same: make a new one for each seed.")
            if _weights(net).equal(_weights(nets[j])):
                return wrong(f"Networks {j} and {i} have the same weights: call torch.manual_seed(seed), with a "
                             "different seed for each, before the weights are drawn.")  # fmt: skip
    accs = [_accuracy(net, images, labels) for net in nets]
    mean, spread = sum(accs) / len(accs), max(accs) - min(accs)
    said = f"Validation accuracies {', '.join(f'{acc:.3f}' for acc in accs)}, mean {mean:.3f}"
    if min(accs) < 0.2:
        return wrong(
            f"{said}: about 0.1 is guessing. Was that network trained at all (you must iterate over train(...))? "
            "Or is it still on the plateau: a different activation or learning rate?",
        )
    if mean < target:
        if mean > target - 0.01:
            return wrong(f"{said}, more exactly {mean:.5f}, the goal is {target}: nearly there. An epoch more, if you "
                         "have one left, or a slightly different learning rate may do.")  # fmt: skip
        return wrong(
            f"{said}, the goal is {target}. Try more epochs, smaller batches (more steps), a different learning rate, "
            "ReLU and max-pooling, or Adam.",
        )
    return right(f"{said}. Chance alone moves it by {spread:.3f}: a change that gains less has shown nothing.")


def _advice(net):
    """What a student may have meant by something that is not a network."""
    if net is None:
        return "Does your function return the network?"
    if isinstance(net, OrderedDict):
        return "These are weights alone, as save_weights takes them: hand over the network."
    if hasattr(net, "gi_frame"):
        return "train(...) makes one, and trains only while you iterate over it: return the network after that."
    if isinstance(net, type):
        return "Make a network of it, with brackets."
    return "Does your function return the network, not what was measured or drawn?"


def _fits(net, images, max_parameters):
    """Raise Stopped, with the reason, if a network does not fit the task."""
    if any(isinstance(parameter, nn.parameter.UninitializedParameter) for parameter in net.parameters()):
        raise Stopped("its lazy layers have never seen an image, so it was not trained")
    count = sum(parameter.numel() for parameter in net.parameters())  # those that do not train are there too
    if count > max_parameters:
        raise Stopped(
            f"{count:,} parameters, but at most {max_parameters:,} are allowed. Most are in the first dense layer: "
            "make it narrower, or its input smaller (no padding, fewer channels)"
        )
    if not count:
        raise Stopped("it has no parameters: nothing in it can be trained")
    if any(not torch.isfinite(parameter).all() for parameter in net.parameters()):
        raise Stopped("some weights are NaN or infinite: the learning rate was too high")
    networks.scores(net, to_floats(images))


def _accuracy(net, images, labels):
    """The share that a copy of `net` gets right; raises Stopped if that takes more than a minute."""
    device = next(net.parameters()).device

    def measure():
        return evaluate_accuracy(copy.deepcopy(net), Batches(images, labels, 256, device=device))

    return Attempt(measure, seconds=60)()


def _from_shares(function):
    """A loss made of the share of each right class."""
    return lambda y_hat, y: function(y_hat.softmax(dim=1)[range(len(y)), y])


def _mean_of(give):
    """An epoch of training that returns `give(the loss of each batch, its size)`."""

    def epoch(net, train_iter, lr):
        net.train()
        optimizer, losses, sizes = torch.optim.SGD(net.parameters(), lr=lr), [], []
        for X, y in train_iter:
            X, y = (part.to(next(net.parameters()).device) for part in (X, y))
            optimizer.zero_grad()
            loss = F.cross_entropy(net(X), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            sizes.append(len(y))
        return give(losses, sizes)

    return epoch


def _sum_of(losses, sizes):
    return sum(loss * size for loss, size in zip(losses, sizes, strict=True))


def _where(part):
    """What a part of (net, X) is, and its device."""
    if isinstance(part, nn.Module):
        return f"a network on {next(part.parameters()).device.type}"
    if not torch.is_tensor(part):
        raise answers.Unreadable(f"the network and the batch are expected; one of yours is {answers.kind(part)}")
    return f"a batch on {part.device.type}"


BLANKS = {  # functions that the chapter's text leaves to the student, see blank.py
    "cross_entropy": Exercise(
        task="4, section 1; cross_entropy(y_hat, y): the mean of minus the logarithms of the right classes' shares.",
        solution=lambda y_hat, y: F.cross_entropy(y_hat, y),
        probes=lambda: [
            (torch.tensor([[2.0, 0, 0], [0, 1, 1]]), torch.tensor([0, 1])),
            (3 * torch.randn(5, 10, generator=torch.Generator().manual_seed(81)), torch.tensor([3, 0, 9, 9, 1])),
        ],
        praise="Right: nearly 0 if the right class has nearly all of the share, and large if it has nearly none.",
        read=answers.number,
        mistakes=[
            *(Mistake(words, _from_shares(function)) for words, function in (
                ("The minus is missing: a share is below 1, so its logarithm is negative, and a loss should fall.",
                 lambda right: right.log().mean()),
                ("The logarithm is missing: that is minus the mean share.", lambda right: -right.mean()),
                ("That is the mean share of the right class, which should grow: take minus its logarithm.",
                 lambda right: right.mean()),
                ("That is the mean share of the wrong classes: take minus the logarithm of the right one's.",
                 lambda right: (1 - right).mean()),
                ("First the logarithm of each share, then the mean over the images.",
                 lambda right: -right.mean().log()),
                ("Take the mean over the images, not the sum.", lambda right: -right.log().sum()),
                ("Take the natural logarithm, log(), not that to base 10.", lambda right: -right.log10().mean()),
                ("Take the natural logarithm, log(), not that to base 2.", lambda right: -right.log2().mean()),
                ("That is the loss of the first image alone: take the mean over all.", lambda right: -right[0].log()),
            )),
            Mistake("You took the shares of all classes: only the right one counts.",
                    lambda y_hat, y: -y_hat.log_softmax(dim=1).mean()),
            Mistake("You took the scores, not the shares, of the right classes.",
                    lambda y_hat, y: -y_hat[range(len(y)), y].mean()),
        ],
    ),
    "train_step": replace(
        check_training_step,
        task="4, section 1; train_step(net, X, y, optimizer): one step of gradient descent; returns the loss.",
        praise="Right: clear, forward, backward, step. All training in this course does just this.",
    ),
    "one_epoch": Exercise(
        task="4, section 2; one_epoch(net, train_iter, lr): trains on each batch once; the mean loss of all images.",
        solution=_mean_of(lambda losses, sizes: _sum_of(losses, sizes) / sum(sizes)),
        probes=_epoch_probes,
        praise="Right: each image counts once, in the last batch, too.",
        read=answers.number,
        may_change=("net",),
        setting=lambda net, batches, lr: f"With batches of {', '.join(str(len(y)) for X, y in batches)} images",
        mistakes=[
            Mistake(words, *map(_mean_of, gives)) for words, *gives in (
                ("That is the mean of the batches' means, in which images of a small batch count more: "
                 "multiply each loss by len(y), and divide their sum by the number of images.",
                 lambda losses, sizes: sum(losses) / len(losses)),
                ("A batch's loss is a mean over its images: times len(y), before you add it.",
                 lambda losses, sizes: sum(losses) / sum(sizes)),
                ("That is the sum over all images: divide it by their number.", _sum_of),
                ("Divide by the number of images, not of batches.",
                 lambda losses, sizes: _sum_of(losses, sizes) / len(sizes)),
                ("The last batch may be smaller than 64: times len(y).",
                 lambda losses, sizes: 64 * sum(losses) / sum(sizes)),
                ("You add the losses: make a mean of them.", lambda losses, sizes: sum(losses)),
                ("That is the loss of the last batch alone.", lambda losses, sizes: losses[-1]),
            )
        ],
    ),
    "measure": replace(
        check_evaluate, task="4, section 3; measure(net, data_iter): the share of right answers, 0 to 1."
    ),
    "on_device": Exercise(
        task="4, section 4; on_device(net, X, device): the network and the batch, moved there.",
        solution=lambda net, X, device: (net.to(device), X.to(device)),
        probes=lambda: [(nn.Linear(3, 2), torch.ones(4, 3), torch.device(name)) for name in ("meta", "cpu")],
        praise="Right: the network moves in place, and the moved batch is kept.",
        read=answers.sequence(2, _where, "`net, X`"),
        same=lambda value, other: value == other,
        difference=lambda value, expected: f"you return {value[0]} and {value[1]}",
        may_change=("net",),
        setting=lambda net, X, device: f"With the device {device.type} (meta stands for a GPU)",
        mistakes=[
            Mistake("The batch has not moved: a tensor's `to` returns a new tensor, which you have to keep in X.",
                    lambda net, X, device: (net.to(device), X)),
            Mistake("The network has not moved.", lambda net, X, device: (net, X.to(device))),
            Mistake("Neither has moved.", lambda net, X, device: (net, X)),
            Mistake("The network comes first, then the batch.", lambda net, X, device: (X.to(device), net.to(device))),
        ],
    ),
}  # fmt: skip
