"""Any optimizer, schedule or loss that a student may give `train`: used as in a plain loop, or refused with reasons."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from helpers.errors import ShapeError
from helpers.metrics import accuracy


def refuse_other_settings(loss_function, schedule):
    """Raise ValueError for a class instead of a loss function, or a scheduler instead of a schedule."""
    if isinstance(loss_function, type):
        name = loss_function.__name__
        raise ValueError(f"loss_function is the class {name}: write nn.{name}(), with brackets, to make one")
    if isinstance(schedule, type) or not (schedule is None or callable(schedule)):
        raise ValueError(
            "schedule must be a function such as one_cycle. PyTorch's schedulers keep their own steps: pass the "
            "optimizer and reports=1, and call scheduler.step() after each report"
        )


def optimizer_for(net, optimizer, lr):
    """The optimizer of `net`: the given one, or one of the given class with the rate `lr`. Raises ValueError."""
    own = {id(parameter) for parameter in net.parameters() if parameter.requires_grad}
    if not own:
        raise ValueError("this network has no parameters that training can change: it has none, or all are frozen")
    if not callable(optimizer) and not isinstance(optimizer, torch.optim.Optimizer):
        raise ValueError(f"the optimizer is {optimizer!r}: give a class, such as torch.optim.Adam")
    if not isinstance(optimizer, torch.optim.Optimizer):
        optimizer = optimizer(net.parameters(), lr=lr)
    if isinstance(optimizer, torch.optim.LBFGS):
        raise ValueError("LBFGS needs the loss several times a step, which train does not do: use SGD or Adam")
    if not any(id(parameter) in own for group in optimizer.param_groups for parameter in group["params"]):
        raise ValueError("this optimizer has the parameters of another network: make a new one with net.parameters()")
    return optimizer


def loss_of(y_hat, y, loss_function):
    """The loss, and the labels as it took them. Raises ShapeError if cross-entropy cannot take them."""
    if loss_function is not F.cross_entropy and not isinstance(loss_function, nn.CrossEntropyLoss):
        return _one_number(loss_function(y_hat, y)), y
    for values, source in ((y_hat, "the network returns"), (y, "the labels are")):
        if not torch.is_tensor(values):
            raise ShapeError(
                f"{source} a {type(values).__name__}, but cross-entropy takes one tensor: pick it out, or pass train a "
                "loss_function that does"
            )
    whole = not y.is_floating_point() and (y.ndim < 2 or y.shape != y_hat.shape)  # else it is one-hot
    y = y.long() if whole else y.to(y_hat.dtype)
    if whole and y.shape[1:] == (1,):
        y = y[:, 0]
    wanted = (*y_hat.shape[:1], *y_hat.shape[2:]) if whole else tuple(y_hat.shape)
    if y_hat.ndim < 2 or y_hat.shape[1] < 2 or y.shape != wanted:
        raise ShapeError(
            f"the network gives {tuple(y_hat.shape)} and the labels are {'whole numbers' if whole else 'floats'} of "
            f"shape {tuple(y.shape)}. Expected are scores, (batch, classes), and labels: whole numbers, (batch,), or a "
            "share for each class, (batch, classes)"
        )
    try:
        return _one_number(loss_function(y_hat, y)), y
    except IndexError as error:  # only a CPU checks the labels
        most = y_hat.shape[1] - 1
        raise ShapeError(f"{error} With {most + 1} scores, labels go from 0 to {most}") from error


def _one_number(loss):
    if torch.is_tensor(loss) and loss.numel() == 1:
        return loss
    got = f"the shape {tuple(loss.shape)}" if torch.is_tensor(loss) else f"the type {type(loss).__name__}"
    raise ShapeError(f"the loss has {got}, but must be a tensor with one number: take the mean over the batch")


def num_scores(y_hat):
    """How many scores the network gives per image; 0 if it returns something else."""
    return y_hat.shape[1] if torch.is_tensor(y_hat) and y_hat.ndim > 1 else 0


def num_correct(y_hat, y):
    """Number of correct predictions; NaN if `y_hat` and `y` are not scores and classes, as with another loss."""
    try:
        return accuracy(y_hat, y)
    except ShapeError:
        return math.nan
