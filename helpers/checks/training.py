"""Checks of chapter 4's exercises: mending a loss and a loop, the training step, measuring, networks of one's own."""

import copy
import math
import numbers

import torch
from torch import nn
from torch.nn import functional as F

from helpers.checks.old import NOT_YET, Verdict, checked, wrong
from helpers.data import Batches
from helpers.models import num_parameters
from helpers.training import evaluate_accuracy


@checked
def check_mended_loss(loss_of):
    """Exercise 4.1; loss_of(net, X, y): the mean cross-entropy for images X of pixels from 0 to 255."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(40)
        net = nn.Sequential(nn.Flatten(), nn.Linear(36, 10))
        X, y = torch.randint(256, (12, 1, 6, 6)).float(), torch.randint(10, (12,))

    answer = loss_of(net, X.clone(), y)
    if answer is ...:
        return NOT_YET
    number = _number(answer)
    if number is None:
        return wrong("Return one number, the loss, as F.cross_entropy gives it.")
    with torch.no_grad():
        scores, unscaled, by_256 = net(X / 255), net(X), net(X / 256)
    if math.isclose(number, F.cross_entropy(unscaled.sigmoid(), y), rel_tol=1e-4):
        return Verdict(None, "Not done yet: change the marked line, then run the cell again.")
    right = F.cross_entropy(scores, y)
    by_mistake = [
        (F.cross_entropy(scores.sigmoid(), y), "the sigmoid still squeezes every score into 0 to 1: leave it out."),
        (F.cross_entropy(unscaled, y), "the sigmoid is gone, but the pixels are still 0 to 255: divide X by 255."),
        (F.cross_entropy(scores.softmax(dim=1), y), "softmax twice: F.cross_entropy contains one already."),
        (F.cross_entropy(unscaled.softmax(dim=1), y), "softmax twice, and pixels from 0 to 255."),
        (F.cross_entropy(unscaled / 255, y), "you divide the scores by 255: divide the pixels, before net sees them."),
        (F.cross_entropy(by_256, y), "the largest byte is 255, not 256."),
        (F.cross_entropy(scores, y, reduction="sum"), "take the mean over the batch, not the sum."),
    ]
    if not math.isclose(number, right, rel_tol=1e-4):
        found = [why for loss, why in by_mistake if math.isclose(number, loss, rel_tol=1e-4)]
        why = found[0] if found else "give F.cross_entropy the scores of X / 255 as they are."
        return wrong(f"The loss should be {right:.4f}, yours is {number:.4f}: {why}")
    if not (torch.is_tensor(answer) and answer.requires_grad):
        return wrong("The number is right, but no gradient leads back from it: return the tensor of F.cross_entropy.")
    return Verdict(True, "Right: pixels from 0 to 1, scores as they are; the softmax is inside the cross-entropy.")


@checked
def check_training_step(training_step):
    """Exercise 4.2; training_step(net, X, y, optimizer): one step of gradient descent; returns the loss."""
    torch_state = torch.random.get_rng_state()
    torch.manual_seed(41)
    net = nn.Sequential(nn.Flatten(), nn.Linear(36, 8), nn.Tanh(), nn.Linear(8, 10))
    batches = [(torch.rand(12, 1, 6, 6), torch.randint(10, (12,))) for _ in range(2)]
    torch.random.set_rng_state(torch_state)

    events = []
    theirs = copy.deepcopy(net)
    theirs[-1].bias.register_hook(lambda grad: events.append("backward"))
    optimizer = _LoggedSGD(theirs.parameters(), 0.5, events)
    answers, first = [], []
    for X, y in batches:
        answers.append(training_step(theirs, X, y, optimizer))
        if answers[-1] is ...:
            return NOT_YET
        if not first:
            first = list(events)
            # PyTorch would stop the second call with an error that says less.
            if "step" in first and "backward" in first[first.index("step") :]:
                return wrong(
                    "You step before backward(): the step has only old gradients, or none. First backward, then step.",
                )

    right, losses = _two_steps(net, batches)
    if not _same_weights(theirs, right) or "step" not in events:
        return wrong(_what_went_wrong(theirs, net, batches, events, first))
    numbers = [_number(answer) for answer in answers]
    if None in numbers:
        return wrong("The weights move as they should; now return the loss, a single number.")
    if not torch.allclose(torch.tensor(numbers), torch.tensor(losses), rtol=1e-3):
        return wrong(
            f"The weights move as they should, but you return {numbers[0]:.3f}, expected {losses[0]:.3f}: "
            "return the mean loss of this batch, computed before the step.",
        )
    return Verdict(True, "Right: zero_grad, forward, loss, backward, step. All training in this course is this.")


def _what_went_wrong(theirs, net, batches, events, first):
    if "backward" not in events:
        return "The weights do not move: you never call loss.backward(), so no parameter has a gradient."
    if "step" not in events and not _same_weights(theirs, net):
        return "The weights move, but not by the optimizer that your function is given: call its step()."
    if "step" not in events:
        return "The gradients are there, but the weights do not move: you never call optimizer.step()."
    if " ".join(first).find("backward zero_grad step") >= 0:
        return "You call zero_grad() between backward() and step(): the gradients are gone before they are used."
    if _same_weights(theirs, _two_steps(net, batches, zero_grad=False)[0]):
        return "The second step is too long: its gradients were added to the first ones. Call optimizer.zero_grad()."
    if _same_weights(theirs, _two_steps(net, batches, softmax=True)[0]):
        return "You use softmax twice: F.cross_entropy contains one already. Give it the scores net(X) as they are."
    if _same_weights(theirs, _two_steps(net, batches, reduction="sum")[0]):
        return "The step is 12 times too long: take the mean of the losses in the batch, not their sum."
    return "The weights move, but not as expected: use F.cross_entropy(net(X), y), and call step() once."


def _two_steps(net, batches, zero_grad=True, softmax=False, reduction="mean"):
    """A copy of `net` after one step on each batch, right or with one mistake, and the losses."""
    net, losses = copy.deepcopy(net), []
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
    for X, y in batches:
        if zero_grad:
            optimizer.zero_grad()
        scores = net(X).softmax(dim=1) if softmax else net(X)
        loss = F.cross_entropy(scores, y, reduction=reduction)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return net, losses


class _LoggedSGD(torch.optim.SGD):
    """SGD that notes in `events` what is called."""

    def __init__(self, params, lr, events):
        super().__init__(params, lr=lr)
        self.events = events

    def zero_grad(self, *args, **kwargs):
        """Note it, then do it."""
        self.events.append("zero_grad")
        super().zero_grad(*args, **kwargs)

    def step(self, *args, **kwargs):
        """Note it, then do it."""
        self.events.append("step")
        return super().step(*args, **kwargs)


@checked
def check_evaluate(measure):
    """Exercise 4.3; measure(net, data_iter): the share of right answers, 0 to 1."""
    generator = torch.Generator().manual_seed(42)
    batches, num_right = [], [6, 4, 0]
    for size, right in zip([8, 8, 3], num_right, strict=True):
        y = torch.randint(10, (size,), generator=generator)
        scores = F.one_hot((y + (torch.arange(size) >= right)) % 10, 10).float()
        batches.append((scores.reshape(size, 1, 2, 5), y))

    probe = _Probe()
    probe.train()
    answer = measure(probe, batches)
    if answer is ...:
        return NOT_YET
    answer, right = _number(answer), 10 / 19
    if answer is None:
        return wrong("Return one number: the share of right answers, 0 to 1.")
    if any(probe.saw_training):
        return wrong("The network was in training mode while you measured: call net.eval() first.")
    by_mistake = {
        10 / 3: "you divide by the number of batches, expected: by the number of examples.",
        (6 / 8 + 4 / 8) / 3: "you average over the batches, so the last, smaller one counts too much: add up the "
        "right answers and the examples, and divide once.",
        10 / 16: "the last, smaller batch is missing.",
        6 / 8: "that is the first batch alone: move return out of the loop.",
        0: "that is the last batch alone: set both sums to 0 before the loop, not in it.",
        10: "that is the number of right answers: divide it by the number of examples.",
        100 * right: "that is in percent: a share lies between 0 and 1.",
        9 / 19: "those are the wrong answers.",
    }
    if not math.isclose(answer, right, rel_tol=1e-4):
        why = next((text for value, text in by_mistake.items() if math.isclose(answer, value, rel_tol=1e-4)), None)
        why = why or "count where y_hat.argmax(dim=1) equals y, over all batches, then divide by the examples."
        return wrong(f"10 of 19 answers are right, that is {right:.4f}; you return {answer:.4f}: {why}")
    if any(probe.saw_gradients):
        return wrong("The number is right, but a graph was kept for each batch: use with torch.no_grad().")
    return Verdict(True, "Right: evaluation mode, no graph, and each example counts once.")


class _Probe(nn.Module):
    """A network whose scores are its input, and which notes in which mode it was asked."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.saw_training, self.saw_gradients = [], []

    def forward(self, X):
        """(batch, 1, 2, 5) to (batch, 10)."""
        self.saw_training.append(self.training)
        self.saw_gradients.append(torch.is_grad_enabled())
        return X.flatten(1) * self.scale


