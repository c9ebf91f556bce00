"""Chapter 1: data."""

import ast
import collections.abc
import gzip
import inspect
import itertools
import random
import struct
import tempfile
import textwrap
from pathlib import Path

import numpy as np
import torch

from helpers.checks import answers
from helpers.checks.attempt import Attempt, undisturbed
from helpers.checks.exercise import Exercise, Mistake, Sign, checked
from helpers.checks.verdict import right, wrong

LEAST = 0.66  # accuracy; the nearest of ten means reaches 0.685 with all images, 0.714 with the sample

# Probes are on the CPU, as all of this chapter's images are: an answer may take them to NumPy or to another device.


def _generator(seed):
    return torch.Generator().manual_seed(seed)


def _labels_of_all_classes(count, seed):
    """Labels in a random order, of each class another number, but at least one."""
    labels = torch.arange(10).repeat_interleave(torch.tensor([1, 2, 1, 3, 2, 1, 4, 2, 3, 1]) * count // 20)
    return labels[torch.randperm(count, generator=_generator(seed))]


# 1.1


def _bright(count, seed, values, most):
    """Images of which each class has a brightness of its own; no pixel is white."""
    labels = _labels_of_all_classes(count, seed)
    pixels = values(count, generator=_generator(seed)) * (labels.reshape(-1, 1, 1, 1) % 7 + 2) * most / 8
    return pixels.to(torch.uint8), labels


def _flat(count, generator):
    return torch.randint(1, 5, (count, 1, 1, 1), generator=generator).expand(-1, 1, 28, 28) / 4


def _noise(count, generator):
    return (torch.rand(count, 1, 28, 28, generator=generator) - 0.2).clamp(min=0)


def _of_classes(X, labels, what=torch.Tensor.mean, classes=range(10)):
    return torch.stack([torch.as_tensor(what(X[labels == label])) for label in classes])


def _means(images, labels):
    return _of_classes(images / 255, labels)


def _sums(images, labels, scale=255):
    return _of_classes(images / scale, labels, torch.Tensor.sum)


NOT_SCALED = "You did not scale: these means are those of bytes, 0 to 255, not of brightness, 0 to 1."
SUMS = "These are sums, not means: a class with more images gets a larger number."
OF_ALL = "You divided by the number of all images. Divide by the number of images of the class."
SAME_SIZES = "You divided as if a tenth of the images were of each class: the classes are not of the same size."

check_mean_brightness = Exercise(
    task="1.1; mean_brightness(images, labels): (N, 1, 28, 28) bytes to the mean of each class, 0 to 1.",
    solution=lambda images, labels: _means(images, labels),
    probes=lambda: [_bright(20, 3, _flat, 204), _bright(80, 12, _noise, 250)],
    praise="Right: one mean for each class, on the scale from 0 to 1.",
    mistakes=[
        Mistake(NOT_SCALED, lambda x, y: _means(x, y) * 255),
        Mistake("You divided by 255 twice.", lambda x, y: _means(x, y) / 255),
        Mistake("You divided by 256, but the largest byte is 255.", lambda x, y: _means(x, y) * 255 / 256),
        Mistake("You divided by the largest of these pixels: white is 255, also if no pixel is white.",
                lambda x, y: _means(x, y) * 255 / x.max()),
        Mistake("You divided by the largest pixel of each class: white is 255 for all of them.",
                lambda x, y: _of_classes(x, y, lambda X: X.float().mean() / X.max())),
        Mistake(SUMS, lambda x, y: _sums(x, y)),
        Mistake(SUMS, lambda x, y: _sums(x, y, 1)),
        Mistake(OF_ALL, lambda x, y: _sums(x, y) / x.numel()),
        Mistake(OF_ALL, lambda x, y: _sums(x, y, 1) / x.numel()),
        Mistake(SAME_SIZES, lambda x, y: _sums(x, y) * 10 / x.numel()),
        Mistake("You divided by 6,000 images: count those of the class.", lambda x, y: _sums(x, y) / 6000 / 784),
        Mistake("You divided by the number of images, but not by that of their pixels.",
                lambda x, y: _sums(x, y) / y.bincount()),
        Mistake("You divided by the number of pixels, but not by that of the images.", lambda x, y: _sums(x, y) / 784),
        Mistake("You took the mean of all images ten times: does the line that takes it pick its class?",
                lambda x, y: (x / 255).mean().repeat(10)),
        Mistake("You cut the images into ten equal parts, as if they were sorted by class.",
                lambda x, y: (x / 255).reshape(10, -1).mean(dim=1)),
        Mistake("That is the mean of the last class alone: does the line that collects it stand in the loop?",
                lambda x, y: _means(x, y)[-1:]),
        Mistake("That is the mean of the last class alone: does the loop keep the others?",
                lambda x, y: _means(x, y)[-1]),
        Mistake("That is the mean of the first class alone: does the loop go on to the others?",
                lambda x, y: _means(x, y)[0]),
        Mistake("You return one number, the mean of all images. Take one mean for each class.",
                lambda x, y: (x / 255).mean()),
        Mistake("You left out the black pixels: a mean counts them too.",
                lambda x, y: _of_classes(x / 255, y, lambda X: X[X > 0].mean())),
        Mistake("You took the median: the mean is asked for.", lambda x, y: _of_classes(x / 255, y, torch.median)),
        Mistake("You took the standard deviation: the mean is asked for.",
                lambda x, y: _of_classes(x / 255, y, torch.std)),
        Mistake("You took the largest pixel of each class: the mean is asked for.",
                lambda x, y: _of_classes(x / 255, y, torch.max)),
        Mistake("You took the mean of the first image of each class alone.",
                lambda x, y: _of_classes(x / 255, y, lambda X: X[0].mean())),
        Mistake("The means are right, but in another order: the number for class 0 comes first.",
                lambda x, y: _means(x, y).sort().values),
        Mistake("The means are right, but in another order: the number for class 0 comes first.",
                lambda x, y: _means(x, y).sort(descending=True).values),
        Mistake("The means are right, but in another order: the number for class 0 comes first.",
                lambda x, y: _means(x, y).flip(0)),
        Mistake("You count the images of each class; their brightness is asked for.", lambda x, y: y.bincount()),
        Mistake("You return the class with the largest mean; the ten means are asked for.",
                lambda x, y: _means(x, y).argmax()),
        Mistake("You return 1 minus the brightness: 0 is black here, and 1 is white.",
                lambda x, y: 1 - _means(x, y)),
        Sign("There is no class 10: the ten classes are 0 to 9.",
             lambda m, x, y: m.shape == (10,) and bool(m[9].isnan()) and answers.same(m[:9], _means(x, y)[1:])),
        Sign("You return one mean for each image. Take one for each class.", lambda m, x, y: m.shape == y.shape),
        Sign("These are mean images, a number for each pixel. For one number a class, take the mean over everything.",
             lambda m, x, y: m.ndim > 1 and m.numel() == 7840),
        Sign("You return whole numbers; a mean from 0 to 1 has decimals.",
             lambda m, x, y: m.shape == (10,) and not m.is_floating_point()),
        Sign("All ten numbers are the same: does the class change in your loop?",
             lambda m, x, y: m.shape == (10,) and bool((m == m[0]).all())),
        Sign("Nearly there: do you round? Leave the means as they are.",
             lambda m, x, y: any(answers.same(m, _means(x, y).round(decimals=n)) for n in (1, 2, 3))),
    ],
)  # fmt: skip


# 1.2


def _idx(labels):
    return struct.pack(">2I", 8 * 256 + 1, len(labels)) + bytes(labels.tolist())


def _from_file(attempt, labels):
    """What an attempt reads from a file that holds these labels."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labels-idx1-ubyte.gz"
        path.write_bytes(gzip.compress(_idx(labels), mtime=0))
        return attempt(path)


def _read_tensor(value):
    if not torch.is_tensor(value) and not isinstance(value, answers.Yielded) and value is not None:
        raise answers.Unreadable(f"a tensor is asked for; you return {answers.kind(value)}: which function makes one?")
    return answers.tensor(value)


def _same_kind(value, other):
    return value.is_floating_point() == other.is_floating_point() and answers.same(value, other)


def _bytes(path, skip=0, dtype=torch.uint8, unpack=gzip.decompress):
    return torch.frombuffer(bytearray(unpack(path.read_bytes())), dtype=dtype, offset=skip)


PACKED = "These are bytes of the compressed file, not labels: it must be unpacked first."
OFF_BY_SOME = "You start at the wrong byte. The header is two numbers of four bytes: how many bytes is that?"
SEVERAL_BYTES = "You read several bytes as one number, but each label is one byte: see dtype."

check_read_labels = Exercise(
    task="1.2; read_labels(path): the labels in a gzip IDX file.",
    solution=lambda the_labels_in_the_file: _bytes(the_labels_in_the_file, 8),
    probes=lambda: [
        (torch.tensor([9, 0, 3, 1, 4, 7, 7, 2, 5, 8, 6, 1]),),
        (torch.randint(10, (300,), generator=_generator(11)),),
        (torch.randint(10, (60_300,), generator=_generator(13)),),
    ],
    praise="Right: 8 bytes of header, then one byte for each label.",
    observe=_from_file,
    read=_read_tensor,
    same=_same_kind,
    mistakes=[
        Mistake("Your first 8 labels are missing: you skipped 16 bytes, as for images. The header of a labels file "
                "has two numbers of four bytes.", lambda path: _bytes(path, 16)),
        Mistake("You have 8 labels too many: you read the header as labels. Start after its two numbers.",
                lambda path: _bytes(path)),
        *[Mistake(OFF_BY_SOME, lambda path, skip=skip: _bytes(path, skip)) for skip in (1, 2, 4, 6, 7, 9, 10, 12)],
        *[Mistake(PACKED, lambda path, skip=skip: _bytes(path, skip, unpack=bytes)) for skip in (0, 8, 16)],
        *[Mistake(SEVERAL_BYTES, lambda path, dtype=dtype, skip=skip: _bytes(path, skip, dtype))
          for dtype in (torch.int16, torch.int32, torch.float32) for skip in (0, 8)],
        Mistake("The last 8 labels are missing: where they end, counted from the start of the file, is 8 + count.",
                lambda path: _bytes(path, 8)[:-8]),
        Mistake("The last label is missing.", lambda path: _bytes(path, 8)[:-1]),
        Mistake("These are the right labels, but sorted: keep their order.",
                lambda path: _bytes(path, 8).sort().values),
        Mistake("These are the right labels, but backwards.", lambda path: _bytes(path, 8).flip(0)),
        Mistake("Your labels are all one too large: the classes are 0 to 9.", lambda path: _bytes(path, 8) + 1),
        Mistake("Your labels are all one too small: the classes are 0 to 9.", lambda path: _bytes(path, 8) - 1),
        Mistake("Labels are classes, not brightness: nothing is to be divided by 255.",
                lambda path: _bytes(path, 8) / 255),
        Mistake("These are the different labels that there are, each once; every image has one.",
                lambda path: _bytes(path, 8).unique()),
        Mistake("That is the number of labels; the labels themselves are asked for.",
                lambda path: torch.tensor(len(_bytes(path, 8)))),
        Sign("The labels are right, but they are floats: classes are whole numbers.",
             lambda y, labels: y.is_floating_point() and answers.same(y, labels)),
        Sign("Labels are a row of numbers, with one size only.",
             lambda y, labels: y.numel() == len(labels) and y.ndim > 1),
        Sign("Not all labels of the file come back: is their number a fixed one in your code?",
             lambda y, labels: 0 < len(y) < len(labels) and answers.same(y, labels[: len(y)])),
    ],
)  # fmt: skip


# 1.3


def _shuffled(images, labels, batch_size, shuffle):
    order = torch.randperm(len(images)) if shuffle else torch.arange(len(images))
    return [(images[places] / 255, labels[places]) for places in order.split(batch_size)]


def _as_handed_out(images, labels, batch_size, shuffle):
    starts = range(0, len(images), batch_size)
    return [(images[start : start + batch_size] / 255, labels[start : start + batch_size]) for start in starts]


def _two_epochs(attempt, images, labels, batch_size, shuffle):
    """Words for what is wrong with two epochs of a loader; "" if nothing is."""
    with undisturbed([]):  # an attempt leaves the random numbers as they were: without new seeds two epochs are alike
        epochs = []
        for seed in (1, 2):
            torch.manual_seed(seed)
            random.seed(seed)
            np.random.seed(seed)  # noqa: NPY002
            epochs.append(_batches(attempt(images, labels, batch_size, shuffle)))
    orders = []
    for batches in epochs:
        trouble, order = _trouble_in_batches(batches, images, labels, batch_size, shuffle)
        if trouble:
            return trouble
        orders.append(order)
    if shuffle and orders[0] == list(range(len(images))):
        what = "is read, but changes nothing" if _reads_switch(attempt) else "does nothing"
        return f"the images still come in the order of the set: the switch {what}"
    if shuffle and orders[0] == orders[1]:
        return "two epochs have the same order: draw a new one for each, without a fixed seed, and keep none"
    return ""


def _reads_switch(attempt):
    """Whether an attempt's lines use their last argument at all."""
    try:
        function = attempt.function
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        name = list(inspect.signature(function).parameters)[3]
    except (AttributeError, OSError, TypeError, SyntaxError, IndexError):
        return False
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(tree))


