"""Chapter 5: the drawing lab's picture, what each network says of an image, and the maps of its layers."""

import torch

from helpers.plotting.colours import COLOURS
from helpers.plotting.images import put_bar, put_row
from helpers.plotting.style import Sheet, drawn, fitted

MOST_MAPS = 16  # of one layer


@drawn
def opinions(image, chances, maps, class_names):
    """One image, the probability that each network gives to each class, and the feature maps of a convolutional one.

    image: (channels, height, width) bytes; chances: {name: (classes,) probabilities}; class_names: texts; maps: of each
    convolution, (channels, height, width); the first two are shown, with at most 16 channels each.
    """
    shown = likeliest(chances)
    says = {name: (class_names[int(values.argmax())], float(values.max())) for name, values in chances.items()}
    said = ", ".join(f"{name} says {guess} with {chance:.1%}" for name, (guess, chance) in says.items())
    sheet = Sheet(660, 404, f"One image: {said}; below it feature maps")
    sheet.write(0, 12, "what the networks see", 12)
    sheet.put_image(image, 0, 28, 168 / image.shape[-1])
    first, width, high = 270, 390 / len(chances), min(18, 180 / len(shown))  # pixels
    size = min(12, 0.67 * high)  # of type, in points
    for row, place in enumerate(shown):
        sheet.write(first - 8, 28 + (row + 0.5) * high, fitted(class_names[place], size, 84), size, ha="right")
    for i, ((name, values), colour) in enumerate(zip(chances.items(), COLOURS, strict=False)):
        left, room = first + i * width, width - 70
        sheet.write(left, 12, fitted(f"{name}: {says[name][0]}", 12, width - 8, "bold"), 12, weight="bold")
        for row, chance in enumerate(values[shown].tolist()):
            y = 28 + row * high
            put_bar(sheet, left, y + 2, max(1, room * chance), high - 4, colour)
            if chance >= 0.02:
                sheet.write(left + room * chance + 6, y + high / 2, f"{chance:.0%}", size)
    top = 238
    for i, channels in enumerate(maps[:2]):
        sheet.write(0, top - 14, maps_title(i, channels), 12)
        put_row(sheet, stretched(channels[:MOST_MAPS]), 0, top, 660, 90, "viridis")
        top += 124
    return sheet


def likeliest(chances):
    """The numbers of the classes that are shown: all if there are at most 12, else the ten likeliest to any network.

    chances: {name: (classes,) probabilities}.
    """
    highest = torch.stack(list(chances.values())).amax(dim=0)
    count = len(highest)
    return list(range(count)) if count <= 12 else sorted(highest.nan_to_num().topk(10).indices.tolist())


def maps_title(i, maps):
    """The title above the maps of convolution `i`, 0 or 1; maps: (channels, height, width)."""
    count = f"{len(maps)} maps" if len(maps) <= MOST_MAPS else f"{MOST_MAPS} of {len(maps)} maps"
    size = "×".join(map(str, maps.shape[1:]))
    return f"{('first', 'second')[i]} convolution: {count} of {size}, brighter for higher values"


def stretched(maps):
    """Each map on its own scale, from 0 to 1; maps: (channels, height, width)."""
    low, high = maps.amin(dim=(1, 2), keepdim=True), maps.amax(dim=(1, 2), keepdim=True)
    return (maps - low) / (high - low).clamp(min=1e-12)
