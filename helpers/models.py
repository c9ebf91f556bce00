"""The networks of the course, and the arithmetic of their sizes."""

from torch import nn

from helpers.any_network import refuse_unknown_sizes
from helpers.errors import ShapeError


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    """Rows (or columns) of the map that a convolution or pooling makes from `size` rows (or columns); chapter 2.

    floor((size + 2·padding - dilation·(kernel_size - 1) - 1) / stride) + 1, as in `torch.nn.Conv2d`.
    Raises ShapeError if the window is larger than the padded map.
    """
    padded, window = size + 2 * padding, dilation * (kernel_size - 1) + 1
    if window > padded:
        spread = "" if dilation == 1 else f" with dilation {dilation} ({window} wide)"
        raise ShapeError(
            f"kernel {kernel_size}{spread} is larger than the {padded}×{padded} map that reaches it: add padding or "
            f"use at most {(padded - 1) // dilation + 1}"
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
    in_channels=1,
):
    """A network of LeNet's family (chapter 3): (batch, in_channels, image_size, image_size) to (batch, num_classes).

    One convolution, activation and 2×2 pooling for each entry of `channels`, then dense layers of the widths in
    `dense`. kernel_size and padding: one number, or one for each convolution. The defaults are LeNet-5 (LeCun and
    others, 1998, section II.B) as today's textbooks simplify it: 61,706 parameters. ShapeError if a map is too small.
    """
    kernels, padding = ([n] * len(channels) if isinstance(n, int) else n for n in (kernel_size, padding))
    for given, what in ((kernels, "kernel size"), (padding, "padding")):
        if len(given) != len(channels):
            raise ShapeError(f"{len(channels)} convolutions but {len(given)} {what}s: give one {what} for each")
    layers, size = [], image_size
    for number, (out_channels, kernel, pad) in enumerate(zip(channels, kernels, padding, strict=True), start=1):
        try:
            size = conv_output_size(size, kernel, pad)
        except ShapeError as error:
            raise ShapeError(f"convolution {number}: {error}") from None
        if size < 2:
            raise ShapeError(
                f"pooling {number}: its 2×2 window is larger than the {size}×{size} map that reaches it: "
                "add padding or use smaller kernels"
            )
        size //= 2
        layers += [nn.Conv2d(in_channels, out_channels, kernel, padding=pad), activation(), pooling(2, stride=2)]
        in_channels = out_channels
    return nn.Sequential(*layers, *mlp(dense, activation, num_classes, size, in_channels))


def mlp(hidden=(256,), activation=nn.Sigmoid, num_classes=10, image_size=28, channels=1):
    """A multilayer perceptron (chapter 5), from (batch, channels, image_size, image_size) to (batch, num_classes).

    Images are flattened; then come dense layers of the widths in `hidden`, each with an activation. The defaults are
    those of Dive into Deep Learning, section 5.2, but for the sigmoid: 203,530 parameters.
    """
    layers, in_features = [nn.Flatten()], channels * image_size**2
    for width in hidden:
        layers += [nn.Linear(in_features, width), activation()]
        in_features = width
    return nn.Sequential(*layers, nn.Linear(in_features, num_classes))


def xavier(net):
    """Draw uniform weights of variance 2 / (fan-in + fan-out), set biases to zero (chapter 4); returns `net`.

    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010, equation 16.
    Raises ShapeError if lazy layers do not know their sizes yet.
    """
    refuse_unknown_sizes(net)
    for layer in net.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return net


def num_parameters(net):
    """How many numbers training can change (chapter 3). Raises ShapeError if lazy layers have no sizes yet."""
    refuse_unknown_sizes(net)
    return sum(parameter.numel() for parameter in net.parameters() if parameter.requires_grad)