def _batches(batches):
    """The batches that a loader gives, as pairs of tensors on the CPU."""
    if isinstance(batches, collections.abc.Iterable) and not isinstance(batches, (list, tuple)):
        batches = Attempt(iter)(batches)  # a DataLoader, say: it must come to an end too
    if not isinstance(batches, (list, tuple)) and batches is not None:
        raise answers.Unreadable(f"batches are asked for, by `yield`; you return {answers.kind(batches)}")
    if not batches:
        raise answers.Unreadable("your function yields no batches: keep the loop, and the `yield` in it")
    for batch in batches:
        if answers.all_dots(batch):
            raise answers.Unreadable("the batches are dots (...): yield X, y")
        if not isinstance(batch, (tuple, list)) or len(batch) != 2 or not all(map(torch.is_tensor, batch)):
            raise answers.Unreadable(
                f"each batch must be a pair of tensors, X and y; yours is {answers.kind(batch).removesuffix(' (None)')}"
            )
    return [(X.detach().cpu(), y.detach().cpu()) for X, y in batches]


def _trouble_in_batches(batches, images, labels, batch_size, shuffle):
    """Words for what is wrong with the batches of an epoch, or ""; and the places of their images in the set."""
    for X, y in batches:
        if y.ndim == 4 and X.ndim < 4:
            return "y comes first in your batches: X, the images, must", []
        if X.ndim != 4 or X.shape[1:] != images.shape[1:] or y.shape != X.shape[:1]:
            return f"a batch has X of shape {answers.shape(X)} and y of shape {answers.shape(y)}, expected " + (
                f"{batch_size}×1×28×28 and {batch_size}"
            ), []
    X, y = (torch.cat(parts) for parts in zip(*batches, strict=True))
    sizes = [len(y) for _, y in batches]
    if 0 in sizes:
        return f"there is an empty batch: you yield {sizes}. Is there one turn of the loop too many?", []
    if len(X) > 10 * len(images):
        return f"an epoch has {len(X):,} images, expected {len(images)}: do you use the function's own `images`?", []
    places = _places(X, images / 255)
    if places is None:
        return _trouble_in_pixels(X, images), []
    order, all_places = places.tolist(), list(range(len(images)))
    if y.is_floating_point() and answers.same(y, labels[places] / 255):
        return "the labels are divided by 255 too: leave them as they are", order
    if y.is_floating_point():
        return "the labels are floats, but a loss takes classes as whole numbers: leave them as they are", order
    if not torch.equal(y.long(), labels[places]):
        return _trouble_in_labels(y, places, labels), order
    if len(set(order)) < len(order):
        words = f"some images come twice in an epoch: {len(set(order))} different ones in {len(order)} places"
        return words + ". Draw one order for the whole epoch; randperm has each place once, randint has not", order
    if len(order) < len(images):
        lost = len(images) - len(order)
        last = ": the last, smaller batch is lost" if lost == len(images) % batch_size else ""
        return f"an epoch has {len(order)} images of {len(images)}{last}", order
    cut = [len(part) for part in labels.split(batch_size)]
    if sizes != cut:
        return f"the batches have {sizes} images, expected {cut}", order
    if not shuffle:
        return "" if order == all_places else "the images must keep the order of the set; yours are shuffled", order
    return _trouble_in_order(order, all_places, cut), order


