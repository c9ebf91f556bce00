"""Checks of chapter 5's exercises."""

import torch
from torch import nn
from torch.nn import functional as F

from helpers.checks.old import NOT_YET, Verdict, checked, wrong
from helpers.data import Batches
from helpers.training import evaluate_accuracy


def _unfit(answer, shape, what):
    """A Verdict in words where `answer` is not a tensor of `shape`, else None."""
    if not torch.is_tensor(answer):
        return wrong(f"Return {what} as a tensor; you returned {_named(answer)}.")
    if tuple(answer.shape) != tuple(shape):
        return wrong(f"The shape is {tuple(answer.shape)}, expected {tuple(shape)} for {what}.")
    return None


def _named(answer):
    """What a student returned, in words."""
    return "nothing (None): a `return` is missing" if answer is None else f"a {type(answer).__name__}"


@checked
def check_choose_rates(choose_rates):
    """Exercise 5.1: for each network the learning rate with its own highest accuracy, {name: rate}."""
    for tried in (
        {"LeNet": {0.001: 0.77, 0.01: 0.85, 0.1: 0.11}, "MLP": {0.001: 0.61, 0.01: 0.80, 0.1: 0.83}},
        {"A": {0.3: 0.2, 0.1: 0.5, 0.03: 0.4}, "B": {0.3: 0.6, 0.1: 0.3, 0.03: 0.1}, "C": {0.3: 0.1, 0.03: 0.9}},
    ):
        answer = choose_rates({name: dict(accs) for name, accs in tried.items()})
        if answer is ...:
            return NOT_YET
        right = {name: max(accs, key=accs.get) for name, accs in tried.items()}
        first = next(iter(tried))
        if answer == dict.fromkeys(tried, right[first]):
            return Verdict(
                None, f"Not done yet: all get {right[first]}, which is best for {first} only. Change the marked line."
            )
        if not isinstance(answer, dict):
            return wrong(f"Return a dictionary {{name: rate}}; you returned {_named(answer)}.")
        if set(answer) != set(tried):
            return wrong(f"The names must be {', '.join(tried)}; yours are {', '.join(map(str, answer))}.")
        if answer == right:
            continue
        mistakes = [
            (lambda accs: max(accs.values()), "these are the best accuracies; asked are the rates that gave them"),
            (lambda accs: min(accs, key=accs.get), "these are the rates with the lowest accuracy"),
            (max, "these are the largest rates: `max(accs)` compares the keys. Compare by `key=accs.get`"),
            (min, "these are the smallest rates; compare the accuracies, by `key=accs.get`"),
        ]
        reasons = [words for wrongly, words in mistakes if answer == {n: wrongly(accs) for n, accs in tried.items()}]
        if len(set(answer.values())) == 1:
            reasons.append("all get the same rate again; take the maximum within tried[name]")
        reason = reasons[0] if reasons else "for each name, take the key of tried[name] with the highest value"
        return wrong(f"You gave {answer}, expected {right}: {reason}.")
    return Verdict(True, "Right: each network is shown at its best. Now the race compares networks, not rates.")


@checked
def check_shift_right(shift_right):
    """Exercise 5.2: images moved sideways by whole pixels, zeros moving in."""
    images = torch.randint(1, 256, (3, 1, 8, 10), dtype=torch.uint8, generator=torch.Generator().manual_seed(5))
    for dx in (3, -2, 0, 1):
        before = images.clone()
        try:
            answer = shift_right(before, dx)
        except RuntimeError as error:
            if dx >= 0:
                raise
            return wrong(f"shift_right(images, {dx}): negative dx moves to the left. Yours ended in: {error}")
        if answer is ...:
            return NOT_YET
        unfit = _unfit(answer, images.shape, "images moved sideways")
        if unfit is not None:
            return unfit
        if not torch.equal(before, images):
            return wrong("Your function changed the images that it was given: work on a copy.")
        answer, right = answer.float(), _shifted(images, dx).float()
        if torch.allclose(answer, right):
            continue
        asked, old = f"shift_right(images, {dx})", images.float()
        if torch.allclose(answer, old):
            reason = "the images have not moved"
            if dx < 0:
                reason += ": a negative dx moves them to the left"
        elif torch.allclose(answer, old.roll(dx, 3)):
            reason = (
                "it wraps round: what leaves on one side comes in on the other, as roll does. Set these columns to 0"
            )
        elif torch.allclose(answer, _shifted(images, -dx).float()):
            reason = "the wrong direction: a positive dx moves to the right, so column 0 appears at column dx"
        elif torch.allclose(answer, _shifted(images.mT, dx).mT.float()) or torch.allclose(answer, old.roll(dx, 2)):
            reason = "you moved them up or down: the last dimension holds the columns"
        else:
            reason = (
                f"{int((answer != right).sum())} of {right.numel()} pixels differ from a shift with zeros moving in"
            )
            if dx < 0:
                reason += "; negative dx moves to the left"
            elif dx == 0:
                reason += "; by 0 nothing moves. Mind the slices: [..., :-0] holds no column, and [..., 0:] holds all"
        return wrong(f"{asked}: {reason}.")
    return Verdict(True, "Right, to both sides and by 0: the shape stays, zeros move in, nothing wraps round.")


