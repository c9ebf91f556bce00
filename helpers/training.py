"""The training loop, written once: the code that iterates over it prints, draws or stops. Chapter 4 builds it up."""

import time
from dataclasses import dataclass
from functools import cached_property

import torch
from torch.nn import functional as F

from helpers import machine
from helpers.any_data import counted, first_tensor, refuse_no_batches
from helpers.any_network import as_pair, first_number, measuring, modes_kept, no_memory, scores_of, set_to_training
from helpers.any_settings import loss_of, num_correct, num_scores, optimizer_for, refuse_other_settings
from helpers.diagnosis import gradient_range
from helpers.metrics import Accumulator, accuracy


@dataclass(frozen=True)
class Progress:
    """What `train` reports (chapter 4). `loss` and `train_acc` are means over the epoch so far, of changing weights.

    epoch: epochs done, with a fraction; examples: seen so far; val_acc: 0 to 1 at the end of an epoch, else None;
    seconds: spent training so far, without evaluation and the caller's own work; within an epoch a GPU may lag behind.
    """

    epoch: float
    examples: int
    val_acc: float | None
    seconds: float
    sums: Accumulator  # of loss, correct predictions and examples; stays on the device until it is read
    gradients: Accumulator  # of every eighth step's `diagnosis.gradient_range`, for `diagnose`
    num_classes: int  # scores that the network gives an image

    @cached_property
    def loss(self):
        """Mean loss: the cross-entropy in nats, unless `train` was given another."""
        return self.sums[0] / self.sums[2]

    @cached_property
    def train_acc(self):
        """Share of correct predictions, 0 to 1; NaN if the network gives no scores of classes."""
        return self.sums[1] / self.sums[2]

    def __str__(self):
        val_acc = "" if self.val_acc is None else f"  validation acc {self.val_acc:.3f}"
        return f"epoch {self.epoch:5.2f}  loss {self.loss:.3f}  train acc {self.train_acc:.3f}{val_acc}"


def one_cycle(done, warm_up=0.2):
    """A schedule for `train`: a straight line up to the full learning rate, then another down to 0 (chapter 5).

    done: the part of training that is done, 0 to 1; returns the factor of the learning rate, 0 to 1.
    Smith and Topin, "Super-convergence: very fast training of neural networks using large learning rates", 2018.
    """
    return min(done / warm_up, (1 - done) / (1 - warm_up))


