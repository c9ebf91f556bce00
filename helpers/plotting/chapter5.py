"""Chapter 5: how far a network's accuracy on its training images is ahead of that on new ones."""

from helpers.plotting.colours import BLUE, INK, RED
from helpers.plotting.style import TYPE, Figure, drawn


@drawn
def gaps(sizes, accuracies):
    """Training and validation accuracy against the number of training images, a panel for each network.

    sizes: numbers of images; accuracies: {name: a pair (training, validation), 0 to 1, for each size}. The gap between
    the two curves is grey, and written in percentage points at the first and at the last size.
    """
    figure = Figure(9, 3.8, _alt(sizes, accuracies))
    panels = figure.subplots(1, len(accuracies), sharey=True, squeeze=False)[0]
    for ax, (name, pairs) in zip(panels, accuracies.items(), strict=True):
        train, val = zip(*pairs, strict=True)
        ax.fill_between(sizes, val, train, color=INK, alpha=0.1, linewidth=0)
        ax.plot(sizes, train, color=BLUE, marker="o", label="training images")
        ax.plot(sizes, val, color=RED, marker="s", linestyle="--", label="new (validation) images")
        for i, side, below in ((0, 1, 0), (-1, -1, 34)):
            gap = round(100 * (train[i] - val[i]))
            ax.annotate(
                f"gap: {gap} point{'s'[: abs(gap) != 1]}".replace("-", "−"),
                (sizes[i], (train[i] + val[i]) / 2),
                xytext=(10 * side, -below),
                textcoords="offset points",
                ha="left" if side > 0 else "right",
                va="center",
                **TYPE,
            )
        ax.set(xscale="log", xlabel="training images", title=name, ylim=(0.5, 1.03))
        ax.set_xticks(sizes, [f"{size:,}" for size in sizes])
        ax.minorticks_off()
    panels[0].set_ylabel("accuracy")
    panels[-1].legend(loc="lower right")
    return figure


def _alt(sizes, accuracies):
    said = (
        f"{name}: "
        + ", ".join(f"{train:.2f} and {val:.2f} with {size:,}" for size, (train, val) in zip(sizes, pairs, strict=True))
        for name, pairs in accuracies.items()
    )
    return "Accuracy on training and on validation images, by the number of training images. " + "; ".join(said)
