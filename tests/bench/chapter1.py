"""Chapter 1's claims: data. A seed chooses other images, another split, or other answers of the models that guess."""

import functools
import os

import torch

from helpers import fashion_mnist, mnist, pretrained, train_validation_split

os.environ["LENET_LAB_OFFLINE"] = "1"


@functools.cache
def clothes():
    return fashion_mnist(part="sample")


def chosen(data, count, seed):
    """Images and labels of `count` places that the seed chooses."""
    places = torch.randperm(len(data.train_images), generator=torch.Generator().manual_seed(seed))[:count]
    return data.train_images[places], data.train_labels[places]


def split(seed):
    return train_validation_split(clothes().train_images, clothes().train_labels, 1_000, seed)


@torch.no_grad()
def fed(seed):
    """The accuracy of the trained LeNet on 1,000 digits, fed as it learnt them and in other ways."""
    images, labels = chosen(mnist(part="sample"), 1_000, seed)
    net, X = pretrained("digits"), images / 255
    ways = {"as ever": X, "on paper": 1 - X, "twice": X / 255, "bytes": images.float()}
    found = {name: (net(way).argmax(dim=1) == labels).float().mean().item() for name, way in ways.items()}
    return {**found, "sure": net(1 - X).softmax(dim=1).amax(dim=1).mean().item()}


def look_alikes(seed):
    """Of 5,000 images the three pairs of classes whose means are nearest, and how many are nearer than the shoes'."""
    images, labels = chosen(clothes(), 5_000, seed)
    means = torch.stack([(images[labels == label] / 255).mean(dim=0) for label in range(10)]).flatten(1)
    first, second = torch.combinations(torch.arange(10)).T
    distances = (means[first] - means[second]).norm(dim=1)
    nearest = distances.argsort()[:3]
    shoes = distances[(first == 7) & (second == 9)]
    return {"pairs": (10 * first + second)[nearest].tolist(), "nearer than the shoes": int((distances < shoes).sum())}


def memory(seed):
    """The accuracy of 5,000 memorised images, on some of them and on validation images; and that of "t-shirt"."""
    images, labels, val_images, val_labels = split(seed)
    memory = images[:5_000].flatten(1) / 255

    def accuracy(X, y):
        nearest = torch.cdist(X[:500].flatten(1) / 255, memory).argmin(dim=1)
        return (labels[nearest] == y[:500]).float().mean().item()

    return {
        "memorised": accuracy(images, labels),
        "validation": accuracy(val_images, val_labels),
        "t-shirt": (val_labels == 0).float().mean().item(),
    }


def winner(seed):
    """The best of 1,000 models that guess, on the 100 labels that chose it and on 900 others."""
    labels = split(0)[3]
    answers = torch.randint(10, (1_000, 1_000), generator=torch.Generator().manual_seed(1 + seed))
    right = (answers == labels).float()
    best = right[:, :100].mean(dim=1).argmax()
    return {"chosen": right[best, :100].mean().item(), "fresh": right[best, 100:].mean().item()}


def pixels(seed):
    """Mean and standard deviation of 5,000 training images, where normalised pixels end, and the share of black."""
    X = split(seed)[0][:5_000] / 255
    mean, std = X.mean().item(), X.std().item()
    return {
        "mean": mean,
        "std": std,
        "low": -mean / std,
        "high": (1 - mean) / std,
        "black": (X == 0).float().mean().item(),
    }


MEASURES = {
    "fed": fed,
    "look_alikes": look_alikes,
    "memory": memory,
    "winner": winner,
    "pixels": pixels,
}
ALIKE = {24, 26, 46}  # pullover – coat, pullover – shirt, coat – shirt
CLAIMS = [
    ("black on white, as on paper", "fed", lambda run: run["on paper"] < 0.3 and run["sure"] > 0.7),
    ("each image is black to the network", "fed", lambda run: run["twice"] < 0.15),
    ("they are read as well as ever", "fed", lambda run: abs(run["bytes"] - run["as ever"]) < 0.01),
    (
        "Pullover, coat and shirt share one outline",
        "look_alikes",
        lambda run: run["pairs"][0] == 24 and set(run["pairs"]) == ALIKE,
    ),
    ("makes a large difference: see the last bar", "look_alikes", lambda run: run["nearer than the shoes"] > 10),
    ("100% and 80%", "memory", lambda run: run["memorised"] > 0.995 and 0.75 < run["validation"] < 0.85),
    ('"always t-shirt" is right in about 10% of the cases', "memory", lambda run: 0.08 < run["t-shirt"] < 0.12),
    (
        "the winner had about 20%, and about 10% on the fresh labels",
        "winner",
        lambda run: 0.18 < run["chosen"] < 0.25 and 0.07 < run["fresh"] < 0.13,
    ),
    ("half of all pixels are black", "pixels", lambda run: 0.45 < run["black"] < 0.55),
    ("-0.8 to 2.0", "pixels", lambda run: round(run["low"], 1) == -0.8 and round(run["high"], 1) == 2.0),
]
