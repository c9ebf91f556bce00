"""The training loop, written once: whoever iterates over it prints, draws or stops."""

import copy
import io
import math
import re
import time
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel
from torch.nn.parameter import is_lazy

from helpers import machine
from helpers.data import as_tensor, to_floats
from helpers.diagnosis import gradient_range
from helpers.files import new_file
from helpers.metrics import Accumulator, accuracy, as_classes
from helpers.models import (
    ShapeError,
    cannot_take,
    first_number,
    first_tensor,
    measuring,
    modes_kept,
    refuse_unknown_sizes,
)

# These give the same numbers in either memory format. (Not dropout: its chances fall on the numbers as they lie.)
IN_ANY_FORMAT = {
    DistributedDataParallel, nn.Sequential, nn.Conv2d, nn.BatchNorm2d, nn.AvgPool2d, nn.MaxPool2d, nn.AdaptiveAvgPool2d,
    nn.Flatten, nn.Linear, nn.BatchNorm1d, nn.Sigmoid, nn.Tanh, nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU,
    nn.Identity,
}  # fmt: skip


NO_MEMORY = "out of memory|can't allocate memory"  # as a GPU says it, and as a CPU does
PAIRS = "wanted are pairs of images and labels, (X, y), as Batches(images, labels, 64) or a DataLoader gives them"


def try_gpu(i=0):
    """The i-th CUDA GPU if there is one, else Apple's GPU (MPS), else the CPU, as a `torch.device`."""
    if torch.cuda.is_available() and torch.cuda.device_count() > i:
        return torch.device("cuda", i)
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


@dataclass(frozen=True)
class Progress:
    """Where training stands. `loss` and `train_acc` are means since the epoch began, with the weights as they changed.

    epoch: epochs done, with a fraction; examples: seen so far; val_acc: at the end of an epoch, else None;
    seconds: spent training so far, evaluation and whatever the caller did in between left out; within an epoch a GPU
    may be some steps behind.
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
    """A schedule for `train`: in a straight line up to the whole learning rate, then down to 0.

    done: how far training has come, 0 to 1; returns the factor of the learning rate, 0 to 1.
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
    """Train `net` by mini-batch gradient descent on the cross-entropy, yielding `Progress` `reports` times an epoch.

    net: any module that trains in a plain PyTorch loop; only its weights change. For each step it is put in training
    mode, for each report back in the modes in which it was. Layers that were set to `eval` in a network that is itself
    in training mode, such as a frozen batch normalisation, stay in `eval`.
    train_iter, val_iter: iterables of batches, such as `Batches` or a `DataLoader`: X, (batch, ...) floats, the input
    of `net`, and y, (batch,) integers, the classes; device: where to put `net`; None leaves it where it is.
    optimizer: a class from torch.optim, called with the parameters and `lr`, or an optimizer, whose own rate counts and
    not `lr`; loss_function: another one gets what `net` returns and y as they are.
    schedule: a function such as `one_cycle`. A last batch of one is left out if batch normalisation cannot take it.
    Training goes on only while somebody iterates: to stop is to stop iterating. An interrupt of the kernel ends it
    quietly; the network stays usable. Raises MemoryError, with advice, where a batch does not fit into the memory, and
    ShapeError for scores and labels that do not belong together.
    """
    machine.prepare()
    train_iter, num_batches = counted(train_iter)
    val_iter = list(val_iter) if hasattr(val_iter, "__next__") else val_iter
    refuse_other_settings(loss_function, schedule)
    examples, seconds, threads, frozen, rates = 0, 0.0, torch.get_num_threads(), [], []
    asked, device = device, torch.device(device or first_number(net).device)
    X = y = y_hat = loss = None
    try:
        if asked is not None:
            net.to(device)
        optimizer = optimizer_for(net, optimizer, lr)
        # Without a schedule the rates are left alone: the caller may change them between two reports.
        rates = [(group, group["lr"]) for group in optimizer.param_groups] if schedule else []
        for epoch in range(num_epochs):
            sums, gradients = Accumulator(3), Accumulator(2)
            started = time.perf_counter()
            for i, batch in enumerate(machine.sharing(train_iter, threads), start=1):
                X, y = as_pair(batch, net, device)
                if schedule:
                    factor = schedule((epoch + (i - 0.5) / num_batches) / num_epochs)
                    for group, rate in rates:
                        group["lr"] = rate * factor
                with torch.enable_grad(), modes_kept(net):  # whatever a cell has switched off for good
                    frozen = set_to_training(net, frozen)
                    optimizer.zero_grad()
                    y_hat = scores_of(net, X, left_over=1 < i == num_batches)
                    if y_hat is not None:
                        loss, y = loss_of(y_hat, y, loss_function)
                        loss.backward()
                        if i % 8 == 1:  # in every step it would take a twentieth of the time of small batches
                            gradients.add(*gradient_range(net))
                        optimizer.step()
                if y_hat is not None:
                    size = len(first_tensor(y))
                    sums.add(loss.detach() * size, num_correct(y_hat, y), size)
                    examples += size
                if i * reports // num_batches > (i - 1) * reports // num_batches:
                    val_acc = None
                    if i == num_batches:
                        machine.wait_for(device)  # only here: a report may come after every step
                    seconds += time.perf_counter() - started
                    if i == num_batches and val_iter is not None:
                        val_acc = evaluate_accuracy(net, val_iter)
                    kept = copy.copy(sums), copy.copy(gradients), num_scores(y_hat)
                    yield Progress(epoch + i / num_batches, examples, val_acc, seconds, *kept)
                    started = time.perf_counter()
    except KeyboardInterrupt:
        print(f"Training interrupted after {examples:,} examples. The network keeps what it has learnt.")
    except RuntimeError as error:
        if not re.search(NO_MEMORY, str(error)):
            raise
        size = 0 if y is None else len(first_tensor(y))
        which = f"a batch of {size}" if size else "the first batch"
        advice = f"batches of {size // 2}" if size > 1 else "smaller batches or a smaller network"
        # Whoever keeps the error would keep the step's tensors too, and with them the memory full.
        error, X, y_hat, loss = error.with_traceback(None), None, None, None
        raise MemoryError(f"{which} does not fit into the memory of the {device.type}: try {advice}") from error
    finally:
        for group, rate in rates:
            group["lr"] = rate  # an optimizer that was given can be used again


