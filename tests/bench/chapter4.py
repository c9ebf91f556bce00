"""Chapter 4's claims: training. A seed gives other first weights and another order of the batches."""

import functools
import os

import torch
from torch import nn
from torch.nn import functional as F

from helpers import (
    Batches,
    confusion_counts,
    evaluate_accuracy,
    fashion_mnist,
    lenet,
    train,
    train_validation_split,
    xavier,
)

os.environ["LENET_LAB_OFFLINE"] = "1"
RELU = {"activation": nn.ReLU, "pooling": nn.MaxPool2d}


@functools.cache
def split():
    data = fashion_mnist(part="sample")
    return train_validation_split(data.train_images, data.train_labels, num_validation=1_000)


def new(seed, **how):
    torch.manual_seed(seed)
    return xavier(lenet(**how))


def batches(seed, batch_size=64, count=9_000):
    images, labels, _, _ = split()
    return Batches(images[:count], labels[:count], batch_size, shuffle=True, seed=seed)


def validation():
    return Batches(*split()[2:], 1_000)


@torch.no_grad()
def alive(net):
    """How many of the 84 units of the last hidden layer respond to any of the validation images."""
    return int((net[:-1](split()[2] / 255) > 0).any(dim=0).sum())


def rates(seed):
    """A hundred steps of 64 images with three learning rates: validation accuracy, and units that are alive."""
    found = {}
    for lr in (0.01, 0.1, 1.0):
        net = new(seed, **RELU)
        list(train(net, batches(seed, count=6_400), 1, lr, reports=1))
        found |= {f"accuracy {lr}": evaluate_accuracy(net, validation()), f"alive {lr}": alive(net)}
    return found


def undivided(seed):
    """The same hundred steps on pixels from 0 to 255, which no one has divided, and once on divided ones: accuracy."""
    found = {}
    for name, lr, factor in (("divided", 0.1, 1), ("0.1", 0.1, 255), ("0.01", 0.01, 255), ("0.001", 0.001, 255)):
        net = new(seed, **RELU)
        list(train(net, [(X * factor, y) for X, y in batches(seed, count=6_400)], 1, lr, reports=1))
        found[name] = evaluate_accuracy(net, [(X * factor, y) for X, y in validation()])
    return found


def second_epoch(seed):
    """The validation accuracy after each of two epochs with LeNet at 0.1."""
    history = list(train(new(seed, **RELU), batches(seed), 2, 0.1, validation(), reports=1))
    return {f"epoch {i}": progress.val_acc for i, progress in enumerate(history, start=1)}


