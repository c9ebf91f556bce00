"""Chapter 5: train LeNet and an MLP under equal conditions, and move the images under them."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import nn

from helpers import plotting
from helpers.any_network import classes_of, refuse_unfit
from helpers.data import Batches, train_validation_split
from helpers.diagnosis import diagnose
from helpers.labs.cells import one_a_cell
from helpers.labs.growing import Growing, NowAndThen
from helpers.labs.living import script
from helpers.labs.recipe import renewed, sizes_of
from helpers.labs.runner import Runner
from helpers.labs.runs import keep, points
from helpers.labs.settings import Button, Choice, Slider, Steps, Switch
from helpers.layers import layer_table
from helpers.machine import try_gpu
from helpers.metrics import confusion_counts
from helpers.models import lenet, mlp, num_parameters, xavier
from helpers.moving import moved
from helpers.plotting.versus import worst_confusions
from helpers.training import train

MEASURED = 500  # validation images, which are moved and classified in a twentieth of a second
SEEN = 27_000  # images per training, repetitions counted: 3 epochs of 9,000 or 27 of 1,000
BATCH_SIZE = 64
# For Adam, as in the chapter. Of the rates that the controls offer, 0.003 is the best for each network: measured on the
# validation images with two seeds, 9,000 and 1,000 training images, and both sizes of the MLP.
LEARNING_RATES, BEST = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1), 0.003
CONDITIONS = ("shuffled", "images", "matched", "lr_lenet", "lr_mlp")  # the controls that need a new training
KEPT = 12  # trained pairs, besides the given one


@dataclass
class Bout:
    """Two networks, {name: network}, and their training: the share `done`, 0 to 1, and the remaining `steps`."""

    nets: dict
    epochs: int
    number: int  # unique among the bouts of the lab
    done: float = 0.0
    steps: Iterator | None = None
    histories: dict = field(default_factory=dict)  # {name: list of Progress}, some twenty per epoch
    upright: dict = field(default_factory=dict)  # accuracies on images that were not moved, once it is trained


class Versus(Growing):
    """Controls that move the images, controls that need a new training, Train and Stop.

    The latest KEPT trained pairs of networks are kept, so that going back shows them at once. own: the name of the one
    of `rivals` whose layers replace LeNet's under other conditions; None for LeNet itself.
    """

    NAME = "versus"
    _esm = script("versus.js")
    held = ("bouts", "train_images", "images", "arrays")

    def __init__(self, rivals, data, own=None):
        self.own, self.class_names, self.sizes, self.device = own, data.class_names, sizes_of(data), try_gpu()
        images, labels = data.train_images[:10_000], data.train_labels[:10_000]
        parts = train_validation_split(images, labels, max(1, len(images) // 10))
        self.train_images, self.train_labels, *val = parts
        self.images, self.labels = (part[:MEASURED] for part in val)
        self.runner, self.numbers, self._asked = Runner(), itertools.count(), False
        brought = Bout(rivals, 1, next(self.numbers), done=1.0)
        self.bouts = {(False, 9000, True, BEST, BEST): brought}  # by the values of CONDITIONS
        buttons = {
            "Train": Button("Train", self.train, group="training"),
            "Stop": Button("Stop", self.stop, group="training"),
        }
        super().__init__(_controls(own or "LeNet"), buttons)

    def redraw(self):
        """Draw for the controls' values; if they need a different training from the one that runs, start that."""
        if self.running is None:
            self.present()
        elif self.running is not self.bout():
            self.cancel()
            self.present()
            self.train()
        else:  # the run measures, in its own thread, because two computing threads would slow each other down
            self._asked = True

    def show_network(self, net, name="yours"):
        """Replace the given network of that name.

        Pairs trained under other conditions are dropped if they do not have the layers of the bench's new network.
        """
        conditions, brought = next(iter(self.bouts.items()))
        if name == self.own and repr(net) != repr(brought.nets[name]):
            self.cancel()
            self.bouts = {conditions: brought}
        brought.nets, brought.upright = {**brought.nets, name: net}, {}
        self.redraw()

    def present(self):
        """Draw for the controls' values."""
        self._asked = False
        super().redraw()
        with self.hold_sync():
            self.enable()
            self.grow()

    def tell(self):
        """Show how the run is doing, and let its curves grow."""
        with self.hold_sync():
            self.message.say("\n".join([self.status(), *self.message.value.split("\n")[1:]]))
            self.grow()

    def bout(self):
        """The two networks that the controls ask for, trained or not."""
        conditions = tuple(self.controls[name].value for name in CONDITIONS)
        if conditions not in self.bouts:
            # An untrained pair is quickly made again, from the same first weights.
            trained = [(asked, bout) for asked, bout in self.bouts.items() if bout.done]
            self.bouts = dict([trained[0], *trained[1:][-KEPT:]])
            self.bouts[conditions] = self._new_bout(*conditions)
        return self.bouts[conditions]

    def train(self):
        """Train the present networks, or resume their training."""
        bout = self.bout()
        if bout.steps and not self.running:
            self.go_on(bout, bout.steps)

    def far(self):
        """The epochs that the present networks have trained for, and will train for in all."""
        bout = self.running or self.bout()
        return bout.done * bout.epochs, bout.epochs

    def ready(self):
        """Only networks that are not fully trained can be trained."""
        return {"Train": self.running is None and self.bout().done < 1}

    def curve_points(self):
        """`runs.points` of both networks."""
        bout = self.running or self.bout()
        numbered = enumerate(bout.histories.items(), start=2 * bout.number)
        return [{"id": i, "name": name, "points": points(history)} for i, (name, history) in numbered]

    def draw(self, view, shift, rotation, scale, shuffled, **conditions):
        """Eight of the moved images, how both networks do on such images, what they confuse, and some lines of text."""
        bout, X, counts, accuracies = self._measure(shift, rotation, scale, shuffled)
        text = f"{self._standing(bout, accuracies)}\n{_sizes(bout.nets)} Measured on {len(X)} validation images."
        text += "".join(f"\n{line}" for line in _troubles(bout.histories))
        is_moved = (shift, rotation, scale) != (0, 0, 100)
        upright = self._upright(bout, shuffled) if is_moved else accuracies
        facts = {"view": view, "names": list(counts), "classes": list(self.class_names)}
        facts["worst"] = [worst_confusions(matrix, self.class_names) for matrix in counts.values()]
        facts |= {"accuracies": [accuracies[name] for name in counts], "upright": [upright[name] for name in counts]}
        return {"images": X[:8], "counts": torch.stack(list(counts.values()))}, facts, text

    def still(self, view, shift, rotation, scale, shuffled, **conditions):
        """The picture of this moment."""
        bout, X, counts, accuracies = self._measure(shift, rotation, scale, shuffled)
        if view == "confusion":
            return plotting.confusions(counts, self.class_names)
        return plotting.accuracy_on(X[:8], accuracies, self._upright(bout, shuffled), len(self.class_names))

    def _measure(self, shift, rotation, scale, shuffled):
        """The bout, the moved images, and two dicts by network: its confusions on them, and its accuracy."""
        bout = self.running or self.bout()
        X = moved(self.images, shift, rotation, scale / 100)
        X = shuffle_pixels(X) if shuffled else X
        classes = len(self.class_names)
        counts = {name: confusion_counts(classes_of(net, X), self.labels, classes) for name, net in bout.nets.items()}
        return bout, X, counts, {name: float(matrix.diag().sum()) / len(X) for name, matrix in counts.items()}

    def _new_bout(self, shuffled, images, matched, lr_lenet, lr_mlp):
        """Two untrained networks, always with the same first weights."""
        with torch.random.fork_rng(devices=[]):  # the notebook's own random numbers go on as if nothing had happened
            torch.manual_seed(0)
            if self.own:
                nets = {self.own: renewed(next(iter(self.bouts.values())).nets[self.own])}
            else:
                nets = {"LeNet": lenet(activation=nn.ReLU, pooling=nn.MaxPool2d, **self.sizes)}
            first, (classes, size, channels) = next(iter(nets)), self.sizes.values()
            hidden = hidden_units(nets[first], matched, self.images.shape[1:], classes)
            nets["MLP"] = mlp((hidden,), nn.ReLU, classes, size, channels)
            epochs = SEEN // len(self.train_images[:images])
            bout = Bout({name: xavier(net).to(self.device) for name, net in nets.items()}, epochs, next(self.numbers))
        bout.steps = self._steps(bout, shuffled, images, {first: lr_lenet, "MLP": lr_mlp})
        return bout

    def _steps(self, bout, shuffled, images, rates):
        """Train both networks in turn, a step at a time, so that Stop acts within one; rates: {name: learning rate}."""
        X, y = self.train_images[:images], self.train_labels[:images]
        X = shuffle_pixels(X) if shuffled else X
        batches = {name: Batches(X, y, BATCH_SIZE, shuffle=True, seed=0, device=self.device) for name in bout.nets}
        epochs, length = bout.epochs, -(-len(X) // BATCH_SIZE)
        runs = [
            train(net, batches[name], epochs, rates[name], None, self.device, torch.optim.Adam, reports=length)
            for name, net in bout.nets.items()
        ]
        bout.histories = {name: [] for name in bout.nets}
        grow_now_and_then, measure_now_and_then = NowAndThen(self.tell), NowAndThen(self.present)
        for step, progresses in enumerate(zip(*runs, strict=True), start=1):
            for history, progress in zip(bout.histories.values(), progresses, strict=True):
                keep(history, progress)
            bout.done = step / (epochs * length)
            grow_now_and_then()
            if self._asked:
                self.present()
            measure_now_and_then()
            yield
        bout.steps = None
        for net in bout.nets.values():
            net.zero_grad()

    def _upright(self, bout, shuffled):
        """The accuracies on images that were not moved, {name: 0 to 1}."""
        if bout.upright:
            return bout.upright
        X = shuffle_pixels(self.images) if shuffled else self.images
        upright = {name: float((classes_of(net, X) == self.labels).float().mean()) for name, net in bout.nets.items()}
        if not bout.steps:
            bout.upright = upright
        return upright

    def _standing(self, bout, accuracies):
        """A sentence on how far the training is, or on which network is ahead."""
        if bout is self.running:
            return self.status()
        if not bout.done:
            return "Under these conditions both are untrained and only guess. Press Train: it takes some seconds."
        if bout.done < 1:
            return f"{self.status()} Press Train to go on."
        (first, best), (second, other) = sorted(accuracies.items(), key=lambda pair: -pair[1])
        said = f"{self.status()} " if bout.histories else ""  # the given pair was not trained here
        if best == other:
            return f"{said}{first} and {second} do equally well."
        return f"{said}{first} is ahead of {second} by {100 * (best - other):.1f} percentage points."

    def _explain(self, error):
        """Show what ended the run; its networks start again."""
        self.bouts = {conditions: bout for conditions, bout in self.bouts.items() if bout is not self.running}
        self._end()
        super()._explain(error)


def hidden_units(net, matched, image_shape, num_classes):
    """The number of hidden units with which an MLP has as many parameters as `net`, or multiply-adds unless `matched`.

    At least one. For images of 28×28 and ten classes: 78 make 62,020 parameters, LeNet has 61,706; 525 make 416,850
    multiply-adds for an image, LeNet 416,520.
    """
    table, pixels = layer_table(net, (1, *image_shape)), math.prod(image_shape)
    if matched:
        return max(1, round((table.parameters - num_classes) / (pixels + num_classes + 1)))
    return max(1, round(table.multiply_adds / (pixels + num_classes)))


def shuffle_pixels(images):
    """The pixels of each image, (N, 1, height, width), in one random order, the same for all images and every time."""
    order = torch.randperm(images[0].numel(), generator=torch.Generator().manual_seed(0))
    return images.flatten(1)[:, order].reshape(images.shape)


def _troubles(histories):
    """Advice on each network that does not learn as it should, a line each; histories: {name: list of Progress}."""
    found = {name: diagnose(history) for name, history in histories.items() if history}
    return [f"{name}: {diagnosis.advice}" for name, diagnosis in found.items() if diagnosis.advice]


def _sizes(nets):
    """A sentence with the number of parameters of each network."""
    said = ", ".join(f"{name} {num_parameters(net):,}" for name, net in nets.items())
    return f"Parameters: {said}."


def _controls(first):
    move, other = {"group": "move the images"}, {"group": "other networks"}
    return {
        "view": Choice("view", ["accuracy", "confusion"]),
        "shift": Slider("shift (pixels)", 0, -8, 8, **move),
        "rotation": Slider("rotation (degrees)", 0, -90, 90, 5, **move),
        "scale": Slider("scale (%)", 100, 50, 150, 5, **move),
        "images": Steps("training images", [1000, 3000, 9000], 9000, patient=True, **other),
        "shuffled": Switch("shuffled pixels", **other),
        "matched": Choice("the MLP has as many", {"parameters": True, "multiply-adds": False}, **other),
        "lr_lenet": Steps(f"learning rate of {first}", LEARNING_RATES, BEST, patient=True, **other),
        "lr_mlp": Steps("learning rate of the MLP", LEARNING_RATES, BEST, patient=True, **other),
    }


@one_a_cell
def versus(rivals, data):
    """Move images under two trained networks, and train such networks under other conditions (chapter 5).

    rivals: {"LeNet": network, "MLP": network}, trained on the 9,000 images that remain after `train_validation_split`
    has set aside 1,000 of the first 10,000 training images; data: an `ImageData`, whose test images stay closed.
    Raises ShapeError, with a message for the student, unless these are two networks with a score for each class.
    """
    refuse_unfit(rivals, data.train_images[0], len(data.class_names), 2, 2)
    return Versus(rivals, data)