def counted(batches):
    """Batches over which one can iterate again and again, and how many they are; ValueError if there are none."""
    refuse_no_batches(batches)
    if hasattr(batches, "__next__"):  # a generator gives its batches once
        batches = list(batches)
    try:
        number = len(batches)
    except TypeError:  # such as a DataLoader of an IterableDataset
        number = sum(1 for _ in batches)
    if not number:
        raise ValueError("there is no batch to train on: train_iter is empty")
    return batches, number


def refuse_no_batches(batches):
    """Raise ShapeError, in words, for what gives no batches: images without labels, a whole data set."""
    if torch.is_tensor(batches) or not (hasattr(batches, "__iter__") or hasattr(batches, "__getitem__")):
        raise ShapeError(f"this gives no batches ({type(batches).__name__}): {PAIRS}")


def as_pair(batch, net, device):
    """A batch, X and y, both on `device`, X as `net` takes it. Raises ShapeError for anything else than such a pair."""
    if not isinstance(batch, (tuple, list)) or len(batch) != 2:
        of = f" of {len(batch)}" if hasattr(batch, "__len__") and getattr(batch, "ndim", 1) else ""
        raise ShapeError(f"a batch is a {type(batch).__name__}{of}, not a pair: {PAIRS}")
    X, y = as_input(batch[0], net, device), on_device(batch[1], device)
    if torch.is_tensor(y) and not y.ndim:
        raise ShapeError(f"this is one image and its label, not a batch of them: {PAIRS}")
    return X, y


def refuse_other_settings(loss_function, schedule):
    """Raise ValueError, in words, for a class in place of a loss function, or a scheduler in place of a schedule."""
    if isinstance(loss_function, type):
        name = loss_function.__name__
        raise ValueError(f"loss_function is the class {name}: make one of it, with brackets, as in nn.{name}()")
    if isinstance(schedule, type) or not (schedule is None or callable(schedule)):
        raise ValueError(
            "schedule is a function such as one_cycle. PyTorch's schedulers have steps of their own: give the "
            "optimizer and reports=1, and call scheduler.step() after each report"
        )


def optimizer_for(net, optimizer, lr):
    """The optimizer of `net`: the one that was given, or one of the class that was given, with the rate `lr`."""
    own = {id(parameter) for parameter in net.parameters() if parameter.requires_grad}
    if not own:
        raise ValueError("this network has no parameters that training can change: it has none, or all are frozen")
    if not callable(optimizer) and not isinstance(optimizer, torch.optim.Optimizer):
        raise ValueError(f"the optimizer is {optimizer!r}: give a class, such as torch.optim.Adam")
    if not isinstance(optimizer, torch.optim.Optimizer):
        optimizer = optimizer(net.parameters(), lr=lr)
    if isinstance(optimizer, torch.optim.LBFGS):
        raise ValueError("LBFGS asks for the loss several times a step, and train does not: take SGD or Adam")
    if not any(id(parameter) in own for group in optimizer.param_groups for parameter in group["params"]):
        raise ValueError("this optimizer has the parameters of another network: make a new one of net.parameters()")
    return optimizer


