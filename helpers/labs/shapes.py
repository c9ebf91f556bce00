"""Chapter 3: how each choice changes the sizes and the costs of a LeNet."""

import math

import torch
from torch import nn

from helpers import plotting
from helpers.errors import ShapeError
from helpers.labs.cells import one_a_cell
from helpers.labs.living import Living, script
from helpers.labs.settings import Choice, Slider, Steps
from helpers.layers import table_from_formulas
from helpers.models import lenet
from helpers.plotting.shapes import boxes_of, costs_of, written

POOLINGS = {"average": nn.AvgPool2d, "max": nn.MaxPool2d}


class Shapes(Living):
    """A LeNet layer by layer, each with its costs and with the settings that change it."""

    NAME = "shapes"
    _esm = script("shapes.js")

    def __init__(self):
        first, second = {"group": "convolution 1"}, {"group": "convolution 2"}
        controls = {
            "image_size": Slider("image size", 28, 12, 64, group="input"),
            "in_channels": Steps("colours", (1, 3), 1, group="input"),
            "kernel_1": Slider("kernel 1", 5, 1, 11, **first),
            "padding_1": Slider("padding 1", 2, 0, 5, **first),
            "channels_1": Slider("channels 1", 6, 1, 32, **first),
            "pooling": Choice("pooling (both)", POOLINGS, group="pooling 1"),
            "kernel_2": Slider("kernel 2", 5, 1, 11, **second),
            "padding_2": Slider("padding 2", 0, 0, 5, **second),
            "channels_2": Slider("channels 2", 16, 1, 64, **second),
            "dense_1": Slider("dense 1", 120, 1, 400, group="dense 1"),
            "dense_2": Slider("dense 2", 84, 1, 400, group="dense 2"),
            "classes": Slider("classes", 10, 2, 62, group="dense 3"),
        }
        super().__init__(controls)

    # Only a bench sets these: an activation has no slider, since it changes no size.
    activation, image_size = nn.ReLU, 28

    def network(self):
        """The network that the controls describe, with new random weights; raises ShapeError if it is impossible."""
        return lenet(**network_choices(**self.board.values()), activation=self.activation)

    def show_network(self, net):
        """Set the controls to the layers of `net`; raises ShapeError, and leaves them alone, if that is impossible."""
        values = self.board.values() | values_of(net, self.image_size, self.controls)
        self.activation = type(net[1])
        self.board.move(values)

    def draw(self, **values):
        """The layers with their costs as text, the totals, and the line that builds the network."""
        choices = network_choices(**values)
        table = table_of(choices)
        facts = {"layers": layers_in_words(table, choices), "totals": totals_in_words(table)}
        return {}, {**facts, "python": in_python(choices, self.activation)}, sizes_in_words(table)

    def still(self, **values):
        """The same as a still picture."""
        return plotting.network_with_costs(table_of(network_choices(**values)))


def network_choices(
    image_size,
    in_channels,
    classes,
    kernel_1,
    kernel_2,
    padding_1,
    padding_2,
    channels_1,
    channels_2,
    pooling,
    dense_1,
    dense_2,
):
    """The values of the lab's settings as `lenet` takes them."""
    return {
        "kernel_size": (kernel_1, kernel_2),
        "channels": (channels_1, channels_2),
        "padding": (padding_1, padding_2),
        "pooling": pooling,
        "dense": (dense_1, dense_2),
        "image_size": image_size,
        **({"num_classes": classes} if classes != 10 else {}),
        **({"in_channels": in_channels} if in_channels != 1 else {}),
    }


def table_of(choices):
    """The `LayerTable` of the network with these choices; raises ShapeError if a map becomes too small."""
    with torch.device("meta"):  # its tensors hold no numbers, so even the largest network takes no memory
        net = lenet(**choices)
    return table_from_formulas(net, (1, choices.get("in_channels", 1), choices["image_size"], choices["image_size"]))


def layers_in_words(table, choices):
    """The texts that the browser shows for each layer: a list of dicts for JSON.

    "costs" has a text and the share of the whole network for each kind of cost; "why" has the arithmetic as texts.
    """
    boxes, costs = boxes_of(table), costs_of(table)
    numbers, layers, before = {}, [], None
    for place, (name, _, layer, shape) in enumerate(boxes):
        kind = "pooling" if layer and layer.name.endswith("Pool2d") else name
        numbers[kind] = numbers.get(kind, 0) + 1
        paid = [(written(each[place]) if each[place] else "", each[place] / sum(each)) for each in costs.values()]
        why = arithmetic(kind, numbers[kind], before, shape, layer, choices)
        title = name if kind == "input" else f"{kind} {numbers[kind]}"
        layers.append({"name": title, "kind": kind, "shape": shape, "costs": paid, "why": why})
        before = shape
    return layers