@checked
def check_repaired_epoch(epoch):
    """Exercise 4.4; epoch(net, train_iter, lr): one epoch of training; returns the share of right answers in it."""
    if epoch is ...:
        return NOT_YET
    if not callable(epoch):
        return wrong("Hand over the mended function itself, by its name, without calling it.")
    generator = torch.Generator().manual_seed(43)
    net = nn.Sequential(nn.Flatten(), nn.Linear(36, 10))
    with torch.no_grad():
        net[1].weight.copy_(torch.randn(10, 36, generator=generator) / 6)
        net[1].bias.zero_()
    sizes, batches = [12, 12, 5], []
    for size in sizes:
        X = torch.rand(size, 1, 6, 6, generator=generator)
        y = net(X).argmax(dim=1)  # this network is right about most of them
        y[::3] = torch.randint(10, y[::3].shape, generator=generator)
        batches.append((X, y))

    right, added, first = (copy.deepcopy(net) for _ in range(3))
    num_right = _epoch(right, batches, zero_grad=True)
    _epoch(added, batches, zero_grad=False)
    _epoch(first, batches[:1], zero_grad=True)
    theirs = copy.deepcopy(net)
    answer = epoch(theirs, batches, 0.5)
    if _same_weights(theirs, net):
        return wrong("The weights do not move at all. What is in the gradients at the moment of optimizer.step()?")
    if _same_weights(theirs, added):
        return wrong("Now gradients of all steps add up: keep zero_grad(), but call it before backward().")
    if _same_weights(theirs, first):
        return wrong("Only the first batch moves the weights: move return out of the loop.")
    if not _same_weights(theirs, right):
        return wrong("The weights move, but not by lr times the gradient of each batch's mean loss.")
    answer = _number(answer)
    share = num_right / sum(sizes)
    if answer is None:
        return wrong("The weights move as they should; the function has to return the accuracy too.")
    if math.isclose(answer, share, rel_tol=1e-4):
        return Verdict(True, "Right: both bugs are gone.")
    said = (
        f"The weights move as they should. {num_right} of {sum(sizes)} answers were right, but you return {answer:.3f}"
    )
    if math.isclose(answer, num_right / len(sizes), rel_tol=1e-4):
        return wrong(f"{said}: that is divided by the number of batches.")
    if math.isclose(answer, num_right / (len(sizes) * sizes[0]), rel_tol=1e-4):
        return wrong(f"{said}: the last batch is smaller than the others. Count the examples as they come.")
    return wrong(f"{said}: divide the right answers by the number of examples seen.")