def set_to_training(net, frozen):
    """Put `net` in training mode, but not its frozen layers; returns the list of these.

    Frozen is what is set to `eval` in a network that is in training mode. If the network itself is in `eval`, as after
    measuring, that says nothing: then `frozen` stay so.
    """
    if net.training:
        frozen = [module for module in net.modules() if not module.training]
    net.train()
    for module in frozen:
        module.training = False
    return frozen


def as_input(X, net, device):
    """A batch as `net` takes it: on `device`, bytes and floats as the kind of floats that its weights are."""
    if not torch.is_tensor(X) and not hasattr(X, "__array__"):
        return X  # a network of several inputs knows what to do with them
    X = to_floats(torch.as_tensor(X))
    return X.to(device, first_number(net).dtype) if X.is_floating_point() else X.to(device)


def on_device(y, device):
    """Labels as a tensor on `device`; several tensors, as a loss function of one's own may take, stay as they are."""
    several = not torch.is_tensor(y) and first_tensor(y) is not None
    return y if several else as_tensor(y, "labels").to(device)


def scores_of(net, X, left_over=False):
    """What `net` makes of a batch; None if X is a last batch of one, `left_over`, that batch normalisation refuses.

    Channels-last suits the convolutions of CPUs and of new GPUs: a quarter less time for a step of LeNet on a 2-core
    CPU. It is enough to turn the batch; the weights, their gradients and the scores are not touched. What could notice
    it, a module of one's own, a hook, gets the batch as it is: `view` refuses maps that are channels-last.
    """
    try:
        if torch.is_tensor(X) and X.ndim == 4 and all(map(_takes_any_format, net.modules())):
            return net(X.to(memory_format=torch.channels_last)).contiguous()
        return net(X)
    except (RuntimeError, TypeError) as error:
        if re.search(f"{NO_MEMORY}|CUDA error", str(error)):
            raise
        raise cannot_take(X, error) from error
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        if left_over and len(X) == 1:
            return None
        raise ShapeError(
            f"batch normalisation needs the mean of more than one number, and this batch is {tuple(X.shape)}: "
            "choose a larger batch_size"
        ) from error


def _takes_any_format(module):
    hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks, module._backward_pre_hooks)
    return type(module) in IN_ANY_FORMAT and not any(hooks)


def loss_of(y_hat, y, loss_function):
    """The loss, and the labels as it took them. Raises ShapeError if cross-entropy cannot take them."""
    if loss_function is not F.cross_entropy and not isinstance(loss_function, nn.CrossEntropyLoss):
        return _one_number(loss_function(y_hat, y)), y
    for values, source in ((y_hat, "the network returns"), (y, "the labels are")):
        if not torch.is_tensor(values):
            raise ShapeError(
                f"{source} a {type(values).__name__}, but cross-entropy takes one tensor: pick it out, or give train a "
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
            f"shape {tuple(y.shape)}. Wanted are scores, (batch, classes), and labels: whole numbers, (batch,), or a "
            "share for each class, (batch, classes)"
        )
    try:
        return _one_number(loss_function(y_hat, y)), y
    except IndexError as error:  # only a CPU looks at the labels
        most = y_hat.shape[1] - 1
        raise ShapeError(f"{error} With {most + 1} scores, labels go from 0 to {most}") from error


def _one_number(loss):
    if torch.is_tensor(loss) and loss.numel() == 1:
        return loss
    got = f"the shape {tuple(loss.shape)}" if torch.is_tensor(loss) else f"the type {type(loss).__name__}"
    raise ShapeError(f"the loss has {got}, but one number is wanted, as a tensor: take the mean over the batch")


def num_scores(y_hat):
    """How many scores the network gives an image; 0 if it returns something else."""
    return y_hat.shape[1] if torch.is_tensor(y_hat) and y_hat.ndim > 1 else 0


def num_correct(y_hat, y):
    """Number of correct predictions; NaN if `y_hat` and `y` are no scores and classes, as with another loss."""
    try:
        return accuracy(y_hat, y)
    except ShapeError:
        return math.nan


def evaluate_accuracy(net, data_iter, device=None):
    """Share of `data_iter`'s examples that `net` gets right, 0 to 1; leaves all modules in the modes they were in.

    data_iter: (X, y) batches; device: that of the network's parameters where None. Raises ShapeError, with the shapes
    that came, if the network gives no scores for the labels, and ValueError without any batch.
    """
    device = device or first_number(net).device
    refuse_no_batches(data_iter)
    sums = Accumulator(2)
    with measuring(net):
        for batch in data_iter:
            X, y = as_pair(batch, net, device)
            sums.add(accuracy(scores_of(net, X), y), len(y))
    if not sums.sums[1]:
        raise ValueError("there is no batch to measure on: data_iter is empty, or was read before")
    return sums[0] / sums[1]


