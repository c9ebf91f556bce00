"""Curves, bars and counts, which several chapters show. Titles and names of axes are texts."""

import itertools

import torch

from helpers.plotting.colours import BLUE
from helpers.plotting.style import TYPE, Figure, drawn
from helpers.plotting.versus import MOST_NAMED, worst_confusions


@drawn
def lines(x, series, xlabel, ylabel, ylim=None, title=""):
    """Several lines over the same x; series: {label: values}, as many values as x has; ylim: (lowest, highest)."""
    figure = Figure(9, 3.8, f"{ylabel} against {xlabel} for " + ", ".join(series))
    ax = figure.subplots()
    for (label, values), marker in zip(series.items(), itertools.cycle("osD^vP"), strict=False):
        ax.plot(x, torch.as_tensor(values).detach().cpu().numpy(), marker=marker, label=label)
    ax.set(xlabel=xlabel, ylabel=ylabel, ylim=ylim, title=title)
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


@drawn
def histogram(values, xlabel="value", ylabel="count", title=""):
    """How often each value occurs; values: any tensor of numbers."""
    figure = Figure(9, 3.2, f"Histogram of {xlabel}. {title}")
    ax = figure.subplots()
    ax.hist(torch.as_tensor(values).detach().cpu().flatten().float().numpy(), bins=32, color=BLUE)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    ax.yaxis.set_major_formatter("{x:,.0f}")
    return figure


@drawn
def bars(values, labels, xlabel="", title="", limit=None):
    """Horizontal bars with their numbers; values: a number for each of `labels`; limit: the right end of the axis."""
    values = [float(value) for value in values]
    numbers = [f"{value:,.0f}" if value >= 100 else f"{value:.3g}" for value in values]
    said = ", ".join(f"{label} {number}" for label, number in zip(labels, numbers, strict=True))
    figure = Figure(9, 0.38 * len(values) + 0.9, f"Bars of {xlabel or title}: {said}")
    ax = figure.subplots()
    drawn = ax.barh(list(labels), values, color=BLUE)
    ax.bar_label(drawn, numbers, padding=4, **TYPE)
    ax.invert_yaxis()
    ax.set(xlabel=xlabel, title=title, xlim=(0, limit or 1.12 * max(values)))
    ax.xaxis.set_major_formatter("{x:,.6g}")
    ax.grid(visible=False, axis="y")
    return figure


@drawn
def confusion_matrix(counts, class_names):
    """True classes in rows, predicted ones in columns (chapter 4); counts: (classes, classes) integers; names: texts.

    With more than 20 classes the numbers are left out, and the alternative text has the most frequent mistakes.
    """
    many = len(class_names) > MOST_NAMED  # their numbers would overlap
    side = max(7, 0.2 * len(class_names))
    worst = f". Most often: {'; '.join(worst_confusions(counts, class_names))}" if many else ""
    alt = f"Confusion matrix: true class in rows, predicted class in columns{worst}"
    figure = Figure(side + 1.5, side, alt)
    ax = figure.subplots()
    # Colour by the root of the row's share: otherwise a mistake would vanish beside a thousand right answers.
    share = counts / counts.sum(dim=1, keepdim=True).clamp(min=1)
    ax.imshow(share.sqrt().cpu().numpy(), cmap="Blues", vmin=0, vmax=1)
    for row in range(0 if many else len(counts)):
        for column in range(len(counts)):
            colour = "white" if share[row, column] > 0.4 else "black"
            ax.text(
                column,
                row,
                f"{int(counts[row, column])}",
                ha="center",
                va="center",
                color=colour,
                fontsize=12,
            )
    places = range(len(class_names))
    ax.set_xticks(places, class_names, rotation=90 if many else 40, ha="center" if many else "right")
    ax.set_yticks(places, class_names)
    if many:
        ax.tick_params(labelsize=9)
    ax.set(xlabel="predicted", ylabel="true")
    ax.grid(False)
    return figure