def _epoch(net, batches, zero_grad, lr=0.5):
    optimizer, num_right = torch.optim.SGD(net.parameters(), lr=lr), 0
    for X, y in batches:
        y_hat = net(X)
        if zero_grad:
            optimizer.zero_grad()
        F.cross_entropy(y_hat, y).backward()
        optimizer.step()
        num_right += int((y_hat.argmax(dim=1) == y).sum())
    return num_right


@checked
def check_challenge(nets, images, labels, target=0.8, max_parameters=45_000):
    """Exercise 4.5; nets: a list of three networks or more, trained in the same way from different seeds.

    images, labels: the validation images, bytes, on which their mean accuracy must reach `target`.
    """
    if nets is ... or (isinstance(nets, (list, tuple)) and any(net is ... for net in nets)):
        return NOT_YET
    nets = [nets] if isinstance(nets, nn.Module) else nets
    others = [type(net).__name__ for net in nets if not isinstance(net, nn.Module)] if isinstance(nets, list) else None
    if others is None or others:
        what = f"a {others[0]} is in the list" if others else f"this is a {type(nets).__name__}"
        return wrong(f"Hand over a list of trained networks; {what}. Does your function return the network?")
    if len(nets) < 3:
        return wrong(f"Hand over three networks from three seeds, not {len(nets)}: one may have been lucky.")
    for i, net in enumerate(nets):
        trouble = _what_is_wrong_with(net, max_parameters)
        if trouble:
            return wrong(f"Network {i}: {trouble}")
    if any(_same_weights(net, nets[0]) for net in nets[1:]):
        return wrong("Two networks have the same weights: call torch.manual_seed(seed) before the weights are drawn.")
    accs = [_accuracy(net, images, labels) for net in nets]
    mean, spread = sum(accs) / len(accs), max(accs) - min(accs)
    said = f"Validation accuracies {', '.join(f'{acc:.3f}' for acc in accs)}, mean {mean:.3f}"
    if min(accs) < 0.2:
        return wrong(
            f"{said}: about 0.1 is guessing. Was that network trained at all (somebody must iterate over train(...))? "
            "Or is it still on the plateau: another activation, another learning rate?",
        )
    if mean < target:
        return wrong(
            f"{said}, the goal is {target}. Try more epochs, smaller batches (more steps), another learning rate, "
            "ReLU and max-pooling, or Adam.",
        )
    return Verdict(True, f"{said}. Chance alone moves it by {spread:.3f}: a change that gains less has shown nothing.")


