"""The requirements for a whole data set, checked for `ImageData`."""

from collections import Counter

from helpers.any_data import as_data_set, as_labels
from helpers.errors import ShapeError
from helpers.sentences import say
from helpers.splitting import split

MOST = 1_000  # classes, of which only 62 fit into the labs
SIZES = range(16, 65)  # pixels per side with which every lab and chart can work


def whole_set(train_images, train_labels, test_images, test_labels, class_names):
    """The same five, checked and converted, as `ImageData` keeps them; raises ShapeError.

    Without test images, every fifth image becomes one, chosen by content (`splitting.split`); without names, each class
    is called by its number.
    """
    class_names = _names(class_names, [labels for labels in (train_labels, test_labels) if labels is not None])
    images, labels = as_data_set(train_images, train_labels, "train", len(class_names))
    if not len(images):
        raise ShapeError("there are no training images: give at least one for each class")
    if (test_images is None) != (test_labels is None):
        raise ShapeError("there are test images without labels, or labels without images: give both or neither")
    if test_images is None:
        _refuse_other_shapes(images)
        train, test, notes = split(images, labels)
        if notes:
            say("\n".join(notes))
        return images[train], labels[train], images[test], labels[test], class_names
    others = as_data_set(test_images, test_labels, "test", len(class_names))
    _refuse_other_shapes(images, others[0])
    return images, labels, *others, class_names


def _names(class_names, all_labels):
    if class_names is None:
        labels = [each for each in map(as_labels, all_labels) if each.numel() and not each.is_floating_point()]
        largest = max((int(each.max()) for each in labels), default=0)
        if largest >= MOST:
            raise ShapeError(f"a label is {largest:,}, a number of more than {MOST:,} classes: number them from 0 on")
        class_names = map(str, range(max(2, largest + 1)))
    try:
        names = tuple(map(str, class_names))
    except TypeError:
        raise ShapeError(f"class_names is {class_names!r}: give a list of names, one for each class") from None
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise ShapeError(f"two classes have the name “{twice[0]}”: give each a different name")
    if len(names) < 2:
        raise ShapeError(
            f"there is only one class, {', '.join(names) or 'or none'}: a network chooses between two or more"
        )
    return names


def _refuse_other_shapes(images, others=None):
    """Raise ShapeError unless all images are square, grey or in colour, and of one shape."""
    shape = tuple(images.shape[1:])
    if len(shape) != 3 or shape[0] not in (1, 3) or shape[1] != shape[2]:
        raise ShapeError(
            f"an image has the shape {shape}: expected a square, grey (1, 28, 28) or in colour (3, 32, 32)"
        )
    if (side := shape[1]) not in SIZES:
        raise ShapeError(
            f"an image has {side}×{side} pixels, and the labs take {SIZES[0]} to {SIZES[-1]} a side: make them larger "
            "or smaller first, as torch.nn.functional.interpolate(images.float(), 28).byte() does"
        )
    if others is not None and tuple(others.shape[1:]) != shape:
        raise ShapeError(
            f"a training image has the shape {shape}, a test image {tuple(others.shape[1:])}: make them the same size"
        )