def arithmetic(kind, number, before, shape, layer, choices):
    """The arithmetic of a layer's size and costs, a list of texts such as "28 + 2·2 − 5 + 1 = 28 rows".

    number: which layer of its kind it is, from 1; before, shape: the input's and the output's sizes, without the batch.
    """
    if kind == "input":
        return [f"{'·'.join(map(str, shape))} = {math.prod(shape):,} numbers come in"]
    if kind == "pooling":
        return [f"⌊{before[1]} / 2⌋ = {shape[1]} rows, and as many columns", "a window without weights costs nothing"]
    costs = f"= {layer.parameters:,} parameters", f"= {layer.multiply_adds:,} multiply-adds"
    if kind == "convolution":
        kernel, padding = choices["kernel_size"][number - 1], choices["padding"][number - 1]
        size, weights = shape[1], f"{before[0]}·{kernel}·{kernel}"
        rows = f"{before[1]} + 2·{padding} − {kernel} + 1 = {size} rows, and as many columns"
        return [rows, f"{shape[0]}·({weights} + 1) {costs[0]}", f"{shape[0]}·{size}·{size}·{weights} {costs[1]}"]
    inputs = math.prod(before)
    flat = [f"{'·'.join(map(str, before))} = {inputs:,} numbers come in, flattened"] if len(before) > 1 else []
    return [*flat, f"{shape[0]}·({inputs} + 1) {costs[0]}", f"{shape[0]}·{inputs} {costs[1]}"]


def totals_in_words(table):
    """The sum of each kind of cost, as texts."""
    return [written(sum(each)) for each in costs_of(table).values()]


def sizes_in_words(table):
    """A line on how the maps shrink, how many numbers `Flatten` yields, and how much memory the parameters take."""
    maps = [table.input_shape, *(layer.output_shape for layer in table if layer.name.endswith("2d"))]
    _, channels, size, _ = maps[-1]
    return (
        f"{' → '.join(str(shape[2]) for shape in maps)}; flatten {channels}·{size}·{size} = {channels * size**2}. "
        f"{table.parameters:,} parameters, at 4 bytes each {table.parameters * 4 / 1000:,.1f} kB"
    )


def in_python(choices, activation=nn.ReLU):
    """The line of code that builds this network, as chapters 3 to 5 expect it."""
    words = {**choices, "pooling": f"nn.{choices['pooling'].__name__}", "activation": f"nn.{activation.__name__}"}
    return f"own_net = lenet({', '.join(f'{name}={value}' for name, value in words.items())})"


def values_of(net, image_size, controls):
    """The values of `controls`, {name: Setting}, for the layers of `net` at this image size; raises ShapeError."""
    kinds = (nn.Conv2d, nn.Linear, tuple(POOLINGS.values()))
    convolutions, dense, poolings = ([layer for layer in net.modules() if isinstance(layer, kind)] for kind in kinds)
    if (len(convolutions), len(dense), len(poolings)) == (2, 3, 2):
        first, last = convolutions[0], dense[-1]
        values = {"image_size": image_size, "in_channels": first.in_channels, "classes": last.out_features}
        values["pooling"] = type(poolings[0])
        for number, (convolution, layer) in enumerate(zip(convolutions, dense, strict=False), start=1):
            values[f"kernel_{number}"], values[f"padding_{number}"] = convolution.kernel_size[0], convolution.padding[0]
            values |= {f"channels_{number}": convolution.out_channels, f"dense_{number}": layer.out_features}
        values = {name: value for name, value in values.items() if name in controls}
        sliders = {name: controls[name] for name in values if hasattr(controls[name], "lowest")}
        if all(slider.lowest <= values[name] <= slider.highest for name, slider in sliders.items()):
            with torch.device("meta"):
                made = lenet(**network_choices(**values), activation=type(net[1]))
            if repr(made) == repr(net):
                return values
    raise ShapeError("the sliders of this lab cannot make its layers. Move one, and the lab's network replaces it")


@one_a_cell
def shapes():
    """Choose the sizes of a LeNet (chapter 3); an impossible choice says what is wrong."""
    return Shapes()
