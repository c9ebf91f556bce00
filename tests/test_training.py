"""The one training loop, against plain PyTorch and against d2l; interrupts; checkpoints."""

import copy
import itertools
import platform
import subprocess
import sys

import pytest
import torch
from d2l import torch as d2l
from torch import nn

from helpers import Batches, evaluate_accuracy, lenet, load_weights, mlp, save_weights, train, try_gpu, xavier
from helpers.training import one_cycle


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.Adam])
def test_three_steps_equal_a_plain_listing(optimizer, batches):
    lr = 0.5 if optimizer is torch.optim.SGD else 0.001
    net = xavier(lenet(activation=nn.ReLU, pooling=nn.MaxPool2d))
    plain = copy.deepcopy(net)
    three = list(itertools.islice(batches, 3))

    trainer, loss = optimizer(plain.parameters(), lr=lr), nn.CrossEntropyLoss()
    for X, y in three:
        trainer.zero_grad()
        loss(plain(X), y).backward()
        trainer.step()

    list(train(net, three, 1, lr, device="cpu", optimizer=optimizer))
    for ours, theirs in zip(net.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-4)


def test_one_epoch_equals_d2ls(batches):
    net = lenet()
    theirs = copy.deepcopy(net)
    torch.manual_seed(1)
    xavier(net)
    for ours, other in zip(net, theirs, strict=True):
        if hasattr(ours, "bias"):
            nn.init.zeros_(other.bias)  # d2l draws the weights anew, but leaves the biases alone
    order = list(batches)
    list(train(net, order, 1, lr=0.9, device="cpu"))
    torch.manual_seed(1)
    d2l.train_ch6(theirs, order, order[:1], 1, 0.9, torch.device("cpu"))
    for ours, other in zip(net.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(ours, other, atol=1e-4)


def test_d2l_takes_our_batches(batches, capsys):
    d2l.train_ch6(mlp((8,)), batches, batches, 1, 0.1, torch.device("cpu"))
    assert "test acc" in capsys.readouterr().out


def test_one_cycle_goes_up_to_the_whole_rate_and_down_to_none():
    assert one_cycle(0) == one_cycle(1) == 0
    assert one_cycle(0.25, warm_up=0.25) == 1
    assert one_cycle(0.125, warm_up=0.25) == pytest.approx(0.5)
    assert one_cycle(0.625, warm_up=0.25) == pytest.approx(0.5)
    factors = [one_cycle(done / 1000) for done in range(1001)]
    peak = factors.index(max(factors))
    assert max(factors) == pytest.approx(1, abs=0.01)
    assert factors[: peak + 1] == sorted(factors[: peak + 1])
    assert factors[peak:] == sorted(factors[peak:], reverse=True)


@pytest.fixture
def recorded():
    """An optimiser that notes the learning rates of its steps, and the list in which it notes them."""
    rates = []

    class RecordedSGD(torch.optim.SGD):
        def step(self):
            rates.extend(group["lr"] for group in self.param_groups)
            super().step()

    return RecordedSGD, rates


def test_a_schedule_sets_the_rate_of_each_step_over_all_epochs(batches, recorded):
    optimizer, rates = recorded
    four = list(itertools.islice(batches, 4))
    asked = []

    def schedule(done):
        asked.append(done)
        return 1 - done

    list(train(mlp((4,)), four, 2, lr=0.5, device="cpu", optimizer=optimizer, schedule=schedule))
    middles = [(step + 0.5) / 8 for step in range(8)]
    assert asked == pytest.approx(middles)
    assert rates == pytest.approx([0.5 * (1 - done) for done in middles])


def test_without_a_schedule_the_rate_stays(batches, recorded):
    optimizer, rates = recorded
    list(train(mlp((4,)), batches, 1, lr=0.5, device="cpu", optimizer=optimizer))
    assert rates == [0.5] * len(batches)


def test_a_rate_of_zero_teaches_nothing(batches):
    net = xavier(mlp((16,)))
    before = copy.deepcopy(net.state_dict())
    list(train(net, batches, 1, lr=0.5, device="cpu", schedule=lambda done: 0.0))
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


def test_the_loss_function_is_what_is_minimised_and_reported(sample):
    X, y = sample.train_images[:100] / 255, sample.train_labels[:100]
    smoothed = nn.CrossEntropyLoss(label_smoothing=0.2)
    net = xavier(mlp((16,)))
    plain = copy.deepcopy(net)
    expected = smoothed(plain(X), y)
    expected.backward()
    (progress,) = train(net, [(X, y)], 1, lr=0.1, device="cpu", reports=1, loss_function=smoothed)
    assert progress.loss == pytest.approx(expected.item(), rel=1e-5)
    for ours, theirs in zip(net.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(ours, theirs - 0.1 * theirs.grad, atol=1e-6)
    assert expected.item() != pytest.approx(nn.functional.cross_entropy(plain(X), y).item(), rel=1e-3)


def test_progress_says_what_was_seen(batches):
    net = xavier(mlp((32,), activation=nn.ReLU))
    history = list(train(net, batches, 2, lr=0.1, val_iter=batches, device="cpu", reports=4))
    assert [round(progress.epoch, 4) for progress in history] == [0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2]
    assert [progress.examples for progress in history][3::4] == [1000, 2000]
    assert [progress.val_acc is not None for progress in history] == [False, False, False, True] * 2
    assert history[-1].val_acc == evaluate_accuracy(net, batches)
    assert history[0].loss > history[-1].loss
    assert 0 < history[-1].train_acc < 1
    seconds = [progress.seconds for progress in history]
    assert seconds == sorted(seconds)


def test_the_mean_loss_counts_examples_not_batches(sample):
    X, y = sample.train_images[:100] / 255, sample.train_labels[:100]
    net = xavier(mlp((16,)))
    expected = nn.functional.cross_entropy(net(X), y).item()
    uneven = [(X[:90], y[:90]), (X[90:], y[90:])]
    (progress,) = train(net, uneven, 1, lr=0.0, device="cpu", reports=1)
    assert progress.loss == pytest.approx(expected, rel=1e-5)
    correct = (net(X).argmax(dim=1) == y).float().mean().item()
    assert progress.train_acc == pytest.approx(correct)


def test_the_network_is_in_training_mode_while_it_trains(batches):
    net = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(784, 10)).eval()
    modes = []
    net[1].register_forward_hook(lambda layer, inputs, output: modes.append(layer.training))
    list(train(net, batches, 2, lr=0.1, val_iter=batches, device="cpu"))
    n = len(batches)
    assert modes == ([True] * n + [False] * n) * 2


def test_measuring_in_between_does_not_leave_the_network_in_eval_mode(batches):
    net = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(784, 10))
    modes = []
    net[1].register_forward_hook(lambda layer, inputs, output: modes.append(layer.training))
    for _ in train(net, batches, 1, lr=0.1, device="cpu"):
        net.eval()
    assert all(modes)


