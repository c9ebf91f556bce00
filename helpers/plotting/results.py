"""What experiments gave, beside what was published."""

import math

from helpers.plotting.style import BLUE, ORANGE, RED, Figure, drawn


@drawn
def reproduction(result, published):
    """Accuracy against epochs of a reproduced experiment, with the published figures as points.

    result: what `helpers.reproduce.run` returns; published: {epoch: (loss, train accuracy, test accuracy)}.
    """
    figure = Figure(9, 3.8, f"Accuracy against epochs; at the end {result['test_acc']:.1%} on the test images")
    ax = figure.subplots()
    epochs = range(1, len(result["epochs"]) + 1)
    for what, label, colour in (("train_acc", "training", BLUE), ("test_acc", "test", RED)):
        ax.plot(epochs, _numbers(result["epochs"], what), ".-", color=colour, label=label)
        place = 1 if what == "train_acc" else 2
        points = [(epoch, figures[place]) for epoch, figures in published.items() if figures[place] is not None]
        points = [point for point in points if point[0] <= len(epochs)]
        if points:
            ax.plot(*zip(*points, strict=True), "D", color=colour, mfc="white", ms=10, label=f"{label}, published")
    if "rival" in result:
        ax.plot(epochs, _numbers(result["rival"]["epochs"], "test_acc"), ".--", color=ORANGE, label="rival, test")
    ax.set(xlabel="epoch", ylabel="accuracy", ylim=(None, 1))
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _numbers(history, what):
    return [math.nan if epoch[what] is None else epoch[what] for epoch in history]
