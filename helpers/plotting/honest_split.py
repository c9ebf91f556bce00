"""Chapter 5: the honest split's picture, accuracies on drawings that were set aside at random or by writer."""

from helpers.plotting.colours import COLOURS
from helpers.plotting.style import Figure, drawn


@drawn
def honest_split(results):
    """A line for each fold and split; results: a list of {split: accuracies, one per epoch}."""
    figure = Figure(9, 3.8, "Accuracy on drawings that were set aside, against epochs: at random and by writer")
    ax = figure.subplots()
    for number, result in enumerate(results):
        for (name, values), colour in zip(result.items(), COLOURS, strict=False):
            ax.plot(range(1, len(values) + 1), values, color=colour, label=None if number else name)
    ax.set(xlabel="epoch", ylabel="accuracy", ylim=(0, 1))
    if results:
        ax.legend()
    return figure
