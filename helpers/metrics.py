"""Counting while training: sums, seconds and correct answers."""

import time

import torch

from helpers.any_data import as_classes, refuse_outside, refuse_unequal
from helpers.machine import wait_for


class Accumulator:
    """Running sums of `n` quantities (chapter 4), used like `d2l.Accumulator` of Dive into Deep Learning.

    Add numbers or tensors of one element; read a sum as a float by its index. A tensor on a GPU stays there until it
    is read, so adding never makes a GPU wait.
    """

    def __init__(self, n):
        self.sums = [0] * n

    def add(self, *values):
        """Add one value to each sum; ValueError if there are more or fewer values than sums."""
        if len(values) != len(self.sums):
            raise ValueError(f"this Accumulator keeps {len(self.sums)} sums, but add() got {len(values)} values")
        self.sums = [s + _without_graph(v) for s, v in zip(self.sums, values, strict=True)]

    def reset(self):
        """Set all sums to zero."""
        self.sums = [0] * len(self.sums)

    def copy(self):
        """The sums as they are now, which later `add`s leave alone."""
        kept = Accumulator(len(self.sums))
        kept.sums = list(self.sums)
        return kept

    def __getitem__(self, index):
        """One sum as a float."""
        return float(self.sums[index])


def _without_graph(value):
    if not torch.is_tensor(value):
        return value
    # On the CPU plain numbers: thousands of small tensors that are kept fragment the memory, until no large one finds
    # room between them (600 MB more after an epoch, measured).
    return value.item() if value.device.type == "cpu" else value.detach()


class Timer:
    """A stopwatch that keeps every interval in `times`, in seconds (chapter 1), used like `d2l.Timer`.

    device: where the work is done; a GPU returns from a call before the work is done, so `stop` waits for it.
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
    """The *number* of correct predictions, not their share (chapter 4): a tensor of one element on the device of `y`.

    y_hat: (batch, classes) scores, or (batch,) predicted classes; y: (batch,) labels. Both may be one-hot, or a column.
    Raises ShapeError for anything else: PyTorch would compare each answer with every label and call that an accuracy.
    Counts as `d2l.accuracy` does.
    """
    predicted, labels = _classes_of_both(y_hat, y)
    return (predicted == labels).sum()


def confusion_counts(y_hat, y, num_classes=10):
    """How often class i (row) was taken for class j (column): (num_classes, num_classes) integers (chapter 4).

    y_hat: (batch, classes) scores, or (batch,) predicted classes; y: (batch,) labels. Raises ShapeError as `accuracy`
    does, and, on the CPU, for classes that are not in the table.
    """
    predicted, labels = _classes_of_both(y_hat, y)
    # Not bincount, which waits for the GPU to learn the size of its result.
    counts = torch.zeros(num_classes**2, dtype=torch.long, device=labels.device)
    if labels.device.type == "cpu":  # on a GPU looking at them would make it wait
        classes = torch.cat([labels, predicted])
        refuse_outside(classes, 0, num_classes - 1, "the classes go", f", but num_classes is {num_classes}")
    places = labels * num_classes + predicted
    return counts.index_add(0, places, torch.ones_like(places)).reshape(num_classes, num_classes)


def _classes_of_both(y_hat, y):
    predicted, labels = as_classes(y_hat), as_classes(y, "labels")
    refuse_unequal(predicted, labels, "prediction")
    return predicted, labels
