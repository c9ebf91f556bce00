"""The networks of the course, and a table of what is in a network."""

import contextlib
import copy
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.parameter import is_lazy


class ShapeError(ValueError):
    """A choice of sizes with which a layer cannot work; the message has the numbers and says what to try."""


def cannot_take(X, error):
    """What to raise if a network has refused a batch X with `error`: a ShapeError that says what came."""
    came = f"of shape {tuple(X.shape)}, {_kind(X)}" if torch.is_tensor(X) else f"that is a {type(X).__name__}"
    return ShapeError(f"the network cannot take a batch {came}: {error}")


def _kind(values):
    return str(values.dtype).removeprefix("torch.")


def refuse_no_network(net):
    """Raise ShapeError, in words, for a function, a class or a list in place of a network."""
    if isinstance(net, type):
        raise ShapeError(f"this is the class {net.__name__}, not a network: make one of it, with brackets")
    if not isinstance(net, nn.Module):
        raise ShapeError(f"this is a {type(net).__name__}, not a network: wanted is an nn.Module, such as lenet()")


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    """Rows (or columns) of the map that a convolution or pooling makes from `size` rows (or columns).

    floor((size + 2·padding - dilation·(kernel_size - 1) - 1) / stride) + 1, as in `torch.nn.Conv2d`.
    Raises ShapeError where the window is larger than the padded map.
    """
    padded, window = size + 2 * padding, dilation * (kernel_size - 1) + 1
    if window > padded:
        shown = (
            f"kernel {kernel_size}"
            if dilation == 1
            else f"kernel {kernel_size} with dilation {dilation} ({window} wide)"
        )
        fitting = (padded - 1) // dilation + 1
        raise ShapeError(
            f"{shown} is larger than the {padded}×{padded} map that reaches it: add padding or use at most {fitting}"
        )
    return (padded - window) // stride + 1


def lenet(
    kernel_size=5,
    channels=(6, 16),
    padding=(2, 0),
    activation=nn.Sigmoid,
    pooling=nn.AvgPool2d,
    dense=(120, 84),
    num_classes=10,
    image_size=28,
):
    """A network of LeNet's family for (batch, 1, image_size, image_size) images: one convolution, activation and
    2×2 pooling for each entry of `channels`, then dense layers of the widths in `dense`, then `num_classes` scores.

    `kernel_size` is one number, or one for each convolution; `padding` has one entry for each. The defaults are LeNet-5
    (LeCun, Bottou, Bengio and Haffner, 1998, section II.B) as today's textbooks simplify it: 61,706 parameters.
    Raises ShapeError where a map becomes too small.
    """
    kernels = [kernel_size] * len(channels) if isinstance(kernel_size, int) else kernel_size
    for given, what in ((kernels, "kernel size"), (padding, "padding")):
        if len(given) != len(channels):
            raise ShapeError(f"{len(channels)} convolutions but {len(given)} {what}s: give one {what} for each")
    layers, in_channels, size = [], 1, image_size
    for number, (out_channels, kernel, pad) in enumerate(zip(channels, kernels, padding, strict=True), start=1):
        try:
            size = conv_output_size(size, kernel, pad)
        except ShapeError as error:
            raise ShapeError(f"{ordinal(number)} convolution: {error}") from None
        if size < 2:
            raise ShapeError(
                f"{ordinal(number)} pooling: its 2×2 window is larger than the {size}×{size} map that reaches it: "
                "add padding or use smaller kernels"
            )
        size //= 2
        layers += [
            nn.Conv2d(in_channels, out_channels, kernel, padding=pad),
            activation(),
            pooling(2, stride=2),
        ]
        in_channels = out_channels
    layers += [nn.Flatten()]
    in_features = in_channels * size * size
    for width in dense:
        layers += [nn.Linear(in_features, width), activation()]
        in_features = width
    return nn.Sequential(*layers, nn.Linear(in_features, num_classes))


def ordinal(number):
    """Which one, in words: 1 is the first."""
    return {1: "first", 2: "second", 3: "third"}.get(number, f"{number}th")


def mlp(hidden=(256,), activation=nn.Sigmoid, num_classes=10, image_size=28):
    """A multilayer perceptron for (batch, 1, image_size, image_size) images: flatten, dense layers, scores."""
    layers, in_features = [nn.Flatten()], image_size**2
    for width in hidden:
        layers += [nn.Linear(in_features, width), activation()]
        in_features = width
    return nn.Sequential(*layers, nn.Linear(in_features, num_classes))


def xavier(net):
    """Draw new weights, uniform with Xavier's variance 2 / (fan-in + fan-out), set all biases to zero; returns `net`.

    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010, equation 16.
    Raises ShapeError if the sizes of lazy layers are not known yet.
    """
    refuse_unknown_sizes(net)
    for layer in net.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return net


def num_parameters(net):
    """How many numbers training can change. Raises ShapeError if the sizes of lazy layers are not known yet."""
    refuse_unknown_sizes(net)
    return sum(parameter.numel() for parameter in net.parameters() if parameter.requires_grad)


def has_unknown_sizes(net):
    """True if `net` has lazy layers that have seen no batch yet."""
    refuse_no_network(net)
    return any(is_lazy(value) for value in [*net.parameters(), *net.buffers()])