def _places(X, scaled):
    """Where in the set these images are, or None if one of them is not there."""
    distances = (X.flatten(1).double()[:, None] - scaled.flatten(1).double()).abs().amax(dim=2)
    return distances.argmin(dim=1) if bool((distances.amin(dim=1) < 1e-3).all()) else None


def _trouble_in_pixels(X, images):
    if not X.is_floating_point():
        return "X holds whole numbers, expected floats from 0 to 1: `/` makes them, `//` and bytes do not"
    if X.max() > 1.5:
        return f"X goes up to {X.max():.0f}, expected floats from 0 to 1: keep the division by 255"
    if X.min() < 0:
        return f"X goes down to {X.min():.2f}, expected floats from 0 to 1: only divide by 255"
    for words, other in {
        "the pixels are divided by 256, but the largest byte is 255": images / 256,
        "the pixels are divided by 255 twice": images / 255 / 255,
        "the rows and columns of the images are exchanged": images.transpose(2, 3) / 255,
        "the images are mirrored": images.flip(3) / 255,
        "the images stand on their head": images.flip(2) / 255,
        "the images are negatives, black for white": 1 - images / 255,
        "the pixels are rounded, to 0 or 1": (images / 255).round(),
    }.items():
        if _places(X, other) is not None:
            return words
    return "X holds images other than those handed over, divided by 255: do you use the function's own `images`?"