def _what_is_wrong_with(net, max_parameters):
    """Why a network does not fit the task, in words, or None."""
    parameters = num_parameters(net)
    if parameters > max_parameters:
        return (
            f"{parameters:,} parameters, allowed are {max_parameters:,}. Most are in the first dense layer: make it "
            "narrower, or its input smaller (no padding, fewer channels)."
        )
    if any(not torch.isfinite(parameter).all() for parameter in net.parameters()):
        return "some weights are not numbers any more: the learning rate was too high."
    return None


def _accuracy(net, images, labels):
    device = next(net.parameters()).device
    return evaluate_accuracy(net, Batches(images, labels, 256, device=device))


def _same_weights(net, other):
    """Whether two networks have parameters of the same shapes and values."""
    ours, theirs = list(net.parameters()), list(other.parameters())
    return [a.shape for a in ours] == [b.shape for b in theirs] and all(
        torch.allclose(a, b.to(a.device), rtol=1e-4, atol=1e-6) for a, b in zip(ours, theirs, strict=True)
    )


def _number(answer):
    """A Python float from a number or a tensor of one element; None from anything else."""
    if torch.is_tensor(answer):
        return float(answer.detach()) if answer.numel() == 1 else None
    return float(answer) if isinstance(answer, numbers.Real) else None