def refuse_unknown_sizes(net):
    """Raise ShapeError, with what to do, if `net` has lazy layers that have seen no batch yet."""
    if has_unknown_sizes(net):
        lazy = next(layer for layer in net.modules() if any(is_lazy(value) for value in layer._parameters.values()))
        raise ShapeError(
            f"a {type(lazy).__name__} learns its size from the first batch, and this network has seen none yet: "
            "show it one, as in net(torch.zeros(1, 1, 28, 28)), and run this again"
        )


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
    """What each layer of `net` makes of a batch of `input_shape`: a `LayerTable`; `net` is left as it is.

    Parameters are counted once, though a layer be called twice or share them; those that no layer on the way has stand
    in a last row. Of a layer that returns several tensors the first one's shape is shown. Multiply-adds count the
    weights' products only: biases, activations and pooling cost little beside them.
    """
    refuse_scripted(net)
    if has_unknown_sizes(net):
        net = copy.deepcopy(net)  # the copy's lazy layers take their sizes from this batch
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

    hooks = [layer.register_forward_hook(record) for layer in net.modules() if _has_a_row(layer)]
    try:
        with measuring(net):
            own = first_number(net)
            X = torch.zeros(input_shape, device=own.device, dtype=own.dtype)
            try:
                net(X)
            except RuntimeError as error:
                raise cannot_take(X, error) from error
    finally:
        for hook in hooks:
            hook.remove()
    left = count(net.parameters())
    if left:
        table.append(Layer("(not called)", (), left, 0))
    return table


def refuse_scripted(net):
    """Raise ShapeError, in words, for a network of `torch.jit.script`, which does not let anyone look into it."""
    if isinstance(net, torch.jit.ScriptModule) and not isinstance(net, torch.jit.TracedModule):
        raise ShapeError("torch.jit.script has closed this network: use the one that you gave to it")


def _has_a_row(layer):
    """Whether a layer computes by itself: it has no layers within, or parameters beside theirs."""
    return not list(layer.children()) or any(True for _ in layer.parameters(recurse=False))


def _multiply_adds(layer, inputs, output):
    """The products of weights and inputs, each weight once for each place that the layer works on."""
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


def first_tensor(output):
    """The tensor that a layer returns, or the first of several; None if there is none."""
    if torch.is_tensor(output):
        return output
    values = output.values() if isinstance(output, dict) else output if isinstance(output, (tuple, list)) else ()
    return next((found for value in values if (found := first_tensor(value)) is not None), None)


def first_number(net):
    """A tensor of floats in `net`: it tells the device and the kind of floats; without any, an empty one on the CPU."""
    refuse_no_network(net)
    values = (value for values in (net.parameters(), net.buffers()) for value in values)
    return next((value for value in values if value.is_floating_point()), torch.empty(0, device="cpu"))


@contextlib.contextmanager
def modes_kept(net):
    """Afterwards each module of `net` is in the mode, training or evaluation, in which it was before."""
    refuse_no_network(net)
    modes = [(module, module.training) for module in net.modules()]
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


@contextlib.contextmanager
def measuring(net):
    """Within it `net` is in evaluation mode and keeps no graph; afterwards all its modules are as they were."""
    with modes_kept(net), torch.no_grad():
        net.eval()
        yield


def layers_of(net):
    """The layers of an `nn.Sequential`, also those within an `nn.Sequential` in it, in their order."""
    for layer in net:
        if isinstance(layer, nn.Sequential):
            yield from layers_of(layer)
        else:
            yield layer


def receptive_field(net, layer, row, column, image_size=(28, 28)):
    """The pixels on which a cell of a map depends: their rows and their columns, two sorted lists.

    net: an `nn.Sequential`, or its layers; layer: the place of the map's layer among `layers_of(net)`; image_size:
    (height, width). Convolutions and poolings have windows; all other layers are taken to work number by number.
    What a window sees of the padding is no pixel and is left out: a cell that sees nothing else gets empty lists.
    Raises ShapeError where a map becomes too small.
    """
    layers = list(layers_of(net))[: layer + 1]
    return tuple(_seen(layers, axis, cell, image_size[axis]) for axis, cell in enumerate((row, column)))


def _seen(layers, axis, cell, size):
    """Rows (axis 0) or columns (axis 1) of an input of `size` that reach one row or column of the last layer's map."""
    windows, sizes = [window(layer, axis) for layer in layers if hasattr(layer, "kernel_size")], [size]
    for kernel, stride, before, after, dilation in windows:
        sizes.append(conv_output_size(sizes[-1] + before + after, kernel, 0, stride, dilation))
    seen = {cell}
    for (kernel, stride, before, _, dilation), below in zip(reversed(windows), reversed(sizes[:-1]), strict=True):
        places = {place * stride - before + step * dilation for place in seen for step in range(kernel)}
        seen = places & set(range(below))
    return sorted(seen)


def window(layer, axis):
    """The window of a convolution or pooling along rows (axis 0) or columns (axis 1).

    Returns its size, its stride, the padding before and after the map, and its dilation.
    """
    options = (layer.kernel_size, layer.stride, layer.padding, getattr(layer, "dilation", 1))
    size, stride, padding, dilation = (option[axis] if isinstance(option, tuple) else option for option in options)
    both = {"same": dilation * (size - 1), "valid": 0}.get(padding)
    before, after = (padding, padding) if both is None else (both // 2, both - both // 2)
    return size, stride, before, after, dilation
