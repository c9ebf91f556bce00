"""Chapters 4 and 5: open a trained network and follow one of its numbers back to the pixels."""

import copy

import torch
from torch import nn
from torch.nn import functional as F

from helpers import plotting
from helpers.any_data import as_images, to_floats
from helpers.errors import ShapeError
from helpers.labs.board import slug
from helpers.labs.cells import one_a_cell
from helpers.labs.living import Living, script
from helpers.labs.settings import Choice, Slider
from helpers.layers import layers_of, receptive_field, window
from helpers.plotting.microscope import Applied, Convolved, Pooled

NAMES = {nn.Conv2d: "convolution", nn.AvgPool2d: "average pooling", nn.MaxPool2d: "max pooling"}
KINDS = {nn.Conv2d: "convolution", nn.AvgPool2d: "average", nn.MaxPool2d: "max"}
# These turn each number into another one, independently of its neighbours.
ONE_BY_ONE = (
    nn.ReLU, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Softplus, nn.Sigmoid, nn.Tanh, nn.BatchNorm2d,
    nn.Dropout, nn.Dropout2d, nn.Identity,
)  # fmt: skip


class Microscope(Living):
    """A network's layers on some images; net: an `nn.Sequential`; images: (N, 1 or 3, height, width)."""

    NAME = "microscope"
    _esm = script("microscope.js")

    def __init__(self, net, images, class_names=None):
        self.net, self.images, self.class_names = net, images, class_names
        names, self.shapes = opened(net, images[0])
        channels, rows, columns = most(self.shapes)
        controls = {
            "image": Slider("image", 0, 0, last(len(images))),
            "layer": Choice("layer", numbered(names)),
            "channel": Slider("channel", 0, 0, last(channels)),
            "row": Slider("row", rows // 2, 0, last(rows), shown=False),
            "column": Slider("column", columns // 2, 0, last(columns), shown=False),
        }
        super().__init__(controls)

    def show_network(self, net):
        """Show another network, or new weights, at the same place or the nearest one; raises ShapeError."""
        names, shapes = opened(net, self.images[0])
        if shapes == self.shapes and numbered(names) == dict(self.controls["layer"].options):
            self.net = net
            self.redraw()
            return
        layer, values = self.controls["layer"], self.board.values()
        self.net, self.shapes = net, shapes
        layer.options = tuple(numbered(names).items())
        self.board.defaults["layer"] = slug(names[0])
        for name, count in zip(("channel", "row", "column"), most(shapes), strict=True):
            self.controls[name].highest = last(count)
        self.board.move({**values, "layer": min(values["layer"], len(names) - 1)})

    def draw(self, image, layer, **cell):
        """The maps of the layer and of the one below it, its weights, and which pixels its cells see."""
        counts = dict(zip(("channel", "row", "column"), self.shapes[layer], strict=True))
        image = narrow(self.controls["image"], image, len(self.images))
        cell = [narrow(self.controls[name], cell[name], count) for name, count in counts.items()]
        layers = snapshot(self.net)
        outputs = outputs_of(layers, self.images[image])
        maps, below = outputs[layer + 1][0], outputs[layer][0]
        if not maps.isfinite().all():
            raise ShapeError(
                "this network has diverged: the layer's numbers are infinite or NaN. "
                "Train a new one with a smaller learning rate"
            )
        seen = self.images[image]
        arrays = {"image": seen[0] if len(seen) == 1 else seen, "maps": maps}
        if layer:  # what the first layer reads is the image
            arrays["below"] = below
        facts = {"title": f"image {image}", "cell": cell, "first": layer == 0, "kind": "apply"}
        facts["sees"] = seen_by(layers, layer, maps.shape[1:], self.images.shape[2:])
        opened = layers[layer]
        if hasattr(opened, "kernel_size"):
            facts["kind"] = KINDS[type(opened)]
            facts["axes"] = [
                dict(zip(("size", "stride", "before", "after", "dilation"), window(opened, axis), strict=True))
                for axis in (0, 1)
            ]
        else:
            facts["function"] = type(opened).__name__
            arrays["x"], arrays["curves"] = curves(opened, below)
        if isinstance(opened, nn.Conv2d):
            facts["perGroup"] = opened.out_channels // opened.groups
            bias = torch.zeros(len(maps)) if opened.bias is None else opened.bias
            arrays |= {"weights": opened.weight, "bias": bias}
        return arrays, facts, self.answer(outputs[-1])

    def answer(self, scores):
        """The network's answer to the image if `scores` are (1, classes); else what the numbers are."""
        if self.class_names and scores.shape == (1, len(self.class_names)):
            share, best = scores[0].softmax(dim=0).max(dim=0)
            return f"The network's answer to this image: {self.class_names[best]} ({share:.0%})."
        return "The layer's maps for this image."

    def still(self, image, layer, channel, row, column):
        """The same as a still picture."""
        layers, cell = snapshot(self.net), (channel, row, column)
        outputs = outputs_of(layers, self.images[image])
        return plotting.microscope(
            f"image {image}",
            self.images[image],
            receptive_field(layers, layer, row, column, self.images.shape[2:]),
            outputs[layer + 1][0],
            cell,
            working(layers[layer], outputs[layer][0], *cell),
        )


@one_a_cell
def microscope(net, images, class_names=None):
    """Choose a cell of a layer's maps; see the patch behind it and how its number is computed (chapters 4 and 5).

    net: an `nn.Sequential` that begins with convolutions, activations and poolings, on any device; it is only read.
    images: (N, 1 or 3, height, width) bytes or floats, or an array; class_names: if given, its answer is shown.
    Raises ShapeError if the network has no maps.
    """
    images = images if torch.is_tensor(images) else as_images(images)
    if images.ndim != 4 or not len(images):
        raise ShapeError(f"images must be (N, 1, height, width), these are {tuple(images.shape)}: one is images[:1]")
    return Microscope(net, images, class_names)


def opened(net, image):
    """The names of the layers of `net` that can be opened, and the (channels, rows, columns) of their maps."""
    names = layer_names(net)
    return names, [output.shape[1:] for output in outputs_of(snapshot(net), image)[1 : len(names) + 1]]


def most(shapes):
    """The largest numbers of channels, rows and columns among the maps."""
    return [max(sizes) for sizes in zip(*shapes, strict=True)]


def numbered(names):
    """The options of a list of layers."""
    return {name: i for i, name in enumerate(names)}


def last(count):
    """The right end of a slider over `count` places; the browser's slider fails if both ends are the same number."""
    return max(count - 1, 1)


def narrow(slider, value, count):
    """Limit a slider to 0 to `count` - 1; returns `value`, cut to that range."""
    slider.max = last(count)
    slider.disabled = count == 1
    slider.value = min(value, count - 1)
    return slider.value


def seen_by(layers, layer, shape, size):
    """The first and last row of an image of `size` that each row of a map of `shape` sees; the same for columns."""
    seen = []
    for axis in (0, 1):
        places = [receptive_field(layers, layer, cell, cell, size)[axis] for cell in range(shape[axis])]
        seen.append([[found[0], found[-1]] if found else None for found in places])
    return seen


@torch.no_grad()
def curves(layer, maps):
    """The curves of a layer that works number by number, around the numbers in `maps`: x, (n,), and (channels, n)."""
    end = max(4.0, float(maps.abs().max()))
    x = torch.linspace(-end, end, 101)
    return x, layer(x.expand(1, len(maps), 1, -1).clone())[0, :, 0]


def layer_names(net):
    """Names for the layers of `net` whose maps can be opened, such as "1 convolution"; ShapeError if there are none."""
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
    """A copy of the layers of `net` on the CPU: the network itself may be training in another thread meanwhile."""
    return list(layers_of(copy.deepcopy(net).cpu().float().eval()))


@torch.no_grad()
def outputs_of(layers, image):
    """The image as a batch of one, and the output of each layer; image: (1, height, width) bytes or floats."""
    outputs = [to_floats(image).cpu().float()[None]]
    for number, layer in enumerate(layers, start=1):
        try:
            outputs.append(layer(outputs[-1].clone()))  # a ReLU(inplace=True) would overwrite it
        except RuntimeError as error:
            shape = tuple(outputs[-1].shape[1:])
            raise ShapeError(f"layer {number}, {layer}, cannot take what reaches it, {shape}: {error}") from error
    return outputs


@torch.no_grad()
def working(layer, maps, channel, row, column):
    """How `layer` makes one number from the maps below it, (channels, height, width): Convolved, Pooled or Applied."""
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
    """The rows (axis 0) or columns (axis 1) of the padded map that a cell's window covers, and the map's padding."""
    size, stride, before, after, dilation = window(layer, axis)
    return cell * stride + dilation * torch.arange(size), (before, after)


def _applied(layer, maps, channel, row, column):
    x = float(maps[channel, row, column])
    end = max(4.0, abs(x))
    many = torch.linspace(-end, end, 201)
    curve = layer(many.expand(1, len(maps), 1, -1).clone())[0, channel, 0]
    number = layer(maps[None].clone())[0, channel, row, column]
    return Applied(type(layer).__name__, x, float(number), (many, curve))