def classes_of(net, images):
    """The class that `net` gives each image; leaves all modules in the modes they were in.

    images: (N, 1, height, width), bytes or floats from 0 to 1; returns (N,) integers on the CPU.
    """
    with measuring(net):
        return as_classes(scores_of(net, as_input(images, net, first_number(net).device))).cpu()


def refuse_unfit(nets, image, num_classes, least, most):
    """Raise ShapeError, in words, unless `nets` are networks that a lab can compare.

    nets: {name: network}, from `least` to `most` of them, each with `num_classes` scores for one image, (1, height,
    width) bytes.
    """
    wanted = f'wanted are {least if least == most else f"{least} or {most}"} networks, {{"LeNet": net, "MLP": other}}'
    if not isinstance(nets, dict):
        raise ShapeError(f"this is a {type(nets).__name__}: {wanted}")
    if not least <= len(nets) <= most:
        raise ShapeError(f"these are {len(nets)}: {wanted}")
    for name, net in nets.items():
        if not isinstance(net, nn.Module):
            raise ShapeError(f"{name} is a {type(net).__name__}, not a network: {wanted}")
        refuse_unknown_sizes(net)
        X, expected = as_input(image[None], net, first_number(net).device), (1, num_classes)
        with measuring(net):
            try:
                scores = net(X)
            except RuntimeError as error:
                raise ShapeError(f"{name} cannot take an image of shape {tuple(image.shape)}: {error}") from error
        if not torch.is_tensor(scores) or scores.shape != expected:
            got = tuple(scores.shape) if torch.is_tensor(scores) else f"a {type(scores).__name__}"
            raise ShapeError(f"{name} answers one image with {got}: wanted is {expected}, a score for each class")


class WeightsError(ValueError):
    """A file without weights for the network at hand; the message names the file and what to do."""


def save_weights(net, path, overwrite=False):
    """Write the weights of `net` to `path`, under a temporary name first, so that no half-written file is left.

    Raises FileExistsError when the file is there already, unless `overwrite` is set, another OSError where the file
    cannot be written, and ShapeError if the sizes of lazy layers are not known yet.
    """
    refuse_unknown_sizes(net)
    content = io.BytesIO()  # on a full disk torch.save would raise a RuntimeError of its own, not an OSError
    torch.save(unwrapped(net).state_dict(), content)
    with new_file(path, overwrite) as file:
        file.write(content.getbuffer())


def load_weights(net, path):
    """Read weights that `save_weights` wrote into `net`, on its device; returns `net`. Runs no code from the file.

    Raises OSError where the file cannot be opened, and WeightsError where it is damaged, holds more than weights, those
    of another network, or weights that are not numbers any more; `net` is then left as it was.
    """
    if Path(path).is_dir():
        raise WeightsError(f"{path} is a folder: give the name of a file of weights")
    content = io.BytesIO(Path(path).read_bytes())
    net, given = unwrapped(net), net
    device = first_number(net).device
    try:
        with zipfile.ZipFile(content) as file:
            if file.testzip():  # torch.load does not compare the checksums, and one wrong byte is another weight
                raise zipfile.BadZipFile
        content.seek(0)
        weights = torch.load(content, map_location=device, weights_only=True)
    except Exception as error:  # both raise whatever the bytes of a foreign file lead them to
        raise WeightsError(f"{path} holds no weights, or only a part of them: save the network anew") from error
    if not _fits(weights, net.state_dict()):  # load_state_dict would leave `net` half changed
        raise WeightsError(f"{path} holds the weights of another network: build that network first")
    for name, own in _tensors(net.state_dict()).items():
        if weights[name].dtype != own.dtype:
            kinds = f"{weights[name].dtype}, not {own.dtype}"
            raise WeightsError(f"{path}: the numbers of {name} are {kinds}: save the network anew")
        if not weights[name].isfinite().all():
            remedy = "train with a smaller learning rate and save that network"
            raise WeightsError(f"{path}: {name} holds infinity or NaN, as after training that diverged: {remedy}")
    net.load_state_dict(weights)
    return given


def unwrapped(net):
    """The network within `torch.compile` or `nn.DataParallel`, which put a word before the name of each weight."""
    net = getattr(net, "_orig_mod", net)
    return net.module if isinstance(net, (nn.DataParallel, DistributedDataParallel)) else net


def _tensors(state):
    return {name: value for name, value in state.items() if torch.is_tensor(value)}


def _fits(weights, own):
    """Whether `weights` are numbers with the names and shapes of a network's `own`; a lazy layer takes any shape."""
    if not isinstance(weights, dict) or weights.keys() != own.keys():
        return False
    theirs, ours = _tensors(weights), _tensors(own)
    if any(is_lazy(value) or value.is_meta or value.layout != torch.strided for value in theirs.values()):
        return False
    return theirs.keys() == ours.keys() and all(
        is_lazy(value) or theirs[name].shape == value.shape for name, value in ours.items()
    )