def _shifted(images, dx):
    """The right answer of exercise 5.2."""
    width = images.shape[-1]
    moved = F.pad(images, (max(dx, 0), max(-dx, 0)))
    start = max(-dx, 0)
    return moved[..., start : start + width]


@checked
def check_lead(lead):
    """Exercise 5.3: the lead of A over B on the same images, and how far chance alone moves it, both as shares."""
    for n, share_a, share_b in ((400, 0.85, 0.7), (250, 0.6, 0.8)):
        generator = torch.Generator().manual_seed(n)
        right_a = torch.rand(n, generator=generator) < share_a
        right_b = torch.rand(n, generator=generator) < share_b
        answer = lead(right_a.clone(), right_b.clone())
        if answer is ...:
            return NOT_YET
        if not isinstance(answer, (tuple, list)) or len(answer) != 2:
            return wrong(f"Return two numbers, `return lead, chance`; you returned {_named(answer)}.")
        if all(part is ... for part in answer):
            return NOT_YET
        numbers = [_number(part) for part in answer]
        if None in numbers:
            return wrong(
                "Return two plain numbers, `return lead, chance`: count what is True, by `.sum()`, before you divide; "
                f"you returned {' and '.join(map(_named, answer))}."
            )
        a, b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
        p_a, p_b = float(right_a.float().mean()), float(right_b.float().mean())
        leads = [
            (a - b, "that is a number of images: divide by all images for a share"),
            ((b - a) / n, "that is B's lead over A: exchange the two"),
            ((a - b) / (a + b), "divide by all images, not only by those on which they differ"),
            (p_a, "that is A's accuracy: subtract B's"),
        ]
        chances = [
            ((a + b) ** 0.5, "that is a number of images: divide by all images for a share"),
            (((a + b) / n) ** 0.5, "take the root of the count first, then divide by all images"),
            (
                ((p_a * (1 - p_a) + p_b * (1 - p_b)) / n) ** 0.5,
                "that is for two different sets of images; these networks answered the same ones",
            ),
            ((p_a * (1 - p_a) / n) ** 0.5, "that is the standard error of A alone"),
            (abs(a - b) ** 0.5 / n, "chance moves a and b each: add them"),
            ((a + b) / n, "take the root of a + b"),
        ]
        expected = (("lead", (a - b) / n, leads), ("chance", (a + b) ** 0.5 / n, chances))
        for number, (what, right, mistakes) in zip(numbers, expected, strict=True):
            if not _close(number, right):
                reasons = [words for value, words in mistakes if _close(number, value)]
                reason = reasons[0] if reasons else "count the images on which only one of the two is right"
                return wrong(
                    f"A alone is right on {a} of {n} images, B alone on {b}: {what} should be {right:.4f}, "
                    f"yours is {number:.4f}; {reason}."
                )
    return Verdict(True, "Right. Images on which both are right, or both wrong, say nothing about who is better.")


def _number(part):
    """A float from a number or a tensor of one element; None from anything else."""
    if torch.is_tensor(part) and part.numel() == 1:
        part = part.item()
    return float(part) if isinstance(part, (int, float)) and not isinstance(part, bool) else None


def _close(number, other):
    return abs(number - other) < 1e-5


