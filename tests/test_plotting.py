"""The pictures: pure functions, one style, type that can be read, alternative text."""

import threading
from xml.etree import ElementTree

import matplotlib
import pytest
import torch
from matplotlib import pyplot
from matplotlib.text import Text

from helpers import Accumulator, Progress, layer_table, lenet, plotting
from helpers.data import CLOTHES
from helpers.experiments import measured
from helpers.plotting.trainer import recent_means


def history(losses, val_acc=None):
    """As training would leave it: one report an epoch."""
    progress = []
    for epoch, loss in enumerate(losses, start=1):
        sums = Accumulator(3)
        sums.add(loss * 100, 50, 100)
        progress.append(Progress(epoch, 100 * epoch, val_acc, float(epoch), sums, Accumulator(2), 10))
    return progress


def one_of_each():
    """{name: a function that draws the picture}."""
    pictures, labels = torch.randint(256, (12, 1, 28, 28), dtype=torch.uint8), torch.arange(12) % 10
    counts = torch.randint(1000, (10, 10))
    return {
        "images": lambda: plotting.images(pictures, [CLOTHES[label] for label in labels]),
        "images in colour": lambda: plotting.images(torch.rand(3, 3, 20, 30), columns=3),
        "signed images": lambda: plotting.images(torch.randn(6, 1, 5, 5), columns=6, signed=True),
        "feature maps": lambda: plotting.feature_maps(torch.randn(16, 10, 10), "second convolution"),
        "matrices": lambda: plotting.matrices([torch.arange(9).reshape(3, 3), torch.ones(2, 2)], ["X", "K"]),
        "curves": lambda: plotting.curves(history([2, 1, 0.5], 0.8), [history([3, 2])], num_epochs=5),
        "no curves yet": lambda: plotting.curves([]),
        "lines": lambda: plotting.lines(
            [0, 1, 2], {"LeNet": [1, 0.5, 0.2], "MLP": [0.9, 0.3, 0.1]}, "shift", "accuracy"
        ),
        "histogram": lambda: plotting.histogram(pictures, xlabel="pixel value"),
        "bars": lambda: plotting.bars(torch.arange(10) * 300, CLOTHES, "images"),
        "confusion matrix": lambda: plotting.confusion_matrix(counts, CLOTHES),
        "predictions": lambda: plotting.predictions(pictures, labels, labels.flip(0), CLOTHES),
        "convolution": lambda: plotting.convolution(
            torch.rand(28, 28), torch.randn(5, 5), torch.randn(14, 14), 2, 2, 1, (9, 3)
        ),
        "large convolution": lambda: plotting.convolution(
            torch.rand(28, 28), torch.randn(9, 9), torch.randn(12, 12), 0, 1, 2
        ),
        "pooling": lambda: plotting.pooling(
            torch.rand(28, 28), torch.rand(28, 28), torch.rand(9, 9), torch.rand(9, 9), "max", 3, 3, 1
        ),
        "kernel learning": lambda: plotting.learn_kernel(
            torch.randn(3, 3),
            torch.randn(3, 3),
            torch.randn(26, 26),
            torch.randn(26, 26),
            [4, 2, 1],
            [("lr 3", [4] * 400)],
        ),
        "accuracy": lambda: plotting.accuracy_on(pictures, {"LeNet": 0.9, "MLP": 0.8}, {"LeNet": 0.9, "MLP": 0.9}),
        "reproduction": lambda: plotting.reproduction(
            {"test_acc": 0.9, "epochs": [{"train_acc": 0.8, "test_acc": None}, {"train_acc": 0.9, "test_acc": 0.9}]},
            {2: (None, 0.85, 0.95)},
        ),
        "published against ours": lambda: plotting.published_against_ours(measured()["experiments"]),
        "published against three seeds": lambda: plotting.published_against_ours(
            {
                "R4  lenet-maxpool-fashion": {"test_accs": [0.7, 0.71, 0.8], "published_test_acc": 0.758},
                "R6  lenet-today": {"test_accs": [0.89, 0.9, 0.91], "published_test_acc": None},
            }
        ),
        "story": lambda: plotting.story(measured()["story"]),
        "confusions": lambda: plotting.confusions({"LeNet": counts, "MLP": counts.T}, CLOTHES),
        "opinions": lambda: plotting.opinions(
            pictures[0],
            {"LeNet": torch.eye(10)[9], "MLP": torch.full((10,), 0.1)},
            [torch.rand(6, 28, 28), torch.rand(32, 10, 10)],
            CLOTHES,
        ),
        "network": lambda: plotting.network(layer_table(lenet())),
    }


