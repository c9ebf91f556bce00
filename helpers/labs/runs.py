"""The runs of the training lab: what is kept of them, their curves, and their table (chapter 4)."""

from dataclasses import dataclass, field

from torch import nn

from helpers.labs.past import GHOST_MOMENTS, Past
from helpers.plotting.trainer import recent_means


@dataclass(eq=False)
class Run:
    """One training run: its settings, as a board line and as values, and its results."""

    line: str
    settings: dict
    net: nn.Module | None  # None once a newer run has begun: then only numbers are shown
    parameters: int
    history: list = field(default_factory=list)  # of Progress, some twenty per epoch
    test_acc: float | None = None
    number: int = 0  # unique among the runs of the lab
    loaded_acc: float | None = None  # the validation accuracy of weights that were loaded, not trained
    handed_in: bool = False  # True if its result line went to the class's folder
    past: Past | None = None  # None before its first step, and for weights that were loaded
    expected: tuple = ()  # the accuracies that the student expected, at the `expected.handles` of the run
    row: int = 0  # its number in the table; 0 if it has no row there

    def put_aside(self, as_ghost):
        """Drop the network of an earlier run and, unless `as_ghost`, all of its history except what the table shows.

        A ghost also keeps some moments of its past.
        """
        if self.past and self.net:
            self.past.pause(self.net)
            self.past.thin(GHOST_MOMENTS)
        self.net, self.past = None, self.past if as_ghost else None
        if not as_ghost:
            measured = [progress for progress in self.history if progress.val_acc is not None]
            self.history = [*measured[-1:], *self.history[-1:]]

    @property
    def name(self):
        """The run's settings as text: its board line without the name of the lab."""
        return self.line.partition(" ")[2] or "as at the beginning"

    @property
    def title(self):
        """Its name, which another run may have too, and its number in the table."""
        return f"{self.name} (run {self.row})" if self.row else f"{self.name} (ended in its first epoch)"

    @property
    def val_acc(self):
        """The last validation accuracy, or None before the end of the first epoch."""
        measured = [progress.val_acc for progress in self.history if progress.val_acc is not None]
        return measured[-1] if measured else self.loaded_acc

    @property
    def shown(self):
        """True if there is something to show: the run has trained, or was loaded."""
        return bool(self.history) or self.loaded_acc is not None


def keep(history, progress):
    """Add a report to a history, unless it already has enough: twenty points per epoch make a curve."""
    last = history[-1].epoch if history else 0
    if not history or progress.val_acc is not None or int(20 * progress.epoch) > int(20 * last):
        history.append(progress)


def points(history):
    """A run's curve, (epoch, loss, training accuracy, validation accuracy or None) for each `Progress` of it.

    Loss and training accuracy are means over the last tenth of an epoch.
    """
    return [(p.epoch, *means, p.val_acc) for p, means in zip(history, recent_means(history), strict=True)]


HEAD = ["run", "settings", "parameters", "seconds", "images/s", "validation", "test"]


def table(runs):
    """The rows of the runs below HEAD, the newest first, [{"curve": the run's number, "cells": list of texts}].

    Of the runs that did not complete an epoch, only the latest has a row. runs: a list of `Run`, which learn their row.
    """
    rows = []
    listed = [run for run in runs if run.shown and (run.val_acc is not None or run is runs[-1])]
    for run in runs:
        run.row = listed.index(run) + 1 if run in listed else 0
    for number, run in enumerate(listed, start=1):
        accuracies = ["" if value is None else f"{value:.1%}" for value in (run.val_acc, run.test_acc)]
        work = ["loaded", ""]
        if run.history:
            last = run.history[-1]
            work = [f"{last.seconds:.1f}", f"{last.examples / last.seconds:,.0f}"]
        cells = [str(number), run.name, f"{run.parameters:,}", *work, *accuracies]
        rows.append({"curve": run.number, "cells": cells})
    return rows[::-1]
