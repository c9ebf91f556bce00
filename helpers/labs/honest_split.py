"""Chapter 5: the honest split. The same drawings split by writer and at random, and what each says of a network."""

import copy

import torch
from torch import nn

from helpers import plotting
from helpers.any_network import classes_of
from helpers.data import Batches
from helpers.labs.cells import one_a_cell
from helpers.labs.class_drawings import DIGITS, as_words, drawings_or_simulated
from helpers.labs.growing import Growing
from helpers.labs.living import script
from helpers.labs.runner import Runner
from helpers.labs.settings import Button, Slider
from helpers.models import lenet, xavier
from helpers.training import train
from helpers.weights import pretrained

SPLITS = ("at random", "by writer")
SEEN, BATCH_SIZE, LR = 9_000, 32, 0.003  # images per training, repetitions counted; Adam's learning rate


def epochs_for(drawings):
    """How often a network sees these drawings: the fewer, the more often."""
    return max(4, min(40, SEEN // max(1, len(drawings.labels))))


def untrained(drawings, seed=0):
    """A LeNet with new weights for the words of these drawings."""
    with torch.random.fork_rng(devices=[]):  # the notebook's own random numbers go on as if nothing had happened
        torch.manual_seed(seed)
        return xavier(lenet(activation=nn.ReLU, pooling=nn.MaxPool2d, num_classes=len(drawings.class_names)))


def accuracies(drawings, fold, net, seed=0):
    """Train a copy of `net` on all drawings except a fold's, and another on all except as many random ones.

    drawings: `Drawings`; fold: a pair of (N,) booleans, as in `Drawings.folds`; seed: of the batches. A generator that
    yields (by writer, at random), the accuracies on the drawings set aside, after each epoch.
    """
    runs, measures = [], []
    for test in fold:
        mine = copy.deepcopy(net)
        batches = Batches(drawings.images[~test], drawings.labels[~test], BATCH_SIZE, shuffle=True, seed=seed)
        runs.append(train(mine, batches, epochs_for(drawings), LR, None, "cpu", torch.optim.Adam, reports=1))
        measures.append((mine, drawings.images[test], drawings.labels[test]))
    for _ in zip(*runs, strict=True):
        yield tuple(float((classes_of(trained, X) == y).float().mean()) for trained, X, y in measures)


def read_by_mnist(drawings):
    """Which drawings the course's LeNet for MNIST reads correctly, (N,) booleans, or None if they are not digits."""
    if not set(drawings.class_names) <= set(DIGITS.split()) or not len(drawings.labels):
        return None
    digits = torch.tensor([int(name) for name in drawings.class_names])
    return classes_of(pretrained("digits"), drawings.images) == digits[drawings.labels]


class HonestSplit(Growing):
    """Trains two networks for each fold, one per way to split, and shows their accuracies on new drawings.

    every: all `Drawings`, of which the slider `writers` takes a part.
    """

    NAME = "honest_split"
    _esm = script("honest_split.js")
    held = ("every", "drawings", "steps", "arrays")

    def __init__(self, every):
        self.every, self.runner = every, Runner()
        # Once for all, and not in a move: networks take time to make, and seeding would disturb a cell that runs then.
        self.net, self.read = untrained(every), read_by_mnist(every)
        count = len(every.marks)
        controls = {"writers": Slider("writers", count, min(2, count), count, patient=True)}
        buttons = {
            "Train": Button("Train", self.train, group="training"),
            "Stop": Button("Stop", self.stop, group="training"),
        }
        super().__init__(controls, buttons)

    def redraw(self):
        """A control has moved: with other writers, everything starts again."""
        self.cancel()
        self.drawings = self.every.of_first(self.controls["writers"].value)
        folds = self.drawings.folds()
        self.results = [{name: [] for name in SPLITS} for _ in folds]
        trainings = [accuracies(self.drawings, fold, self.net) for fold in folds]
        self.steps = self._steps(trainings) if len(self.drawings.marks) > 1 else None
        mine = self.every.writers < len(self.drawings.marks)
        self.mnist = None if self.read is None else float(self.read[mine].float().mean())
        self.number = getattr(self, "number", 0) + 1
        self.present()

    def present(self):
        """Draw the curves of this moment."""
        with self.hold_sync():
            super().redraw()
            self.enable()
            self.grow()

    def train(self):
        """Train, or resume a training that was stopped."""
        if self.steps and not self.running:
            self.go_on(self.drawings, self.steps)

    def _steps(self, trainings):
        for result, training in zip(self.results, trainings, strict=True):
            for by_writer, at_random in training:
                result["by writer"].append(by_writer)
                result["at random"].append(at_random)
                self.present()
                yield
        self.steps = None

    def far(self):
        """The epochs that are done, and all epochs, of all folds together."""
        return sum(len(result[SPLITS[0]]) for result in self.results), epochs_for(self.drawings) * len(self.results)

    def ready(self):
        """The drawings of a single writer cannot be split by writer."""
        return {"Train": self.running is None and self.steps is not None}

    def curve_points(self):
        """(epoch, accuracy on the drawings set aside) for each fold and split."""
        return [
            {"id": 100 * self.number + 2 * fold + which, "name": name, "points": list(enumerate(result[name], start=1))}
            for fold, result in enumerate(self.results)
            for which, name in enumerate(SPLITS)
        ]

    def done(self):
        """The numbers of the folds that are done."""
        return [fold for fold, result in enumerate(self.results) if len(result[SPLITS[0]]) == epochs_for(self.drawings)]

    def means(self):
        """{split: the share read correctly of all drawings that the finished folds set aside}.

        Until the first fold is done, what it has reached so far; before that, an empty dict. Each drawing counts the
        same, so a writer of three drawings counts three times.
        """
        counted = self.done() or [fold for fold, result in enumerate(self.results) if result[SPLITS[0]]]
        right, aside = dict.fromkeys(SPLITS, 0.0), dict.fromkeys(SPLITS, 0)
        for fold in counted:
            for name, test in zip(("by writer", "at random"), self.drawings.folds()[fold], strict=True):
                aside[name] += int(test.sum())
                right[name] += int(test.sum()) * self.results[fold][name][-1]
        return {name: right[name] / aside[name] for name in SPLITS} if counted else {}

    def draw(self, writers):
        """Both accuracies, and the gap between them."""
        means, drawings = self.means(), self.drawings
        count = len(drawings.marks)
        text = [f"{len(drawings.labels)} drawings by {count} writer{'s' * (count != 1)}. Source: {self.every.source}."]
        text.append(self.status())
        if len(drawings.marks) < 2:
            text.append("A split by writer needs at least two writers.")
        elif self.done():
            gap = 100 * (means["at random"] - means["by writer"])
            said = " and ".join(f"{means[name]:.1%} {name}" for name in SPLITS)
            text.append(f"Folds done: {len(self.done())}. {said}: a gap of {gap:.1f} points.")
        elif not means:
            said = "new networks then read drawings that were set aside, either at random or writer by writer."
            text.append(f"Press Train: {said}")
        facts = {"means": means, "mnist": self.mnist, "epochs": epochs_for(drawings), "folds": len(self.results)}
        return {}, facts, "\n".join(filter(None, text))

    def still(self, writers):
        """The curves of this moment as a still picture."""
        return plotting.honest_split(self.results)


@one_a_cell
def honest_split(words=DIGITS):
    """How well a LeNet trained on some drawings reads others, split by writer and at random: the gap is leakage.

    Chapter 5. words: those that `labs.collect` asked for; the drawings are those that `class_data` has now, beside a
    single writer's digits also those of simulated writers. Raises ValueError and DataError as `class_data` does.
    """
    if len(words := as_words(words)) < 2:
        raise ValueError(f"there is only one word, {words[0]}: a network chooses between two or more")
    return HonestSplit(drawings_or_simulated(words, least=2))