@checked
def check_freeze_features(freeze_features):
    """Exercise 5.4: convolutions frozen, dense layers left to train."""
    for depth in (1, 2):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(8)
            net = _small_lenet(depth)
        answer = freeze_features(net)
        if answer is ...:
            return NOT_YET
        if not isinstance(answer, nn.Module):
            return wrong(f"Return the network, `return net`; you returned {_named(answer)}.")
        convolutions = [layer for layer in answer.modules() if isinstance(layer, nn.Conv2d)]
        dense = [layer for layer in answer.modules() if isinstance(layer, nn.Linear)]
        if (len(convolutions), len(dense)) != (depth, 2):
            return wrong("Return the whole network, with all its convolutions and dense layers.")
        loose = [layer for layer in convolutions if any(p.requires_grad for p in layer.parameters())]
        if not all(p.requires_grad for layer in dense for p in layer.parameters()):
            if len(loose) == depth:
                return wrong("You froze the dense half: it is the convolutions that must stay as they are.")
            return wrong("Dense layers are frozen, too: then they cannot learn. Freeze nn.Conv2d only.")
        if loose and any("requires_grad" in vars(layer) for layer in answer.modules()):
            return wrong(
                "layer.requires_grad = False only hangs a new attribute on the layer; its weights still train. "
                "Call layer.requires_grad_(False).",
            )
        if loose and not any(layer.weight.requires_grad for layer in loose):
            return wrong("The weights are frozen, but the biases still train: freeze all parameters of a layer.")
        if loose:
            return wrong(
                f"{len(loose)} of {depth} convolutions can still train: ask isinstance(layer, nn.Conv2d) of each.",
            )
        if not _dense_half_alone_moves(answer, convolutions, dense):
            return wrong("After a step of training the wrong half had moved: use requires_grad_(False) only.")
    return Verdict(True, "Right: after a step of training the convolutions are as before and the dense half has moved.")


def _small_lenet(depth):
    """One or two convolutions and two dense layers, for (batch, 1, 12, 12) images."""
    first = [nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2)]  # to 5×5
    second = [nn.Conv2d(2, 2, 3, padding=1), nn.ReLU()] if depth == 2 else []
    return nn.Sequential(*first, *second, nn.Flatten(), nn.Linear(50, 8), nn.ReLU(), nn.Linear(8, 3))


def _dense_half_alone_moves(net, convolutions, dense):
    """Take one step of gradient descent: do the last dense layer's weights change, and no convolution's?"""
    before = [layer.weight.detach().clone() for layer in convolutions]
    last = dense[-1].weight.detach().clone()
    generator = torch.Generator().manual_seed(9)
    loss = F.cross_entropy(net(torch.rand(6, 1, 12, 12, generator=generator)), torch.tensor([0, 1, 2, 0, 1, 2]))
    loss.backward()
    torch.optim.SGD(net.parameters(), lr=0.5).step()
    kept = all(torch.equal(layer.weight, old) for layer, old in zip(convolutions, before, strict=True))
    return kept and not torch.equal(dense[-1].weight, last)


@checked
def check_tolerant(net, images, labels, target=0.8):
    """Exercise 5.5: a network that still recognises images, (N, 1, height, width) bytes, moved by up to 3 pixels."""
    if net is ...:
        return NOT_YET
    if not isinstance(net, nn.Module):
        return wrong(f"Hand over the trained network, not what train(...) yields; this is a {type(net).__name__}.")
    device = next((parameter.device for parameter in net.parameters()), "cpu")
    left, upright, right = (
        evaluate_accuracy(net, Batches(_shifted(images, dx), labels, 500, device=device), device) for dx in (-3, 0, 3)
    )
    said = f"Validation accuracy {upright:.3f} upright, {left:.3f} three pixels left, {right:.3f} three pixels right"
    if min(left, upright, right) >= target:
        return Verdict(True, f"{said}: all at least {target}.")
    if upright < 0.3:
        reason = (
            "it has learnt nothing. Go through train(...) to its end, by list(...), and try a smaller learning rate"
        )
    elif upright < target and min(left, right) > upright - 0.1:
        reason = "it tolerates shifts, but it needs more training: more epochs, or another learning rate"
    elif abs(left - right) > 0.1:
        reason = "one side is far better than the other. Draw negative and positive shifts equally often"
    else:
        reason = (
            "shifted images are foreign to it. Train on shifted copies, up to 3 pixels to both sides: "
            "hand your function to the *training* batches, Batches(..., change=...)"
        )
    return wrong(f"{said}; the goal is {target} for each: {reason}.")
