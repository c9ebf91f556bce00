"""The GPU path without a GPU: fake CUDA tensors refuse mixed devices and hidden reads (no figure is computed)."""

import pytest
import torch
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

from helpers import Accumulator, Batches, accuracy, confusion_counts, evaluate_accuracy, lenet, train


@pytest.fixture
def fake_cuda(monkeypatch):
    """Everything made inside is fake, and nothing may be fetched from the device."""

    def refuse(*args, **kwargs):
        raise AssertionError("a tensor was copied to the CPU")

    with FakeTensorMode():
        monkeypatch.setattr(torch.Tensor, "cpu", refuse)
        monkeypatch.setattr(torch.Tensor, "numpy", refuse)
        yield


def lenet_on(device):
    with torch.device(device):
        return lenet()


def fake_images(count):
    return torch.zeros(count, 1, 28, 28, dtype=torch.uint8), torch.zeros(count, dtype=torch.long)


@pytest.mark.parametrize("shuffle", [False, True])
def test_batches_forward_pass_loss_and_metrics_stay_on_the_gpu(shuffle, fake_cuda):
    net, sums = lenet_on("cuda"), Accumulator(3)
    for X, y in Batches(*fake_images(100), 64, shuffle=shuffle, device="cuda"):
        y_hat = net(X)
        loss = torch.nn.functional.cross_entropy(y_hat, y)
        sums.add(loss.detach() * len(y), accuracy(y_hat, y), len(y))
        assert (X.device.type, y.device.type, y_hat.device.type) == ("cuda", "cuda", "cuda")
    assert all(total.device.type == "cuda" for total in sums.sums[:2])
    with pytest.raises(DataDependentOutputException):
        sums[0]  # reading is what waits for the GPU


def test_batches_left_on_the_cpu_are_refused(fake_cuda):
    X, _ = next(iter(Batches(*fake_images(10), 10, device="cpu")))
    with pytest.raises(Exception, match="device"):
        lenet_on("cuda")(X)


def test_training_reads_nothing_until_progress_is_read(fake_cuda, monkeypatch):
    waits = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device=None: waits.append(device))
    monkeypatch.setattr(torch.Tensor, "backward", lambda loss: None)  # its backward pass needs a driver
    net = lenet_on("cuda")
    monkeypatch.setattr(type(net), "to", lambda net, *args, **kwargs: net)  # so does moving a module
    progress = list(train(net, Batches(*fake_images(640), 64), 1, lr=0.1, device="cuda", reports=2))
    assert len(progress) == 2
    assert len(waits) < 10  # the timer's, at each report; not one a batch
    with pytest.raises(DataDependentOutputException):
        progress[0].loss  # noqa: B018


def test_evaluation_reads_once_at_its_end(fake_cuda, monkeypatch):
    read = []
    monkeypatch.setattr(Accumulator, "__getitem__", lambda sums, index: read.append(sums.sums[index]) or 1.0)
    evaluate_accuracy(lenet_on("cuda"), Batches(*fake_images(100), 64))
    assert len(read) == 2
    assert read[0].device.type == "cuda"


def test_the_confusion_matrix_is_counted_on_the_gpu(fake_cuda):
    labels = torch.zeros(10, dtype=torch.long, device="cuda")
    counts = confusion_counts(torch.zeros(10, 10, device="cuda"), labels)
    assert counts.device.type == "cuda"