def test_an_interrupted_evaluation_leaves_the_mode(batches):
    def interrupted():
        yield next(iter(batches))
        raise KeyboardInterrupt

    net = mlp((4,)).train()
    with pytest.raises(KeyboardInterrupt):
        evaluate_accuracy(net, interrupted())
    assert net.training


def test_stopping_to_iterate_stops_training(batches):
    net = xavier(mlp((16,)))
    for progress in train(net, batches, 100, lr=0.1, device="cpu", reports=len(batches)):
        if progress.examples >= 128:
            break
    stopped = copy.deepcopy(net.state_dict())
    evaluate_accuracy(net, batches)
    assert all(torch.equal(stopped[name], value) for name, value in net.state_dict().items())


def test_evaluation_is_d2ls_and_leaves_the_mode(batches):
    net = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(784, 10))
    for training in (True, False):
        net.train(training)
        ours = evaluate_accuracy(net, batches)
        assert net.training is training
        assert ours == d2l.evaluate_accuracy_gpu(net, batches)
        assert all(parameter.grad is None for parameter in net.parameters())


def test_the_gpu_is_found_in_its_order(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert try_gpu() == torch.device("cuda:0")
    assert try_gpu(1) == torch.device("cuda:1")
    assert try_gpu(2) == torch.device("mps")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert try_gpu(2) == torch.device("cpu")


def test_weights_come_back_as_they_were_saved(tmp_path):
    net = lenet()
    save_weights(net, tmp_path / "net.pt")
    other = load_weights(lenet(), tmp_path / "net.pt")
    for ours, theirs in zip(net.parameters(), other.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    assert [path.name for path in tmp_path.iterdir()] == ["net.pt"]


def test_saved_weights_are_not_overwritten_unasked(tmp_path):
    save_weights(mlp((2,)), tmp_path / "net.pt")
    before = (tmp_path / "net.pt").read_bytes()
    with pytest.raises(FileExistsError, match="choose another name"):
        save_weights(mlp((3,)), tmp_path / "net.pt")
    assert (tmp_path / "net.pt").read_bytes() == before
    save_weights(mlp((3,)), tmp_path / "net.pt", overwrite=True)
    load_weights(mlp((3,)), tmp_path / "net.pt")


def test_a_seed_decides_everything(sample):
    def trained():
        torch.manual_seed(5)
        net = xavier(mlp((16,)))
        batches = Batches(sample.train_images[:500], sample.train_labels[:500], 50, shuffle=True, seed=5)
        return [progress.loss for progress in train(net, batches, 1, lr=0.1, device="cpu")]

    assert trained() == trained()


STEPS = """
import resource, torch
from helpers import lenet, train
X, y = torch.rand(256, 1, 28, 28), torch.zeros(256, dtype=torch.long)
def new_pages(steps):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    steps()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
net = lenet()
train_some = lambda: [None for _ in train(net, [(X, y)] * 10, 1, 0.1, device="cpu")]
train_some()
print(new_pages(train_some))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries keep their memory in their own way")
def test_a_step_uses_the_memory_of_the_step_before_it():
    done = subprocess.run([sys.executable, "-c", STEPS], capture_output=True, text=True, check=True)
    # The first layer's maps alone fill 1,176 pages (of 4 kB) in each of the ten steps. Without `keep_memory` all maps
    # together took 34,000 to 50,000 here, with it 0; on a busy machine 3,152 were seen once.
    assert int(done.stdout) < 10 * 1176 / 2
