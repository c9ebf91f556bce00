"""The results of experiments beside the published ones (the README's section Experiments)."""

import math

from matplotlib.ticker import MaxNLocator

from helpers.plotting.colours import BLUE, GREY, ORANGE, RED
from helpers.plotting.style import Figure, Sheet, drawn


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
            ax.plot(
                *zip(*points, strict=True), "D", color=colour, mfc="none", mew=2, ms=10, label=f"{label}, published"
            )
    if "rival" in result:
        ax.plot(epochs, _numbers(result["rival"]["epochs"], "test_acc"), ".--", color=ORANGE, label="rival, test")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_locator(MaxNLocator(6))
    ax.set(xlabel="epoch", ylabel="accuracy", ylim=(None, 1))
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


@drawn
def published_against_ours(results):
    """The test accuracy of each experiment, published and ours.

    results: {label: {"published_test_acc" (or None), "test_accs" (one per seed)}}.
    """
    said = "; ".join(f"{label} {_against(result)}" for label, result in results.items())
    left, right, top, row = 280, 600, 60, 44  # pixels
    theirs, ours = 670, 838  # where the columns of numbers begin
    sheet = Sheet(970, top + row * len(results) + 18, f"Test accuracy, published and ours: {said}")
    lowest = math.floor(10 * min(min([*r["test_accs"], r["published_test_acc"] or 1]) for r in results.values())) / 10

    def place(accuracy):
        return left + (right - left) * (accuracy - lowest) / (1 - lowest)

    sheet.write(left, 18, "test accuracy", 14)
    sheet.ax.plot([theirs - 20], [18], "D", color=ORANGE, mfc="none", mew=2.5, ms=11)
    sheet.write(theirs, 18, "published", 14, weight="bold")
    sheet.ax.plot([ours - 20], [18], "o", color=BLUE, ms=11)
    sheet.write(ours, 18, "ours", 14, weight="bold")
    floor = top + row * len(results) - 14
    for tenth in range(round(10 * lowest), 11):
        x = place(tenth / 10)
        sheet.ax.plot([x, x], [top - 22, floor], color="#dddddd", linewidth=1)
        sheet.write(x, floor + 16, f"{tenth / 10:.1f}", 12, GREY, "center")
    for i, (label, result) in enumerate(results.items()):
        y, accuracies, published = top + row * i, result["test_accs"], result["published_test_acc"]
        sheet.write(4, y, label, 14)
        sheet.ax.plot([place(min(accuracies)), place(max(accuracies))], [y, y], color=BLUE, linewidth=5)
        sheet.ax.plot([place(accuracy) for accuracy in accuracies], [y] * len(accuracies), "o", color=BLUE, ms=11)
        if published is not None:
            sheet.ax.plot([place(published)], [y], "D", color=ORANGE, mfc="none", mew=2.5, ms=11)
        sheet.write(theirs, y, "–" if published is None else f"{published:.3f}", 14)
        sheet.write(ours, y, _range(accuracies), 14)
    return sheet


def _against(result):
    published = result["published_test_acc"]
    return f"{_range(result['test_accs'])}" + ("" if published is None else f" (published {published:.3f})")


def _range(accuracies):
    return "–".join(dict.fromkeys(f"{accuracy:.3f}" for accuracy in (min(accuracies), max(accuracies))))


def _numbers(history, what):
    return [math.nan if epoch[what] is None else epoch[what] for epoch in history]