def learnt(net, X, y, lr, steps, change=lambda scores: scores):
    """The losses of one batch that is learnt by heart; change: what happens to the scores before the loss."""
    optimizer, losses = torch.optim.SGD(net.parameters(), lr=lr), []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(change(net(X)), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def by_heart(seed):
    """A batch of 32 learnt by heart: as it should be, with a sigmoid before the loss, and by the textbook's LeNet."""
    X, y = next(iter(batches(seed, 32)))
    right = learnt(new(seed, **RELU), X, y, 0.1, 150)
    squeezed = learnt(new(seed, **RELU), X, y, 0.1, 150, torch.sigmoid)
    slow = learnt(new(seed), X, y, 0.9, 300)
    ends = next((i for i, loss in enumerate(slow) if loss < 1.9), len(slow))
    return {"right": right[-1], "sigmoid": squeezed[-1], "plateau ends": ends, "plateau": slow[50:140:10]}


def gradients(seed):
    """How many times smaller sigmoids and average-pooling make the first layer's gradient; the last's over the first's.

    The textbook's LeNet has both, ours neither.
    """
    X, y = next(iter(batches(seed, 256)))
    norms = {}
    for name, how in (
        ("textbook's", {}),
        ("average-pooling", {"activation": nn.ReLU}),
        ("sigmoids", {"pooling": nn.MaxPool2d}),
        ("ours", RELU),
    ):
        net = new(seed, **how)
        F.cross_entropy(net(X), y).backward()
        norms[name] = [layer.weight.grad.norm().item() for layer in net if hasattr(layer, "weight")]
    return {
        "smaller by sigmoids": norms["ours"][0] / norms["sigmoids"][0],
        "smaller by average-pooling": norms["ours"][0] / norms["average-pooling"][0],
        "textbook's shrinks": norms["textbook's"][-1] / norms["textbook's"][0],
        "ours shrinks": norms["ours"][-1] / norms["ours"][0],
    }


def flat_losses(seed):
    """Three losses that stay near ln 10: the first layer's gradient in the last step, and that of a new network.

    Dead ReLUs come from a hundred steps of 64 images; their loss is that of the validation images. The other networks
    learn one batch by heart, in few steps.
    """
    dead = new(seed, **RELU)
    list(train(dead, batches(seed, count=6_400), 1, 1.0, reports=1))
    with torch.no_grad():
        losses = [F.cross_entropy(dead(split()[2] / 255), split()[3]).item()]
    found = {"dead": dead[0].weight.grad.norm().item(), "dead, units": alive(dead)}
    X, y = next(iter(batches(seed, 32)))
    for name, lr, steps, how in (("new", 0, 1, RELU), ("too small", 0.001, 50, RELU), ("plateau", 0.9, 100, {})):
        net = new(seed, **how)
        losses.append(learnt(net, X, y, lr, steps)[-1])
        found |= {name: net[0].weight.grad.norm().item(), f"{name}, units": alive(net)}
    return found | {"loss": losses}


def lab(seed):
    """Two epochs of the training lab with four board lines; with the first one's network also the hardest class."""
    found = {}
    for name in ("kernel 5", "kernel 1", "batch 16", "batch 256"):
        net = new(seed, **RELU, **({"kernel_size": 1, "padding": 0} if name == "kernel 1" else {}))
        size = int(name.split()[1]) if "batch" in name else 64
        list(train(net, batches(seed, size), 2, 0.1, reports=1))
        found[name] = evaluate_accuracy(net, validation())
        if name == "kernel 5":
            with torch.no_grad():
                counts = confusion_counts(net(split()[2] / 255), split()[3])
            found["hardest"] = int((counts.diagonal() / counts.sum(dim=1)).argmin())
    return found


MEASURES = {
    "rates": rates,
    "undivided": undivided,
    "second_epoch": second_epoch,
    "by_heart": by_heart,
    "gradients": gradients,
    "flat_losses": flat_losses,
    "lab": lab,
}
CLAIMS = [
    (
        "the best of the three was always 0.1",
        "rates",
        lambda run: run["accuracy 0.1"] > max(run["accuracy 0.01"], run["accuracy 1.0"]),
    ),
    (
        "and the worst always 1.0",
        "rates",
        lambda run: run["accuracy 1.0"] < min(run["accuracy 0.01"], run["accuracy 0.1"]),
    ),
    (
        "0.63 to 0.73 after one epoch and 0.76 to 0.79 after two",
        "second_epoch",
        lambda run: 0.63 <= run["epoch 1"] <= 0.73 and 0.76 <= run["epoch 2"] <= 0.79,
    ),
    ("With five seeds, all five networks guessed", "undivided", lambda run: run["0.1"] < 0.15),
    (
        "the best of 0.1, 0.01 and 0.001 reached 0.43 to 0.66 in these 100 steps, against 0.63 to 0.72",
        "undivided",
        lambda run: 0.43 <= max(run["0.1"], run["0.01"], run["0.001"]) <= 0.66 and 0.63 <= run["divided"] <= 0.72,
    ),
    (
        "and was behind with every seed",
        "undivided",
        lambda run: max(run["0.1"], run["0.01"], run["0.001"]) < run["divided"],
    ),
    ("fewer than 10 units were left each time", "rates", lambda run: run["alive 1.0"] < 10 < 60 < run["alive 0.1"]),
    (
        "batches of 16 reached 0.81 to 0.84 in two epochs, and batches of 256 only 0.43 to 0.69",
        "lab",
        lambda run: 0.81 <= run["batch 16"] <= 0.84 and 0.43 <= run["batch 256"] <= 0.69,
    ),
    (
        "Kernel 5 reached 0.76 to 0.79, and kernel 1, which sees no neighbours, 0.60 to 0.71",
        "lab",
        lambda run: 0.76 <= run["kernel 5"] <= 0.79 and 0.60 <= run["kernel 1"] <= 0.71,
    ),
    ("It is not smooth, but it gets there", "by_heart", lambda run: run["right"] < 0.2),
    ("can never go below", "by_heart", lambda run: 1.46 < run["sigmoid"] < 2),
    ("this plateau lasted for 150 to 210 steps", "by_heart", lambda run: 150 <= run["plateau ends"] <= 210),
    ("it stays for a long time, then falls", "by_heart", lambda run: min(run["plateau"]) > 2),
    (
        "42 to 117 times, and 1.0 to 2.1",
        "gradients",
        lambda run: (
            42 <= round(run["smaller by sigmoids"]) <= 117 and 1.0 <= round(run["smaller by average-pooling"], 1) <= 2.1
        ),
    ),
    (
        "the gradient was 350 to 740 times smaller at the first layer than at the last, in ours no smaller",
        "gradients",
        lambda run: 350 <= run["textbook's shrinks"] <= 740 and run["ours shrinks"] < 1.05,
    ),
    ("So its early layers hardly move at first", "gradients", lambda run: run["textbook's shrinks"] > 100),
    ("A loss can stay near ln 10", "flat_losses", lambda run: all(2.05 < loss < 2.4 for loss in run["loss"])),
    (
        "0 to 0.001, and almost no unit responds",
        "flat_losses",
        lambda run: 0 <= run["dead"] <= 0.001 and run["dead, units"] < 10,
    ),
    (
        "0.003 to 0.010, and sigmoids always respond",
        "flat_losses",
        lambda run: 0.003 <= run["plateau"] <= 0.010 and run["plateau, units"] == 84,
    ),
    (
        "0.09 to 0.35, not much less than in a new network (0.11 to 0.50)",
        "flat_losses",
        lambda run: (
            0.09 <= run["too small"] <= 0.35 and 0.11 <= run["new"] <= 0.50 and run["too small"] > 0.6 * run["new"]
        ),
    ),
    ("LeNet alone reached 0.76 to 0.79", "second_epoch", lambda run: 0.76 <= run["epoch 2"] <= 0.79),
]