def _trouble_in_labels(y, places, labels):
    together = "images and labels no longer belong together: "
    if torch.equal(y.long(), places):
        return "y holds the places of the images, not their labels"
    if torch.equal(y.long(), labels):
        return together + "only the images are in a new order. Pick both with the same one"
    if torch.equal(places, torch.arange(len(labels))):
        return together + "only the labels are in a new order. Pick both with the same one"
    return together + "they are in two different orders. Make one order, and pick images and labels with it"


def _trouble_in_order(order, all_places, cut):
    """Words for what is wrong with a shuffled order of all images."""
    if order in (all_places, all_places[::-1]):
        return ""  # which two epochs show
    parts = [set(part.tolist()) for part in torch.tensor(order).split(cut)]
    unshuffled = [set(part.tolist()) for part in torch.tensor(all_places).split(cut)]
    if parts == unshuffled:
        return "you shuffle within each batch, so that the same images always meet. Shuffle the whole set, then cut"
    if sorted(map(sorted, parts)) == sorted(map(sorted, unshuffled)):
        return "you shuffle the batches, so that the same images always meet. Shuffle the whole set, then cut"
    follow = sum(abs(b - a) in (1, len(order) - 1) for a, b in itertools.pairwise(order))
    if follow > len(order) / 2:
        return f"{follow} of {len(order)} images still stand beside the same one as before: shuffle all of them"
    return ""


def _numbered(count):
    images = torch.randint(256, (count, 1, 28, 28), generator=_generator(16), dtype=torch.uint8)
    return images, torch.randint(10, (count,), generator=_generator(17))


check_mini_batches = Exercise(
    task="1.3; mini_batches(images, labels, batch_size, shuffle) yields X and y, in a new order if asked to.",
    solution=_shuffled,
    probes=lambda: [(*_numbered(count), size, shuffle) for shuffle in (False, True) for count, size in
                    [(24, 6), (24, 7)]],
    praise="Right: each epoch has a new order, each image comes once, and keeps its label.",
    untouched=_as_handed_out,
    still_so="Not mended yet: shuffle=True still gives the order of the set.",
    observe=_two_epochs,
    read=lambda words: words,
    same=lambda value, other: value == other,
    difference=lambda words, expected: words,
)  # fmt: skip


# 1.4


def _two_sets(train, val, seed):
    """Two sets of images: the first ones darker than the last, and the second set brighter, with less contrast."""
    X_train, X_val = torch.rand(train + val, 1, 28, 28, generator=_generator(seed)).square().split([train, val])
    dark = X_val < 0.01
    return 0.02 + X_train * torch.linspace(0.3, 0.9, train).reshape(-1, 1, 1, 1), (X_val * 0.7 + 0.2).masked_fill(
        dark, 0
    )


def _by(X, numbers):
    """X, shifted and stretched by the mean and the standard deviation of `numbers`."""
    return (X - numbers.mean()) / numbers.std()


def _both(change):
    """What `change(X, X_train, X_val)` makes of both sets."""
    return lambda a, b: (change(a, a, b), change(b, a, b))


def _val(change):
    """The training set normalised, and what `change(X_train, X_val)` makes of the validation set."""
    return lambda a, b: (_by(a, a), change(a, b))


def _fixed(mean, std):
    return _both(lambda X, a, b: (X - mean) / std)


def _said_of_two_sets(value, expected):
    for name, X, right_X in zip(("training", "validation"), value, expected, strict=True):
        if X.shape != right_X.shape:
            return f"your {name} set has the shape {answers.shape(X)}, expected {answers.shape(right_X)}"
        if not X.isfinite().all():
            return f"your {name} set holds numbers that are infinite or NaN, not a number"
        if not answers.same(X, right_X):
            mean, std = X.double().mean().item(), X.double().std().item()
            return (
                f"your {name} set has the mean {mean:.3f} and the standard deviation {std:.3f}, expected "
                f"{round(right_X.mean().item(), 3) + 0.0:.3f} and {right_X.std().item():.3f}"
            )


HARD_CODED = "You subtract and divide by fixed numbers of another set: compute those of X_train."
OVER_BOTH = ("You computed over both sets together. So knowledge of the validation set reaches the training: take the "
             "training set alone.")  # fmt: skip
OF_EACH_PIXEL = "You took numbers for each pixel; here one mean and one standard deviation of all pixels are asked for."
OF_EACH_IMAGE = "You took numbers for each image; here one mean and one standard deviation of all pixels are asked for."
TO_0_1 = "You stretched the values to 0 to 1, by smallest and largest; mean and standard deviation are asked for."

