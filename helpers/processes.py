"""Several processes that train one network together: `torchrun --nproc-per-node=2 -m helpers.reproduce R5`.

Each process computes the gradient of its own part of a batch, and their mean is that of the whole batch. Batch
normalisation, in R6 and R7, is the exception: with two processes it takes mean and variance from its own half of the
batch, and each half is then normalised a little differently. PyTorch's SyncBatchNorm would take them from the whole
batch, but only on GPUs.
"""

import os
import sys
from dataclasses import replace

import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from helpers.metrics import Accumulator


def join(device):
    """Join the processes that torchrun has started; returns this one's number, from 0, and their count."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return 0, 1
    if device.type == "cuda":
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return distributed.get_rank(), distributed.get_world_size()


def end(status):
    """End this process with an exit status.

    One of several processes ends without Python's clean-up, during which the threads that exchange gradients sometimes
    abort it ("terminate called without an active exception", once in some 15 runs of gloo).
    """
    if distributed.is_initialized():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


class Share:
    """One process's part of every batch; all parts together are the batch that a single process would take.

    Every batch needs at least one image per process. Parts of different sizes still count equally.
    """

    def __init__(self, batches, rank, world_size):
        self.batches, self.rank, self.world_size = batches, rank, world_size

    def __len__(self):
        """Number of batches."""
        return len(self.batches)

    def __iter__(self):
        for X, y in self.batches:
            yield X[self.rank :: self.world_size], y[self.rank :: self.world_size]


def in_step(net, device):
    """`net` on `device`; from now on its gradients after `backward` are the mean over all processes."""
    return DistributedDataParallel(net.to(device))


def together(progress, device):
    """`progress` with the sums over all processes. Every process has to call this, since each waits for the others."""
    mine = [progress.examples, *(progress.sums[i] for i in range(3))]
    totals = torch.tensor(mine, dtype=torch.float64, device=device)
    distributed.all_reduce(totals)
    examples, *totals = totals.tolist()
    sums = Accumulator(3)
    sums.add(*totals)
    return replace(progress, sums=sums, examples=round(examples))
