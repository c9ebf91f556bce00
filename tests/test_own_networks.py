"""Whatever trains in a plain PyTorch loop trains in `train`, and a network that comes in goes out as it was."""

import copy
import functools
import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from helpers import (
    Batches,
    ImageData,
    accuracy,
    confusion_counts,
    evaluate_accuracy,
    labs,
    layer_table,
    lenet,
    load_weights,
    mlp,
    num_parameters,
    save_weights,
    train,
    train_validation_split,
    xavier,
)
from helpers.any_network import classes_of
from helpers.errors import ShapeError
from helpers.labs.drawing import look_inside


class Views(nn.Module):
    """As most tutorials write it: maps are flattened by `view`, which refuses maps that are channels-last."""

    def __init__(self):
        super().__init__()
        self.conv, self.dense = nn.Conv2d(1, 6, 5), nn.Linear(864, 10)

    def forward(self, x):
        return self.dense(F.max_pool2d(F.relu(self.conv(x)), 2).view(-1, 864))


class Rows(nn.Module):
    """An LSTM that reads an image row by row, and a dense layer."""

    def __init__(self):
        super().__init__()
        self.lstm, self.dense = nn.LSTM(28, 16, batch_first=True), nn.Linear(16, 10)

    def forward(self, x):
        rows, _ = self.lstm(x.squeeze(1))
        return self.dense(rows[:, -1])


