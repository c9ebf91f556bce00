"""Two networks beside each other: how well they do, what they confuse, and what they say of one image."""

import math

from matplotlib.patches import Rectangle
from torch.nn import functional as F

from helpers.plotting.style import COLOURS, GREY, Sheet, drawn


@drawn
def accuracy_on(pictures, accuracies, upright):
    """Some images in a row, and below how well each network does on such images.

    accuracies, upright: {name: share that is right, 0 to 1}, on such images and on upright ones, where a mark is put.
    """
    said = ", ".join(f"{name} {value:.1%} (upright {upright[name]:.1%})" for name, value in accuracies.items())
    sheet = Sheet(900, 350, f"{len(pictures)} images. Accuracy on such images: {said}")
    sheet.write(4, 14, "validation images, as the networks get them")
    _put_row(sheet, pictures.flatten(0, 1).float() / 255, 4, 30, 892, 105, "gray")
    left, width, top, high, row = 80, 730, 176, 44, 68  # pixels
    floor = top + row * len(accuracies)
    sheet.write(4, 154, "accuracy; black mark: on upright images")
    for share, note in ((0, ""), (0.1, "10%: guessing"), (0.5, "50%"), (1, "100%")):
        x = left + width * share
        sheet.ax.plot([x, x], [top - 6, floor], color="#cccccc", linewidth=1)
        sheet.write(x, floor + 12, note, 12, GREY, "center")
    for i, ((name, value), colour) in enumerate(zip(accuracies.items(), COLOURS, strict=False)):
        y = top + i * row
        sheet.write(4, y + high / 2, name, 14)
        _fill(sheet, left, y, width * value, high, colour)
        mark = left + width * upright[name]
        sheet.ax.plot([mark, mark], [y - 4, y + high + 4], color="black")
        sheet.write(896, y + high / 2, f"{value:.1%}", 15, ha="right", weight="bold")
    return sheet


@drawn
def confusions(counts, class_names):
    """The confusion matrices of two networks, with the names of the true classes between them.

    counts: {name: (classes, classes) integers}, true classes in rows, predicted ones in columns. Numbers below 3 are
    not written.
    """
    sheet = Sheet(900, 350, _confusion_alt(counts, class_names))
    cell, top = 29, 34  # pixels
    bottom = top + cell * len(class_names)
    for (name, matrix), left in zip(counts.items(), (90, 520), strict=True):
        sheet.write(left, 16, f"{name}: true in rows, predicted in columns", 12)
        # Colour by the root of the row's share: one mistake would vanish beside the many right answers.
        share = (matrix / matrix.sum(dim=1, keepdim=True).clamp(min=1)).sqrt()
        sheet.put_image(share, left, top, cell, limits=(0, 1), colours="Blues")
        for row, column in (matrix >= 3).nonzero().tolist():
            x, y = left + (column + 0.5) * cell, top + (row + 0.5) * cell
            colour = "white" if share[row, column] > 0.6 else "black"
            sheet.write(x, y, str(int(matrix[row, column])), 11, colour, "center")
        for number in range(len(class_names)):
            sheet.write(left + (number + 0.5) * cell, bottom + 14, str(number), 12, ha="center")
    sheet.write(450, bottom + 14, "blank: below 3", 11, GREY, "center")
    for number, class_name in enumerate(class_names):
        both = class_name if class_name == str(number) else f"{number} {class_name}"
        sheet.write(450, top + (number + 0.5) * cell, both, 12, ha="center")
    return sheet


def _confusion_alt(counts, class_names):
    said = (f"{name}, most often {worst_confusion(matrix, class_names)}" for name, matrix in counts.items())
    return "Confusion matrices of " + "; ".join(said)


def worst_confusion(counts, class_names):
    """The most frequent mistake in words; counts: (classes, classes) integers, true classes in rows."""
    wrong = counts.clone().fill_diagonal_(0)
    number = int(wrong.max())
    if not number:
        return "no mistake"
    true, said = divmod(int(wrong.argmax()), len(class_names))
    return f"{class_names[true]} taken for {class_names[said]} ({number} times)"


@drawn
def opinions(image, chances, maps, class_names):
    """One image, the probability that each network gives to each class, and the feature maps of a convolutional one.

    image: (1, height, width) bytes; chances: {name: (classes,) probabilities}; maps: for each convolution
    (channels, height, width), of which the first two are shown, with at most 16 channels each.
    """
    says = {name: (class_names[int(values.argmax())], float(values.max())) for name, values in chances.items()}
    said = ", ".join(f"{name} says {guess} with {chance:.1%}" for name, (guess, chance) in says.items())
    sheet = Sheet(660, 404, f"One image: {said}; below it feature maps")
    sheet.write(0, 12, "what the networks see", 12)
    sheet.put_image(image, 0, 28, 168 / image.shape[-1])
    first, width, high = 270, 390 / len(chances), 18  # pixels
    for row, class_name in enumerate(class_names):
        sheet.write(first - 8, 28 + (row + 0.5) * high, class_name, 12, ha="right")
    for i, ((name, values), colour) in enumerate(zip(chances.items(), COLOURS, strict=False)):
        left, room = first + i * width, width - 70
        sheet.write(left, 12, f"{name}: {says[name][0]}", 12, weight="bold")
        for row, chance in enumerate(values.tolist()):
            y = 28 + row * high
            _fill(sheet, left, y + 2, max(1, room * chance), high - 4, colour)
            if chance >= 0.02:
                sheet.write(left + room * chance + 6, y + high / 2, f"{chance:.0%}", 12)
    top = 238
    for ordinal, channels in zip(("first", "second"), maps, strict=False):
        shown, size = channels[:16], "×".join(map(str, channels.shape[1:]))
        count = f"{len(channels)} maps" if len(shown) == len(channels) else f"16 of {len(channels)} maps"
        sheet.write(0, top - 14, f"{ordinal} convolution: {count} of {size}, brighter for higher values", 12)
        _put_row(sheet, stretched(shown), 0, top, 660, 90, "viridis")
        top += 124
    return sheet


def stretched(maps):
    """Each map on its own scale, from 0 to 1; maps: (channels, height, width)."""
    low, high = maps.amin(dim=(1, 2), keepdim=True), maps.amax(dim=(1, 2), keepdim=True)
    return (maps - low) / (high - low).clamp(min=1e-12)


def side_by_side(maps):
    """Maps in a row as one image, with white, which is NaN, between them.

    maps: (channels, height, width) floats; returns (height, columns).
    """
    gap = 1 + maps.shape[2] // 20
    return F.pad(maps, (0, gap), value=math.nan).movedim(0, 1).flatten(1)[:, :-gap]


def _put_row(sheet, maps, left, top, width, height, colours):
    """Put maps with values from 0 to 1 side by side, as large as `width` and `height` allow."""
    strip = side_by_side(maps)  # one image: Matplotlib takes some milliseconds for each
    cell = min(width / strip.shape[1], height / strip.shape[0])
    extent = (left, left + cell * strip.shape[1], top + cell * strip.shape[0], top)
    sheet.ax.imshow(strip.numpy(), extent=extent, aspect="auto", cmap=colours, vmin=0, vmax=1)


def _fill(sheet, left, top, width, height, colour):
    sheet.ax.add_patch(Rectangle((left, top), width, height, color=colour, linewidth=0))
