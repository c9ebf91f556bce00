"""Networks judged by running them: what holds of `helpers.checks.networks`, whichever chapter asks."""

import random
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from helpers import lenet
from helpers.checks import networks
from helpers.checks.attempt import Stopped

X = torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(34))


def layers(*end):
    return nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 12, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(4), nn.Flatten(), nn.Linear(108, 10), *end,
    )  # fmt: skip


class Net(nn.Module):
    """A network whose forward pass is a function of its layers and the images."""

    def __init__(self, forward, net=None):
        super().__init__()
        self.net, self.function = net or layers(), forward

    def forward(self, X):
        return self.function(self.net, X)


def with_layer(place, layer):
    net = layers()
    net[place] = layer
    return net


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize(
    "net",
    [
        lenet(),
        layers().double(),
        layers().half(),
        with_layer(0, nn.LazyConv2d(6, 3, padding=1)),
        with_layer(7, nn.LazyLinear(10)),
        with_layer(0, nn.utils.weight_norm(nn.Conv2d(1, 6, 3, padding=1))),
        with_layer(7, nn.utils.parametrizations.spectral_norm(nn.Linear(108, 10))),
        with_layer(1, nn.BatchNorm2d(6)),
        with_layer(1, nn.Dropout(0.5)),
        Net(lambda net, X: (print("here"), net(X))[1]),
    ],
)
def test_scores_come_whatever_the_layers(net, capsys):
    modes = [layer.training for layer in net.modules()]
    assert networks.scores(net, X).shape == (4, 10)
    assert [layer.training for layer in net.modules()] == modes
    assert capsys.readouterr().out == ""


def test_a_network_that_keeps_what_it_computed_is_judged():
    def forward(net, X):
        kept.seen = net(X)
        return kept.seen

    kept = Net(forward)
    kept(X)
    assert networks.scores(kept, X).shape == (4, 10)


def forever(net, X):
    while True:
        net(X)


@pytest.mark.parametrize(
    ("net", "words"),
    [
        (Net, "Net is the class of a network"),
        (nn.ModuleList([nn.Flatten()]), "only holds layers"),
        ((layers(),), "comma after its last bracket"),
        (nn.Sequential(), "is empty"),
        (type("Bare", (nn.Module,), {})(), "has no method `forward`"),
        (Net(lambda net, X: None), "does `forward` end with `return`?"),
        (Net(lambda net, X: (net(X), X)), "returns a tuple with 2 values"),
        (Net(lambda net, X: {"y": net(X)}), "returns a dict with 1 value"),
        (Net(lambda net, X: net(X).argmax(dim=1)), "torch.int64"),
        (Net(lambda net, X: net(X)[:, :9]), "gives 4×9, expected 4×10"),
        (Net(lambda net, X: net[:6](X)), "is nn.Flatten() missing?"),
        (Net(lambda net, X: net(X).view(-1, 5)), "keep the first dimension"),
        (Net(lambda net, X: net(X).squeeze()), "for one image alone"),
        (Net(lambda net, X: net(X) - net(X).mean(dim=0)), "images get mixed"),
        (layers(nn.Softmax(dim=0)), "a softmax with dim=0"),
        (Net(lambda net, X: torch.randn(len(X), 10)), "different scores"),
        (Net(lambda net, X: net(X) * random.random()), "different scores"),
        (Net(lambda net, X: net(X) * np.random.rand()), "different scores"),  # noqa: NPY002
        (Net(lambda net, X: F.dropout(net(X))), "training=self.training"),
        (Net(lambda net, X: net(X.mul_(2))), "changes the images"),
        (Net(lambda net, X: (torch.set_grad_enabled(False), net(X))[1]), "leaves gradients switched off"),
        (Net(forever), "did not come to an end"),
        (with_layer(7, nn.Linear(100, 10)), "layer 7, Linear(in_features=100, out_features=10, bias=True), stops"),
        (Net(lambda net, X: net(X), with_layer(3, nn.Conv2d(8, 12, 3))), "layer net.3, Conv2d(8, 12"),
        (with_layer(1, nn.BatchNorm2d(8)), "it is made for 8 channels, but maps of 6×28×28 reach it"),
        (with_layer(6, nn.Identity()), "maps of 12×3×3 reach it; put nn.Flatten()"),
        (with_layer(5, nn.MaxPool2d(20)), "its window does not fit on maps of 12×14×14"),
        (with_layer(2, nn.MaxPool2d(2, return_indices=True)), "a tuple with 2 values reaches it"),
        (with_layer(0, nn.Conv3d(1, 6, 3)), "for maps there is Conv2d"),
        (with_layer(7, nn.Linear(108, 10).double()), "its weights are torch.float64"),
        (with_layer(7, nn.Linear(108, 10).to("meta")), "its weights are on meta"),
        (layers().to("meta"), "which holds no numbers"),
        (with_layer(0, nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 6, 3))), "it is made for 3 channels"),
    ],
)
def test_what_is_wrong_with_a_network_is_said(net, words):
    with pytest.raises(Stopped) as stopped:
        networks.scores(net, X)
    assert words in stopped.value.words, stopped.value.words


