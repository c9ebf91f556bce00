"""Networks drawn to scale."""

from matplotlib.patches import Rectangle

from helpers.plotting.style import BLUE, GREEN, ORANGE, Figure, drawn


@drawn
def network(table, title=""):
    """The feature maps of a `models.LayerTable` as stacks, to scale, at most 12 maps each; dense layers as bars."""
    boxes = [layer for layer in table if layer.name in ("Conv2d", "AvgPool2d", "MaxPool2d", "Linear")]
    shapes = ["×".join(map(str, layer.output_shape[1:])) for layer in boxes]
    figure = Figure(9, 3.6, "The network, layer by layer: " + ", ".join(shapes))
    ax = figure.subplots()
    tallest = max([layer.output_shape[2] for layer in boxes if len(layer.output_shape) == 4], default=28)
    x, floor, ceiling, step = 0.0, -max(tallest / 2, 17) - 2, 0.0, 1.2
    for layer, shape in zip(boxes, shapes, strict=True):
        colour = {"Conv2d": BLUE, "Linear": GREEN}.get(layer.name, ORANGE)
        if len(layer.output_shape) == 4:
            _, channels, height, width = layer.output_shape
            maps = min(channels, 12)
        else:
            # Bars to scale would dwarf the maps, or vanish: their heights go with the root of the width.
            maps, height, width = 1, max(3.0, 3 * layer.output_shape[1] ** 0.5), 3
        for i in range(maps):
            corner = (x + i * step, -height / 2 + i * step)
            ax.add_patch(Rectangle(corner, width, height, facecolor=colour, edgecolor="white", linewidth=1))
        right, top = x + width + (maps - 1) * step, height / 2 + (maps - 1) * step
        name = layer.name.replace("2d", "")
        ax.text((x + right) / 2, top + 1, shape, ha="center", va="bottom", fontsize=12)
        ax.text((x + right) / 2, floor, name, ha="center", va="top", fontsize=11, rotation=30)
        x, ceiling = right + 7, max(ceiling, top)
    ax.set(xlim=(-2, max(x, 60)), ylim=(floor - 12, ceiling + 7), title=title)
    ax.set_aspect("equal")
    ax.set_axis_off()
    return figure
