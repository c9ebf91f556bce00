"""Counting while training: sums, seconds and correct answers."""

import time

import torch

from helpers.machine import wait_for
from helpers.models import ShapeError


class Accumulator:
    """Running sums of `n` quantities, used as `d2l.Accumulator` of Dive into Deep Learning is.

    What is added may be a number or a tensor of one element. A tensor on a GPU stays there and becomes a Python float
    only when it is read, so adding never makes a GPU wait.
    """

    def __init__(self, n):
        self.sums = [0] * n

    def add(self, *values):
        """Add one value to each sum; ValueError where there are more or fewer values than sums."""
        if len(values) != len(self.sums):
            raise ValueError(f"this Accumulator keeps {len(self.sums)} sums, but add() got {len(values)} values")
        # A new list each time: a copy.copy() of this object keeps the sums as they were.
        self.sums = [s + _without_graph(v) for s, v in zip(self.sums, values, strict=True)]

    def reset(self):
        """Set all sums to zero."""
        self.sums = [0] * len(self.sums)

    def __getitem__(self, index):
        """One sum as a float."""
        return float(self.sums[index])


def _without_graph(value):
    if not torch.is_tensor(value):
        return value
    # Not a tensor for each step on the CPU: whoever keeps them strews them over the memory, in which no large tensor
    # finds room between them any more (600 MB more after an epoch, measured).
    return value.item() if value.device.type == "cpu" else value.detach()


class Timer:
    """A stopwatch that keeps every interval in `times`, in seconds, as `d2l.Timer`.

    Give it the `device` that does the work: a GPU returns from a call before the work is done, so `stop` waits for it.
    """

    def __init__(self, device="cpu"):
        self.device = torch.device(device)
        self.times = []
        self.start()

    def start(self):
        """Begin an interval."""
        wait_for(self.device)
        self._started = time.perf_counter()

    def stop(self):
        """End the interval, keep its length and return it, in seconds."""
        wait_for(self.device)
        self.times.append(time.perf_counter() - self._started)
        return self.times[-1]

    def avg(self):
        """Mean interval in seconds."""
        return sum(self.times) / len(self.times)

    def sum(self):
        """All intervals together, in seconds."""
        return sum(self.times)

    def cumsum(self):
        """The time at the end of each interval, in seconds, as a list."""
        return [sum(self.times[: i + 1]) for i in range(len(self.times))]


def accuracy(y_hat, y):
    """Number of correct predictions, as a tensor of one element on the device of `y`.

    y_hat: (batch, classes) scores, or (batch,) predicted classes; y: (batch,) labels. Both may be one-hot, or a column.
    Raises ShapeError for anything else: PyTorch would compare each answer with every label, and call it an accuracy.
    """
    predicted, labels = _same_number(y_hat, y)
    return (predicted == labels).sum()


def confusion_counts(y_hat, y, num_classes=10):
    """How often class i (row) was called class j (column): (num_classes, num_classes) integers.

    y_hat: (batch, classes) scores, or (batch,) predicted classes; y: (batch,) labels; otherwise as `accuracy`.
    """
    predicted, labels = _same_number(y_hat, y)
    # Not bincount, which asks the GPU for the size of its result.
    counts = torch.zeros(num_classes**2, dtype=torch.long, device=labels.device)
    if labels.device.type == "cpu" and len(labels):  # to look would make a GPU wait
        least, most = (int(end(torch.cat([labels, predicted]))) for end in (torch.min, torch.max))
        if not 0 <= least <= most < num_classes:
            raise ShapeError(f"the classes go from {least} to {most}, but num_classes is {num_classes}")
    places = labels * num_classes + predicted
    return counts.index_add(0, places, torch.ones_like(places)).reshape(num_classes, num_classes)


def as_classes(values, what="scores"):
    """The class of each example, (batch,) integers, from (batch, classes) scores, (batch,) or (batch, 1) classes.

    Raises ShapeError, with the shape that came, if `values` are none of these; what: their name in the message.
    """
    if isinstance(values, (tuple, dict)):
        raise ShapeError(f"the {what} are a {type(values).__name__}, but a tensor is wanted, (batch, classes)")
    values = torch.as_tensor(values)
    whole = not values.is_floating_point() and not values.is_complex()
    if values.ndim == 2 and values.shape[1] > 1:
        return (values.byte() if values.dtype == torch.bool else values).argmax(dim=1)
    if whole and (values.ndim == 1 or values.shape[1:] == (1,)):
        return values.flatten().long()  # of bytes, 10 times a label would not fit into a byte
    shape = tuple(values.shape)
    raise ShapeError(
        f"the {what} have the shape {shape} and are {_kind(values)}, wanted are (batch, classes) scores, or (batch,) "
        "classes as whole numbers"
    )


def _same_number(y_hat, y):
    predicted, labels = as_classes(y_hat), as_classes(y, "labels")
    if len(predicted) != len(labels):
        raise ShapeError(f"{len(predicted)} predictions but {len(labels)} labels: there must be one label a prediction")
    return predicted, labels


def _kind(values):
    return str(values.dtype).removeprefix("torch.")
