"""The experiments as data: their sizes, shapes, figures and recipes, each against a plain listing of PyTorch."""

import functools
import itertools
from dataclasses import replace

import pytest
import torch
from torch import nn

from helpers import data, layer_table, num_parameters
from helpers.experiments import EXPERIMENTS, for_choosing, story


@pytest.fixture(scope="module")
def digits():
    """The bundled sample of MNIST."""
    return data.mnist("sample")


def plain_r1():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2, stride=2),
        nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2, stride=2),
        nn.Flatten(),
        nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10),
    )  # fmt: skip


def plain_r2():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.AvgPool2d(2), nn.Sigmoid(),
        nn.Conv2d(6, 16, 5), nn.MaxPool2d(2),
        nn.Conv2d(16, 120, 5),
        nn.Flatten(),
        nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10),
    )  # fmt: skip


def plain_r3():
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(1568, 10),
    )  # fmt: skip


def plain_r4():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.Sigmoid(), nn.MaxPool2d(2, stride=2),
        nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.MaxPool2d(2, stride=2),
        nn.Flatten(),
        nn.Linear(256, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10),
    )  # fmt: skip


def plain_r6():
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, bias=False), nn.MaxPool2d(2), nn.BatchNorm2d(16), nn.SiLU(),
        nn.Conv2d(16, 40, 3, bias=False), nn.MaxPool2d(2), nn.BatchNorm2d(40), nn.SiLU(),
        nn.Flatten(),
        nn.Linear(1000, 48), nn.SiLU(), nn.Linear(48, 10),
    )  # fmt: skip


def plain_r7():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Conv2d(16, 16, 3, padding=1, bias=False), nn.MaxPool2d(2), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
        nn.Conv2d(32, 32, 3, padding=1, bias=False), nn.MaxPool2d(2), nn.BatchNorm2d(32), nn.ReLU(),
        nn.Conv2d(32, 64, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
        nn.Flatten(),
        nn.Linear(1600, 10),
    )  # fmt: skip


def draw_xavier(net):
    for layer in net:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


# What reference-experiments.md says: network, Xavier weights or PyTorch's own, optimiser, batch size, images.
AS_PUBLISHED = {
    "R1": (plain_r1, True, lambda weights: torch.optim.SGD(weights, lr=0.5), 256, "sample"),
    "R2": (plain_r2, True, lambda weights: torch.optim.SGD(weights, lr=0.1), 64, "digits"),
    "R3": (plain_r3, False, lambda weights: torch.optim.Adam(weights, lr=0.001), 200, "digits"),
    "R4": (plain_r4, True, lambda weights: torch.optim.SGD(weights, lr=0.9), 256, "sample"),
    "R5": (plain_r1, True, lambda weights: torch.optim.SGD(weights, lr=0.9), 256, "sample"),
}


def state(net):
    """A copy of all numbers in a network, those of batch normalisation included."""
    return [value.clone() for value in net.state_dict().values()]


def three_steps_of(experiment, images):
    """The weights at first and after each step of the experiment on `images`, two and a half batches of them.

    In double precision: other orders of the same sums then differ by 1e-16, not by 1e-7, and nothing else can hide.
    """
    net, train_iter, _ = experiment.prepare(images, "cpu", seed=3)
    net.double()
    weights = [state(net)]

    class InDouble:
        def __len__(self):
            return len(train_iter)

        def __iter__(self):
            return ((X.double(), y) for X, y in train_iter)

    steps = experiment.train(net, InDouble(), experiment.epochs, device="cpu")
    for _ in itertools.islice(steps, 3):
        weights.append(state(net))
    return weights


def first_images(images, count):
    return replace(images, train_images=images.train_images[:count], train_labels=images.train_labels[:count])


