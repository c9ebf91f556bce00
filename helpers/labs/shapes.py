"""Chapter 3: what every choice does to the sizes and the costs of a LeNet."""

import torch
from torch import nn

from helpers import plotting
from helpers.labs.cells import one_a_cell
from helpers.labs.controls import choice, slider
from helpers.labs.lab import Lab
from helpers.layers import layer_table
from helpers.models import lenet

POOLINGS = {"average": nn.AvgPool2d, "max": nn.MaxPool2d}


@one_a_cell
def shapes():
    """Choose the sizes of a LeNet; an impossible choice says what is wrong."""

    def draw(image_size, kernel_1, kernel_2, padding_1, padding_2, channels_1, channels_2, pooling, dense_1, dense_2):
        choices = {
            "kernel_size": (kernel_1, kernel_2),
            "channels": (channels_1, channels_2),
            "padding": (padding_1, padding_2),
            "pooling": pooling,
            "dense": (dense_1, dense_2),
            "image_size": image_size,
        }
        with torch.device("meta"):  # layers there have shapes but no numbers: nothing is drawn or computed
            table = layer_table(lenet(**choices), (1, 1, image_size, image_size))
        return plotting.network_with_costs(table), f"{_sizes(table)}<br><code>{_in_python(choices)}</code>"

    controls = {
        "image_size": slider("image size", 28, 12, 48),
        "kernel_1": slider("kernel 1", 5, 1, 11),
        "padding_1": slider("padding 1", 2, 0, 5),
        "channels_1": slider("channels 1", 6, 1, 32),
        "pooling": choice("pooling", POOLINGS),
        "kernel_2": slider("kernel 2", 5, 1, 11),
        "padding_2": slider("padding 2", 0, 0, 5),
        "channels_2": slider("channels 2", 16, 1, 64),
        "dense_1": slider("dense 1", 120, 1, 400),
        "dense_2": slider("dense 2", 84, 1, 400),
    }
    for control in controls.values():
        control.layout.width = "256px"  # four in a row: first the image and convolution 1, below it the second
    return Lab("shapes", draw, controls, lines=2)


def _sizes(table):
    """How the maps shrink, what `Flatten` makes of the last ones, and how much memory the parameters take, in words."""
    maps = [table.input_shape, *(layer.output_shape for layer in table if layer.name.endswith("2d"))]
    _, channels, size, _ = maps[-1]
    return (
        f"{' → '.join(str(shape[2]) for shape in maps)}; flatten {channels}·{size}·{size} = {channels * size**2}. "
        f"{table.parameters:,} parameters, at 4 bytes each {table.parameters * 4 / 1000:,.1f} kB"
    )


def _in_python(choices):
    """The line that builds this network, as chapters 3 to 5 take it: with ReLU, for activations change no size."""
    words = {**choices, "pooling": f"nn.{choices['pooling'].__name__}", "activation": "nn.ReLU"}
    return f"own_net = lenet({', '.join(f'{name}={value}' for name, value in words.items())})"
