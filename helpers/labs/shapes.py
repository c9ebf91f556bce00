"""Chapter 3: what every choice does to the sizes of a LeNet."""

from torch import nn

from helpers import plotting
from helpers.labs.controls import choice, slider
from helpers.labs.live import Lab
from helpers.models import layer_table, lenet

POOLINGS = {"average": nn.AvgPool2d, "max": nn.MaxPool2d}


def shapes():
    """Choose image size, kernel size, padding, channels and pooling; an impossible choice says what is wrong."""

    def draw(image_size, kernel_size, padding, channels_1, channels_2, pooling):
        net = lenet(kernel_size, (channels_1, channels_2), (padding, 0), pooling=pooling, image_size=image_size)
        table = layer_table(net, (1, 1, image_size, image_size))
        sizes = [image_size, *(row.output_shape[2] for row in table if row.name.endswith("2d"))]
        last = sizes[-1]
        first_dense = next(row.parameters for row in table if row.name == "Linear")
        text = (
            f"{' → '.join(map(str, sizes))}; flatten {channels_2}·{last}·{last} = {channels_2 * last**2}. "
            f"{table.parameters:,} parameters ({first_dense:,} in the first dense layer), "
            f"{table.multiply_adds:,} multiply-adds"
        )
        return plotting.network(table), text

    return Lab(
        "shapes",
        draw,
        {
            "image_size": slider("image size", 28, 12, 48),
            "kernel_size": slider("kernel size", 5, 1, 11),
            "padding": slider("first padding", 2, 0, 5),
            "channels_1": slider("channels 1", 6, 1, 32),
            "channels_2": slider("channels 2", 16, 1, 64),
            "pooling": choice("pooling", POOLINGS),
        },
    )