check_normalise = Exercise(
    task="1.4; normalise(X_train, X_val): both sets, shifted and stretched by the training set's numbers.",
    solution=lambda X_train, X_val: (_by(X_train, X_train), _by(X_val, X_train)),
    probes=lambda: [(*_two_sets(80, 30, 14),), (*_two_sets(1100, 90, 15),)],
    praise="Right: one mean and one standard deviation, from the training set, for both sets.",
    read=answers.sequence(2, answers.tensor, "the training set and the validation set"),
    difference=_said_of_two_sets,
    mistakes=[
        Sign("You return the validation set first: the training set comes first.",
             lambda sets, a, b: (sets[0].shape, sets[1].shape) == (b.shape, a.shape)),
        Sign("You return the mean and the standard deviation; the two sets, changed by them, are asked for.",
             lambda sets, a, b: all(one.numel() == 1 for one in sets)),
        Sign("Both sets come back as they were.",
             lambda sets, a, b: torch.equal(sets[0], a) and torch.equal(sets[1], b)),
        Sign("The training set is right, but the validation set comes back as it was. It needs the same step.",
             lambda sets, a, b: torch.equal(sets[1], b) and answers.same(sets[0], _by(a, a))),
        Sign("The validation set is right, but the training set comes back as it was. It needs the same step.",
             lambda sets, a, b: torch.equal(sets[0], a) and answers.same(sets[1], _by(b, a))),
        Mistake("For the validation set you took the numbers of the training set after it had been normalised, when "
                "they are 0 and 1. Compute them before you change it.", _val(lambda a, b: _by(b, _by(a, a)))),
        Mistake("The validation set is normalised with its own mean and standard deviation. Use those of the training "
                "set: with its own, a brighter set would look just like a darker one.", _val(lambda a, b: _by(b, b)),
                lambda a, b: [torch.nn.BatchNorm2d(1, affine=False)(X) for X in (a, b)]),
        Mistake(OVER_BOTH, _both(lambda X, a, b: _by(X, torch.cat([a, b])))),
        Mistake("The standard deviation is that of both sets together: take that of the training set alone.",
                _both(lambda X, a, b: (X - a.mean()) / torch.cat([a, b]).std())),
        Mistake("The mean is that of both sets together: take that of the training set alone.",
                _both(lambda X, a, b: (X - torch.cat([a, b]).mean()) / a.std())),
        Mistake("You took the validation set's mean and standard deviation. Take the training set's.",
                _both(lambda X, a, b: _by(X, b))),
        Mistake("You exchanged the sets: each is normalised with the other's numbers.",
                lambda a, b: (_by(a, b), _by(b, a))),
        Mistake("The mean is the validation set's: take the training set's.",
                _both(lambda X, a, b: (X - b.mean()) / a.std())),
        Mistake("The standard deviation is the validation set's: take the training set's.",
                _both(lambda X, a, b: (X - a.mean()) / b.std())),
        Mistake("The validation set gets the training set's mean, but its own standard deviation.",
                _val(lambda a, b: (b - a.mean()) / b.std())),
        Mistake("The validation set gets the training set's standard deviation, but its own mean.",
                _val(lambda a, b: (b - b.mean()) / a.std())),
        Mistake("You divided by the variance. Divide by the standard deviation, its square root.",
                _both(lambda X, a, b: (X - a.mean()) / a.var())),
        Mistake("The mean is 0 now, but you did not divide by the standard deviation.",
                _both(lambda X, a, b: X - a.mean())),
        Mistake("You divided by the standard deviation, but did not subtract the mean.",
                _both(lambda X, a, b: X / a.std())),
        Mistake("You multiplied by the standard deviation: divide by it.",
                _both(lambda X, a, b: (X - a.mean()) * a.std())),
        Mistake("You added the mean: subtract it.", _both(lambda X, a, b: (X + a.mean()) / a.std())),
        Mistake("You subtracted the images from the mean: it is the other way round, so that bright stays bright.",
                _both(lambda X, a, b: (a.mean() - X) / a.std())),
        Mistake("Python divides before it subtracts: mind the brackets.",
                _both(lambda X, a, b: X - a.mean() / a.std())),
        Mistake("For the validation set Python divides before it subtracts: mind the brackets there too.",
                _val(lambda a, b: b - a.mean() / a.std())),
        Mistake("For the validation set you did not divide by the standard deviation.",
                _val(lambda a, b: b - a.mean())),
        Mistake("From the validation set no mean was subtracted; or it was computed after the training set's had "
                "become 0.", _val(lambda a, b: b / a.std())),
        Mistake("You exchanged the mean and the standard deviation.", _both(lambda X, a, b: (X - a.std()) / a.mean())),
        Mistake("You normalised the training set twice over: one value of each, for the validation set, is not enough.",
                lambda a, b: (_by(a, a), _by(a, a))),
        Mistake("You took numbers of the first images only: take all of X_train.",
                _both(lambda X, a, b: _by(X, a[:64]))),
        Mistake("You took numbers of the first image only: take all of X_train.", _both(lambda X, a, b: _by(X, a[0]))),
        Mistake(OF_EACH_PIXEL, _both(lambda X, a, b: (X - a.mean(0)) / a.std(0))),
        Mistake(OF_EACH_PIXEL, lambda a, b: [(X - X.mean(0)) / X.std(0) for X in (a, b)]),
        Mistake(OF_EACH_IMAGE, lambda a, b: [(X - X.mean((1, 2, 3), True)) / X.std((1, 2, 3), keepdim=True)
                                             for X in (a, b)]),
        Mistake("You divided by the largest value: the mean and the standard deviation are asked for.",
                _both(lambda X, a, b: X / a.max())),
        Mistake(TO_0_1, _both(lambda X, a, b: (X - a.min()) / (a.max() - a.min()))),
        Mistake(TO_0_1, lambda a, b: [(X - X.min()) / (X.max() - X.min()) for X in (a, b)]),
        Mistake("F.normalize does something else: it makes lengths 1.",
                lambda a, b: [torch.nn.functional.normalize(X) for X in (a, b)]),
        Mistake("These values are floats from 0 to 1 already, and 255 is subtracted or divided too much: leave it out.",
                _both(lambda X, a, b: X / 255)),
        *[Mistake(HARD_CODED, _fixed(*numbers)) for numbers in
          [(0.2860, 0.3530), (0.2861, 0.3530), (0.1307, 0.3081), (0.5, 0.5)]],
        Mistake("You cut the decimals off: both sets are floats.", lambda a, b: (_by(a, a).int(), _by(b, a).int())),
    ],
)  # fmt: skip


