"""Every lab, chart and `train` with 2 to 62 classes, images of 16 to 64 pixels, in grey and in colour."""

import math
from dataclasses import replace

import pytest
import torch
from support import check_type, progress, wait_for
from torch import nn

from helpers import (
    Batches,
    ImageData,
    confusion_counts,
    diagnose,
    evaluate_accuracy,
    labs,
    layer_table,
    lenet,
    mlp,
    plotting,
    train,
    xavier,
)
from helpers.labs.board import read, word, words_of
from helpers.labs.settings import Choice

FORMS = [(2, 16, 1), (5, 32, 3), (47, 28, 1), (62, 64, 3)]  # classes, pixels a side, channels


@pytest.fixture(params=FORMS, ids=lambda form: "{} classes, {} pixels, {} channels".format(*form), scope="module")
def data(request):
    classes, size, channels = request.param
    chance = torch.Generator().manual_seed(0)
    images = torch.randint(256, (130, channels, size, size), generator=chance, dtype=torch.uint8)
    labels = torch.arange(130) % classes
    names = [f"a rather long name, number {i}" for i in range(classes)]
    return ImageData("mine", images, labels, images[:70], labels[:70], names)


@pytest.fixture(scope="module")
def nets(data):
    _, channels, size, _ = data.train_images.shape
    torch.manual_seed(0)
    sizes = {"num_classes": len(data.class_names), "image_size": size}
    return {
        "LeNet": xavier(lenet(activation=nn.ReLU, pooling=nn.MaxPool2d, in_channels=channels, **sizes)),
        "MLP": xavier(mlp((8,), channels=channels, **sizes)),
    }


def drawn(lab):
    assert not lab.message.trouble, lab.message.value
    assert lab.still(**lab.board.values()).png().startswith(b"\x89PNG")


def test_networks_train_and_are_measured(data, nets):
    for net in nets.values():
        (one,) = train(net, Batches(data.train_images[:32], data.train_labels[:32], 32), 1, 0.01, reports=1)
        assert one.num_classes == len(data.class_names)
        assert one.loss == pytest.approx(math.log(one.num_classes), rel=0.5)
        assert 0 <= evaluate_accuracy(net, Batches(data.test_images, data.test_labels, 64)) <= 1
        assert layer_table(net, (1, *data.train_images.shape[1:])).parameters > 0


def test_the_explorer_shows_every_view(data):
    lab = labs.explorer(data)
    for view in ("images", "numbers", "counts and means"):
        lab.controls["view"].value = view
        drawn(lab)
        if view == "numbers":
            assert ("of red" in lab.facts["known"][0]) == (data.train_images.shape[1] == 3)
    assert lab.means.shape == (len(data.class_names), *data.train_images.shape[1:])
    lab.controls["class_name"].value = data.class_names[-1]
    drawn(lab)


@pytest.mark.parametrize("make", [labs.convolution, labs.pooling, labs.learn_kernel])
def test_labs_of_one_image_take_it_as_it_is(data, make):
    drawn(make(data.train_images[0]))


def test_the_trainer_trains_and_tests(data):
    lab = labs.trainer(data, num_epochs=1)
    lab.start()
    wait_for(lambda: lab.running is None)
    drawn(lab)
    assert lab.runs[-1].val_acc is not None
    lab.test()
    assert lab.result_text().startswith("result lr=0.1")
    lab.controls["images"].value = "full"
    wait_for(lambda: lab.running is None)
    assert "only 130 training images are here: choose the sample" in lab.message.value


def test_versus_moves_confuses_and_trains(data, nets):
    lab = labs.versus(nets, data)
    drawn(lab)
    lab.controls["shift"].value = 2
    lab.controls["view"].value = "confusion"
    drawn(lab)
    lab.controls["matched"].value = False
    next(lab.bout().steps)
    lab.controls["view"].value = "accuracy"
    drawn(lab)
    table = [layer_table(net, (1, *data.train_images.shape[1:])).multiply_adds for net in lab.bout().nets.values()]
    assert table[0] == pytest.approx(table[1], rel=0.2)


def test_the_scoreboard_measures_networks_of_that_form(data, nets):
    board = labs.Scoreboard(data)
    for name, net in nets.items():
        board.enter(name, net)
    assert [entry.name for entry in board.test("LeNet").entries] == ["LeNet", "MLP"]
    assert "The test set has been used" in repr(board)
    _, channels, size, _ = data.train_images.shape
    board.enter("another", lenet(num_classes=len(data.class_names), image_size=size + 16, in_channels=channels))
    assert "nother cannot read two images of" in repr(board)


def test_the_microscope_opens_every_layer(data, nets):
    lab = labs.microscope(nets["LeNet"], data.train_images[:3], data.class_names)
    for layer in (0, 1, 2):
        lab.controls["layer"].value = layer
        drawn(lab)
    assert "a rather long name" in lab.message.value


def test_a_drawing_reaches_the_networks_in_their_form(data, nets):
    lab = labs.drawing(nets, data.class_names)
    lab.pad.draw([[(100, 50), (140, 200)]])
    drawn(lab)
    assert len(lab.facts["classes"]) == (len(data.class_names) if len(data.class_names) <= 12 else 10)
    assert all(text.get_fontsize() >= 8 for text in lab.still(**lab.board.values()).ax.texts)


def test_charts_of_mistakes_can_be_read(data, nets):
    count = len(data.class_names)
    counts = confusion_counts(torch.arange(130) * 7 % count, data.train_labels, count)
    assert plotting.confusion_matrix(counts, data.class_names).png()
    if count > 20:
        check_type(plotting.confusions({"LeNet": counts, "MLP": counts.T}, data.class_names), 9)
        assert "taken for" in plotting.confusion_matrix(counts, data.class_names).alt
    check_type(plotting.predictions(data.test_images[:8], [0] * 8, [1] * 8, data.class_names), 9)


def test_the_shapes_lab_has_that_input(data):
    _, channels, size, _ = data.train_images.shape
    lab = labs.shapes()
    lab.board.text.value = f"shapes image_size={size} in_channels={channels} classes={len(data.class_names)}"
    drawn(lab)
    assert tuple(lab.facts["layers"][0]["shape"]) == (channels, size, size)
    names = {"lenet": lenet, "nn": nn}
    exec(lab.facts["python"], names)
    assert names["own_net"](torch.zeros(2, channels, size, size)).shape == (2, len(data.class_names))


@pytest.mark.parametrize("classes", [2, 10, 47])
def test_verdicts_follow_from_the_number_of_classes(classes):
    guessing = math.log(classes)

    def judged(*losses, share=0.01):
        history = [replace(progress(i + 1, loss), num_classes=classes) for i, loss in enumerate(losses)]
        for one in history:
            one.gradients.add(share, 1.0)
        return diagnose(history).state

    assert judged(guessing, guessing) == "plateau"
    assert judged(guessing, guessing, share=0) == "dead"
    assert judged(guessing, 0.95 * guessing, share=0.5) == "learning slowly"
    assert judged(guessing, 0.6 * guessing, share=0.5) == "learning"
    assert judged(guessing, 1.5 * guessing, share=0.5) == "above its start"
    assert judged(guessing, math.nan) == "diverged"


def test_classes_whose_names_differ_in_a_capital_or_a_sign_have_words_of_their_own():
    names = ["all", "A", "a", "★", "☆", "C", "C++", "犬", "a 2"]
    control = Choice("class", names)
    assert len(words_of(control.options)) == len(names)
    for name in names:
        control.value = name
        line = f"explorer class_name={word(control)}"
        assert read(line, "explorer", {"class_name": control}, {"class_name": "all"})["class_name"] == name
