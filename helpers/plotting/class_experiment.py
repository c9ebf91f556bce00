"""Chapter 4: the class experiment's picture, a point for each run of the class."""

import statistics

from matplotlib.ticker import NullLocator

from helpers.plotting.colours import BLUE, ORANGE
from helpers.plotting.style import Figure, drawn


@drawn
def scatter(x, y, xlabel, ylabel):
    """Points, and the mean of those with the same x; the axis is logarithmic if x spans more than a factor of 20.

    x, y: lists of numbers, y from 0 to 1; xlabel, ylabel: names of the axes.
    """
    figure = Figure(9, 3.8, f"{len(x)} points: {ylabel} against {xlabel}")
    figure.set_layout_engine("none")
    ax = figure.add_axes((0.09, 0.17, 0.88, 0.76))
    ax.plot(x, y, "o", color=BLUE, alpha=0.5, markersize=9)
    places = sorted(set(x))
    means = [statistics.fmean(b for a, b in zip(x, y, strict=True) if a == place) for place in places]
    ax.plot(places, means, color=ORANGE, marker="D", label="mean")
    if places and places[-1] > 20 * places[0] > 0:
        ax.set_xscale("log")
        ax.set_xticks(places if len(places) <= 10 else places[:: len(places) // 8], minor=False)
        ax.xaxis.set_major_formatter("{x:g}")
        ax.xaxis.set_minor_locator(NullLocator())
    ax.set(xlabel=xlabel, ylabel=ylabel, ylim=(0, 1))
    ax.legend()
    return figure