def drawn():
    """{name: picture} of one of each, on the same random numbers each time."""
    torch.manual_seed(0)
    return {name: draw() for name, draw in one_of_each().items()}


@pytest.fixture(scope="module")
def pictures():
    """{name: (picture, its PNG)}, laid out."""
    return {name: (figure, figure.png()) for name, figure in drawn().items()}


@pytest.mark.parametrize("name", one_of_each())
def test_every_picture_shows_itself_with_text_for_those_who_cannot_see_it(name, pictures):
    figure, png = pictures[name]
    shown = figure._repr_html_()
    assert len(figure.alt) > 10
    assert png.startswith(b"\x89PNG")
    root = ElementTree.fromstring(shown)
    assert (root.get("role"), root.get("aria-label")) == ("img", figure.alt)
    assert "max-width:100%" in root.get("style")


@pytest.mark.parametrize("name", one_of_each())
def test_type_is_large_enough_for_the_back_row(name, pictures):
    figure, _ = pictures[name]
    sizes = [text.get_fontsize() for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    assert sizes or name == "images in colour" or "signed" in name
    assert all(size >= 9 for size in sizes), f"{name}: {min(sizes)} points"


@pytest.mark.parametrize("name", one_of_each())
def test_nothing_is_cut_off(name, pictures):
    figure, _ = pictures[name]
    edge = figure.get_tightbbox()  # in inches, of all that is visible
    assert edge.x0 > -0.02
    assert edge.y0 > -0.02
    assert edge.x1 < figure.get_figwidth() + 0.02
    assert edge.y1 < figure.get_figheight() + 0.02


def test_the_same_state_gives_the_same_picture(pictures):
    assert all(figure.png() == pictures[name][1] for name, figure in drawn().items())
    assert pictures["images"][1] != pictures["predictions"][1]


def test_pyplot_and_its_settings_are_left_alone():
    before = dict(matplotlib.rcParams)
    drawn()
    assert dict(matplotlib.rcParams) == before
    assert pyplot.get_fignums() == []


def test_the_curves_show_recent_batches_without_a_cliff_where_an_epoch_begins():
    losses = [3 - step / 40 for step in range(80)]  # of the batches of two epochs
    reports = []
    for step in range(1, 81):
        seen = losses[40 * ((step - 1) // 40) : step]
        sums = Accumulator(3)
        sums.add(64 * sum(seen), 16 * len(seen), 64 * len(seen))
        reports.append(Progress(step / 40, 64 * step, None, 1.0, sums, Accumulator(2), 10))
    for every in (1, 2, 4):  # a tenth of an epoch has four batches
        means = recent_means(reports[every - 1 :: every])
        for step, (loss, share) in zip(range(every, 81, every), means, strict=True):
            recent = losses[max(0, step - 4) : step]
            assert loss == pytest.approx(sum(recent) / len(recent))
            assert share == pytest.approx(0.25)


def test_threads_do_not_mix_their_pictures_up():
    def picture(loss):
        return plotting.curves(history([loss] * 3)).png()

    expected, wrong = {loss: picture(loss) for loss in (1.0, 2.0, 3.0)}, []

    def draw(loss):
        for _ in range(5):
            if picture(loss) != expected[loss]:
                wrong.append(loss)

    threads = [threading.Thread(target=draw, args=[loss]) for loss in expected]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_signed_picture_has_one_scale_for_all_and_white_at_zero():
    figure = plotting.images(torch.stack([torch.full((2, 2), -4.0), torch.full((2, 2), 1.0)]), columns=2, signed=True)
    limits = {ax.images[0].get_clim() for ax in figure.axes}
    assert limits == {(-4.0, 4.0)}


def test_an_empty_selection_is_explained():
    nothing = torch.zeros(0, 1, 28, 28)
    with pytest.raises(ValueError, match="no images to show"):
        plotting.images(nothing)
    with pytest.raises(ValueError, match="no images to show"):
        plotting.predictions(nothing, [], [], CLOTHES)


def test_maps_of_a_whole_batch_are_refused_in_words():
    with pytest.raises(ValueError, match=r"maps\[0\]"):
        plotting.feature_maps(torch.zeros(2, 6, 5, 5))


def test_every_series_is_drawn_also_one_that_carries_gradients():
    series = {str(i): torch.tensor([i, i + 1.0], requires_grad=True) for i in range(9)}
    assert len(plotting.lines([0, 1], series, "x", "y").axes[0].lines) == 9


def test_bytes_keep_their_scale():
    figure = plotting.images(torch.full((1, 1, 4, 4), 100, dtype=torch.uint8))
    assert figure.axes[0].images[0].get_clim() == (0, 255)


def test_what_was_measured_is_said_in_words_too():
    figures = plotting.published_against_ours(
        {
            "R4": {"test_accs": [0.71, 0.74], "published_test_acc": 0.758},
            "R6": {"test_accs": [0.9], "published_test_acc": None},
        }
    ).alt
    assert "R4 0.710–0.740 (published 0.758)" in figures
    assert "R6 0.900" in figures
    told = plotting.story(
        [{"change": "tanh", "val_acc": 0.756, "spread": 0.03}, {"change": "ReLU", "val_acc": 0.738, "spread": 0}]
    )
    assert "tanh: 0.756; ReLU: 0.738" in told.alt
    assert "−0.018" in [text.get_text() for text in told.ax.texts]


def test_a_reproduced_curve_shows_the_published_points_that_it_has_reached():
    result = {"test_acc": 0.9, "epochs": [{"train_acc": 0.8, "test_acc": 0.7}, {"train_acc": 0.9, "test_acc": 0.9}]}
    published = {2: (None, 0.85, 0.95), 50: (0.3, 0.9, 0.9)}
    lines = {
        line.get_label(): line.get_xydata().tolist() for line in plotting.reproduction(result, published).axes[0].lines
    }
    assert lines["test"] == [[1, 0.7], [2, 0.9]]
    assert lines["test, published"] == [[2, 0.95]]
    assert lines["training, published"] == [[2, 0.85]]


@pytest.mark.parametrize(("channels", "side", "classes"), [(1, 8, 3), (1, 32, 26), (3, 32, 10)])
def test_the_pictures_of_labs_take_their_sizes_from_the_images(channels, side, classes):
    """Everything drawn is within the sheet, whatever the data set."""
    bytes_ = torch.randint(0, 256, (12, channels, side, side), generator=torch.Generator().manual_seed(0)).byte()
    names = [f"class {i}" for i in range(classes)]
    counts = torch.full((classes, classes), 5)
    chances = torch.full((classes,), 1 / classes)
    maps = [torch.rand(6, side, side), torch.rand(16, side // 2, side // 2)]
    accuracies = {"LeNet": 0.8, "MLP": 0.7}
    sheets = [
        plotting.examples(bytes_, range(12), [names[0]] * 12),
        plotting.accuracy_on(bytes_[:8], accuracies, accuracies),
        plotting.confusions({"LeNet": counts, "MLP": counts}, names),
        plotting.opinions(bytes_[0], {"LeNet": chances, "MLP": chances}, maps, names),
    ]
    for sheet in sheets:
        assert sheet.png()
        width, height = sheet.ax.get_xlim()[1], sheet.ax.get_ylim()[0]
        for image in sheet.ax.images:
            left, right, bottom, top = image.get_extent()
            assert (0 <= left < right <= width, 0 <= top < bottom <= height) == (True, True), sheet.alt
