"""What is in a network: its layers with their shapes and costs, and the pixels that a cell of a map depends on."""

import contextlib
import copy
import math
from dataclasses import dataclass

import torch
from torch import nn

from helpers.any_data import first_tensor
from helpers.any_network import first_number, has_unknown_sizes, measuring, refuse_scripted, scores_of
from helpers.models import conv_output_size


@dataclass(frozen=True)
class Layer:
    """One row of a layer table; shapes include the batch."""

    name: str
    output_shape: tuple[int, ...]
    parameters: int
    multiply_adds: int


class LayerTable(list):
    """A list of `Layer` that prints as a table with a line of totals; it knows the shape of the batch that went in."""

    def __init__(self, input_shape):
        super().__init__()
        self.input_shape = tuple(input_shape)

    @property
    def parameters(self):
        """Parameters of all layers together."""
        return sum(layer.parameters for layer in self)

    @property
    def multiply_adds(self):
        """Multiply-adds of all layers together."""
        return sum(layer.multiply_adds for layer in self)

    def __repr__(self):
        lines = [f"{'layer':<12}{'output shape':<18}{'parameters':>12}{'multiply-adds':>16}"]
        for layer in self:
            shape = "×".join(map(str, layer.output_shape))
            lines.append(f"{layer.name:<12}{shape:<18}{layer.parameters:>12,}{layer.multiply_adds:>16,}")
        lines.append(f"{'total':<12}{'':<18}{self.parameters:>12,}{self.multiply_adds:>16,}")
        return "\n".join(lines)


def layer_table(net, input_shape=(1, 1, 28, 28)):
    """Shapes and costs of each layer of `net` for a batch of `input_shape` (chapter 3): a `LayerTable`.

    `net` is not changed. Parameters are counted once, even if a layer is called twice or shares them; a last row counts
    those of layers that were not called. If a layer returns several tensors, the shape of the first is shown.
    Multiply-adds count the products of weights only: biases, activations and pooling cost little in comparison. Raises
    ShapeError if the network cannot take such a batch, or hides its layers.
    """
    refuse_scripted(net)
    if has_unknown_sizes(net):
        net = copy.deepcopy(net)  # lazy layers take their sizes from this batch, which must not happen to `net`
    table, counted = LayerTable(input_shape), set()

    def count(parameters):
        new = set(parameters) - counted
        counted.update(new)
        return sum(parameter.numel() for parameter in new)

    def record(layer, inputs, output):
        output = first_tensor(output)
        parameters = count(layer.parameters(recurse=False))
        shape = () if output is None else tuple(output.shape)
        table.append(Layer(type(layer).__name__, shape, parameters, _multiply_adds(layer, inputs, output)))

    own = first_number(net)
    with contextlib.ExitStack() as hooks, measuring(net):
        for layer in net.modules():
            if _has_a_row(layer):
                hooks.enter_context(layer.register_forward_hook(record))
        scores_of(net, torch.zeros(input_shape, device=own.device, dtype=own.dtype))
    if left := count(net.parameters()):
        table.append(Layer("(not called)", (), left, 0))
    return table


def table_from_formulas(net, input_shape):
    """What `layer_table` gives for a network that `lenet` has made, from formulas: no layer computes anything.

    The shapes lab asks for it at each move of a slider. It could be measured on PyTorch's device `meta`, where tensors
    hold no numbers, but the first layer that is used there loads PyTorch's compiler: 2 to 4 s.
    """
    table, shape = LayerTable(input_shape), tuple(input_shape)
    for layer in net:
        if hasattr(layer, "kernel_size"):
            sides = [_sizes([window(layer, axis)], size)[-1] for axis, size in enumerate(shape[2:])]
            shape = (shape[0], getattr(layer, "out_channels", shape[1]), *sides)
        elif isinstance(layer, nn.Flatten):
            shape = (shape[0], math.prod(shape[1:]))
        elif isinstance(layer, nn.Linear):
            shape = (shape[0], layer.out_features)
        parameters = sum(parameter.numel() for parameter in layer.parameters())
        work = _multiply_adds(layer, (), torch.empty(shape, device="meta"))
        table.append(Layer(type(layer).__name__, shape, parameters, work))
    return table


def _has_a_row(layer):
    """True if a layer computes something itself: it contains no layers, or has parameters besides theirs."""
    return not list(layer.children()) or any(True for _ in layer.parameters(recurse=False))


def _multiply_adds(layer, inputs, output):
    """The products of weights and inputs: each weight counts once for each place at which it is used."""
    if isinstance(layer, (nn.Conv1d, nn.Conv2d, nn.Conv3d)):
        return output.numel() // layer.out_channels * layer.weight.numel()
    if isinstance(layer, (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)):
        return inputs[0].numel() // layer.in_channels * layer.weight.numel()
    if isinstance(layer, nn.Linear):
        return output.numel() // layer.out_features * layer.weight.numel()
    if isinstance(layer, nn.RNNBase) and torch.is_tensor(inputs[0]):  # its matrices, once for each example and step
        steps = inputs[0].numel() // layer.input_size
        return steps * sum(weight.numel() for weight in layer.parameters() if weight.ndim == 2)
    return 0


def layers_of(net):
    """The layers of an `nn.Sequential` in order, including those of an `nn.Sequential` inside it."""
    for layer in net:
        if isinstance(layer, nn.Sequential):
            yield from layers_of(layer)
        else:
            yield layer


def receptive_field(net, layer, row, column, image_size=(28, 28)):
    """The pixels on which a cell of a map depends (chapter 2): their rows and their columns, two sorted lists.

    net: an `nn.Sequential`, or its layers; layer: the index of the map's layer in `layers_of(net)`; image_size:
    (height, width). Convolutions and poolings have windows; all other layers are assumed to work number by number.
    Padding does not count as pixels, so a cell that sees only padding gets empty lists.
    Raises ShapeError if a map becomes too small.
    """
    layers = list(layers_of(net))[: layer + 1]
    return tuple(_seen(layers, axis, cell, image_size[axis]) for axis, cell in enumerate((row, column)))


def _seen(layers, axis, cell, size):
    """Rows (axis 0) or columns (axis 1) of an input of `size` that reach one row or column of the last layer's map."""
    windows = [window(layer, axis) for layer in layers if hasattr(layer, "kernel_size")]
    sizes, seen = _sizes(windows, size), {cell}
    for (kernel, stride, before, _, dilation), below in zip(reversed(windows), reversed(sizes[:-1]), strict=True):
        places = {place * stride - before + step * dilation for place in seen for step in range(kernel)}
        seen = places & set(range(below))
    return sorted(seen)


def _sizes(windows, size):
    """The sizes of the maps along one axis: `size` of the first, then one after each of the windows."""
    sizes = [size]
    for kernel, stride, before, after, dilation in windows:
        sizes.append(conv_output_size(sizes[-1] + before + after, kernel, 0, stride, dilation))
    return sizes


def window(layer, axis):
    """The window of a convolution or pooling along rows (axis 0) or columns (axis 1).

    Returns its size, its stride, the padding before and after the map, and its dilation.
    """
    options = (layer.kernel_size, layer.stride, layer.padding, getattr(layer, "dilation", 1))
    size, stride, padding, dilation = (option[axis] if isinstance(option, tuple) else option for option in options)
    both = {"same": dilation * (size - 1), "valid": 0}.get(padding)
    before, after = (padding, padding) if both is None else (both // 2, both - both // 2)
    return size, stride, before, after, dilation