class Scaled(nn.Module):
    """A parameter of the container itself, and layers in a ModuleList and a ModuleDict."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(784))
        self.layers = nn.ModuleList([nn.Linear(784, 16), nn.Linear(16, 16)])
        self.heads = nn.ModuleDict({"scores": nn.Linear(16, 10)})

    def forward(self, x):
        x = x.reshape(len(x), -1) * self.scale
        for layer in self.layers:
            x = torch.relu(layer(x))
        return self.heads["scores"](x)


class Twice(nn.Module):
    """One layer that is called twice, and two layers that share their weights."""

    def __init__(self):
        super().__init__()
        self.first, self.middle, self.last = nn.Linear(784, 16), nn.Linear(16, 16), nn.Linear(16, 10)
        self.tied = nn.Linear(16, 16)
        self.tied.weight = self.middle.weight

    def forward(self, x):
        x = torch.relu(self.first(x.flatten(1)))
        return self.last(self.tied(torch.relu(self.middle(torch.relu(self.middle(x))))))


class Functional(nn.Module):
    """No layers at all: weights of its own, and functions."""

    def __init__(self):
        super().__init__()
        self.kernels, self.weight = nn.Parameter(torch.randn(4, 1, 5, 5) / 5), nn.Parameter(torch.randn(10, 576) / 24)

    def forward(self, x):
        maps = F.avg_pool2d(torch.tanh(F.conv2d(x, self.kernels)), 2)
        return F.linear(maps.view(len(x), -1), self.weight)


def lazy():
    return nn.Sequential(nn.LazyConv2d(4, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.LazyLinear(10))


def normalised():
    return nn.Sequential(
        nn.Conv2d(1, 4, 5), nn.BatchNorm2d(4), nn.ReLU(), nn.AvgPool2d(4), nn.Flatten(), nn.Linear(144, 10)
    )


def normalised_dense():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 10))


def partly_frozen():
    net = lenet(activation=nn.ReLU)
    for parameter in net[:6].parameters():
        parameter.requires_grad_(False)
    return net


def with_dropout():
    layers = list(normalised())
    return nn.Sequential(*layers[:4], nn.Dropout2d(0.5), *layers[4:])


NETWORKS = {
    "LeNet": lambda: xavier(lenet(activation=nn.ReLU, pooling=nn.MaxPool2d)),
    "view in forward": Views,
    "an LSTM": Rows,
    "a container's own parameter": Scaled,
    "shared weights": Twice,
    "functions only": Functional,
    "lazy layers": lazy,
    "batch normalisation": normalised,
    "dense batch normalisation": normalised_dense,
    "partly frozen": partly_frozen,
    "dropout of maps": with_dropout,
    "half of it float64": lambda: lenet(activation=nn.ReLU).double(),
    "half of it bfloat16": lambda: lenet(activation=nn.ReLU).bfloat16(),
    "DataParallel": lambda: nn.DataParallel(lenet(activation=nn.ReLU)),
    "compiled": lambda: torch.compile(Views(), backend="eager"),
    "a group normalisation": lambda: nn.Sequential(
        nn.Conv2d(1, 4, 5), nn.GroupNorm(2, 4), nn.LocalResponseNorm(2), nn.Flatten(), nn.Linear(2304, 10)
    ),
    "its own view behind a Sequential": lambda: nn.Sequential(nn.Conv2d(1, 6, 5), nn.MaxPool2d(2), View()),
}


class View(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(864, 10)

    def forward(self, x):
        return self.dense(x.view(-1, 864))


def plain_loop(net, batches, lr=0.1, loss_function=F.cross_entropy, optimizer=torch.optim.SGD):
    """Ten lines as every tutorial has them."""
    optimizer = optimizer(net.parameters(), lr=lr)
    net.train()
    for X, y in batches:
        optimizer.zero_grad()
        loss_function(net(X), y).backward()
        optimizer.step()
    return net


def state(net):
    """What can be seen of a network: modes, devices, kinds of numbers, memory formats."""
    weights = {**dict(net.named_parameters()), **dict(net.named_buffers())}
    seen = {name: (value.device, value.dtype, value.shape, value.stride()) for name, value in weights.items()}
    return seen, {name: module.training for name, module in net.named_modules()}


def same_numbers(net, other):
    pairs = zip(net.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.allclose(ours.float(), theirs.float(), atol=1e-4) for ours, theirs in pairs)


@pytest.fixture
def few(sample):
    """Five batches of 64 images, as a list."""
    return list(Batches(sample.train_images[:320], sample.train_labels[:320], 64))


@pytest.mark.parametrize("name", NETWORKS)
def test_it_trains_as_in_a_plain_loop(name, few):
    net = NETWORKS[name]()
    kind = next(net.parameters()).dtype
    plain = copy.deepcopy(net) if name != "compiled" else torch.compile(copy.deepcopy(net._orig_mod), backend="eager")
    torch.manual_seed(7)
    plain_loop(plain, [(X.to(kind), y) for X, y in few])
    torch.manual_seed(7)
    history = list(train(net, few, 1, 0.1, val_iter=few))
    assert same_numbers(net, plain)
    assert 0 <= history[-1].val_acc <= 1
    assert 0 <= history[-1].train_acc <= 1
    assert evaluate_accuracy(net, few) == history[-1].val_acc
    assert len(classes_of(net, few[0][0])) == 64


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "lazy layers"])
@pytest.mark.parametrize("training", [True, False])
def test_it_goes_out_as_it_came_in_also_between_two_reports(name, training, few):
    net = NETWORKS[name]().train(training)
    list(net.modules())[-1].train(not training)  # one layer in another mode than the rest
    before = state(net)
    for _ in train(net, few, 1, 0.1, val_iter=few, reports=len(few)):
        assert state(net) == before
        assert all(p.grad is None or p.grad.is_contiguous() for p in net.parameters())
    evaluate_accuracy(net, few)
    classes_of(net, few[0][0])
    layer_table(net)
    assert state(net) == before


def test_what_training_leaves_half_done_is_as_it_was_too(few):
    net = normalised().eval()
    before = state(net)
    for _ in train(net, few, 1, 0.1, reports=len(few)):
        break
    assert state(net) == before

    def fails(y_hat, y):
        raise KeyError("of the student's own")

    with pytest.raises(KeyError):
        list(train(net, few, 1, 0.1, loss_function=fails))
    assert state(net) == before


def test_weights_and_gradients_can_be_viewed_during_and_after_training(few):
    net = xavier(lenet())
    for _ in train(net, few, 1, 0.1, reports=len(few)):
        assert net[3].weight.view(16, -1).shape == (16, 150)
        assert net[3].weight.grad.view(16, -1).shape == (16, 150)
        assert net[0](few[0][0]).view(64, -1).shape == (64, 6 * 784)
    assert Views()(few[0][0]).shape == (64, 10)


def test_a_hook_sees_maps_as_in_a_plain_loop(few):
    net, seen = lenet(activation=nn.ReLU), []
    net[3].register_forward_hook(lambda layer, inputs, output: seen.append(output.view(len(output), -1).shape))
    list(train(net, few, 1, 0.1, val_iter=few))
    assert len(seen) == 10


def test_scores_that_are_maps_reach_the_loss_as_in_a_plain_loop(few):
    net = nn.Sequential(nn.Conv2d(1, 4, 5, stride=4), nn.ReLU(), nn.Conv2d(4, 10, 6))

    def of_maps(maps, y):
        return F.cross_entropy(maps.view(64, -1), y)

    (progress,) = train(net, few, 1, 0.1, reports=1, loss_function=of_maps)
    assert math.isfinite(progress.loss)


def test_a_frozen_batch_normalisation_stays_frozen_and_a_whole_network_in_eval_trains(few):
    net = normalised()
    net[1].eval()
    list(train(net, few, 1, 0.1))
    assert not net[1].training
    assert net[1].num_batches_tracked == 0
    for progress in train(net, few, 1, 0.1, reports=len(few)):
        if progress.examples < 200:
            net.eval()  # as a measurement of one's own leaves it
    assert net[1].num_batches_tracked == 0
    net = normalised().eval()
    list(train(net, few, 1, 0.1))
    assert net[1].num_batches_tracked == len(few)
    assert not any(module.training for module in net.modules())


def test_a_train_method_of_ones_own_is_called(few):
    class Frozen(nn.Sequential):
        def train(self, mode=True):
            super().train(mode)
            self[1].eval()
            return self

    net = Frozen(*normalised())
    list(train(net, few, 1, 0.1))
    assert net[1].num_batches_tracked == 0


def test_the_device_is_the_networks_own_unless_one_is_named(few, monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)  # what `try_gpu` would choose
    net = mlp((4,))
    list(train(net, few, 1, 0.1))
    assert next(net.parameters()).device.type == "cpu"
    moved = []
    monkeypatch.setattr(nn.Module, "to", lambda net, device: moved.append(device) or net)
    list(train(net, few, 1, 0.1, device="cpu"))
    assert moved == [torch.device("cpu")]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda x: x, "this is a function, not a network"),
        (nn.Linear, r"this is the class Linear, not a network: write Linear\(\.\.\.\) to make one"),
        ([nn.Linear(784, 10)], "this is a list, not a network"),
    ],
)
def test_what_is_no_network_is_refused_in_words(wrong, said, few):
    for ask in (
        lambda: list(train(wrong, few, 1, 0.1)), lambda: evaluate_accuracy(wrong, few),
        lambda: classes_of(wrong, few[0][0]), lambda: layer_table(wrong), lambda: num_parameters(wrong),
        lambda: xavier(wrong), lambda: save_weights(wrong, "unused.pt"),
    ):  # fmt: skip
        with pytest.raises(ShapeError, match=said):
            ask()


def test_a_batch_that_the_network_cannot_take_is_named_with_its_shape_and_kind():
    y = torch.zeros(8, dtype=torch.long)
    for X, came in [
        (torch.rand(8, 28, 28), r"of shape \(8, 28, 28\), float32: "),
        (torch.rand(8, 3, 28, 28), r"of shape \(8, 3, 28, 28\), float32: "),
        (torch.rand(8, 1, 32, 32), r"of shape \(8, 1, 32, 32\), float32: "),
        (torch.zeros(8, 1, 28, 28, dtype=torch.long), r"of shape \(8, 1, 28, 28\), int64: "),
        (list(torch.rand(8, 1, 28, 28)), "that is a list: "),
    ]:
        for ask in (lambda: list(train(lenet(), [(X, y)], 1, 0.1)), lambda: evaluate_accuracy(lenet(), [(X, y)])):  # noqa: B023
            with pytest.raises(ShapeError, match=f"the network cannot take a batch {came}"):
                ask()
    with pytest.raises(ShapeError, match=r"cannot take a batch of shape \(1, 3, 32, 32\)"):
        layer_table(lenet(), (1, 3, 32, 32))


def test_a_network_trains_though_a_cell_has_switched_gradients_off(few):
    net = xavier(lenet(activation=nn.ReLU))
    plain = plain_loop(copy.deepcopy(net), few)
    with torch.no_grad():
        list(train(net, few, 1, 0.1))
    assert same_numbers(net, plain)


def test_batches_and_splits_lie_where_they_are_asked_for_whatever_the_default_device_is(sample):
    images, labels = sample.train_images[:20], sample.train_labels[:20]
    expected = next(iter(Batches(images, labels, 8, shuffle=True, seed=1)))[1]
    with torch.device("meta"):  # instead of "cuda"
        X, y = next(iter(Batches(images, labels, 8, shuffle=True, seed=1)))
        parts = train_validation_split(images, labels, 5)
    assert torch.equal(y, expected)
    assert {part.device.type for part in (X, *parts)} == {"cpu"}


# ---- lazy layers, and what the table of layers counts


def test_a_scripted_network_trains_and_says_why_nobody_can_look_into_it(few, sample):
    net = torch.jit.script(lenet(activation=nn.ReLU))
    assert 0 <= list(train(net, few, 1, 0.1, val_iter=few))[-1].val_acc <= 1
    with pytest.raises(ShapeError, match=r"a network from torch\.jit\.script are hidden"):
        layer_table(net)
    lab = labs.drawing({"mine": net}, sample.class_names)
    assert "a network from torch.jit.script are hidden" in lab.message.value
    lab.close()


@pytest.mark.parametrize("ask", [num_parameters, xavier, lambda net: save_weights(net, "unused.pt")])
def test_sizes_that_are_not_known_yet_are_named_with_what_to_do(ask):
    with pytest.raises(ShapeError, match=r"LazyConv2d learns its size .* net\(torch.zeros\(1, 1, 28, 28\)\)"):
        ask(lazy())


def test_lazy_layers_are_known_after_training_and_the_table_leaves_them_lazy(few):
    net = lazy()
    table = layer_table(net)
    assert [row.output_shape for row in table][-1] == (1, 10)
    assert isinstance(net[0], nn.LazyConv2d)
    list(train(net, few, 1, 0.1, optimizer=torch.optim.Adam))
    assert num_parameters(xavier(net)) == table.parameters == 104 + 5770


def test_lazy_weights_come_back(tmp_path, few):
    net = lazy()
    list(train(net, few, 1, 0.1))
    save_weights(net, tmp_path / "net.pt")
    other = load_weights(lazy(), tmp_path / "net.pt")
    assert torch.equal(net(few[0][0]), other(few[0][0]))


@pytest.mark.parametrize("name", ["view in forward", "compiled", "DataParallel", "half of it float64"])
def test_weights_of_any_network_come_back(name, tmp_path, few):
    net = NETWORKS[name]()
    save_weights(net, tmp_path / "net.pt")
    other = load_weights(NETWORKS[name](), tmp_path / "net.pt")
    assert same_numbers(net, other)
    if name == "compiled":
        assert same_numbers(net, load_weights(Views(), tmp_path / "net.pt"))


def test_a_network_that_keeps_its_maps_can_load_weights(tmp_path, few):
    class Keeps(Views):
        def forward(self, x):
            self.maps = self.conv(x)
            return super().forward(x)

    net = Keeps()
    net(few[0][0])
    save_weights(net, tmp_path / "net.pt")
    assert load_weights(net, tmp_path / "net.pt") is net


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "lazy layers"])
def test_each_parameter_is_counted_once_in_the_table(name):
    net = NETWORKS[name]()
    table = layer_table(net)
    assert table.parameters == sum(parameter.numel() for parameter in net.parameters())
    assert str(table)


def test_a_layer_called_twice_works_twice_and_is_counted_once():
    rows = [(row.name, row.parameters, row.multiply_adds) for row in layer_table(Twice())]
    assert rows == [
        ("Linear", 784 * 16 + 16, 784 * 16), ("Linear", 16 * 16 + 16, 256), ("Linear", 0, 256), ("Linear", 16, 256),
        ("Linear", 170, 160),
    ]  # fmt: skip


def test_the_table_shows_layers_with_several_outputs_and_their_products():
    first, last = layer_table(Rows())
    assert (first.name, first.output_shape, first.parameters) == ("LSTM", (1, 28, 16), 4 * 16 * (28 + 16 + 2))
    assert first.multiply_adds == 28 * 4 * 16 * (28 + 16)
    assert last.output_shape == (1, 10)


def test_the_table_names_a_containers_own_parameters_and_those_that_are_never_used():
    assert ("Scaled", 784) in [(row.name, row.parameters) for row in layer_table(Scaled())]
    net = Views()
    net.forgotten = nn.Linear(3, 3)
    assert layer_table(net)[-1].name == "(not called)"
    assert layer_table(net)[-1].parameters == 12


def test_transposed_and_one_dimensional_convolutions_are_counted():
    net = nn.Sequential(nn.ConvTranspose2d(1, 3, 2, stride=2), nn.Flatten(2), nn.Conv1d(3, 2, 5))
    assert [row.multiply_adds for row in layer_table(net)] == [784 * 3 * 4, 0, (56 * 56 - 4) * 2 * 15]


# ---- batches, and what is in them


def test_a_last_batch_of_one_is_left_out_if_batch_normalisation_cannot_take_it(sample):
    batches = Batches(sample.train_images[:129], sample.train_labels[:129], 64)
    net = normalised_dense()
    plain = plain_loop(copy.deepcopy(net), list(batches)[:2])
    history = list(train(net, batches, 1, 0.1, val_iter=batches, reports=len(batches)))
    assert [progress.examples for progress in history] == [64, 128, 128]
    assert history[-1].val_acc is not None
    assert all(map(torch.allclose, net.parameters(), plain.parameters()))
    assert torch.allclose(net[2].running_mean, plain[2].running_mean)
    net = lenet()  # others take it
    assert list(train(net, batches, 1, 0.1))[-1].examples == 129


def test_batches_of_one_that_batch_normalisation_cannot_take_are_refused_in_words(sample):
    batches = Batches(sample.train_images[:3], sample.train_labels[:3], 1)
    with pytest.raises(ShapeError, match=r"this batch is \(1, 1, 28, 28\): choose a larger batch_size"):
        list(train(normalised_dense(), batches, 1, 0.1))


OPTIMIZERS = {
    "a class": lambda net: torch.optim.SGD,
    "an optimizer": lambda net: torch.optim.SGD(net.parameters(), lr=0.1),
    "partial": lambda net: functools.partial(torch.optim.SGD, momentum=0.0),
    "lambda": lambda net: lambda parameters, lr: torch.optim.SGD(parameters, lr),
    "two groups": lambda net: torch.optim.SGD([{"params": net[1].parameters()}, {"params": net[3].parameters()}], 0.1),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_is_taken_in_any_form(name, few):
    net = mlp((8,))
    plain = plain_loop(copy.deepcopy(net), few)
    list(train(net, few, 1, 0.1, optimizer=OPTIMIZERS[name](net)))
    assert same_numbers(net, plain)


def test_an_optimizers_own_rate_counts_and_a_schedule_leaves_it(few):
    net = mlp((8,))
    plain = plain_loop(copy.deepcopy(net), few, lr=0.25)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
    list(train(net, few, 1, None, optimizer=optimizer, schedule=lambda done: 0.5))
    assert same_numbers(net, plain)
    assert optimizer.param_groups[0]["lr"] == 0.5


def test_a_scheduler_of_ones_own_may_step_between_the_epochs_and_its_rate_stays(few):
    net = mlp((8,))
    plain = plain_loop(plain_loop(copy.deepcopy(net), few, lr=0.2), few, lr=0.1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.2)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    for _ in train(net, few, 2, None, optimizer=optimizer, reports=1):
        scheduler.step()
    assert same_numbers(net, plain)
    assert optimizer.param_groups[0]["lr"] == 0.05


def test_settings_that_train_cannot_use_are_refused_in_words(few):
    net = mlp((8,))
    scheduler = torch.optim.lr_scheduler.StepLR(torch.optim.SGD(net.parameters(), 0.1), 1)
    for options, said in [
        ({"optimizer": "adam"}, "the optimizer is 'adam': give a class"),
        ({"optimizer": None}, "the optimizer is None: give a class"),
        ({"optimizer": torch.optim.LBFGS}, "LBFGS needs the loss several times"),
        ({"optimizer": torch.optim.LBFGS(net.parameters())}, "LBFGS needs the loss several times"),
        ({"schedule": scheduler}, "schedule must be a function such as one_cycle"),
        ({"schedule": torch.optim.lr_scheduler.StepLR}, "schedule must be a function such as one_cycle"),
        ({"loss_function": nn.CrossEntropyLoss}, r"the class CrossEntropyLoss: write nn\.CrossEntropyLoss\(\)"),
        ({"loss_function": nn.CrossEntropyLoss(reduction="none")}, r"the loss has the shape \(64,\)"),
        ({"loss_function": lambda y_hat, y: F.nll_loss(y_hat, y, reduction="none")}, r"the loss has the shape \(64,\)"),
    ]:
        with pytest.raises(ValueError, match=said):
            list(train(net, few, 1, 0.1, **options))


def test_what_cannot_learn_is_refused_in_words(few):
    for net in (nn.Flatten(), mlp((8,)).requires_grad_(False)):
        with pytest.raises(ValueError, match="no parameters that training can change"):
            list(train(net, few, 1, 0.1))
    with pytest.raises(ValueError, match="parameters of another network"):
        list(train(mlp((8,)), few, 1, 0.1, optimizer=torch.optim.Adam(mlp((8,)).parameters())))


def test_a_network_without_parameters_can_be_measured(few):
    class FirstTenPixels(nn.Module):
        def forward(self, x):
            return x.flatten(1)[:, :10]

    net = FirstTenPixels()
    assert 0 <= evaluate_accuracy(net, few) <= 1
    assert layer_table(net).parameters == num_parameters(net) == 0


class Stream(IterableDataset):
    def __init__(self, pairs):
        self.pairs = pairs

    def __iter__(self):
        return iter(self.pairs)


def iterators(X, y):
    """The same five batches in every form, {name: batches}."""
    pairs = list(zip(X.split(64), y.split(64), strict=True))
    return {
        "Batches": Batches(X, y, 64),
        "DataLoader": DataLoader(TensorDataset(X, y), 64),
        "a stream without a length": DataLoader(Stream(list(zip(X, y, strict=True))), 64),
        "a generator": (pair for pair in pairs),
        "zip": zip(X.split(64), y.split(64), strict=True),
        "NumPy": [(X.numpy(), y.numpy()) for X, y in pairs],
        "float64": [(X.double(), y) for X, y in pairs],
        "bytes": [((255 * X).round().byte(), y) for X, y in pairs],
        "labels in a column": [(X, y[:, None]) for X, y in pairs],
        "labels as bytes": [(X, y.to(torch.uint8)) for X, y in pairs],
        "labels as int32": [(X, y.to(torch.int32)) for X, y in pairs],
        "labels one-hot as whole numbers": [(X, F.one_hot(y, 10)) for X, y in pairs],
        "labels one-hot": [(X, F.one_hot(y, 10).float()) for X, y in pairs],
        "labels one-hot in float64": [(X, F.one_hot(y, 10).double()) for X, y in pairs],
        "labels as a list": [(X, y.tolist()) for X, y in pairs],
    }


FORMS = list(iterators(torch.zeros(1, 1, 28, 28), torch.zeros(1, dtype=torch.long)))


@pytest.mark.parametrize("form", FORMS)
def test_batches_in_any_form_train_and_measure_the_same(form, sample):
    X, y = sample.train_images[:320] / 255, sample.train_labels[:320]
    net = xavier(lenet(activation=nn.ReLU, pooling=nn.MaxPool2d))
    plain = plain_loop(plain_loop(copy.deepcopy(net), iterators(X, y)["DataLoader"]), iterators(X, y)["DataLoader"])
    history = list(train(net, iterators(X, y)[form], 2, 0.1, reports=1))
    assert [progress.epoch for progress in history] == [1, 2]
    assert same_numbers(net, plain)
    expected = (plain.eval()(X).argmax(dim=1) == y).float().mean().item()
    assert evaluate_accuracy(net, iterators(X, y)[form]) == pytest.approx(expected, abs=0.004)  # one image on the edge
    assert 0 <= history[-1].train_acc <= 1


def test_what_gives_no_pairs_is_refused_at_the_door(sample):
    X, y = sample.train_images[:8] / 255, sample.train_labels[:8]
    for batches, said in [
        (X, r"yields no batches \(Tensor\)"), (None, r"yields no batches \(NoneType\)"), (sample, "yields no batches"),
        ((X, y), "a batch is a Tensor of 8, not a pair"), ([(X, y, y)], "a batch is a tuple of 3, not a pair"),
        ([{"image": X, "label": y}], "a batch is a dict of 2, not a pair"),
        (TensorDataset(X, y), "one image and its label, not a batch"), ([(X, ["cat"] * 8)], "labels are not a table"),
    ]:  # fmt: skip
        for ask in (lambda: list(train(lenet(), batches, 1, 0.1)), lambda: evaluate_accuracy(lenet(), batches)):  # noqa: B023
            with pytest.raises(ShapeError, match=said):
                ask()


def test_a_generator_of_validation_batches_serves_every_epoch(few):
    history = list(train(mlp((4,)), few, 3, 0.1, val_iter=iter(few), reports=1))
    assert len([progress for progress in history if progress.val_acc is not None]) == 3


def test_nothing_to_train_on_is_said(few):
    for empty in ([], iter([]), DataLoader(Stream([]), 4)):
        with pytest.raises(ValueError, match="train_iter is empty"):
            list(train(mlp((4,)), empty, 1, 0.1))
    used = iter(few)
    list(used)
    with pytest.raises(ValueError, match="data_iter is empty"):
        evaluate_accuracy(mlp((4,)), used)


@pytest.mark.parametrize(
    ("net", "y", "said"),
    [
        (mlp((4,)), torch.zeros(64), r"floats of shape \(64,\)"),
        (mlp((4,)), torch.zeros(63, dtype=torch.long), r"gives \(64, 10\) .* shape \(63,\)"),
        (mlp((4,)), torch.zeros(64, 2, dtype=torch.long), r"shape \(64, 2\)"),
        (mlp((4,)), torch.zeros(64, 9), r"shape \(64, 9\)"),
        (mlp((4,), num_classes=1), torch.zeros(64, dtype=torch.long), r"gives \(64, 1\)"),
        (mlp((4,), num_classes=3), torch.full((64,), 7), "With 3 scores, labels go from 0 to 2"),
        (nn.LSTM(28, 10), torch.zeros(64, dtype=torch.long), "the network returns a tuple"),
        (mlp((4,)), (torch.zeros(64), torch.zeros(64)), "the labels are a tuple"),
    ],
)
def test_scores_and_labels_that_do_not_belong_together_are_refused(net, y, said):
    X = torch.rand(64, 28) if isinstance(net, nn.LSTM) else torch.rand(64, 1, 28, 28)
    with pytest.raises(ShapeError, match=said):
        list(train(net, [(X, y)], 1, 0.1))


def test_another_loss_gets_what_it_gets_in_a_plain_loop_and_there_is_no_accuracy_without_classes():
    X = torch.rand(8, 1, 28, 28)
    tasks = {
        "regression": (mlp((4,), num_classes=1), torch.rand(8, 1), F.mse_loss),
        "two classes": (mlp((4,), num_classes=1), torch.ones(8, 1), F.binary_cross_entropy_with_logits),
        "pixels": (nn.Conv2d(1, 3, 3, padding=1), torch.ones(8, 28, 28, dtype=torch.long), F.cross_entropy),
        "a column": (mlp((4,)), torch.ones(8, 1, dtype=torch.long), lambda z, y: F.cross_entropy(z, y.squeeze(1))),
        "two targets": (
            mlp((4,)), (torch.ones(8, dtype=torch.long), torch.rand(8)),
            lambda z, y: F.cross_entropy(z, y[0]) + F.mse_loss(z[:, 0], y[1]),
        ),
    }  # fmt: skip
    for name, (net, y, loss_function) in tasks.items():
        plain = plain_loop(copy.deepcopy(net), [(X, y)], loss_function=loss_function)
        (progress,) = train(net, [(X, y)], 1, 0.1, loss_function=loss_function, reports=1)
        assert same_numbers(net, plain), name
        assert math.isnan(progress.train_acc) or (name == "a column" and 0 <= progress.train_acc <= 1)
        assert progress.examples == 8


def test_a_tuple_may_go_to_a_loss_of_ones_own(few):
    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = mlp((8,))

        def forward(self, x):
            return self.net(x), x

    (progress,) = train(Both(), few, 1, 0.1, reports=1, loss_function=lambda out, y: F.cross_entropy(out[0], y))
    assert math.isfinite(progress.loss)
    with pytest.raises(ShapeError, match="are a tuple"):
        evaluate_accuracy(Both(), few)


@pytest.mark.parametrize("counts", [accuracy, lambda y_hat, y: int(confusion_counts(y_hat, y).diag().sum())])
def test_correct_answers_are_never_more_than_there_are(counts):
    scores, y = torch.eye(10), torch.arange(10)
    for labels in (y, y[:, None], y.to(torch.uint8), y.to(torch.int32), y.numpy(), y.tolist(), F.one_hot(y, 10)):
        assert counts(scores, labels) == 10
        assert counts(y[:, None], labels) == 10
    for y_hat, labels in [
        (scores, y[:7]), (scores[:, :1], y), (scores, torch.rand(10)), (scores, torch.rand(10, 1)),
        (scores[None], y), (scores, y[None]), (torch.rand(10), y), ((scores,), y), (torch.tensor(3), torch.tensor(3)),
        (torch.rand(10, 5, 2), torch.zeros(10, 2, dtype=torch.long)),
    ]:  # fmt: skip
        with pytest.raises(ShapeError, match=r"expected|one label per prediction"):
            counts(y_hat, labels)


def test_one_hot_labels_of_any_kind_are_counted():
    assert accuracy(torch.eye(10), F.one_hot(torch.arange(10), 10).bool()) == 10


def test_classes_that_the_table_of_confusions_does_not_have_are_refused():
    for labels, said in [
        (torch.arange(1, 11), "from 0 to 10, but num_classes is 10"),
        (torch.arange(-1, 9), "from -1"),
    ]:
        with pytest.raises(ShapeError, match=said):
            confusion_counts(torch.eye(10), labels)


def in_many_forms(images):
    """The same images, (N, 1, 28, 28) bytes, in every form that is taken."""
    array = images.numpy()
    return {
        "bytes": images,
        "NumPy": array,
        "a read-only array": np.broadcast_to(array, array.shape),
        "without channels": images[:, 0],
        "channels last": array[:, 0, :, :, None],
        "whole numbers": array.astype(np.int64),
        "a list of arrays": list(array[:, 0]),
        "a list of tensors": list(images),
        "lists of numbers": array[:, 0].tolist(),
        "float64": array / 255,
        "float32": images / 255,
        "in another memory format": images.contiguous(memory_format=torch.channels_last),
    }


@pytest.mark.parametrize("form", in_many_forms(torch.zeros(1, 1, 28, 28, dtype=torch.uint8)))
def test_images_in_any_form_are_the_same_batches_and_the_same_data_set(form, sample):
    images, labels = sample.train_images[:20], sample.train_labels[:20]
    given = in_many_forms(images)[form]
    for their in (labels, labels[:, None], labels.numpy(), labels.tolist(), labels.to(torch.uint8), labels.int()):
        (X, y), *_ = Batches(given, their, 20)
        assert (X.shape, X.dtype, y.dtype) == ((20, 1, 28, 28), torch.float32, torch.long)
        assert torch.allclose(X, images / 255)
        assert torch.equal(y, labels)
    data = ImageData("mine", given, labels.numpy()[:, None], given, labels.tolist(), sample.class_names, "me", None)
    for part in (data.train_images, data.test_images):
        assert torch.equal(part, images)
    for part in (data.train_labels, data.test_labels):
        assert torch.equal(part, labels)
    parts = train_validation_split(given, labels.tolist(), 5)
    assert [len(part) for part in parts] == [15, 15, 5, 5]


def test_colour_images_of_any_layout(sample):
    colours = torch.randint(256, (6, 3, 32, 32), dtype=torch.uint8)
    for given in (colours, colours.permute(0, 2, 3, 1), colours.permute(0, 2, 3, 1).numpy()):
        (X, _), *_ = Batches(given, torch.zeros(6), 6)
        assert torch.equal(X, colours / 255)


@pytest.mark.parametrize(
    ("images", "labels", "said"),
    [
        (torch.zeros(10), torch.zeros(10), r"shape \(10,\): expected \(N, channels, height, width\)"),
        (torch.zeros(10, 1, 1, 28, 28), torch.zeros(10), "expected"),
        (torch.full((10, 28, 28), 300), torch.zeros(10), "from 300 to 300: expected bytes"),
        ([[1, 2], [3]], [0, 1], "images are not a table of numbers"),
        (["cat.png", "dog.png"], [0, 1], "images are not a table of numbers"),
        (torch.zeros(2, 1, 4, 4, dtype=torch.cfloat), [0, 1], "complex numbers: expected bytes"),
        (torch.zeros(2, 1, 4, 4), ["cat", "dog"], "labels are not a table of numbers"),
        (torch.zeros(10, 28, 28), torch.zeros(9), "10 images but 9 labels"),
        (torch.zeros(1, 1, 28, 28), 3, "one label per image"),
    ],
)
def test_what_are_no_images_or_labels_is_refused_at_the_door(images, labels, said):
    with pytest.raises(ShapeError, match=said):
        Batches(images, labels, 4)


def test_black_and_white_images_are_black_and_white(sample):
    (X, _), *_ = Batches(sample.train_images[:4] > 127, [0] * 4, 4)
    assert X.unique().tolist() == [0, 1]


def test_sizes_that_are_no_whole_numbers_are_refused_in_words():
    images, labels = torch.zeros(10, 1, 4, 4), torch.zeros(10)
    for size in (4.0, "4", None):
        with pytest.raises(ValueError, match=r"batch_size is .*: use a whole number, 1 or more"):
            Batches(images, labels, size)
    with pytest.raises(ValueError, match=r"num_validation is 0\.1: give a number of images, such as 1"):
        train_validation_split(images, labels, 0.1)
    assert len(Batches(images, labels, np.int64(4), shuffle=True, seed=np.int64(1))) == 3


def test_a_data_set_of_other_things_is_refused_at_the_door(sample):
    def made(images=sample.train_images[:5], labels=sample.train_labels[:5]):
        return ImageData("mine", images, labels, images, labels, sample.class_names, "me", None)

    made()
    for wrong, said in [
        ({"images": torch.full((5, 28, 28), 255.0)}, "floats from 255 to 255"),
        ({"labels": torch.arange(6, 11)}, "from 6 to 10, but there are 10 class names"),
        ({"labels": torch.zeros(4)}, "5 images but 4 labels"),
        ({"labels": torch.zeros(5)}, "whole numbers"),
        ({"labels": torch.zeros(5, 10, dtype=torch.long)}, r"shape \(5, 10\)"),
    ]:
        with pytest.raises(ShapeError, match=said):
            made(**wrong)


def test_a_split_of_unequal_parts_is_refused():
    with pytest.raises(ValueError, match="10 images but 9 labels"):
        train_validation_split(torch.zeros(10, 1, 2, 2), torch.zeros(9), 3)


def test_a_report_after_a_last_batch_that_was_left_out_knows_the_number_of_classes(sample):
    batches = Batches(sample.train_images[:5], sample.train_labels[:5], 4)
    (progress,) = train(normalised_dense(), batches, 1, 0.1, reports=1)
    assert (progress.examples, progress.num_classes) == (4, 10)


@pytest.fixture
def usual_floats_are_double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def test_with_float64_as_the_usual_kind_everything_trains(usual_floats_are_double, sample):
    images, labels = sample.train_images[:200], sample.train_labels[:200]
    batches = Batches(images, labels, 50)
    assert next(iter(batches))[0].dtype == torch.float64
    for net in (xavier(lenet()), lenet().float(), Views(), Rows().float(), lazy()):
        kind = next(net.parameters()).dtype
        history = list(train(net, batches, 1, 0.1, val_iter=batches))
        assert next(net.parameters()).dtype == kind
        assert evaluate_accuracy(net, batches) == history[-1].val_acc
        assert len(classes_of(net, images)) == 200
        assert len(layer_table(net))
    data = ImageData("mine", images, labels, images, labels, sample.class_names, "me", None)
    assert data.train_images.dtype == torch.uint8


@pytest.mark.parametrize("batch", [0, 2])
def test_no_memory_for_a_batch_that_is_fetched_is_explained(batch, few):
    class Full:
        def __len__(self):
            return len(few)

        def __iter__(self):
            yield from itertools.islice(few, batch)
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    which = "a batch of 64 .* try batches of 32" if batch else "the first batch .* try smaller batches"
    with pytest.raises(MemoryError, match=which):
        list(train(mlp((4,)), Full(), 1, 0.1))


# ---- the labs that take a network


def test_the_duel_of_three_is_refused_in_words(sample):
    nets = {name: mlp((4,)) for name in ("a", "b", "c")}
    for rivals, said in [
        (nets, "there are 3 networks: expected 2 networks"),
        ({"a": nets["a"]}, "there are 1 networks: expected 2"),
        (list(nets.values())[:2], "this is a list"),
        ({"a": nets["a"], "b": "mlp"}, "b is a str, not a network"),
        ({"a": nets["a"], "b": mlp((4,), num_classes=3)}, r"b returns \(1, 3\) for one image: expected \(1, 10\)"),
        ({"a": nets["a"], "b": nn.Linear(5, 10)}, r"b cannot take an image of shape \(1, 28, 28\)"),
        ({"a": nets["a"], "b": lazy()}, "LazyConv2d learns its size"),
    ]:
        with pytest.raises(ShapeError, match=said):
            labs.versus(rivals, sample)


def test_the_duel_takes_networks_of_ones_own(sample):
    nets = {"mine": Views(), "rows": Rows().double()}
    nets["mine"].conv.eval()
    before = {name: state(net) for name, net in nets.items()}
    lab = labs.versus(nets, sample)
    assert "mine 8,806" in lab.message.value
    assert {name: state(net) for name, net in nets.items()} == before
    lab.close()


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "lazy layers"])
def test_the_drawing_lab_takes_any_network(name, sample):
    net = NETWORKS[name]()
    before = state(net)
    lab = labs.drawing({"mine": net, "MLP": mlp((8,))}, sample.class_names)
    assert "mine says" in lab.message.value
    assert state(net) == before
    assert not any(layer._forward_hooks for layer in net.modules())
    lab.close()


def test_the_drawing_lab_takes_one_network_and_refuses_others_in_words(sample):
    lab = labs.drawing({"mine": Views()}, sample.class_names)
    assert "agree" not in lab.message.value
    lab.close()
    for nets, said in [
        ({name: mlp((4,)) for name in "abc"}, "there are 3 networks: expected 1 or 2"),
        ({"mine": mlp((4,), num_classes=2)}, r"mine returns \(1, 2\) for one image"),
        ({"mine": nn.Conv2d(3, 10, 3)}, r"mine cannot take an image of shape \(1, 28, 28\)"),
    ]:
        with pytest.raises(ShapeError, match=said):
            labs.drawing(nets, sample.class_names)


def test_the_maps_of_a_module_of_ones_own_are_those_behind_the_activation_if_that_is_a_layer(sample):
    image = sample.test_images[0]
    net = lenet(activation=nn.Tanh)
    maps, chances = look_inside(net, image)
    assert torch.allclose(maps[0], net[:2](image[None] / 255)[0], atol=1e-6)
    assert torch.allclose(maps[1], net[:5](image[None] / 255)[0], atol=1e-6)
    assert torch.allclose(chances, net(image[None] / 255)[0].softmax(dim=0), atol=1e-6)
    mine = Views()
    maps, _ = look_inside(mine, image)
    assert torch.allclose(maps[0], mine.conv(image[None] / 255)[0], atol=1e-6)


def test_the_microscope_says_in_words_what_it_cannot_open(sample):
    images = sample.test_images[:3]
    with pytest.raises(ShapeError, match=r"opens an nn\.Sequential"):
        labs.microscope(Views(), images)
    with pytest.raises(ShapeError, match=r"layer 1, Conv2d.* cannot take what reaches it"):
        labs.microscope(nn.Sequential(nn.Conv2d(3, 2, 3)), images)
    labs.microscope(lenet(), images.numpy()).close()
    net = lazy()
    labs.microscope(net, images).close()
    assert isinstance(net[0], nn.LazyConv2d)
    net = normalised().double()
    net[1].eval()
    before = state(net)
    labs.microscope(net, images).close()
    assert state(net) == before
