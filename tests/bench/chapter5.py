"""Chapter 5's claims: LeNet against an MLP. A seed gives other first weights and another order of the batches."""

import functools
import os

import torch
from torch import nn
from torchvision.transforms import InterpolationMode
from torchvision.transforms.functional import affine

from helpers import Batches, evaluate_accuracy, fashion_mnist, lenet, mlp, mnist, train, train_validation_split, xavier

os.environ["LENET_LAB_OFFLINE"] = "1"
RATES = [0.001, 0.003, 0.01, 0.03, 0.1]
SHIFTS = [1, 2, 3, 4, 6, 8]
SIZES = [300, 1_000, 3_000, 9_000]
NAMES = ("LeNet", "MLP")


@functools.cache
def split():
    data = fashion_mnist(part="sample")
    return train_validation_split(data.train_images, data.train_labels, num_validation=1_000)


def new(name, seed):
    torch.manual_seed(seed)
    if name == "MLP":
        return xavier(mlp(hidden=(78,), activation=nn.ReLU))
    return xavier(lenet(activation=nn.ReLU, pooling=nn.MaxPool2d))


def fit(net, lr, seed, num_epochs=6, images=None, labels=None):
    """The trained `net`; images, labels: the chapter's 9,000 unless others are given."""
    X_train, y_train, _, _ = split()
    batches = Batches(
        X_train if images is None else images, y_train if labels is None else labels, 128, shuffle=True, seed=seed
    )
    for _ in train(net, batches, num_epochs, lr, None, "cpu", torch.optim.Adam, reports=1):
        pass
    return net


def score(net, images=None, labels=None):
    """Accuracy on validation images, unless others are given."""
    _, _, X_val, y_val = split()
    return evaluate_accuracy(
        net, Batches(X_val if images is None else images, y_val if labels is None else labels, 1_000)
    )


def moved(images, shift=0, angle=0, scale=1.0):
    return affine(images, angle, [shift, 0], scale, [0, 0], InterpolationMode.BILINEAR)


def tried(seed):
    """Two epochs with each rate; and how many of the MLP's units answer no image after six with two of the rates."""
    found = {name: [score(fit(new(name, seed), lr, seed, 2)) for lr in RATES] for name in NAMES}
    for lr in (0.003, 0.01):
        net = fit(new("MLP", seed), lr, seed)
        found[f"MLP, six epochs, {lr}"] = score(net)
        with torch.no_grad():
            answers = net[:3](split()[2] / 255)
        found[f"dead units, {lr}"] = int((answers.amax(dim=0) <= 0).sum())
    return found


@functools.cache
def racers(seed):
    return {name: fit(new(name, seed), 0.003, seed) for name in NAMES}


def race(seed):
    """Both at their best rate: upright, and the same networks on moved images."""
    X_val, found = split()[2], {}
    for name, net in racers(seed).items():
        found[f"{name} upright"] = score(net)
        found[f"{name} shift"] = [score(net, moved(X_val, shift=by)) for by in SHIFTS]
        found[f"{name} shift left 2"] = score(net, moved(X_val, shift=-2))
        found[f"{name} angle"] = [score(net, moved(X_val, angle=by)) for by in (-20, -10, 10, 20, 40, 90)]
        found[f"{name} scale"] = [score(net, moved(X_val, scale=by)) for by in (0.5, 0.7, 0.8, 0.9, 1.1, 1.3)]
    data = fashion_mnist(part="sample")
    for name, net in racers(seed).items():
        found[f"{name} test"] = [
            score(net, moved(data.test_images, **how), data.test_labels)
            for how in ({}, {"shift": 2}, {"angle": 10}, {"scale": 0.8})
        ]
    right = {}
    for name, net in racers(seed).items():
        with torch.no_grad():
            right[name] = net(X_val / 255).argmax(dim=1) == split()[3]
    found["only LeNet"] = int((right["LeNet"] & ~right["MLP"]).sum())
    found["only MLP"] = int((right["MLP"] & ~right["LeNet"]).sum())
    return found


def shuffled_pixels(images):
    permutation = torch.randperm(784, generator=torch.Generator().manual_seed(0))
    return images.flatten(1)[:, permutation].reshape(images.shape)


def shuffled(seed):
    """The race with one new order of the pixels for all images."""
    X_train, _, X_val, _ = split()
    return {
        name: score(fit(new(name, seed), 0.003, seed, images=shuffled_pixels(X_train)), shuffled_pixels(X_val))
        for name in NAMES
    }


