"""Chapter 5: the pictures of the lab in which two networks race, how well they do and what they confuse."""

from helpers.plotting.colours import COLOURS, GREY
from helpers.plotting.images import put_bar, put_row
from helpers.plotting.style import Sheet, drawn, fitted

MOST_NAMED = 20  # classes whose numbers and names can be read in a matrix of half a page


@drawn
def accuracy_on(pictures, accuracies, upright, num_classes=10):
    """Some images in a row, and below them how well each network does on such images.

    pictures: (N, channels, height, width) bytes; accuracies, upright: {name: share of right answers, 0 to 1}, on such
    images (a bar) and on upright ones (a mark); num_classes: for the mark of guessing.
    """
    said = ", ".join(f"{name} {value:.1%} (upright {upright[name]:.1%})" for name, value in accuracies.items())
    sheet = Sheet(900, 350, f"{len(pictures)} images. Accuracy on such images: {said}")
    sheet.write(4, 14, "validation images, as the networks get them")
    shown = pictures.float() / 255
    put_row(sheet, shown[:, 0] if shown.shape[1] == 1 else shown, 4, 30, 892, 105, "gray")
    left, width, top, high, row = 80, 730, 176, 44, 68  # pixels
    floor = top + row * len(accuracies)
    sheet.write(4, 154, "accuracy; upright line: on upright images")
    half = [(0.5, "50%")] if num_classes > 3 else []  # else it would overlap the mark of guessing
    for share, note in ((0, ""), (1 / num_classes, f"{1 / num_classes:.0%}: guessing"), *half, (1, "100%")):
        x = left + width * share
        sheet.ax.plot([x, x], [top - 6, floor], color="#cccccc", linewidth=1)
        sheet.write(x, floor + 12, note, 12, GREY, "center")
    for i, ((name, value), colour) in enumerate(zip(accuracies.items(), COLOURS, strict=False)):
        y = top + i * row
        sheet.write(4, y + high / 2, name, 14)
        put_bar(sheet, left, y, width * value, high, colour)
        mark = left + width * upright[name]
        sheet.ax.plot([mark, mark], [y - 4, y + high + 4], color="black")
        sheet.write(896, y + high / 2, f"{value:.1%}", 15, ha="right", weight="bold")
    return sheet


@drawn
def confusions(counts, class_names):
    """The confusion matrices of two networks, with the names of the true classes between them.

    counts: {name: (classes, classes) integers}, true classes in rows, predicted ones in columns. Numbers below 3 are
    left out. With more than 20 classes the numbers would be unreadable: the most frequent mistakes are listed below.
    """
    if len(class_names) > MOST_NAMED:
        return _many_confusions(counts, class_names)
    sheet = Sheet(900, 350, _confusion_alt(counts, class_names))
    cell, top = 290 / len(class_names), 34  # pixels
    bottom, size = top + 290, min(12, 0.42 * cell)  # of type, in points
    for (name, matrix), left in zip(counts.items(), (90, 520), strict=True):
        sheet.write(left, 16, f"{name}: true in rows, predicted in columns", 12)
        share = _put_shares(sheet, matrix, left, top, cell)
        for row, column in (matrix >= 3).nonzero().tolist():
            x, y = left + (column + 0.5) * cell, top + (row + 0.5) * cell
            colour = "white" if share[row, column] > 0.6 else "black"
            sheet.write(x, y, str(int(matrix[row, column])), min(11, size), colour, "center")
        for number in range(len(class_names)):
            sheet.write(left + (number + 0.5) * cell, bottom + 14, str(number), size, ha="center")
    sheet.write(450, bottom + 14, "blank: below 3", 11, GREY, "center")
    for number, class_name in enumerate(class_names):
        both = class_name if class_name == str(number) else f"{number} {class_name}"
        sheet.write(450, top + (number + 0.5) * cell, both, min(12, 0.6 * cell), ha="center")
    return sheet


def _put_shares(sheet, matrix, left, top, cell):
    # Colour by the root of the row's share: otherwise one mistake would vanish beside the many right answers.
    share = (matrix / matrix.sum(dim=1, keepdim=True).clamp(min=1)).sqrt()
    sheet.put_image(share, left, top, cell, limits=(0, 1), colours="Blues")
    return share


def _many_confusions(counts, class_names):
    sheet, side, top = Sheet(900, 530, _confusion_alt(counts, class_names)), 380, 34  # pixels
    for (name, matrix), left in zip(counts.items(), (10, 470), strict=True):
        sheet.write(left, 16, f"{name}: true in rows, predicted in columns", 12)
        _put_shares(sheet, matrix, left, top, side / len(class_names))
        for i, said in enumerate(worst_confusions(matrix, class_names)):
            sheet.write(left, top + side + 18 + 24 * i, fitted(said, 12, 420), 12)
    return sheet


def worst_confusions(counts, class_names, most=4):
    """The most frequent mistakes as texts, the worst first; counts: (classes, classes) integers, true ones in rows."""
    wrong = counts.clone().fill_diagonal_(0).flatten()
    places = [int(place) for place in wrong.argsort(descending=True, stable=True)[:most] if wrong[place]]
    pairs = ((int(wrong[place]), *divmod(place, len(class_names))) for place in places)
    return [f"{class_names[true]} taken for {class_names[said]}: {number}×" for number, true, said in pairs]


def _confusion_alt(counts, class_names):
    said = (f"{name}, most often {worst_confusion(matrix, class_names)}" for name, matrix in counts.items())
    return "Confusion matrices of " + "; ".join(said)


def worst_confusion(counts, class_names):
    """The most frequent mistake as a text; counts: (classes, classes) integers, true classes in rows."""
    wrong = counts.clone().fill_diagonal_(0)
    number = int(wrong.max())
    if not number:
        return "no mistake"
    true, said = divmod(int(wrong.argmax()), len(class_names))
    return f"{class_names[true]} taken for {class_names[said]} ({number} times)"