def test_nan_is_named_with_its_parameter():
    net = layers()
    net[3].weight.data[0] = torch.nan
    with pytest.raises(Stopped, match=r"3\.weight"):
        networks.scores(net, X)


@pytest.mark.parametrize(
    ("net", "limit"),
    [
        (layers(), None),
        (layers(nn.LeakyReLU()), None),
        (layers(nn.BatchNorm1d(10)), None),
        (Net(lambda net, X: 10 * torch.tanh(net(X))), None),
        (layers(nn.Softmax(dim=1)), "softmax"),
        (Net(lambda net, X: net(X).exp() / net(X).exp().sum(dim=1, keepdim=True)), "softmax"),
        (layers(nn.LogSoftmax(dim=1)), "log-softmax"),
        (layers(nn.Sigmoid()), "between 0 and 1"),
        (Net(lambda net, X: 1 / (1 + torch.exp(-net(X)))), "between 0 and 1"),
        (layers(nn.Tanh()), "between -1 and 1"),
        (layers(nn.ReLU()), "at 0 or above"),
        (Net(lambda net, X: net(X) ** 2), "at 0 or above"),
        (layers(nn.LogSigmoid()), "at 0 or below"),
    ],
)
def test_what_limits_the_scores_is_seen_from_them(net, limit):
    assert networks.limit(networks.copied(net), X) == limit


def test_scores_that_do_not_depend_on_the_image_are_seen():
    with pytest.raises(Stopped, match="every image the same scores"):
        networks.limit(Net(lambda net, X: net(torch.zeros_like(X))), X)


def test_a_network_without_activation_is_affine():
    assert networks.is_affine(nn.Sequential(nn.Conv2d(1, 2, 5), nn.AvgPool2d(8), nn.Flatten(), nn.Linear(18, 10)), X)
    assert not networks.is_affine(layers(), X)


def test_a_run_counts_what_ran_not_what_is_defined():
    def forward(net, X):
        X = F.relu(F.conv2d(X, torch.ones(1, 1, 3, 3), padding=1))
        return net[7](net[3:7](net[:3](net[:1](X)[:, :1])))

    run = networks.run(Net(forward), X)
    assert run.count("convolution") == 4 and run.count("relu") == 3
    assert networks.run(lenet(), X).multiply_adds == 4 * 416_520
    assert run.trains and not networks.run(Net(lambda net, X: net(X).detach()), X).trains


def test_a_run_does_not_wait_for_pytorchs_compiler():
    program = (
        "import sys, torch\nfrom helpers import lenet\nfrom helpers.checks import networks\n"
        "print(tuple(networks.scores(lenet(), torch.rand(2, 1, 28, 28)).shape), 'torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout.strip(), done.returncode) == ("(2, 10) False", 0), done.stderr


def test_the_images_come_on_the_networks_own_device_and_type(monkeypatch):
    """On a machine with a GPU, networks that lie there get their images there; here the move is recorded."""
    moved = []
    to = torch.Tensor.to
    monkeypatch.setattr(torch.Tensor, "to", lambda X, *where, **how: (moved.append(where), to(X, *where, **how))[1])
    net = layers().double()
    networks.scores(net, X)
    assert (net[0].weight.device, torch.float64) in moved
