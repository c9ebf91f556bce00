"""Chapter 5's challenge: a board that measures networks, counts what they cost, and opens the test set once."""

import copy
import html
from dataclasses import dataclass

import torch
from torch import nn

from helpers.any_network import measuring
from helpers.checks import answers
from helpers.checks.verdict import NOT_YET, Verdict, wrong
from helpers.data import Batches, train_validation_split
from helpers.layers import layer_table
from helpers.training import evaluate_accuracy


@dataclass
class Entry:
    """One network as it was when it was entered, what it costs per image, and its accuracies, 0 to 1."""

    name: str
    net: nn.Module
    parameters: int
    multiply_adds: int
    val_acc: float
    test_acc: float | None = None


class Scoreboard:
    """A table of networks for one data set (chapter 5): first those that reach `goal`, by their size.

    It sets a sixth of the training images aside for validation and hands out the others: `train_images`, (N, channels,
    height, width) bytes, and `train_labels`, (N,). goal: a validation accuracy, 0.9 with 60,000 images, else 0.87.
    Nothing prevents training on the images set aside, or making a second board: it relies on honesty.
    """

    def __init__(self, data):
        images, labels = data.train_images, data.train_labels
        self.train_images, self.train_labels, *self._validation = train_validation_split(
            images, labels, len(images) // 6
        )
        self._shapes = (2, *images.shape[1:]), (2, len(data.class_names))  # of two images, and of their scores
        self._test = data.test_images, data.test_labels
        self.goal = 0.9 if len(images) == 60_000 else 0.87
        self.entries = []
        self.said = Verdict(None, "No network has been entered yet.")

    def enter(self, name, net):
        """Measure a trained network on the validation images, and keep a copy of it; shows the table.

        Anything else is refused with a message. A name that is taken gets a number: every try counts.
        """
        trouble = _trouble(name, net, *self._shapes)
        if trouble is not None:
            self.said = trouble
            return self
        taken, given, number = {entry.name for entry in self.entries}, name, 2
        while name in taken:
            name, number = f"{given} ({number})", number + 1
        # Frozen weights count too, because they have to be stored.
        parameters = sum(parameter.numel() for parameter in net.parameters())
        multiply_adds = layer_table(net, (1, *self.train_images.shape[1:])).multiply_adds
        val_acc = _accuracy(net, *self._validation)
        self.entries.append(Entry(name, copy.deepcopy(net), parameters, multiply_adds, val_acc))
        self.said = (
            Verdict(True, f"{name}: validation accuracy {val_acc:.3f}, the goal of {self.goal:g} is reached.")
            if val_acc >= self.goal
            else wrong(f"{name}: validation accuracy {val_acc:.3f}, the goal is {self.goal:g}.")
        )
        return self

    def test(self, name):
        """Measure one entry on the test set, once for the whole board; shows the table."""
        tested = [entry for entry in self.entries if entry.test_acc is not None]
        chosen = [entry for entry in self.entries if entry.name == name]
        if tested:
            self.said = wrong(
                f"The test set has been used: {tested[0].name} scored {tested[0].test_acc:.3f} on it. "
                "Choosing by it now would make it a second validation set."
            )
        elif not chosen:
            names = ", ".join(entry.name for entry in self.entries) or "none yet"
            self.said = wrong(f"There is no entry {name!r}. The test set is still closed. Entries: {names}.")
        else:
            chosen[0].test_acc = _accuracy(chosen[0].net, *self._test)
            self.said = Verdict(True, f"{name}: test accuracy {chosen[0].test_acc:.3f}. The test set has been used.")
        return self

    def ranking(self):
        """The entries that reach the goal, the smallest first, then the others, the most accurate first."""
        return sorted(
            self.entries,
            key=lambda entry: (
                (0, entry.parameters, entry.multiply_adds) if entry.val_acc >= self.goal else (1, -entry.val_acc)
            ),
        )

    def _rows(self):
        """The table's lines as texts, with a heading; none if nothing has been entered."""
        if self.entries:
            yield "", "network", "parameters", "multiply-adds", "validation", "test"
        for place, entry in enumerate(self.ranking(), start=1):
            reached = entry.val_acc >= self.goal
            yield (
                f"{place}" if reached else "–",
                entry.name,
                f"{entry.parameters:,}",
                f"{entry.multiply_adds:,}",
                _with_error(entry.val_acc, len(self._validation[1])),
                "" if entry.test_acc is None else _with_error(entry.test_acc, len(self._test[1])),
            )

    def _repr_html_(self):
        lines = []
        for number, row in enumerate(self._rows()):
            grey = number and row[0] == "–"
            style = "padding:2px 14px;text-align:{}" + (";color:#666666" if grey else "")
            tag = "td" if number else "th"
            cells = (
                f'<{tag} style="{style.format("left" if column < 2 else "right")}">{html.escape(text)}</{tag}>'
                for column, text in enumerate(row)
            )
            lines.append("<tr>" + "".join(cells) + "</tr>")
        size = "font-size:15px;line-height:22px"
        said, note = (f'<div style="{size}">{html.escape(text)}</div>' for text in (repr(self.said), self._note()))
        return f'{said}<table style="{size}">{"".join(lines)}</table>{note}'

    def __repr__(self):
        lines = [f"{a:<3}{b:<24}{c:>12}{d:>15}{e:>16}{f:>16}".rstrip() for a, b, c, d, e, f in self._rows()]
        return "\n".join([repr(self.said), *lines, self._note()])

    def _note(self):
        tries = len(self.entries)
        lucky = f" The best of {tries} tries is partly luck; the test set will show how much." if tries > 2 else ""
        return f"±: one standard error.{lucky}" if tries else ""


def _with_error(share, count):
    """A share of `count` images, and its standard error."""
    return f"{share:.3f} ± {(share * (1 - share) / count) ** 0.5:.3f}"


def _trouble(name, net, taken, given):
    """A Verdict that says why `net` cannot be entered, or None; taken, given: the shapes of two images and scores."""
    if net is ...:
        return NOT_YET
    if isinstance(name, nn.Module) or not isinstance(name, str):
        return wrong('First the name, as a text, then the network: board.enter("my network", net).')
    if not isinstance(net, nn.Module):
        return wrong(
            f"{name} is a {type(net).__name__}, not a network: enter what you trained, not what train(...) yields."
        )
    device = _device(net)
    try:
        with measuring(net):
            scores = net(torch.zeros(taken, device=device))
    except Exception as error:  # a student's own forward can raise anything
        said = str(error).strip().partition("\n")[0]
        return wrong(f"{name} cannot read two images of {answers.shape(taken[1:])}: {type(error).__name__}: {said}")
    if not torch.is_tensor(scores) or scores.shape != given:
        got = answers.shape(scores.shape) if torch.is_tensor(scores) else type(scores).__name__
        return wrong(f"For two images {name} returns {got}, expected {answers.shape(given)}: a score for each class.")
    if not torch.isfinite(scores).all():
        return wrong(f"The scores of {name} are infinite or NaN: its learning rate was too high.")
    return None


def _device(net):
    return next((parameter.device for parameter in net.parameters()), "cpu")


def _accuracy(net, images, labels):
    device = _device(net)
    return evaluate_accuracy(net, Batches(images, labels, 500, device=device), device)