def head(features):
    """`features`, frozen, below a new dense half of LeNet."""
    features.requires_grad_(False)
    return nn.Sequential(features, xavier(nn.Sequential(*list(lenet(activation=nn.ReLU, pooling=nn.MaxPool2d))[7:])))


class Pixels(nn.Module):
    """400 pixels, chosen once."""

    def __init__(self):
        super().__init__()
        self.chosen = torch.randperm(784)[:400]

    def forward(self, X):
        return X.flatten(1)[:, self.chosen]


def frozen(seed):
    """A dense half on what stands below it, frozen: three epochs."""
    X_train, _, X_val, _ = split()

    def after(features, images=X_train, val=X_val):
        return score(fit(head(features), 0.003, seed, 3, images), val)

    found = {}
    found["random convolutions"] = after(new("LeNet", 100 + seed)[:7])
    found["random convolutions, shuffled"] = after(
        new("LeNet", 100 + seed)[:7], shuffled_pixels(X_train), shuffled_pixels(X_val)
    )
    torch.manual_seed(seed)
    found["400 pixels"] = after(Pixels())
    found["random dense layer"] = after(nn.Sequential(nn.Flatten(), xavier(nn.Linear(784, 400)), nn.ReLU()))
    found["trained convolutions"] = after(racers(seed)["LeNet"][:7])
    found["all trained"] = score(fit(new("LeNet", seed), 0.003, seed, 3))
    return found


def sizes(seed):
    """(training, validation) accuracy after some 200 steps on few images and on many."""
    X_train, y_train, _, _ = split()
    found = {}
    for name in NAMES:
        both = []
        for count in SIZES:
            images, labels = X_train[:count], y_train[:count]
            epochs = round(200 / -(-count // 128))
            net = fit(new(name, seed), 0.003, seed, epochs, images, labels)
            both.append((score(net, images, labels), score(net)))
        found[f"{name} seen"], found[f"{name} new"] = ([pair[i] for pair in both] for i in (0, 1))
    return found


def some(images, labels, classes, count, seed):
    """`count` images of each of `classes`, whose labels become 0, 1, 2..."""
    chosen = torch.cat(
        [(labels == c).nonzero()[:, 0][torch.randperm(int((labels == c).sum()))[:count]] for c in classes]
    )
    return images[chosen], torch.tensor([classes.index(int(label)) for label in labels[chosen]])


def transfer(seed):
    """Ten images of each of a task's classes, with features that another task has trained."""
    X_train, y_train, X_val, y_val = split()
    digits = mnist(part="sample")
    sources = {"clothes": racers(seed)["LeNet"][:7]}
    half, rest = [0, 2, 4, 6, 8], [1, 3, 5, 7, 9]
    images, labels = some(X_train, y_train, half, 9_000, seed)
    sources["half of the clothes"] = fit(new("LeNet", seed), 0.003, seed, 8, images, labels)[:7]
    images, labels = some(digits.train_images, digits.train_labels, half, 9_000, seed)
    sources["half of the digits"] = fit(new("LeNet", seed), 0.003, seed, 6, images, labels)[:7]
    tasks = {
        "digits from clothes": (digits.train_images[:8_000], digits.train_labels[:8_000], list(range(10)), "clothes"),
        "other digits": (digits.train_images[:8_000], digits.train_labels[:8_000], rest, "half of the digits"),
        "other clothes": (X_train, y_train, rest, "half of the clothes"),
    }
    held = {"other clothes": (X_val, y_val)}
    found = {}
    for task, (X, y, classes, source) in tasks.items():
        torch.manual_seed(seed)
        X_few, y_few = some(X, y, classes, 10, seed)
        X_new, y_new = held.get(task, (digits.train_images[8_000:], digits.train_labels[8_000:]))
        X_new, y_new = some(X_new, y_new, classes, 1_000, seed)
        for name, net in {
            "from scratch": new("LeNet", seed),
            "random": head(new("LeNet", 100 + seed)[:7]),
            "transferred": head(sources[source]),
            "MLP": new("MLP", seed),
        }.items():
            found[f"{task}, {name}"] = score(fit(net, 0.003, seed, 60, X_few, y_few), X_new, y_new)
    return found


MEASURES = {"race": race}
CLAIMS = [
    ("at 90 degrees even below 0.10", "race", lambda run: max(run["LeNet angle"][5], run["MLP angle"][5]) < 0.1),
]
