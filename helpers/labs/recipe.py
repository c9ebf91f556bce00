"""What a run of the training lab is made of: its settings and presets, and the network and batches they ask for."""

import copy

import torch
from torch import nn

from helpers.data import Batches, train_validation_split
from helpers.errors import DataError
from helpers.experiments import EXPERIMENTS
from helpers.labs.settings import Choice, Slider, Steps, Switch
from helpers.models import lenet, xavier

OWN = "own settings"
MORE = "more settings"  # which the page shows below the curves
LEARNING_RATES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.9, 3]
ACTIVATIONS = {"ReLU": nn.ReLU, "tanh": nn.Tanh, "GELU": nn.GELU, "sigmoid": nn.Sigmoid}
POOLINGS = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}
OPTIMIZERS = {"SGD": torch.optim.SGD, "Adam": torch.optim.Adam}

_CLASSIC = {"activation": nn.Sigmoid, "pooling": nn.AvgPool2d}


def _recipe(key):
    experiment = EXPERIMENTS[key]
    return {"lr": experiment.lr, "batch": experiment.batch_size, "epochs": experiment.epochs}


# {name: (the settings that differ from those which the lab begins with, what to look at)}
PRESETS = {
    "today": ({}, "ReLU, max pooling and Xavier weights: the usual choice today."),
    "R5: the textbook": (
        {**_CLASSIC, **_recipe("R5")},
        "With the sample the network only guesses for the first 6 to 15 epochs, depending on the seed. "
        "Try 20 epochs, or all images (data: full).",
    ),
    "R4: max-pooling, no padding": (
        {"activation": nn.Sigmoid, "padding": False, **_recipe("R4")},
        "With the sample the network only guesses for the first 8 to 14 epochs, longer than these 5. "
        "Try 20 epochs, or all images (data: full).",
    ),
    "learning rate too high": ({"lr": 3}, "Every step is far too long. Watch the loss."),
    "sigmoid plateau": (
        _CLASSIC,
        "So little gradient gets back through four sigmoids that, at this learning rate, hardly anything moves.",
    ),
    "no padding": ({"padding": False}, "Without padding the maps are smaller, and so is the first dense layer."),
}


def settings_of_a_run(num_epochs):
    """The settings, {name: Setting}; a run starts when the hand lets go of a slider, not at each place it passes."""
    more = {"group": MORE, "patient": True}
    return {
        "lr": Steps("learning rate", LEARNING_RATES, 0.1, patient=True),
        "kernel": Slider("kernel size", 5, 1, 11, 2, patient=True),
        "channels": Slider("first channels", 6, 1, 32, patient=True),
        "batch": Steps("batch size (images)", [16, 32, 64, 128, 256], 64, **more),
        "epochs": Slider("epochs", num_epochs, 1, 20, **more),
        "activation": Choice("activation", ACTIVATIONS, **more),
        "pooling": Choice("pooling", POOLINGS, **more),
        "optimizer": Choice("optimizer", OPTIMIZERS, **more),
        "padding": Switch("pad the first convolution", True, **more),
        "images": Choice("data", ["sample", "full"], **more),
        "seed": Slider("seed", 0, 0, 99, **more),
    }


class Preset(Choice):
    """The list of presets, which shows the one that the settings are, if any.

    presets: {name: (changes, note)}; begun_with: {name: value}, what the changes are made to; choose: called with the
    settings of a preset that was chosen, {name: value}.
    """

    def __init__(self, presets, begun_with, choose):
        super().__init__("preset", [*presets, OWN])
        self.presets, self.begun_with, self.choose, self._naming = presets, begun_with, choose, False
        self.observe(self._chosen, names="value")

    def name(self, settings):
        """Show which preset the settings are, without choosing it."""
        names = [name for name in self.presets if self._settings(name) == settings]
        self._naming = True
        self.value = names[0] if names else OWN
        self._naming = False

    @property
    def note(self):
        """What to look at with this preset, or ""."""
        return "" if self.value == OWN else self.presets[self.value][1]

    def _chosen(self, change):
        if not self._naming and change.new != OWN:
            self.choose(self._settings(change.new))

    def _settings(self, name):
        return {**self.begun_with, **self.presets[name][0]}


class Supply:
    """The batches of runs, from the training images of an `ImageData`, which are copied and split once for all runs."""

    def __init__(self, data, device):
        self.data, self.device, self._number, self._split = data, device, 0, None

    def batches(self, settings):
        """Training and validation batches; raises DataError if the whole set is asked for and is not here."""
        total = len(self.data.train_images)
        if settings["images"] != "sample" and total <= 10_000:
            raise DataError(f"only {total:,} training images are here: choose the sample")
        number = min(total, 10_000) if settings["images"] == "sample" else total
        if self._number != number:
            images, labels = self.data.train_images[:number], self.data.train_labels[:number]
            self._number, self._split = number, train_validation_split(images, labels, max(1, number // 10))
        train_images, train_labels, *val = self._split
        seed, size = settings["seed"], settings["batch"]
        train_iter = Batches(train_images, train_labels, size, shuffle=True, seed=seed, device=self.device)
        return train_iter, Batches(*val, 256, device=self.device)


def renewed(net):
    """A copy of `net` with new random weights, those of convolutions and dense layers by `xavier`."""
    net = copy.deepcopy(net)
    for layer in net.modules():
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
    return xavier(net)


def network(kernel, channels, padding, activation, pooling, seed, **sizes):
    """An untrained LeNet, its second convolution with 16 channels, its weights decided by `seed`. Raises ShapeError.

    sizes: as `lenet` takes them; without them, ten classes of 28×28 pixels.
    """
    with torch.random.fork_rng(devices=[]):  # the notebook's own random numbers go on as if nothing had happened
        torch.manual_seed(seed)
        paddings = (kernel // 2 if padding else 0, 0)
        return xavier(lenet(kernel, (channels, 16), paddings, activation, pooling, **sizes))


def sizes_of(data):
    """The sizes of a network for an `ImageData`, as `lenet` takes them."""
    _, channels, size, _ = data.train_images.shape
    return {"num_classes": len(data.class_names), "image_size": size, "in_channels": channels}
