"""Two trained LeNets that come with the course: one reads digits, the other clothes. `make weights` makes them."""

import hashlib
import io
import math
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from helpers.data import Batches, fashion_mnist, mnist, train_validation_split
from helpers.models import lenet, xavier
from helpers.training import evaluate_accuracy, one_cycle, save_weights, train

FOLDER = Path(__file__).resolve().parent / "weights"
LOAD = {"digits": mnist, "clothes": fashion_mnist}
SHA256 = {
    "digits": "8a1844da9b316ca1d8b4d55fa50b29edaaa32033d305b5f690cc95f6ee96f2ba",
    "clothes": "740bef14d66a21f9e45695802dfa60e43638e50ce2c9add759a80e6589e57513",
}


def pretrained(name):
    """The trained LeNet for "digits" or "clothes": an `nn.Sequential` on the CPU, in evaluation mode.

    It takes (batch, 1, 28, 28) floats from 0 to 1. Raises ValueError for another name or if the file is not the
    course's own, and OSError if it cannot be read.
    """
    if name not in SHA256:
        raise ValueError(f"there is no trained network {name!r}: choose from {', '.join(SHA256)}")
    path = FOLDER / f"{name}.pt"
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        raise ValueError(
            f"{path} is damaged (its SHA-256 is not the right one): get the course anew, or run `make weights`"
        )
    net = untrained()
    net.load_state_dict(torch.load(io.BytesIO(content), map_location="cpu", weights_only=True))
    return net.eval()


def untrained():
    """The network before training: the textbook's LeNet with ReLU and max-pooling, 61,706 parameters."""
    return xavier(lenet(activation=nn.ReLU, pooling=nn.MaxPool2d))


def photographed(X):
    """Each image of a batch as a hand-held camera might see it: a little turned, moved, larger or smaller, darker.

    X: (batch, 1, height, width) bytes; returns floats from 0 to 1.
    """
    angle, scale, light = (
        torch.empty(len(X)).uniform_(low, high) for low, high in ((-math.pi / 15, math.pi / 15), (0.9, 1.2), (0.6, 1))
    )
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], dim=1).reshape(-1, 2, 2)
    move = torch.empty(len(X), 2, 1).uniform_(-0.1, 0.1)  # of half the width: at most 1.4 pixels
    grid = F.affine_grid(torch.cat([turn * scale[:, None, None], move], dim=2), X.shape, align_corners=False)
    return F.grid_sample(X / 255, grid, align_corners=False) * light[:, None, None, None]


def main(num_epochs=30):
    """Train both networks on the whole training sets, without a look at a test image, and write their weights."""
    for name, load in LOAD.items():
        torch.manual_seed(0)
        data, net = load("full"), untrained()
        images, labels, val_images, val_labels = train_validation_split(data.train_images, data.train_labels, 5000)
        train_iter = Batches(images, labels, 256, shuffle=True, seed=0, change=photographed)
        steps = train(net, train_iter, num_epochs, 4e-3, optimizer=torch.optim.AdamW, schedule=one_cycle, device="cpu")
        for progress in steps:
            print(f"{name}: {progress}", flush=True)
        val_acc = evaluate_accuracy(net, Batches(val_images, val_labels, 1000))
        FOLDER.mkdir(exist_ok=True)
        save_weights(net.to(memory_format=torch.contiguous_format), FOLDER / f"{name}.pt", overwrite=True)
        sha256 = hashlib.sha256((FOLDER / f"{name}.pt").read_bytes()).hexdigest()
        print(f'{name}: validation accuracy {val_acc:.4f}; put this into SHA256 above: "{name}": "{sha256}"')


if __name__ == "__main__":
    main()