def train(
    net,
    train_iter,
    num_epochs,
    lr,
    val_iter=None,
    device=None,
    optimizer=torch.optim.SGD,
    reports=5,
    loss_function=F.cross_entropy,
    schedule=None,
):
    """Train `net` by mini-batch gradient descent (chapter 4), yielding `Progress` `reports` times an epoch.

    net: any module that trains in a plain PyTorch loop; only its weights change. It is in training mode during each
    step and back in its previous modes at each report. Layers that are in `eval` while the network is in training
    mode, such as a frozen batch normalisation, stay in `eval`.
    train_iter, val_iter: iterables of batches, such as `Batches` or a `DataLoader`: X, (batch, ...) floats, the input
    of `net`, and y, (batch,) integers, the classes. A last batch of one is left out if batch normalisation cannot take
    it. lr: the learning rate; device: where to put `net`; None leaves it on its own device.
    optimizer: a class from torch.optim, called with the parameters and `lr`, or an optimizer, whose own rate then
    counts; loss_function: any but cross-entropy gets what `net` returns, and y, unchanged; schedule: a function such
    as `one_cycle`.
    Training continues only while you iterate: to stop, stop iterating. A keyboard interrupt ends it quietly, and the
    network stays usable. Raises MemoryError, with advice, if a batch does not fit into memory, ShapeError if network,
    images, labels and loss do not fit together, and ValueError for other settings that cannot work.
    """
    machine.prepare()
    refuse_other_settings(loss_function, schedule)
    train_iter, num_batches = counted(train_iter)
    val_iter = list(val_iter) if hasattr(val_iter, "__next__") else val_iter
    moves, device = device is not None, torch.device(device or first_number(net).device)
    examples, seconds, threads, frozen, rates = 0, 0.0, torch.get_num_threads(), [], []
    X = y = y_hat = loss = None  # so that their memory can be freed if it runs out
    try:
        if moves:
            net.to(device)
        optimizer = optimizer_for(net, optimizer, lr)
        # Without a schedule the rates are left alone: the caller may change them between reports.
        rates = [(group, group["lr"]) for group in optimizer.param_groups] if schedule else []
        for epoch in range(num_epochs):
            sums, gradients = Accumulator(3), Accumulator(2)
            started = time.perf_counter()
            for i, batch in enumerate(machine.sharing(train_iter, threads), start=1):
                is_last = i == num_batches
                X, y = as_pair(batch, net, device)
                for group, rate in rates:
                    group["lr"] = rate * schedule((epoch + (i - 0.5) / num_batches) / num_epochs)  # of its middle
                with torch.enable_grad(), modes_kept(net):  # even if a cell has switched gradients off
                    frozen = set_to_training(net, frozen)
                    y_hat, y, loss = take_step(net, X, y, optimizer, loss_function, left_over=is_last and i > 1)
                if y_hat is not None:
                    if i % 8 == 1:  # in every step it would take a twentieth of the time of small batches
                        gradients.add(*gradient_range(net))
                    size, num_classes = len(first_tensor(y)), num_scores(y_hat)
                    sums.add(loss.detach() * size, num_correct(y_hat, y), size)
                    examples += size
                # `reports` times an epoch, evenly spaced, the last time at its end.
                if i * reports // num_batches > (i - 1) * reports // num_batches:
                    if is_last:
                        machine.wait_for(device)  # only here: a report may come after every step
                    seconds += time.perf_counter() - started
                    val_acc = evaluate_accuracy(net, val_iter) if is_last and val_iter is not None else None
                    kept = sums.copy(), gradients.copy(), num_classes
                    yield Progress(epoch + i / num_batches, examples, val_acc, seconds, *kept)
                    started = time.perf_counter()
    except KeyboardInterrupt:
        print(f"Training interrupted after {examples:,} examples. The network keeps what it has learnt.")
    except RuntimeError as error:
        if not (too_large := no_memory(error, y, device)):
            raise
        # Keeping the error would keep the step's tensors alive, and the memory full.
        error, X, y_hat, loss = error.with_traceback(None), None, None, None
        raise too_large from error
    finally:
        for group, rate in rates:
            group["lr"] = rate  # so that the caller can use the optimizer again


def take_step(net, X, y, optimizer, loss_function, left_over):
    """One step of gradient descent (chapter 4): the scores, the labels as the loss takes them, and the loss."""
    optimizer.zero_grad()
    y_hat = scores_of(net, X, left_over)
    if y_hat is None:  # a last batch of one, which batch normalisation cannot take
        return None, y, None
    loss, y = loss_of(y_hat, y, loss_function)
    loss.backward()
    optimizer.step()
    return y_hat, y, loss


def evaluate_accuracy(net, data_iter, device=None):
    """Share of the examples in `data_iter` that `net` gets right, 0 to 1 (chapter 4); keeps every module's mode.

    data_iter: batches, X, (batch, ...) floats, and y, (batch,) integers; device: None means the network's own. Raises
    ShapeError, with the shapes it got, if the scores do not fit the labels, and ValueError if there is no batch. Like
    `d2l.evaluate_accuracy_gpu`.
    """
    device = device or first_number(net).device
    refuse_no_batches(data_iter)
    sums = Accumulator(2)
    with measuring(net):
        for batch in data_iter:
            X, y = as_pair(batch, net, device)
            sums.add(accuracy(scores_of(net, X), y), len(y))
    if not sums.sums[1]:  # a number; sums[0] is read once, at the end
        raise ValueError("there is no batch to measure on: data_iter is empty, or was read before")
    return sums[0] / sums[1]