# 1.5


def _first(labels, k, classes=range(10)):
    return torch.cat([(labels == label).nonzero().flatten()[:k] for label in classes])


def _places_and_counts(attempt, labels, k):
    """The places that an attempt returns, of the many right answers always the same; and how many are of each class."""
    value = attempt(labels, k)
    parts = value if isinstance(value, (list, tuple)) and not isinstance(value, answers.Yielded) else []
    if any(torch.is_tensor(part) and part.ndim for part in parts):
        raise answers.Unreadable(f"one tensor is asked for; you return {answers.kind(value)}: join the parts")
    places = answers.tensor(value)
    counts = labels[places.long()].bincount(minlength=10).tolist() if _inside(places, labels) else None
    once = counts is not None and len(places.unique()) == len(places)
    return _first(labels, k) if once and counts == [k] * 10 else places, counts


def _whole(places):
    return not (places.is_floating_point() or places.dtype in (torch.bool, torch.uint8))


def _inside(places, labels):
    return places.ndim == 1 and _whole(places) and bool(((places >= 0) & (places < len(labels))).all())


def _same_places(value, other):
    (kind, places), (other_kind, others) = (
        ((one.shape, one.is_floating_point(), _whole(one)), one.double().flatten().sort().values)
        for one in (value[0], other[0])
    )
    return kind == other_kind and torch.equal(places, others)


def _said_of_places(value, expected):
    (places, counts), (right_places, right_counts) = value, expected
    if places.ndim != 1 or not _whole(places):
        return answers.difference(places, right_places)
    if counts is None:
        return f"there are places from {places.min()} to {places.max()}, some outside of the set"
    return f"you take {counts} images of the classes 0 to 9, expected {right_counts}"


def _sign(words, seen):
    return Sign(words, lambda value, labels, k: bool(seen(value[0], labels, k)))


