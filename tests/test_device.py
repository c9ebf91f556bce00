"""The GPU path without a GPU: fake CUDA tensors refuse mixed devices and hidden reads (no figure is computed)."""

import dataclasses
import json

import nbformat
import pytest
import torch
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

from helpers import Accumulator, Batches, accuracy, confusion_counts, evaluate_accuracy, fashion_mnist, lenet, train
from helpers.data import mirrored
from helpers.experiments import EXPERIMENTS
from helpers.training import one_cycle
from tests.bench import gpu


@pytest.fixture
def fake_cuda(monkeypatch):
    """Everything made inside is fake, and nothing may be fetched from the device."""

    if torch.version.cuda and torch.__version__.startswith("2.6."):
        pytest.skip("PyTorch 2.6 with CUDA asks the real driver for the stream of a fake parameter")

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


def on_cuda(make):
    with torch.device("cuda"):
        return make()


@pytest.mark.parametrize("key", EXPERIMENTS)
def test_the_experiments_stay_on_the_gpu(key, fake_cuda):
    experiment, sums = EXPERIMENTS[key], Accumulator(3)
    net = on_cuda(experiment.network)
    batches = Batches(*fake_images(300), experiment.batch_size, True, 0, "cuda", experiment.change)
    for X, y in batches:
        y_hat = net(X)
        loss = experiment.loss_function(y_hat, y)
        sums.add(loss.detach() * len(y), accuracy(y_hat, y), len(y))
        assert (X.device.type, X.dtype, y_hat.device.type, loss.device.type) == ("cuda", torch.float32, "cuda", "cuda")
    assert all(total.device.type == "cuda" for total in sums.sums[:2])


def test_images_are_mirrored_on_the_gpu(fake_cuda):
    images, labels = fake_images(100)
    assert mirrored(images.to("cuda")).device.type == "cuda"
    for X, _ in Batches(images, labels, 64, shuffle=True, device="cuda", change=mirrored):
        assert (X.device.type, X.dtype, X.shape[1:]) == ("cuda", torch.float32, (1, 28, 28))


def without_a_driver(monkeypatch, net):
    """A backward pass that gives every weight some gradient, and a network that is where it is."""

    def backward(loss):
        for parameter in net.parameters():
            parameter.grad = torch.zeros_like(parameter)

    monkeypatch.setattr(torch.Tensor, "backward", backward)
    monkeypatch.setattr(type(net), "to", lambda net, *args, **kwargs: net)


@pytest.mark.parametrize("key", EXPERIMENTS)
def test_the_experiments_train_without_waiting_for_the_gpu(key, fake_cuda, monkeypatch):
    waits = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device=None: waits.append(device))
    experiment = EXPERIMENTS[key]
    net = on_cuda(experiment.network)
    without_a_driver(monkeypatch, net)
    count = 10 * experiment.batch_size
    batches = Batches(*fake_images(count), experiment.batch_size, True, 0, "cuda", experiment.change)
    assert len(list(experiment.train(net, batches, 2, device="cuda"))) == 20
    assert len(waits) == 2  # at the end of an epoch, for the seconds


def test_a_schedule_waits_for_nothing(fake_cuda, monkeypatch):
    waits, rates = [], []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device=None: waits.append(device))
    net = lenet_on("cuda")
    without_a_driver(monkeypatch, net)

    def schedule(done):
        rates.append(one_cycle(done))
        return rates[-1]

    list(train(net, Batches(*fake_images(640), 64), 1, lr=0.1, device="cuda", reports=10, schedule=schedule))
    assert len(rates) == 10
    assert all(isinstance(rate, float) for rate in rates)
    assert len(waits) == 1


def test_a_fetched_number_and_a_moved_tensor_are_counted(fake_cuda):
    on_gpu, on_cpu = torch.zeros(3, device="cuda"), torch.zeros(3)
    with gpu.Traffic() as seen:
        on_cpu.to("cuda")
        on_gpu.copy_(on_cpu)
        on_gpu.to(torch.float64)
        with pytest.raises(DataDependentOutputException):
            on_gpu.sum().item()
    assert (seen.copies, seen.reads) == (2, 1)


def test_make_gpu_sees_that_training_fetches_nothing_and_copies_only_an_epochs_order(fake_cuda, monkeypatch):
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device=None: None)
    net = lenet_on("cuda")
    without_a_driver(monkeypatch, net)
    batches = Batches(*fake_images(640), 64, True, device="cuda")
    assert gpu.traffic(net, batches, torch.device("cuda")) == {"steps": 20, "reads": 0, "copies": 2}


def test_make_gpu_runs_without_one(tmp_path, monkeypatch, capsys):
    """The whole of it, with few images and a short notebook in place of the chapter."""
    data = fashion_mnist("sample")
    parts = ("train_images", "train_labels", "test_images", "test_labels")
    few = dataclasses.replace(data, **{part: getattr(data, part)[:256] for part in parts})
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1", id="sum")])
    nbformat.write(notebook, tmp_path / "short.ipynb")
    monkeypatch.setattr(gpu, "fashion_mnist", lambda: few)
    monkeypatch.setattr(gpu, "CHAPTER", tmp_path / "short.ipynb")
    monkeypatch.setattr(gpu, "ROOT", tmp_path)
    monkeypatch.setattr(gpu, "REPORT", tmp_path / "build" / "gpu.json")
    gpu.main()
    report = json.loads(gpu.REPORT.read_text())
    assert report["traffic"]["copies"] == 0
    assert report["R5"]["examples_per_second"] > 0
    assert report["drawing"]["median"] <= report["drawing"]["longest"]
    assert list(report["chapter 4"]) == ["sum"]
    assert "no GPU was found" in capsys.readouterr().out
