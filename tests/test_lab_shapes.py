"""The shapes lab: the picture, the costs and the Python line are those of the network that the controls name."""

import re
import subprocess
import sys

import pytest
import torch
from torch import nn

from helpers import labs, layer_table, lenet, mlp, num_parameters, plotting
from helpers.labs.shapes import network_choices, table_of
from tests.support import check_type

CHOICE = {
    "image_size": 36, "kernel_1": 7, "kernel_2": 3, "padding_1": 1, "padding_2": 2, "channels_1": 4, "channels_2": 9,
    "pooling": nn.MaxPool2d, "dense_1": 50, "dense_2": 20,
}  # fmt: skip


def chosen():
    return lenet((7, 3), (4, 9), (1, 2), pooling=nn.MaxPool2d, dense=(50, 20), image_size=36)


@pytest.fixture
def lab():
    made = labs.shapes()
    yield made
    made.close()


def shapes_of(lab):
    return [layer["shape"] for layer in lab.facts["layers"]]


def drawn(table):
    """The layers of a table that the lab draws."""
    return [layer for layer in table if layer.name.endswith("2d") or layer.name == "Linear"]


def test_it_begins_with_lenet(lab):
    first, *layers = lab.state()["facts"]["layers"]
    assert (first["name"], first["shape"]) == ("input", (1, 28, 28))
    assert [layer["shape"] for layer in layers] == [layer.output_shape[1:] for layer in drawn(layer_table(lenet()))]
    names = "convolution 1, pooling 1, convolution 2, pooling 2, dense 1, dense 2, dense 3"
    assert ", ".join(layer["name"] for layer in layers) == names
    assert lab.state()["said"] == (
        "28 → 28 → 14 → 10 → 5; flatten 16·5·5 = 400. 61,706 parameters, at 4 bytes each 246.8 kB"
    )


def test_the_picture_is_that_of_the_network_that_the_controls_name(lab):
    lab.board.move(CHOICE)
    table = layer_table(chosen(), (1, 1, 36, 36))
    assert shapes_of(lab) == [(1, 36, 36), *(layer.output_shape[1:] for layer in drawn(table))]
    assert f"{num_parameters(chosen()):,} parameters" in lab.message.value
    assert lab.facts["totals"][0] == f"{num_parameters(chosen()):,}"


def test_each_setting_stands_under_the_layer_that_it_changes(lab):
    names, before = [layer["name"] for layer in lab.facts["layers"]], shapes_of(lab)
    for name, control in lab.controls.items():
        lab.board.text.value = "shapes"
        control.value = nn.MaxPool2d if name == "pooling" else control.value + 2
        changed = [layer for layer, one, other in zip(names, before, shapes_of(lab), strict=True) if one != other]
        assert control.group == (changed or ["pooling 1"])[0]  # which pooling it is changes no size


def test_its_first_picture_does_not_wait_for_pytorchs_compiler():
    made = "import sys\nfrom helpers import labs\nlabs.shapes()\nprint({'torch._dynamo', 'sympy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", made], capture_output=True, text=True)
    assert (done.stdout.strip(), done.returncode) == ("set()", 0), done.stderr


@pytest.mark.parametrize(
    "choices", [{}, {"in_channels": 3, "num_classes": 62}, {"kernel_size": (4, 3), "pooling": nn.MaxPool2d}]
)
def test_its_table_is_the_one_that_is_measured(choices):
    choices = {"image_size": 37, **choices}
    measured = layer_table(lenet(**choices), (1, choices.get("in_channels", 1), 37, 37))
    assert (table_of(choices), table_of(choices).input_shape) == (measured, measured.input_shape)


@pytest.mark.parametrize("values", [{}, CHOICE, {"image_size": 13, "kernel_1": 1, "padding_1": 5, "kernel_2": 9}])
def test_the_arithmetic_of_each_layer_is_right(lab, values):
    lab.board.move(values)
    choices = network_choices(**lab.board.values())
    for layer, found in zip([None, *drawn(table_of(choices))], lab.facts["layers"], strict=True):
        results = {}
        for line in found["why"]:
            sum_of, equals, rest = line.partition(" = ")
            if equals:
                number, what = re.match(r"([\d,]+) (\S+)", rest).groups()
                number = int(number.replace(",", ""))
                assert eval(sum_of.translate(str.maketrans("·−⌊⌋", "*-()")).replace("/", "//")) == number
                results[what.strip(",")] = number
        if "rows" in results:
            assert results["rows"] == found["shape"][1]
        if layer is not None and layer.parameters:
            assert results["parameters"] == layer.parameters
            assert results["multiply-adds"] == layer.multiply_adds


def test_the_line_of_python_builds_the_network(lab):
    lab.board.move(CHOICE)
    chapter = {"lenet": lenet, "nn": nn}
    exec(lab.state()["facts"]["python"], chapter)
    assert any(isinstance(layer, nn.ReLU) for layer in chapter["own_net"])
    relu = lenet((7, 3), (4, 9), (1, 2), nn.ReLU, nn.MaxPool2d, (50, 20), image_size=36)
    assert layer_table(chapter["own_net"], (1, 1, 36, 36)) == layer_table(relu, (1, 1, 36, 36))


def test_an_impossible_choice_explains_itself_and_the_last_picture_stays(lab):
    lab.board.move({"image_size": 14})
    good = lab.facts
    lab.controls["kernel_2"].value = 8
    said = "convolution 2: kernel 8 is larger than the 7×7 map that reaches it: add padding or use at most 7"
    assert (lab.message.value, lab.message.trouble) == (said, True)
    assert lab.facts == good
    lab.controls["padding_2"].value = 1  # what the red line advises
    assert "8 is larger" not in lab.message.value
    lab.controls["kernel_2"].value = 3
    assert not lab.message.trouble
    assert lab.facts != good


def test_moving_leaves_the_notebooks_random_numbers_alone():
    before = torch.random.get_rng_state()
    labs.shapes().board.move(CHOICE)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_costs_are_those_of_the_table():
    table = layer_table(lenet())
    lab = labs.shapes()
    costs = {text for layer in lab.facts["layers"] for text, _ in layer["costs"]} | set(lab.facts["totals"])
    written = [text.get_text() for text in plotting.network_with_costs(table).ax.texts]
    for number in ("156", "2,416", "48,120", "61,706", "117,600", "240,000", "416,520", "1×28×28", "16×5×5"):
        assert number in written
        assert "×" in number or number in costs
    outputs = [28**2, 6 * 28**2, 6 * 14**2, 16 * 10**2, 16 * 5**2, 120, 84, 10]
    for number in (*outputs, sum(outputs)):
        assert f"{number * 4 / 1000:,.1f}" in written
        assert f"{number * 4 / 1000:,.1f}" in costs
    shares = [sum(layer["costs"][i][1] for layer in lab.facts["layers"]) for i in range(3)]
    assert shares == pytest.approx([1, 1, 1])


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
