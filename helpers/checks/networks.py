"""Networks are judged by running them: what they compute counts, not the order in which their layers are defined."""

import copy

import torch
from torch import nn

from helpers.checks import answers
from helpers.checks.attempt import Attempt, Stopped
from helpers.training import measuring


def module(net):
    """`net` itself; raises Stopped with words if it is no network."""
    if isinstance(net, type) and issubclass(net, nn.Module):
        raise Stopped(f"{net.__name__} is the class of a network: make one, with brackets, {net.__name__}()")
    if not isinstance(net, nn.Module):
        raise Stopped(f"a network is asked for, an nn.Module; this is {answers.kind(net)}")
    return net


def scores(net, X, classes=10):
    """The scores, (N, classes), that a copy of `net` gives for X, (N, channels, height, width), in evaluation.

    Raises Stopped, in words, if the network stops, gives something else, numbers that are not finite, other numbers in
    a second run, or other numbers for an image alone than among others.
    """
    net = copy.deepcopy(module(net))
    weight = next(net.parameters(), X)
    X = X.to(weight.device, weight.dtype)

    def run(X):
        with measuring(net):
            return answers.tensor(Attempt(net)(X))

    y_hat = run(X)
    if y_hat.shape != (len(X), classes):
        raise Stopped(f"for {len(X)} images your network gives {answers.shape(y_hat)}, expected {len(X)}×{classes}")
    if not y_hat.isfinite().all():
        raise Stopped("some of your network's scores are infinite or NaN, not a number")
    if not answers.same(run(X), y_hat):
        raise Stopped("run twice on the same images, your network gives different scores: is something in it random?")
    if not answers.same(torch.cat([run(x[None]) for x in X]), y_hat):
        raise Stopped("an image alone gets other scores than among others: do images of a batch get mixed?")
    return y_hat