def assert_same(ours, theirs):
    assert len(ours) == len(theirs) == 4
    for step, (our, their) in enumerate(zip(ours, theirs, strict=True)):
        assert len(our) == len(their)
        for weight, other in zip(our, their, strict=True):
            # Sums in another order differ by 1e-16; Adam, which divides a gradient by its own size, magnifies that.
            assert torch.allclose(weight, other, rtol=0, atol=1e-9), f"step {step}"
    assert not torch.allclose(ours[0][0], ours[-1][0], rtol=0, atol=1e-6)


@pytest.mark.parametrize("key", AS_PUBLISHED)
def test_a_published_experiment_equals_a_plain_listing_for_three_steps(key, request):
    make, with_xavier, optimizer, batch_size, name = AS_PUBLISHED[key]
    images = first_images(request.getfixturevalue(name), 2 * batch_size + batch_size // 2)
    ours = three_steps_of(EXPERIMENTS[key], images)

    torch.manual_seed(3)
    net = make()
    if with_xavier:
        draw_xavier(net)
    net.double()
    optimizer, loss = optimizer(net.parameters()), nn.CrossEntropyLoss()
    order = torch.randperm(len(images.train_images), generator=torch.Generator().manual_seed(3))
    theirs = [state(net)]
    for pick in order.split(batch_size):
        X, y = (images.train_images[pick].float() / 255).double(), images.train_labels[pick]
        optimizer.zero_grad()
        loss(net(X), y).backward()
        optimizer.step()
        theirs.append(state(net))

    assert_same(ours, theirs)


@pytest.mark.parametrize(("key", "make", "mirrors"), [("R6", plain_r6, False), ("R7", plain_r7, True)])
def test_our_own_experiment_equals_a_plain_listing_for_three_steps(key, make, mirrors, sample):
    experiment = EXPERIMENTS[key]
    images = first_images(sample, 2 * experiment.batch_size + experiment.batch_size // 2)
    ours = three_steps_of(experiment, images)

    torch.manual_seed(3)
    net = make().double()
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.0, betas=experiment.optimizer.keywords["betas"])
    loss = nn.CrossEntropyLoss(label_smoothing=0.1)
    order = torch.randperm(len(images.train_images), generator=torch.Generator().manual_seed(3))
    theirs = [state(net)]
    for step, pick in enumerate(order.split(experiment.batch_size)):
        for group in optimizer.param_groups:
            group["lr"] = experiment.lr * experiment.schedule((step + 0.5) / (3 * experiment.epochs))
        X, y = images.train_images[pick], images.train_labels[pick]
        if mirrors:
            which = torch.rand(len(X), 1, 1, 1) < 0.5
            X = torch.stack([image.flip(2) if mirror else image for image, mirror in zip(X, which, strict=True)])
        optimizer.zero_grad()
        loss(net((X.float() / 255).double()), y).backward()
        optimizer.step()
        theirs.append(state(net))

    assert_same(ours, theirs)


@pytest.mark.parametrize(
    ("key", "count"), [("R1", 61_706), ("R2", 61_706), ("R3", 28_938), ("R4", 44_426), ("R5", 61_706)]
)
def test_the_published_networks_have_their_numbers_of_parameters(key, count):
    assert num_parameters(EXPERIMENTS[key].network()) == count


@pytest.mark.parametrize("key", ["R6", "R7"])
def test_our_networks_are_no_larger_than_lenet(key):
    assert num_parameters(EXPERIMENTS[key].network()) <= 61_706


def test_the_rival_has_no_convolution():
    assert [type(layer) for layer in EXPERIMENTS["R2"].rival()] == [nn.Flatten, nn.Linear, nn.Sigmoid, nn.Linear]
    assert num_parameters(EXPERIMENTS["R2"].rival()) == 784 * 256 + 256 + 256 * 10 + 10


def shapes(net):
    """What each layer makes of one image, as the sources print it."""
    X, found = torch.zeros(1, 1, 28, 28), []
    for layer in net:
        X = layer(X)
        found.append("×".join(map(str, X.shape)))
    return found


@pytest.mark.parametrize("key", ["R1", "R5"])
def test_lenets_shapes_are_the_printed_ones(key):
    assert shapes(EXPERIMENTS[key].network()) == [
        "1×6×28×28", "1×6×28×28", "1×6×14×14", "1×16×10×10", "1×16×10×10", "1×16×5×5",
        "1×400", "1×120", "1×120", "1×84", "1×84", "1×10",
    ]  # fmt: skip


def test_r4s_shapes_are_the_printed_ones():
    found = list(dict.fromkeys(shapes(EXPERIMENTS["R4"].network())))
    wanted = ["1×6×24×24", "1×6×12×12", "1×16×8×8", "1×16×4×4", "1×256", "1×120", "1×84", "1×10"]
    assert found == wanted


def test_c5_sees_the_whole_of_its_maps():
    found = shapes(EXPERIMENTS["R2"].network())
    assert found[found.index("1×120×1×1") - 1] == "1×16×5×5"


def test_the_layer_table_has_the_same_shapes():
    net = EXPERIMENTS["R3"].network()
    assert ["×".join(map(str, layer.output_shape)) for layer in layer_table(net)] == shapes(net)


def test_the_published_figures_are_those_of_the_sources():
    assert {key: dict(experiment.published) for key, experiment in EXPERIMENTS.items()} == {
        "R1": {
            1: (2.320, 0.100, None), 10: (0.556, 0.786, None), 23: (0.396, 0.855, None), 50: (0.300, 0.889, 0.890),
        },
        "R2": {5: (None, None, 0.95), 100: (None, 0.98, 0.98)},
        "R3": {},
        "R4": {
            1: (2.3197, 0.102, 0.100), 2: (2.1476, 0.173, 0.525), 3: (1.0506, 0.578, 0.657),
            4: (0.7780, 0.698, 0.728), 5: (0.6767, 0.732, 0.758),
        },
        "R5": {10: (0.477, 0.820, 0.795)},
        "R6": {},
        "R7": {},
    }  # fmt: skip
    assert {key: experiment.published_test_acc for key, experiment in EXPERIMENTS.items()} == {
        "R1": 0.890, "R2": 0.98, "R3": None, "R4": 0.758, "R5": 0.795, "R6": None, "R7": None,
    }  # fmt: skip


def test_the_published_experiments_run_as_long_as_published():
    lengths = {key: experiment.epochs for key, experiment in EXPERIMENTS.items()}
    assert [lengths[key] for key in ("R1", "R2", "R3", "R4", "R5")] == [50, 100, 2, 5, 10]


def test_each_experiment_has_its_data_set():
    digits = {key for key, experiment in EXPERIMENTS.items() if experiment.load is data.mnist}
    clothes = {key for key, experiment in EXPERIMENTS.items() if experiment.load is data.fashion_mnist}
    assert (digits, clothes) == ({"R2", "R3"}, {"R1", "R4", "R5", "R6", "R7"})


@pytest.mark.parametrize("key", EXPERIMENTS)
def test_a_seed_decides_the_weights_and_the_batches(key, sample):
    def start(seed):
        net, train_iter, _ = EXPERIMENTS[key].prepare(sample, "cpu", seed)
        X, y = next(iter(train_iter))
        return torch.cat([parameter.flatten() for parameter in net.parameters()]), X, y

    once, again, other = start(4), start(4), start(5)
    assert all(torch.equal(ours, same) for ours, same in zip(once, again, strict=True))
    assert not any(torch.equal(ours, others) for ours, others in zip(once, other, strict=True))


def test_prepare_tests_on_all_test_images_as_they_are(sample):
    _, _, test_iter = EXPERIMENTS["R7"].prepare(sample, "cpu", 0)
    X, y = (torch.cat(parts) for parts in zip(*test_iter, strict=True))
    assert torch.equal(X, sample.test_images / 255)
    assert torch.equal(y, sample.test_labels)


def test_choosing_never_sees_a_test_image(sample):
    # Each image is marked with its own number, in two bytes, the test images with numbers from 50,000 on.
    def marks(first, last):
        numbers = torch.arange(first, last)
        rows = torch.stack([numbers // 256, numbers % 256], dim=1).to(torch.uint8).reshape(-1, 1, 1, 2)
        return rows.repeat(1, 1, 16, 8)  # images are square, of 16 pixels or more

    def read(images):
        return (images[:, 0, 0, :2].long() @ torch.tensor([256, 1])).tolist()

    marked = replace(sample, train_images=marks(0, 10_000), test_images=marks(50_000, 52_000))
    chosen = for_choosing(marked)
    train_marks, val_marks = read(chosen.train_images), read(chosen.test_images)
    assert sorted(train_marks + val_marks) == list(range(10_000))
    assert 1000 <= len(val_marks) <= 2000
    assert torch.equal(chosen.train_labels, sample.train_labels[train_marks])
    assert torch.equal(chosen.test_labels, sample.train_labels[val_marks])
    again = for_choosing(marked)
    assert read(again.test_images) == val_marks


def test_choosing_sets_ten_thousand_of_the_whole_set_aside(sample):
    images, labels = torch.zeros(60_000, 1, 16, 16, dtype=torch.uint8), torch.zeros(60_000, dtype=torch.long)
    whole = replace(sample, train_images=images, train_labels=labels, test_images=images[:10], test_labels=labels[:10])
    chosen = for_choosing(whole)
    assert (len(chosen.train_images), len(chosen.test_images)) == (50_000, 10_000)


def recipe(experiment):
    """All that decides what is learnt; the network by its layers and by what a seed makes of its weights."""
    optimizer, options = experiment.optimizer, {}
    if isinstance(optimizer, functools.partial):
        optimizer, options = optimizer.func, optimizer.keywords
    torch.manual_seed(0)
    net = experiment.network()
    return {
        "network": repr(net),
        "weights": [value.double().sum().item() for value in state(net)],
        "batch_size": experiment.batch_size,
        "lr": experiment.lr,
        "epochs": experiment.epochs,
        "optimizer": (optimizer, options),
        "loss_function": repr(experiment.loss_function),
        "schedule": experiment.schedule,
        "change": experiment.change,
        "load": experiment.load,
    }


def test_each_step_of_the_story_changes_something():
    recipes = [recipe(step) for step in story().values()]
    for before, after in itertools.pairwise(recipes):
        assert before != after
        assert before["epochs"] == after["epochs"]


def test_the_story_leads_from_the_textbook_to_r6():
    steps = list(story().values())
    assert recipe(steps[0]) == recipe(EXPERIMENTS["R5"]) | {"epochs": steps[0].epochs}
    assert recipe(steps[-1]) == recipe(EXPERIMENTS["R6"])


def test_every_step_of_the_story_learns_without_nan(sample):
    few = first_images(sample, 512)
    for what, step in story().items():
        net, train_iter, _ = step.prepare(few, "cpu", 0)
        *_, progress = step.train(net, train_iter, 1, device="cpu")
        assert 0 < progress.loss < 20, what
        assert all(parameter.isfinite().all() for parameter in net.parameters()), what


def test_a_network_measured_both_ways_says_the_same_of_an_image_and_of_its_mirror_image(sample):
    net = EXPERIMENTS["R7"].network().eval()
    measured, X = EXPERIMENTS["R7"].as_measured(net), sample.test_images[:4] / 255
    with torch.no_grad():
        assert torch.allclose(measured(X), measured(X.flip(3)), atol=1e-6)
        assert torch.allclose(measured(X), (net(X) + net(X.flip(3))) / 2)
        assert not torch.allclose(net(X), net(X.flip(3)), atol=1e-3)
    assert num_parameters(measured) == num_parameters(net)
    assert EXPERIMENTS["R6"].as_measured(net) is net
