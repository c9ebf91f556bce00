"""Trains the two LeNets of `weights.pretrained`: `make weights`, some 10 minutes on 2 cores."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from helpers.data import Batches, fashion_mnist, mnist, train_validation_split
from helpers.models import lenet, xavier
from helpers.training import evaluate_accuracy, one_cycle, train
from helpers.weights import FOLDER, save_weights


def photographed(X):
    """Each image of a batch as a hand-held camera might see it: slightly turned, shifted, scaled and darkened.

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
    """Train both networks on the whole training sets, without any test image, and write their weights."""
    for name, load in {"digits": mnist, "clothes": fashion_mnist}.items():
        torch.manual_seed(0)
        data, net = load("full"), xavier(lenet(activation=nn.ReLU, pooling=nn.MaxPool2d))
        images, labels, val_images, val_labels = train_validation_split(data.train_images, data.train_labels, 5000)
        train_iter = Batches(images, labels, 256, shuffle=True, seed=0, change=photographed)
        steps = train(net, train_iter, num_epochs, 4e-3, optimizer=torch.optim.AdamW, schedule=one_cycle, device="cpu")
        for progress in steps:
            print(f"{name}: {progress}", flush=True)
        val_acc = evaluate_accuracy(net, Batches(val_images, val_labels, 1000))
        FOLDER.mkdir(exist_ok=True)
        save_weights(net, FOLDER / f"{name}.pt", overwrite=True)
        print(f"{name}: validation accuracy {val_acc:.4f}")


if __name__ == "__main__":
    main()
