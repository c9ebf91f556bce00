"""Chapters 4 and 5: open a trained network and follow one of its numbers back to the pixels."""

import copy

import torch
from torch import nn
from torch.nn import functional as F

from helpers import plotting
from helpers.any_data import as_images, to_floats
from helpers.errors import ShapeError
from helpers.labs.cells import one_a_cell
from helpers.labs.controls import choice, slider
from helpers.labs.lab import Lab
from helpers.layers import layers_of, receptive_field, window
from helpers.plotting.microscope import Applied, Convolved, Pooled, microscope_target

NAMES = {nn.Conv2d: "convolution", nn.AvgPool2d: "average pooling", nn.MaxPool2d: "max pooling"}
# These make one number of one number, whatever stands beside it.
ONE_BY_ONE = (
    nn.ReLU, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Softplus, nn.Sigmoid, nn.Tanh, nn.BatchNorm2d,
    nn.Dropout, nn.Dropout2d, nn.Identity,
)  # fmt: skip


@one_a_cell
def microscope(net, images, class_names=None):
    """Choose an image, a layer, a channel and a cell of its map; a click on a channel or on the map chooses, too.

    net: an `nn.Sequential` that begins with convolutions, activations and poolings, on any device; it is only read.
    images: (N, 1, height, width) bytes or floats, or an array; class_names: with them the network's answer is shown.
    Raises ShapeError where the network has no maps.
    """
    images = images if torch.is_tensor(images) else as_images(images)
    if images.ndim != 4 or not len(images):
        raise ShapeError(f"images must be (N, 1, height, width), these are {tuple(images.shape)}: one is images[:1]")
    names = layer_names(net)
    shapes = [output.shape[1:] for output in outputs_of(snapshot(net), images[0])[1 : len(names) + 1]]
    channels, rows, columns = (max(sizes) for sizes in zip(*shapes, strict=True))
    controls = {
        "image": slider("image", 0, 0, last(len(images))),
        "layer": choice("layer", {name: i for i, name in enumerate(names)}),
        "channel": slider("channel", 0, 0, last(channels)),
        "row": slider("row", rows // 2, 0, last(rows)),
        "column": slider("column", columns // 2, 0, last(columns)),
    }

    for name in ("image", "channel", "row", "column"):
        controls[name].layout.width = "204px"  # all in one row

    def draw(image, layer, **cell):
        counts = dict(zip(("channel", "row", "column"), shapes[layer], strict=True))
        image = narrow(controls["image"], image, len(images))
        cell = tuple(narrow(controls[name], cell[name], count) for name, count in counts.items())
        layers = snapshot(net)
        outputs = outputs_of(layers, images[image])
        if not outputs[layer + 1].isfinite().all():
            raise ShapeError(
                "this network has diverged: the layer's numbers are infinite or no numbers any more. "
                "Train a new one with a smaller learning rate"
            )
        figure = plotting.microscope(
            f"image {image}",
            images[image],
            receptive_field(layers, layer, *cell[1:], images.shape[2:]),
            outputs[layer + 1][0],
            cell,
            working(layers[layer], outputs[layer][0], *cell),
        )
        return figure, _answer(outputs[-1], class_names)

    def click(x, y):
        lab.board.move(microscope_target(shapes[controls["layer"].value], x, y))

    lab = Lab("microscope", draw, controls)
    lab.picture.on_click(click)
    return lab


def last(count):
    """The right end of a slider over `count` places; the browser's slider fails if both its ends are one number."""
    return max(count - 1, 1)


def narrow(slider, value, count):
    """Let a slider reach from 0 to `count` - 1; returns `value`, cut to that."""
    slider.max = last(count)
    slider.disabled = count == 1
    slider.value = min(value, count - 1)
    return slider.value


def layer_names(net):
    """What to call the layers of `net` whose maps can be opened, as "1 convolution"; raises ShapeError without any."""
    if not isinstance(net, nn.Sequential):
        raise ShapeError(f"the microscope opens an nn.Sequential, as lenet() makes it; this is a {type(net).__name__}")
    names = []
    for i, layer in enumerate(layers_of(net), start=1):
        if not _can_be_opened(layer):
            break
        names.append(f"{i} {NAMES.get(type(layer), type(layer).__name__)}")
    if not names:
        raise ShapeError(
            f"this network has no feature maps: its first layer is {layer}. Open one that begins with a convolution, "
            "such as lenet()"
        )
    return names


def _can_be_opened(layer):
    if isinstance(layer, nn.Conv2d):
        return layer.padding_mode == "zeros"
    if isinstance(layer, (nn.AvgPool2d, nn.MaxPool2d)):
        return layer.padding in (0, (0, 0)) and not layer.ceil_mode
    return isinstance(layer, ONE_BY_ONE)


def snapshot(net):
    """The layers of `net` as it is now, a copy on the CPU: the network may be training in another thread meanwhile."""
    return list(layers_of(copy.deepcopy(net).cpu().float().eval()))


@torch.no_grad()
def outputs_of(layers, image):
    """The image as a batch of one, and what each layer makes of it; image: (1, height, width) bytes or floats."""
    outputs = [to_floats(image).cpu().float()[None]]
    for number, layer in enumerate(layers, start=1):
        try:
            outputs.append(layer(outputs[-1].clone()))  # a ReLU(inplace=True) would write over it
        except RuntimeError as error:
            shape = tuple(outputs[-1].shape[1:])
            raise ShapeError(f"layer {number}, {layer}, cannot take what reaches it, {shape}: {error}") from error
    return outputs


@torch.no_grad()
def working(layer, maps, channel, row, column):
    """How `layer` makes one number of the maps below it, (channels, height, width): Convolved, Pooled or Applied."""
    if not hasattr(layer, "kernel_size"):
        return _applied(layer, maps, channel, row, column)
    (rows, above_and_below), (columns, beside) = (_places(layer, axis, cell) for axis, cell in enumerate((row, column)))
    windows = F.pad(maps, beside + above_and_below)[:, rows][:, :, columns]
    if not isinstance(layer, nn.Conv2d):
        return Pooled(windows[channel], isinstance(layer, nn.MaxPool2d))
    depth = layer.in_channels // layer.groups
    first = channel // (layer.out_channels // layer.groups) * depth
    bias = 0.0 if layer.bias is None else float(layer.bias[channel])
    return Convolved(windows[first : first + depth], layer.weight[channel].detach(), bias)


def _places(layer, axis, cell):
    """The rows (axis 0) or columns (axis 1) of the padded map in a cell's window, and the padding at both ends."""
    size, stride, before, after, dilation = window(layer, axis)
    return cell * stride + dilation * torch.arange(size), (before, after)


def _applied(layer, maps, channel, row, column):
    x = float(maps[channel, row, column])
    end = max(4.0, abs(x))
    many = torch.linspace(-end, end, 201)
    curve = layer(many.expand(1, len(maps), 1, -1).clone())[0, channel, 0]
    number = layer(maps[None].clone())[0, channel, row, column]
    return Applied(type(layer).__name__, x, float(number), (many, curve))


def _answer(scores, class_names):
    """What to do, and the network's answer in words where `scores` are (1, classes)."""
    text = "Click on a channel or on its map. "
    if class_names and scores.shape == (1, len(class_names)):
        share, best = scores[0].softmax(dim=0).max(dim=0)
        text += f"The network's answer to this image: {class_names[best]} ({share:.0%})."
    return text