check_balanced_subset = Exercise(
    task="1.5; balanced_subset(labels, k): the places of k images of each of the 10 classes, (10 * k,).",
    solution=_first,
    probes=lambda: [
        (_labels_of_all_classes(20, 18), 1),
        (torch.randint(10, (600,), generator=_generator(15)), 7),
        (torch.randint(10, (700,), generator=_generator(16)), 12),
    ],
    praise="Right: k images of each class, and no image twice.",
    observe=_places_and_counts,
    read=lambda value: value,
    same=_same_places,
    difference=_said_of_places,
    mistakes=[
        Mistake("You return all places of each class. Take only k of them.", lambda labels, k: _first(labels, 10**6)),
        Mistake("These are places of the first class alone: take k of each class, then join.",
                lambda labels, k: _first(labels, 10**6)[:k]),
        Mistake("You took the first 10 * k of all places together. Take k of each class, then join.",
                lambda labels, k: _first(labels, 10**6)[: 10 * k]),
        Mistake("You look at the first k labels only. Find all places of a class first, then take k of them.",
                lambda labels, k: torch.arange(k)),
        Mistake("These are the first 10 * k places, whatever their classes.", lambda labels, k: torch.arange(10 * k)),
        Mistake("These are the numbers from 0 to k - 1, ten times, not places of classes.",
                lambda labels, k: torch.arange(k).repeat(10)),
        Mistake("All your places are 0.", lambda labels, k: torch.zeros(10 * k).long()),
        Mistake("You return labels (the classes), not places. Where in the set do these images lie?",
                lambda labels, k: labels[_first(labels, k)]),
        Mistake("Your places are all one too small: they count from 0.", lambda labels, k: _first(labels, k) - 1),
        Mistake("Your places are all one too large: they count from 0.", lambda labels, k: _first(labels, k) + 1),
        Mistake("These places count back from the end of the set: the first place is 0.",
                lambda labels, k: _first(labels, k) - len(labels)),
        Mistake("The places are right, but they are floats: whole numbers are asked for. What made them floats?",
                lambda labels, k: _first(labels, k).float()),
        Mistake("You take one image fewer of each class than k.", lambda labels, k: _first(labels, k - 1)),
        Mistake("You take one image more of each class than k.", lambda labels, k: _first(labels, k + 1)),
        Mistake("You leave out the first image of each class, and take one fewer than k.",
                lambda labels, k: torch.cat([(labels == c).nonzero().flatten()[1:k] for c in range(10)])),
        Mistake("You take one image of each class: the places up to k are asked for, not place k alone.",
                lambda labels, k: torch.stack([(labels == c).nonzero().flatten()[k] for c in range(10)])),
        Mistake("You take k // 10 of each class: k is the number of each class, not of all.",
                lambda labels, k: _first(labels, k // 10)),
        Mistake("The first place of each class comes k times: the set would hold the same images again.",
                lambda labels, k: _first(labels, 1).repeat(k)),
        Mistake("Class 9 is missing: the classes are 0 to 9.", lambda labels, k: _first(labels, k, range(9))),
        Mistake("Class 0 is missing: the classes are 0 to 9.", lambda labels, k: _first(labels, k, range(1, 10))),
        Mistake("Class 0 is missing: the classes are 0 to 9.", lambda labels, k: _first(labels, k, range(1, 11))),
        Mistake("That is the last class alone: does the line that collects the places stand in the loop?",
                lambda labels, k: _first(labels, k, [9])),
        Mistake("Your loop runs over k classes: there are ten, whatever k is.",
                lambda labels, k: _first(labels, k, range(k))),
        _sign("These are True and False; places are whole numbers: where is it True?",
              lambda places, labels, k: places.dtype == torch.bool),
        _sign("Bytes end at 255, and PyTorch takes them for a mask: keep the places as whole numbers of 64 bits.",
              lambda places, labels, k: places.dtype == torch.uint8),
        _sign("Your places do not lie in one row: join the ten parts to one, of 10 * k places.",
              lambda places, labels, k: places.ndim > 1 and places.numel() == 10 * k),
        _sign("These are NaN, not a number, and no places.", lambda places, labels, k: bool(places.isnan().any())),
        _sign("These are no whole numbers: places are.", lambda places, labels, k: places.is_floating_point()),
        _sign("All your places are of one class: does the class change in your loop?",
              lambda places, labels, k: _inside(places, labels) and len(places) == 10 * k
              and len(labels[places].unique()) == 1),
        _sign("Some places come twice, so the set would hold the same image twice.",
              lambda places, labels, k: _inside(places, labels) and len(places) == 10 * k
              and len(places.unique()) < len(places)),
        _sign("There are 10 * k places, but not k of each class.",
              lambda places, labels, k: _inside(places, labels) and len(places) == 10 * k),
        _sign("There are places outside of the set: do you use the function's own `labels`?",
              lambda places, labels, k: places.ndim == 1 and not _inside(places, labels)),
    ],
)  # fmt: skip


# 1.6


def _mean_images(images, labels):
    """The mean image of each class: (10, 784)."""
    return _of_classes(images.flatten(1) / 255, labels, lambda X: X.mean(dim=0))


def _nearest(p=2):
    return lambda X, means: torch.cdist(X, means, p=p).argmin(dim=1)


def _nearest_of_bytes(X, means):
    """As bytes compute, for which 256 is 0 again."""
    images, means = (X * 255).round().byte(), (means * 255 + 1e-3).byte()
    return torch.stack([((images - mean) ** 2).sum(dim=1) for mean in means]).argmin(dim=0)


# What makes the same answers as wrong models, of scaled images, (N, 784), and means, (10, 784).
MODELS = [
    ("You answer with the farthest mean, not with the nearest.",
     lambda X, means: torch.cdist(X, means).argmax(dim=1)),
    ("You compare bytes with means from 0 to 1: scale both in the same way.",
     lambda X, means: torch.cdist(X * 255, means).argmin(dim=1)),
    ("You compare images from 0 to 1 with means of bytes, or images divided by 255 twice: scale both alike.",
     lambda X, means: torch.cdist(X, means * 255).argmin(dim=1)),
    ("You multiply images and means, so that a bright mean wins: take section 4's distance.",
     lambda X, means: (X @ means.T).argmax(dim=1)),
    ("You multiply images and means, and take the smallest: take section 4's distance.",
     lambda X, means: (X @ means.T).argmin(dim=1)),
    ("You compare the mean brightness alone: compare an image and a mean pixel by pixel.",
     lambda X, means: (X.mean(dim=1)[:, None] - means.mean(dim=1)).abs().argmin(dim=1)),
    ("You add up differences without squares, so that positive and negative ones cancel.",
     lambda X, means: (X.sum(dim=1)[:, None] - means.sum(dim=1)).argmin(dim=1)),
    ("You add up differences without squares, so that positive and negative ones cancel.",
     lambda X, means: (means.sum(dim=1) - X.sum(dim=1)[:, None]).argmin(dim=1)),
    ("You take the largest difference of one pixel: section 4's distance adds up all of them.", _nearest(float("inf"))),
    ("Class 9 never comes: there are ten means.", lambda X, means: torch.cdist(X, means[:9]).argmin(dim=1)),
    ("Class 0 never comes, or the classes are one off: there are ten means, 0 to 9.",
     lambda X, means: torch.cdist(X, means[1:]).argmin(dim=1)),
    ("The classes are all one too large: they are 0 to 9.",
     lambda X, means: (torch.cdist(X, means).argmin(dim=1) + 1) % 10),
    ("You subtract bytes, which start again at 255 below 0.", _nearest_of_bytes),
]  # fmt: skip


def _rest_of_means(images, labels, data):
    """The mean images of the training images that were not set aside: (10, 784)."""
    counts, own = (these.bincount(minlength=10)[:, None] for these in (data.train_labels, labels))
    of_all, of_own = _mean_images(data.train_images, data.train_labels), _mean_images(images, labels)
    return (of_all * counts - of_own * own) / (counts - own)


def _seen_before(answer, X, images, labels, data):
    """Words, if the model answers as the means of images would that it must not have seen; or None."""
    validation, rest = _mean_images(images, labels), _rest_of_means(images, labels, data)
    of_all, of_test = (
        _mean_images(*pair) for pair in [(data.train_images, data.train_labels), (data.test_images, data.test_labels)]
    )
    for p in (2, 1):
        differ = [int((_nearest(p)(X, means) != answer).sum()) for means in (rest, validation, of_all, of_test)]
        place = min(range(4), key=differ.__getitem__)
        if place and differ[place] < len(X) / 1000:
            return [
                "the means are those of the validation images, on which the model is measured",
                "the means are those of all of data.train_images, the validation images among them",
                "the means are those of the test images, which are for one last score",
            ][place - 1]
    return None


def _trouble_with_images(images, labels, data):
    """Words, if these are not the images and labels that were set aside; or None."""
    here = "Measure on val_images, val_labels."
    if not torch.is_tensor(images) or images.shape[1:] != (1, 28, 28) or not torch.is_tensor(labels):
        return f"Validation images and their labels are asked for; this is {answers.kind(images)}. {here}"
    if len(images) != len(labels) or len(images) < 100:
        return f"There are {len(images)} images and {len(labels)} labels. {here}"
    if len(images) > len(data.train_images) / 2:
        return f"These are training images, which the model has seen. {here}"
    found = [_place(image, data.train_images) for image in images[:10]]
    if None in found and all(_place(image, data.test_images) is not None for image in images[:3]):
        return f"These are test images, for one last score, and you may want to try more than once. {here}"
    if None in found:
        return "These are not images of the set as it was: has something changed them? Run section 5's split again."
    if data.train_labels[found].tolist() != labels[:10].tolist():
        return f"These are not the labels of these images. {here}"
    return None


def _place(image, images):
    """Where an image stands in the set, or None."""
    near = (images[:, 0, 14] == image[0, 14].to(images.dtype)).all(dim=1).nonzero().flatten()
    return next((int(i) for i in near if torch.equal(images[i], image)), None)


def _trouble_with_classes(answer, count):
    """Words, if this is not one class for each of `count` images; or None."""
    if hasattr(answer, "indices") and not torch.is_tensor(answer):
        return "The model answers with values and places, two tensors: the classes are the places"
    answer = answers.tensor(answer)
    if answer.shape == (count, 10):
        return "The model answers with ten numbers an image, the distances: which of the ten is the smallest?"
    if answer.shape == (10,):
        return (f"For {count} images you get 10 classes, one for each mean. Which image is nearest to a mean is the "
                "other question: take the smallest over the ten means")  # fmt: skip
    if answer.ndim == 1 and len(answer) > count:
        return f"For {count} images you get {len(answer):,} classes: does `answer` use its own argument?"
    if answer.shape != (count,):
        return f"For {count} images your answer has the shape {answers.shape(answer)}, expected {count}: a class each"
    if answer.is_floating_point() and bool((answer != answer.round()).any()):
        return "The model answers with distances, not with classes: whole numbers from 0 to 9, the nearest mean's place"
    if answer.is_floating_point() or answer.dtype == torch.bool:
        return "The classes must be whole numbers, from 0 to 9: what made yours floats, or True and False?"
    if answer.min() < 0 or answer.max() > 9:
        return f"You answer with classes from {answer.min()} to {answer.max()}: they are 0 to 9"
    return None


def _takes(model, count):
    try:
        inspect.signature(model).bind(*range(count))
    except (TypeError, ValueError):
        return False
    return True


@checked
def check_mean_model(model, images, labels, data):
    """Exercise 1.6: model(images) returns a class for each image, measured on validation images, bytes, and labels.

    images: (N, 1, 28, 28); labels: (N,); data: an `ImageData`, whose test images are refused.
    """
    if not callable(model):
        return wrong(f"The model is {answers.kind(model)}; expected a function: end mean_model with `return answer`.")
    if isinstance(model, type) or (_takes(model, 2) and not _takes(model, 1)):
        return wrong("Hand over the model that mean_model returns: model = mean_model(train_images, train_labels).")
    trouble = _trouble_with_images(images, labels, data)
    if trouble:
        return wrong(trouble)
    attempt = Attempt(model, ["images"])
    few = attempt(images[:50])  # within 5 seconds, so that what does not end is known soon
    attempt.seconds = 60  # a loop over images and means in Python is slow, but right
    if few is None and attempt.printed:
        return wrong("The model prints its answer, but returns nothing: write `return` in place of `print`.")
    if few is None:
        return wrong("The model returns nothing (None): does `answer` end with `return`?")
    trouble = _trouble_with_classes(few, 50)
    given = few if trouble else attempt(images)
    trouble = trouble or _trouble_with_classes(given, len(images))
    if trouble or attempt.manners:
        words = trouble or attempt.manners[0]
        return wrong(words if words.endswith("?") else words + ".")
    with undisturbed([]):
        torch.manual_seed(1)
        answer, again = (answers.tensor(classes).long() for classes in (given, attempt(images[:50])))
    if not torch.equal(again, answers.tensor(few).long()):
        return wrong("Asked twice about the same images, the model gives different answers: is something random in it?")
    alone = [answers.tensor(attempt(image[None])).flatten().tolist() for image in images[:3]]
    if alone != answer[:3, None].tolist() or not torch.equal(again, answer[:50]):
        return wrong("An image alone gets another answer than among others. Take the means of training images only.")
    X, y = images.flatten(1) / 255, labels.cpu()
    share = (answer == y).double().mean().item()
    measured = f"Accuracy {share:.4f} on {len(images):,} images"
    if share > 0.97:
        return wrong(f"{measured}: the model has seen these images. Learn from train_images, train_labels only.")
    seen = _seen_before(answer, X, images, y, data)
    if seen:
        return wrong(f"{measured}, but {seen}. Learn from train_images, train_labels only.")
    if share >= LEAST:
        return right(f"{measured}. Guessing has 0.1, section 5's memoriser about 0.8.")
    means = _rest_of_means(images, y, data)
    alike, known = max(((gives(X, means) == answer).double().mean().item(), words) for words, gives in MODELS)
    if alike > 0.99:
        return wrong(f"{known} {measured}.")
    if len(answer.unique()) == 1:
        return wrong(f"{measured}: the model answers with class {answer[0]} for every image.")
    if share < 0.4:
        return wrong(f"{measured}: near to guessing, 0.1. Are images and means scaled in the same way, and all 784 "
                     "pixels of each compared?")  # fmt: skip
    return wrong(f"{measured}; the goal is {LEAST}. Do all images of a class make its mean, and is it section 4's "
                 "distance: subtract, square, add up, root?")  # fmt: skip
