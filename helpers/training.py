"""The training loop, written once: whoever iterates over it prints, draws or stops."""

import contextlib
import copy
import ctypes
import io
import platform
import re
import time
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch.nn import functional as F

from helpers.cores import sharing
from helpers.data import to_floats
from helpers.diagnosis import gradient_range
from helpers.files import new_file
from helpers.metrics import Accumulator, accuracy, wait_for


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
        """Share of correct predictions, 0 to 1."""
        return self.sums[1] / self.sums[2]

    def __str__(self):
        val_acc = "" if self.val_acc is None else f"  validation acc {self.val_acc:.3f}"
        return f"epoch {self.epoch:5.2f}  loss {self.loss:.3f}  train acc {self.train_acc:.3f}{val_acc}"


def keep_memory():
    """Have the C library keep what a step frees, up to 128 MB, for the next step: on Linux with glibc, else nothing.

    glibc would give it back to the system and get it anew, page by page, step after step: on 2 cores that made a step
    of the textbook's LeNet with 256 images up to 1.7 times as long. See `man mallopt`.
    """
    if platform.libc_ver()[0] == "glibc":
        c_library = ctypes.CDLL(None)
        c_library.mallopt(-3, 32 * 2**20)  # M_MMAP_THRESHOLD: blocks up to this size come from the heap
        c_library.mallopt(-1, 128 * 2**20)  # M_TRIM_THRESHOLD: so much may lie free at its end


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

    train_iter, val_iter: re-iterables of batches, such as `Batches`: X, (batch, ...) floats, the input of `net`, and y,
    (batch,) integers, the classes; device: as `try_gpu` says where None;
    optimizer: a class from torch.optim, called with the parameters and `lr`; schedule: a function such as `one_cycle`.
    Training goes on only while somebody iterates: to stop is to stop iterating. An interrupt of the kernel ends it
    quietly; the network stays usable. Raises MemoryError, with advice, where a batch does not fit into the memory.
    """
    keep_memory()
    device = torch.device(device or try_gpu())
    # Channels-last suits the convolutions of CPUs and of new GPUs: some 40 % faster on a 2-core CPU, same numbers.
    net.to(device, memory_format=torch.channels_last)
    optimizer = optimizer(net.parameters(), lr=lr)
    num_batches, examples, seconds, threads = len(train_iter), 0, 0.0, torch.get_num_threads()
    try:
        for epoch in range(num_epochs):
            net.train()
            sums, gradients = Accumulator(3), Accumulator(2)
            started = time.perf_counter()
            for i, (X, y) in enumerate(sharing(train_iter, threads), start=1):
                if schedule:
                    done = (epoch + (i - 0.5) / num_batches) / num_epochs
                    for group in optimizer.param_groups:
                        group["lr"] = lr * schedule(done)
                X, y = X.to(device), y.to(device)
                optimizer.zero_grad()
                y_hat = net(X)
                loss = loss_function(y_hat, y)
                loss.backward()
                if i % 8 == 1:  # in every step it would take a twentieth of the time of small batches
                    gradients.add(*gradient_range(net))
                optimizer.step()
                sums.add(loss.detach() * len(y), accuracy(y_hat, y), len(y))
                examples += len(y)
                if i * reports // num_batches > (i - 1) * reports // num_batches:
                    val_acc = None
                    if i == num_batches:
                        wait_for(device)  # only here: a report may come after every step
                    seconds += time.perf_counter() - started
                    if i == num_batches and val_iter is not None:
                        val_acc = evaluate_accuracy(net, val_iter)
                    kept = copy.copy(sums), copy.copy(gradients), y_hat.shape[1]
                    yield Progress(epoch + i / num_batches, examples, val_acc, seconds, *kept)
                    net.train()  # whoever iterates may have measured the network in between
                    started = time.perf_counter()
    except KeyboardInterrupt:
        print(f"Training interrupted after {examples:,} examples. The network keeps what it has learnt.")
    except RuntimeError as error:
        if not re.search("out of memory|can't allocate memory", str(error)):  # of a GPU, and of a CPU
            raise
        advice = f"batches of {len(y) // 2}" if len(y) > 1 else "smaller batches or a smaller network"
        # Whoever keeps the error would keep the step's tensors too, and with them the memory full.
        error, X, y_hat, loss = error.with_traceback(None), None, None, None
        raise MemoryError(
            f"a batch of {len(y)} does not fit into the memory of the {device.type}: try {advice}"
        ) from error


@contextlib.contextmanager
def measuring(net):
    """Within it `net` is in evaluation mode and keeps no graph; afterwards it is in the mode it was in before."""
    training = net.training
    net.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        net.train(training)


def evaluate_accuracy(net, data_iter, device=None):
    """Share of `data_iter`'s examples that `net` gets right, 0 to 1; leaves `net` in the mode it was in.

    data_iter: (X, y) batches; device: that of the network's parameters where None.
    """
    device = device or next(net.parameters()).device
    sums = Accumulator(2)
    with measuring(net):
        for X, y in data_iter:
            X, y = X.to(device), y.to(device)
            sums.add(accuracy(net(X), y), len(y))
    return sums[0] / sums[1]


def classes_of(net, images):
    """The class that `net` gives each image; leaves `net` in the mode it was in.

    images: (N, 1, height, width), bytes or floats from 0 to 1; returns (N,) integers on the CPU.
    """
    device = next(net.parameters()).device
    with measuring(net):
        return net(to_floats(images.to(device))).argmax(dim=1).cpu()


class WeightsError(ValueError):
    """A file without weights for the network at hand; the message names the file and what to do."""


def save_weights(net, path, overwrite=False):
    """Write the weights of `net` to `path`, under a temporary name first, so that no half-written file is left.

    Raises FileExistsError when the file is there already, unless `overwrite` is set, and another OSError where the
    file cannot be written.
    """
    content = io.BytesIO()  # on a full disk torch.save would raise a RuntimeError of its own, not an OSError
    torch.save(net.state_dict(), content)
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
    device = next(net.parameters()).device
    try:
        with zipfile.ZipFile(content) as file:
            if file.testzip():  # torch.load does not compare the checksums, and one wrong byte is another weight
                raise zipfile.BadZipFile
        content.seek(0)
        weights = torch.load(content, map_location=device, weights_only=True)
    except Exception as error:  # both raise whatever the bytes of a foreign file lead them to
        raise WeightsError(f"{path} holds no weights, or only a part of them: save the network anew") from error
    try:
        copy.deepcopy(net).load_state_dict(weights)  # where they do not fit it would leave `net` half changed
    except (RuntimeError, TypeError, AttributeError) as error:
        raise WeightsError(f"{path} holds the weights of another network: build that network first") from error
    for name, own in net.state_dict().items():
        if weights[name].dtype != own.dtype:
            kinds = f"{weights[name].dtype}, not {own.dtype}"
            raise WeightsError(f"{path}: the numbers of {name} are {kinds}: save the network anew")
        if not weights[name].isfinite().all():
            remedy = "train with a smaller learning rate and save that network"
            raise WeightsError(f"{path}: {name} holds infinity or NaN, as after training that diverged: {remedy}")
    net.load_state_dict(weights)
    return net
