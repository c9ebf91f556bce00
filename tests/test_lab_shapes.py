"""The shapes lab: the picture, the costs and the Python line are those of the network that the controls name."""

import html
import re

import pytest
import torch
from torch import nn

from helpers import labs, layer_table, lenet, mlp, num_parameters, plotting
from tests.support import check_type

CHOICE = {
    "image_size": 36, "kernel_1": 7, "kernel_2": 3, "padding_1": 1, "padding_2": 2, "channels_1": 4, "channels_2": 9,
    "pooling": nn.MaxPool2d, "dense_1": 50, "dense_2": 20,
}  # fmt: skip


def chosen():
    return lenet((7, 3), (4, 9), (1, 2), pooling=nn.MaxPool2d, dense=(50, 20), image_size=36)


def test_it_begins_with_lenet():
    lab = labs.shapes()
    assert lab.picture.image.value == plotting.network_with_costs(layer_table(lenet())).png()
    assert "28 → 28 → 14 → 10 → 5; flatten 16·5·5 = 400. 61,706 parameters, at 4 bytes each 246.8 kB" in (
        lab.message.value
    )


def test_the_picture_is_that_of_the_network_that_the_controls_name():
    lab = labs.shapes()
    lab.board.move(CHOICE)
    table = layer_table(chosen(), (1, 1, 36, 36))
    assert lab.picture.image.value == plotting.network_with_costs(table).png()
    assert f"{num_parameters(chosen()):,} parameters" in lab.message.value


def test_the_line_of_python_builds_the_network():
    lab = labs.shapes()
    lab.board.move(CHOICE)
    line = html.unescape(re.search("<code>(.*)</code>", lab.message.value)[1])
    chapter = {"lenet": lenet, "nn": nn}
    exec(line, chapter)
    assert any(isinstance(layer, nn.ReLU) for layer in chapter["own_net"])
    relu = lenet((7, 3), (4, 9), (1, 2), nn.ReLU, nn.MaxPool2d, (50, 20), image_size=36)
    assert layer_table(chapter["own_net"], (1, 1, 36, 36)) == layer_table(relu, (1, 1, 36, 36))


def test_an_impossible_choice_explains_itself_and_the_last_picture_stays():
    lab = labs.shapes()
    lab.board.move({"image_size": 14})
    good = lab.picture.image.value
    lab.controls["kernel_2"].value = 8
    assert (
        "convolution 2: kernel 8 is larger than the 7×7 map that reaches it: add padding or use at most 7"
        in lab.message.value
    )
    assert plotting.TROUBLE in lab.message.value
    assert lab.picture.image.value == good
    lab.controls["padding_2"].value = 1  # what the red line advises
    assert "8 is larger" not in lab.message.value
    lab.controls["kernel_2"].value = 3
    assert plotting.TROUBLE not in lab.message.value
    assert lab.picture.image.value != good


def test_moving_leaves_the_notebooks_random_numbers_alone():
    before = torch.random.get_rng_state()
    labs.shapes().board.move(CHOICE)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_costs_are_those_of_the_table():
    table = layer_table(lenet())
    written = [text.text for text in plotting.network_with_costs(table).words.words]
    for number in ("156", "2,416", "48,120", "61,706", "117,600", "240,000", "416,520", "1×28×28", "16×5×5"):
        assert number in written
    outputs = [28**2, 6 * 28**2, 6 * 14**2, 16 * 10**2, 16 * 5**2, 120, 84, 10]
    for number in (*outputs, sum(outputs)):
        assert f"{number * 4 / 1000:,.1f}" in written


LARGEST = {
    "kernel_size": (11, 11), "channels": (32, 64), "padding": (5, 5), "dense": (400, 400), "image_size": 48,
}  # fmt: skip
TABLES = {
    "LeNet": layer_table(lenet()),
    "largest": layer_table(lenet(**LARGEST), (1, 1, 48, 48)),
    "smallest": layer_table(lenet(1, (1, 1), (0, 0), dense=(1, 1), image_size=12), (1, 1, 12, 12)),
    "three": layer_table(lenet(3, (4, 6, 8), (1, 1, 1))),
    "MLP": layer_table(mlp((256, 64))),
}


@pytest.mark.parametrize("draw", [plotting.network, plotting.network_with_costs])
@pytest.mark.parametrize("name", TABLES)
def test_type_can_be_read_and_nothing_overlaps_or_is_cut_off(name, draw):
    figure = draw(TABLES[name])
    check_type(figure, smallest=11)


def test_maps_are_to_scale():
    figure = plotting.network(layer_table(lenet()))
    (collection,) = figure.axes[0].collections
    widths = [path.vertices[:, 0].max() - path.vertices[:, 0].min() for path in collection.get_paths()]
    # In this order: the input, 6 maps, 6 pooled, 12 of 16 maps, 12 pooled, three dense layers.
    assert len(widths) == 1 + 6 + 6 + 12 + 12 + 3
    sizes = [28] + 6 * [28] + 6 * [14] + 12 * [10] + 12 * [5]
    assert [width / widths[0] for width in widths[:-3]] == pytest.approx([size / 28 for size in sizes])
