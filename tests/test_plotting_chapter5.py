"""The gap between training and validation accuracy, drawn."""

import pytest

from helpers import plotting

SIZES = [300, 1000, 9000]
ACCURACIES = {
    "LeNet": [(1.0, 0.77), (0.95, 0.82), (0.86, 0.87)],
    "MLP": [(1.0, 0.75), (0.97, 0.8), (0.88, 0.85)],
}


def written(ax):
    return [text.get_text() for text in ax.texts]


def test_each_network_has_a_panel_with_both_curves():
    figure = plotting.gaps(SIZES, ACCURACIES)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["LeNet", "MLP"]
    for ax, pairs in zip(figure.axes, ACCURACIES.values(), strict=True):
        train, val = (list(line.get_ydata()) for line in ax.lines)
        assert list(zip(train, val, strict=True)) == pairs
        assert [label.get_text() for label in ax.get_xticklabels()] == ["300", "1,000", "9,000"]


def test_the_first_and_the_last_gap_are_written_in_points():
    lenet, mlp = plotting.gaps(SIZES, ACCURACIES).axes
    assert written(lenet) == ["gap: 23 points", "gap: −1 point"]
    assert written(mlp) == ["gap: 25 points", "gap: 3 points"]


def test_one_network_is_enough_and_nothing_is_clipped():
    figure = plotting.gaps(SIZES, {"LeNet": ACCURACIES["LeNet"]})
    figure.png()
    for text in figure.axes[0].texts:
        box = text.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1


def test_the_text_for_screen_readers_has_the_numbers():
    alt = plotting.gaps(SIZES, ACCURACIES).alt
    assert "LeNet: 1.00 and 0.77 with 300" in alt
    assert "0.88 and 0.85 with 9,000" in alt


def test_every_size_needs_a_pair():
    with pytest.raises(ValueError):
        plotting.gaps(SIZES, {"LeNet": ACCURACIES["LeNet"][:2]})
