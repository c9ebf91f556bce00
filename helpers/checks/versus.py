"""Checks of chapter 5's exercises."""

import torch
from torch import nn
from torch.nn import functional as F

from helpers.checks.verdict import NOT_YET, Verdict, wrong


def _unfit(answer, shape, what):
    """A Verdict in words where `answer` is not a tensor of `shape`, else None."""
    if not torch.is_tensor(answer):
        return wrong(f"Return {what} as a tensor; you returned a {type(answer).__name__}.")
    if tuple(answer.shape) != tuple(shape):
        return wrong(f"The shape is {tuple(answer.shape)}, expected {tuple(shape)} for {what}.")
    return None


def check_hidden_width(hidden_width):
    """Exercise 5.1: the width of an MLP's only hidden layer that comes closest to a number of parameters."""
    for parameters, inputs, outputs in [(100, 3, 2), (61_706, 784, 10), (100_000, 3072, 20)]:
        width = hidden_width(parameters, inputs, outputs)
        if width is ...:
            return NOT_YET
        asked = f"hidden_width({parameters:,}, {inputs:,}, {outputs})"
        right = round((parameters - outputs) / (inputs + 1 + outputs))
        if isinstance(width, bool) or not isinstance(width, (int, float)):
            return wrong(f"Return a whole number; {asked} gave a {type(width).__name__}.")
        if not isinstance(width, int):
            return wrong(f"{asked} gave {width:.2f}. There is no part of a unit: use round(...).")
        if width == right:
            continue
        mistakes = {
            round(parameters / (inputs + outputs)): "you counted no biases: one for each unit and each output",
            round(parameters / inputs): "you counted the first weights only: add biases and the second layer",
            round(parameters / (inputs + 1)): "you left out the second layer: each unit has a weight to each output",
            round(parameters / (inputs + 1 + outputs)): "you left out the biases of the outputs: subtract them first",
            (parameters - outputs) // (inputs + 1 + outputs): "you rounded down, but one unit more comes closer",
        }
        reason = mistakes.get(width, "solve inputs·h + h + outputs·h + outputs = parameters for h")
        return wrong(f"{asked} gave {width}, expected {right}: {reason}.")
    return Verdict(True, "Right for three networks: weights and biases of both layers counted, rounded to the nearest.")


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
        return wrong(f"{asked}: {reason}.")
    return Verdict(True, "Right, to both sides and by 0: the shape stays, zeros move in, nothing wraps round.")


def _shifted(images, dx):
    """The right answer of exercise 5.2."""
    width = images.shape[-1]
    moved = F.pad(images, (max(dx, 0), max(-dx, 0)))
    start = max(-dx, 0)
    return moved[..., start : start + width]


def check_class_accuracy(class_accuracy):
    """Exercise 5.3: the share of each true class that was recognised, from a confusion matrix."""
    counts = torch.randint(1, 30, (6, 6), generator=torch.Generator().manual_seed(6)) + 40 * torch.eye(6).long()
    try:
        answer = class_accuracy(counts.clone())
    except IndexError as error:
        if "with size 6" not in str(error):
            raise
        return wrong(f"The number of classes is counts.shape[0], here 6. Yours ended in: {error}")
    if answer is ...:
        return NOT_YET
    if isinstance(answer, (int, float)) or (torch.is_tensor(answer) and answer.ndim == 0):
        return wrong(f"You returned one number, {float(answer):.3f}: do not sum over classes, one share each is asked.")
    unfit = _unfit(answer, (6,), "one share for each of 6 classes")
    if unfit is not None:
        return unfit
    answer, hits = answer.float(), counts.diag()
    right = hits / counts.sum(dim=1)
    if torch.allclose(answer, right, atol=1e-5):
        return Verdict(True, "Right: each class's hits over the sum of its row, the images that are of this class.")
    if torch.allclose(answer, hits / counts.sum(dim=0), atol=1e-5):
        reason = (
            "you divided by the column, the images called this class: that is precision. "
            "Divide by the row: counts.sum(dim=1)"
        )
    elif torch.allclose(answer, hits / counts.sum(), atol=1e-5):
        reason = "you divided by all images: divide each class's hits by the images of that class only"
    elif torch.allclose(answer, hits.float()):
        reason = "these are counts, not shares: divide by the images of each class"
    elif torch.allclose(answer, 1 - right, atol=1e-5):
        reason = "this is the share of mistakes: the right answers are on the diagonal"
    elif torch.allclose(answer, 100 * right, atol=1e-3):
        reason = "these are per cent: give shares from 0 to 1"
    else:
        reason = f"class 0 has {int(hits[0])} right answers of {int(counts[0].sum())} images"
    return wrong(f"Your class 0 has {float(answer[0]):.3f}, expected {float(right[0]):.3f}: {reason}.")


def check_permute_weights(permute_weights):
    """Exercise 5.4: the weights that give an MLP the same output on images with permuted pixels."""
    generator = torch.Generator().manual_seed(7)
    x = torch.rand(5, 12, generator=generator)
    weight = torch.randn(4, 12, generator=generator)
    permutation = torch.randperm(12, generator=generator)
    given = weight.clone()
    try:
        answer = permute_weights(given, permutation.clone())
    except IndexError as error:
        if "dimension 0 with size 4" not in str(error):
            raise
        return wrong(f"Permute the columns, not the rows, which belong to the hidden units. Yours ended in: {error}")
    if answer is ...:
        return NOT_YET
    unfit = _unfit(answer, weight.shape, "the new weight matrix")
    if unfit is not None:
        return unfit
    if not torch.equal(given, weight):
        return wrong("Your function changed the weights that it was given: return a new matrix.")
    difference = float((x[:, permutation] @ answer.T - x @ weight.T).abs().max())
    if difference < 1e-4:
        return Verdict(
            True, "Right: the same output on shuffled pixels, with nothing trained. Order means nothing here."
        )
    if torch.allclose(answer, weight):
        reason = "the weights are unchanged, but each pixel has a new place: its weights must go there with it"
    elif torch.allclose(answer, weight[:, permutation.argsort()]):
        reason = (
            "you used the inverse permutation. Column j meets pixel permutation[j], so it must be "
            "weight[:, permutation[j]]"
        )
    else:
        reason = "permute the columns, one for each pixel; the rows belong to the hidden units and stay"
    return wrong(f"On shuffled images the outputs differ by up to {difference:.2f}: {reason}.")


def check_freeze_features(freeze_features):
    """Exercise 5.5: convolutions frozen, dense layers left to train."""
    for depth in (1, 2):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(8)
            net = _small_lenet(depth)
        answer = freeze_features(net)
        if answer is ...:
            return NOT_YET
        if not isinstance(answer, nn.Module):
            return wrong(f"Return the network; you returned a {type(answer).__name__}. Is there a `return net`?")
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
