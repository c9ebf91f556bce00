"""Chapter 1: data."""

import collections.abc
import gzip
import itertools
import operator
import random
import struct
import tempfile
from pathlib import Path

import numpy as np
import torch

from helpers.checks import answers
from helpers.checks.attempt import Attempt, undisturbed
from helpers.checks.exercise import Exercise, Mistake, Sign, checked
from helpers.checks.verdict import right, wrong

# Exercise 1.1


LEAST = 0.66  # accuracy; the nearest of ten means reaches 0.685 with all images, 0.714 with the sample

# Probes are on the CPU, like all of this chapter's images: an answer may convert them to NumPy.


def _generator(seed):
    return torch.Generator().manual_seed(seed)


def _labels_of_all_classes(count, seed):
    """Labels in random order, with a different number of each class, but at least one."""
    labels = torch.arange(10).repeat_interleave(torch.tensor([1, 2, 1, 3, 2, 1, 4, 2, 3, 1]) * count // 20)
    return labels[torch.randperm(count, generator=_generator(seed))]


def _bright(count, seed, values, most):
    """Images whose brightness depends on the class; no pixel is white."""
    labels = _labels_of_all_classes(count, seed)
    pixels = values(count, generator=_generator(seed)) * (labels.reshape(-1, 1, 1, 1) % 7 + 2) * most / 8
    return pixels.to(torch.uint8), labels


def _flat(count, generator):
    return torch.randint(1, 5, (count, 1, 1, 1), generator=generator).expand(-1, 1, 28, 28) / 4


def _noise(count, generator):
    return (torch.rand(count, 1, 28, 28, generator=generator) - 0.2).clamp(min=0)


def _of(X, labels, what=torch.Tensor.mean):
    return torch.stack([torch.as_tensor(what(X[labels == label])) for label in range(10)])


def _means(images, labels):
    return _of(images / 255, labels)


def _sums(images, labels):
    return _of(images / 255, labels, torch.Tensor.sum)


check_mean_brightness = Exercise(
    task="1.1; mean_brightness(images, labels): (N, 1, 28, 28) bytes to the mean of each class, 0 to 1.",
    solution=lambda images, labels: _means(images, labels),
    probes=lambda: [_bright(20, 3, _flat, 204), _bright(80, 12, _noise, 250)],
    praise="Right: one mean for each class, on the scale from 0 to 1.",
    mistakes=[
        Mistake("You did not scale: these are means of bytes, 0 to 255, not 0 to 1.", lambda x, y: _means(x, y) * 255),
        Mistake("You divided by 255 twice.", lambda x, y: _means(x, y) / 255),
        Mistake("You divided by 256, but the largest byte is 255.", lambda x, y: _means(x, y) * 255 / 256),
        Mistake("You divided by the largest pixel there is: white is 255, even if no pixel is white.",
                lambda x, y: _means(x, y) * 255 / x.max(), lambda x, y: _of(x, y, lambda X: (X / X.max()).mean())),
        Mistake("These are sums, not means: a class with more images gets a larger number.",
                lambda x, y: _sums(x, y), lambda x, y: _sums(x, y) * 255),
        Mistake("You divided by the number of all images. Divide by the number of images of the class.",
                lambda x, y: _sums(x, y) / x.numel(), lambda x, y: _sums(x, y) * 255 / x.numel()),
        Mistake("You divided by a fixed number of images: count those of the class.",
                lambda x, y: _sums(x, y) * 10 / x.numel(), lambda x, y: _sums(x, y) / 6000 / 784),
        Mistake("You took the mean of all images: does the line that takes it pick its class?",
                lambda x, y: (x / 255).mean(), lambda x, y: (x / 255).mean().repeat(10)),
        Mistake("You picked images by their place in the set: pick them by their label.",
                lambda x, y: (x / 255).reshape(10, -1).mean(dim=1), lambda x, y: (x[:10] / 255).mean(dim=(1, 2, 3))),
        Mistake("You took the images of all other classes, not those of the class.",
                lambda x, y: torch.stack([(x[y != label] / 255).mean() for label in range(10)])),
        Mistake("That is the last class alone: does each turn of the loop keep its own mean?",
                lambda x, y: _means(x, y)[-1], lambda x, y: _means(x, y)[-1:]),
        Mistake("That is the first class alone: does the loop go on to the others?", lambda x, y: _means(x, y)[0]),
        Mistake("Class 9 is missing: the classes are 0 to 9.", lambda x, y: _means(x, y)[:9]),
        Mistake("You left out the black pixels: a mean counts them too.",
                lambda x, y: _of(x / 255, y, lambda X: X[X > 0].mean())),
        Mistake("You took the standard deviation: the mean is expected.", lambda x, y: _of(x / 255, y, torch.std)),
        Mistake("The means are right, but in the wrong order: the number for class 0 comes first.",
                lambda x, y: _means(x, y).sort().values, lambda x, y: _means(x, y).sort(descending=True).values),
        Sign("There is no class 10: the ten classes are 0 to 9.",
             lambda m, x, y: m.shape == (10,) and bool(m[9].isnan()) and answers.same(m[:9], _means(x, y)[1:])),
        Sign("The mean of no pixels is NaN: does your condition compare the function's own `labels` with the class?",
             lambda m, x, y: bool(m.isnan().any())),
        Sign("You return one mean for each image. Take one for each class.", lambda m, x, y: m.shape == y.shape),
        Sign("These are mean images, a number for each pixel. For one number a class, take the mean over everything.",
             lambda m, x, y: m.ndim > 1 and m.numel() == 7840),
        Sign("You return whole numbers; a mean from 0 to 1 has decimals.", lambda m, x, y: not m.is_floating_point()),
        Sign("All are 0: `//` cuts the decimals off, `/` keeps them; or are they never filled?",
             lambda m, x, y: not m.any()),
        Sign("All your numbers are the same: does the class change in your loop?",
             lambda m, x, y: m.numel() > 1 and bool((m == m.flatten()[0]).all())),
        Sign("Do you round? Leave the means as they are.",
             lambda m, x, y: any(answers.same(m, _means(x, y).round(decimals=n)) for n in range(4))),
    ],
)  # fmt: skip


# Exercise 1.2


def _from_file(attempt, values):
    """What an attempt reads from an IDX file that holds these bytes, labels or images."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"some-idx{values.ndim}-ubyte.gz"
        header = struct.pack(f">{values.ndim + 1}I", 8 * 256 + values.ndim, *values.shape)
        path.write_bytes(gzip.compress(header + bytes(values.flatten().tolist()), mtime=0))
        return attempt(path)


def _read_tensor(value, what="labels"):
    if isinstance(value, tuple) and any(map(torch.is_tensor, value)):
        raise answers.Unreadable(f"the {what} alone are expected, but you return {answers.kind(value)}")
    if not torch.is_tensor(value) and not isinstance(value, answers.Yielded) and value is not None:
        raise answers.Unreadable(
            f"a tensor is expected, but you return {answers.kind(value)}: which function makes one?"
        )
    return answers.tensor(value)


def _bytes(path, skip=0, dtype=torch.uint8, unpack=gzip.decompress):
    return torch.frombuffer(bytearray(unpack(path.read_bytes())), dtype=dtype, offset=skip)


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
    same=lambda y, other: y.is_floating_point() == other.is_floating_point() and answers.same(y, other),
    mistakes=[
        Mistake("Your first 8 labels are missing: you skipped 16 bytes, as for images. The header of a labels file "
                "has two numbers of four bytes.", lambda path: _bytes(path, 16)),
        Mistake("You have 8 labels too many: you read the header as labels. Start after its two numbers.", _bytes),
        Mistake("You start at the wrong byte. The header is two numbers of four bytes: how many bytes is that?",
                *[lambda path, skip=skip: _bytes(path, skip) for skip in (1, 2, 4, 6, 7, 9, 10, 12)]),
        Mistake("These are bytes of the compressed file, not labels: it must be unpacked first.",
                *[lambda path, skip=skip: _bytes(path, skip, unpack=bytes) for skip in (0, 8, 16)]),
        Mistake("You read several bytes as one number, but each label is one byte: see dtype.",
                *[lambda path, dtype=dtype, skip=skip: _bytes(path, skip, dtype)
                  for dtype in (torch.int16, torch.int32, torch.float32) for skip in (0, 8)]),
        Mistake("The last 8 labels are missing: where they end, counted from the start of the file, is 8 + count.",
                lambda path: _bytes(path, 8)[:-8]),
        Mistake("The last label is missing.", lambda path: _bytes(path, 8)[:-1]),
        Mistake("Keep the labels in their order; yours are sorted.", lambda path: _bytes(path, 8).sort().values),
        Mistake("Labels are classes, not brightness: do not divide by 255.", lambda path: _bytes(path, 8) / 255),
        Mistake("Each label comes once here; every image has one.", lambda path: _bytes(path, 8).unique()),
        Mistake("That is how many labels there are, not the labels.", lambda path: torch.tensor(len(_bytes(path, 8)))),
        Sign("The labels are right, but they are floats: classes are whole numbers.",
             lambda y, labels: y.is_floating_point() and answers.same(y, labels)),
        Sign("Labels are a row of numbers, with one dimension only.", lambda y, labels: y.ndim > 1),
        Sign("Not all labels of the file come back: is their number a fixed one in your code?",
             lambda y, labels: y.ndim == 1 and 0 < len(y) < len(labels) and answers.same(y, labels[: len(y)])),
    ],
)  # fmt: skip


# Exercise 1.3


def _loader(images, labels, batch_size, shuffle):
    order = torch.randperm(len(images)) if shuffle else torch.arange(len(images))
    return [(images[places] / 255, labels[places]) for places in order.split(batch_size)]


def _two_epochs(attempt, images, labels, batch_size, shuffle):
    """Words for what is wrong with two epochs of a loader; "" if nothing is."""
    orders = []
    with undisturbed():  # an attempt leaves the random numbers as they were: without new seeds two epochs are alike
        for seed in (1, 2):
            torch.manual_seed(seed)
            random.seed(seed)
            np.random.seed(seed)  # noqa: NPY002
            batches = attempt(images, labels, batch_size, shuffle)
            try:
                orders.append(_order(_pairs(batches), images, labels, batch_size, shuffle))
            except answers.Unreadable as trouble:
                return str(trouble)
    if shuffle and orders[0] == list(range(len(images))):
        return "the images still come in the order of the set: the switch changes nothing"
    if shuffle and orders[0] == orders[1]:
        return "two epochs have the same order: draw a new one for each, without a fixed seed, and keep none"
    return ""


def _pairs(batches):
    """The batches that a loader yields, as pairs of tensors on the CPU; raises Unreadable for anything else."""
    if isinstance(batches, collections.abc.Iterable) and not isinstance(batches, (list, tuple)):
        batches = Attempt(iter)(batches)  # a DataLoader, say: it must come to an end too
    if batches is not None and not isinstance(batches, (list, tuple)):
        raise answers.Unreadable(f"batches are expected, by `yield`, but you return {answers.kind(batches)}")
    if not batches:
        raise answers.Unreadable("your function yields no batches: keep the loop, and the `yield` in it")
    for batch in batches:
        if not isinstance(batch, (tuple, list)) or len(batch) != 2 or not all(map(torch.is_tensor, batch)):
            what = "dots" if answers.all_dots(batch) else answers.kind(batch).removesuffix(" (None)")
            raise answers.Unreadable(f"each batch must be a pair of tensors, X and y; yours is {what}")
    return [(X.detach().cpu(), y.detach().cpu()) for X, y in batches]


def _order(batches, images, labels, batch_size, shuffle):
    """The places in the set of an epoch's images; raises Unreadable, with what is wrong with its batches."""
    count, every = len(images), list(range(len(images)))
    sizes, expected = [len(X) if X.ndim else 0 for X, _ in batches], [len(y) for y in labels.split(batch_size)]
    for X, y in batches:
        if y.ndim == 4 and X.ndim < 4:
            raise answers.Unreadable("y comes first in your batches: X, the images, must")
        if X.ndim != 4 or X.shape[1:] != images.shape[1:] or y.shape != X.shape[:1]:
            raise answers.Unreadable(f"a batch has X of shape {answers.shape(X)} and y of shape {answers.shape(y)}, "
                                     f"expected {batch_size}×1×28×28 and {batch_size}")  # fmt: skip
    X, y = (torch.cat(parts) for parts in zip(*batches, strict=True))
    if 0 in sizes:
        raise answers.Unreadable(f"there is an empty batch: you yield {sizes}. Is there one turn of the loop too many?")
    if len(X) > count * count:
        raise answers.Unreadable(f"an epoch has {len(X):,} images, expected {count}: do you use the function's own "
                                 "`images`?")  # fmt: skip
    distances = (X.flatten(1).double()[:, None] - images.flatten(1) / 255).abs().amax(dim=2)
    if distances.amin(dim=1).max() > 1e-3:
        raise answers.Unreadable(_said_of_pixels(X))
    places = distances.argmin(dim=1)
    order, different = places.tolist(), len(places.unique())
    if words := _said_of_labels(y, places, labels):
        raise answers.Unreadable(words)
    if len(order) < count and different == len(order):
        last = ": the last, smaller batch is lost" if count - len(order) == count % batch_size else ""
        raise answers.Unreadable(f"an epoch has {len(order)} images of {count}{last}")
    if sizes != expected:
        raise answers.Unreadable(f"the batches have {answers.shown(sizes)} images, expected {expected}")
    if different < count:
        repair = "Draw one order for the whole epoch; randperm has each place once, randint has not"
        raise answers.Unreadable(f"some images come twice in an epoch: {different} different ones in {count} places"
                                 + (f". {repair}" if shuffle else ""))  # fmt: skip
    if not shuffle and order != every:
        raise answers.Unreadable("the images must keep the order of the set; yours are shuffled")
    if shuffle and order not in (every, every[::-1]) and (words := _said_of_order(order, every, expected)):
        raise answers.Unreadable(words)
    return order


def _said_of_pixels(X):
    if not X.is_floating_point():
        return "X holds whole numbers, expected floats from 0 to 1: `/` makes them, `//` and bytes do not"
    if X.max() > 1.5 or X.min() < 0:
        return f"X goes from {X.min():.3g} to {X.max():.3g}, expected floats from 0 to 1: divide by 255, and no more"
    return "X holds other pixels than the images handed over, divided by 255: do you use the function's own `images`?"


def _said_of_labels(y, places, labels):
    if y.is_floating_point():
        divided = answers.same(y, labels[places] / 255)
        return f"the labels are {'divided by 255 too' if divided else 'floats; a loss takes classes as whole numbers'}"
    if torch.equal(y.long(), labels[places]):
        return ""
    if torch.equal(y.long(), places):
        return "y holds the places of the images, not their labels"
    words = "images and labels no longer belong together: "
    if torch.equal(y.long(), labels):
        return words + "only the images are in a new order. Pick both with the same one"
    if torch.equal(places, torch.arange(len(labels))):
        return words + "only the labels are in a new order. Pick both with the same one"
    return words + "they are in two different orders. Make one order, and pick images and labels with it"


def _said_of_order(order, every, sizes):
    parts, unshuffled = ([sorted(part.tolist()) for part in torch.tensor(one).split(sizes)] for one in (order, every))
    if parts == unshuffled:
        return "you shuffle within each batch, so that the same images always meet. Shuffle the whole set, then cut"
    if sorted(parts) == sorted(unshuffled):
        return "you shuffle the batches, so that the same images always meet. Shuffle the whole set, then cut"
    follow = sum(abs(b - a) in (1, len(order) - 1) for a, b in itertools.pairwise(order))
    if follow > len(order) / 2:
        return f"{follow} of {len(order)} images still follow the same one as before: shuffle all of them"
    return ""


# In this exercise `observe` returns words for what is wrong, always the same for the same fault.
IN_WORDS = {
    "read": answers.as_it_is,
    "same": operator.eq,
    "difference": lambda words, expected: words,
}


def _numbered(count):
    images = torch.randint(256, (count, 1, 28, 28), generator=_generator(16), dtype=torch.uint8)
    return images, torch.randint(10, (count,), generator=_generator(17))


check_mini_batches = Exercise(
    task="1.3; mini_batches(images, labels, batch_size, shuffle) yields X and y, in a new order if asked to.",
    solution=_loader,
    probes=lambda: [(*_numbered(24), size, shuffle) for shuffle in (False, True) for size in (6, 7)],
    praise="Right: each epoch has a new order, each image comes once, and keeps its label.",
    untouched=lambda images, labels, batch_size, shuffle: _loader(images, labels, batch_size, False),
    still_so="Not fixed yet: the loader still does what it did.",
    observe=_two_epochs,
    **IN_WORDS,
    mistakes=[
        Mistake("Your switch works the wrong way round.", lambda x, y, size, shuffle: _loader(x, y, size, not shuffle)),
        Mistake("You always shuffle: look at `shuffle`.", lambda x, y, size, shuffle: _loader(x, y, size, True)),
    ],
)  # fmt: skip


# Exercise 1.4


def _two_sets(train, val, seed):
    """Two sets of images: the first ones darker than the last, and the second set brighter, with less contrast."""
    X_train, X_val = torch.rand(train + val, 1, 28, 28, generator=_generator(seed)).square().split([train, val])
    darker = 0.02 + X_train * torch.linspace(0.3, 0.9, train).reshape(-1, 1, 1, 1)
    return darker, (X_val * 0.7 + 0.2).masked_fill(X_val < 0.01, 0)


def _by(X, numbers):
    """X, shifted and stretched by the mean and the standard deviation of `numbers`."""
    return (X - numbers.mean()) / numbers.std()


def _both(change):
    """The result of `change(X, X_train, X_val)` for both sets."""
    return lambda a, b: (change(a, a, b), change(b, a, b))


def _val(change):
    """The normalised training set, and `change(X_train, X_val)` for the validation set."""
    return lambda a, b: (_by(a, a), change(a, b))


def _said_of_two_sets(value, expected):
    for name, X, right_X in zip(("training", "validation"), value, expected, strict=True):
        if X.shape != right_X.shape:
            return f"your {name} set has the shape {answers.shape(X)}, expected {answers.shape(right_X)}"
        if not X.isfinite().all():
            return f"your {name} set holds numbers that are infinite or NaN, not a number"
        if not answers.same(X, right_X):
            yours, ours = (f"{X.double().mean() + 1e-6:.3f}, {X.double().std():.3f}" for X in (X, right_X))
            return f"your {name} set has the mean and the standard deviation {yours}, expected {ours}"


check_normalise = Exercise(
    task="1.4; normalise(X_train, X_val): both sets, shifted and stretched by the training set's numbers.",
    solution=lambda X_train, X_val: (_by(X_train, X_train), _by(X_val, X_train)),
    probes=lambda: [_two_sets(80, 30, 14), _two_sets(150, 90, 15)],
    praise="Right: one mean and one standard deviation, from the training set, for both sets.",
    read=answers.sequence(2, answers.tensor, "the training set and the validation set"),
    difference=_said_of_two_sets,
    mistakes=[
        Sign("You return the validation set first: the training set comes first.",
             lambda sets, a, b: (sets[0].shape, sets[1].shape) == (b.shape, a.shape)),
        Sign("You return the mean and the standard deviation; the two sets, changed by them, are expected.",
             lambda sets, a, b: all(one.numel() == 1 for one in sets)),
        Mistake("Both sets come back as they were.", lambda a, b: (a, b)),
        Mistake("One set is right, but the other comes back as it was: does it get the same step, and are the numbers "
                "computed before the training set is changed?",
                lambda a, b: (_by(a, a), b), lambda a, b: (a, _by(b, a))),
        Mistake("You normalised the validation set by its own mean and standard deviation. Use those of the training "
                "set: with its own, a brighter set would look just like a darker one.", _val(lambda a, b: _by(b, b)),
                lambda a, b: [torch.nn.BatchNorm2d(1, affine=False)(X) for X in (a, b)]),
        Mistake("You took one of the validation set's own numbers: take both from the training set.",
                _val(lambda a, b: (b - a.mean()) / b.std()), _val(lambda a, b: (b - b.mean()) / a.std())),
        Mistake("You computed the mean, the standard deviation or both from the two sets together, so that training "
                "would know about the validation set: take the training set alone.",
                _both(lambda X, a, b: _by(X, torch.cat([a, b]))),
                _both(lambda X, a, b: (X - a.mean()) / torch.cat([a, b]).std()),
                _both(lambda X, a, b: (X - torch.cat([a, b]).mean()) / a.std())),
        Mistake("You took the validation set's mean, its standard deviation or both. Take the training set's.",
                _both(lambda X, a, b: _by(X, b)), _both(lambda X, a, b: (X - b.mean()) / a.std()),
                _both(lambda X, a, b: (X - a.mean()) / b.std())),
        Mistake("You divided by the variance: take its square root.", _both(lambda X, a, b: (X - a.mean()) / a.var())),
        Mistake("The mean is subtracted, but not everything is divided by the standard deviation.",
                _both(lambda X, a, b: X - a.mean()), _val(lambda a, b: b - a.mean())),
        Mistake("You did not subtract the mean.", _both(lambda X, a, b: X / a.std())),
        Mistake("You multiplied by the standard deviation.", _both(lambda X, a, b: (X - a.mean()) * a.std())),
        Mistake("You added the mean: subtract it.", _both(lambda X, a, b: (X + a.mean()) / a.std())),
        Mistake("Python divides before it subtracts: mind the brackets, for both sets.",
                _both(lambda X, a, b: X - a.mean() / a.std()), _val(lambda a, b: b - a.mean() / a.std())),
        Mistake("You exchanged the mean and the standard deviation.", _both(lambda X, a, b: (X - a.std()) / a.mean())),
        Mistake("You return the training set twice: the validation set comes second.", _val(lambda a, b: _by(a, a))),
        Mistake("You took numbers of the first images only: take all of X_train.",
                _both(lambda X, a, b: _by(X, a[:64])), _both(lambda X, a, b: _by(X, a[0]))),
        Mistake("You took numbers for each pixel; one mean and one standard deviation of all pixels are expected.",
                _both(lambda X, a, b: (X - a.mean(0)) / a.std(0)),
                lambda a, b: [(X - X.mean(0)) / X.std(0) for X in (a, b)]),
        Mistake("You took numbers for each image; one mean and one standard deviation of all pixels are expected.",
                lambda a, b: [(X - X.mean((1, 2, 3), True)) / X.std((1, 2, 3), keepdim=True) for X in (a, b)]),
        Mistake("You divided by the largest value, or stretched to 0 to 1: mean and standard deviation are expected.",
                _both(lambda X, a, b: X / a.max()), _both(lambda X, a, b: (X - a.min()) / (a.max() - a.min())),
                lambda a, b: [(X - X.min()) / (X.max() - X.min()) for X in (a, b)]),
        Mistake("F.normalize makes lengths 1.", lambda a, b: [torch.nn.functional.normalize(X) for X in (a, b)]),
        Mistake("You subtract and divide by fixed numbers of another set: compute those of X_train.",
                *[_both(lambda X, a, b, m=m, s=s: (X - m) / s)
                  for m, s in [(0.2860, 0.3530), (0.2861, 0.3530), (0.1307, 0.3081), (0.5, 0.5)]]),
    ],
)  # fmt: skip


# Exercise 1.5


def _first(labels, k, classes=range(10), skip=0):
    return torch.cat([(labels == label).nonzero().flatten()[skip:k] for label in classes])


def _places_and_counts(attempt, labels, k):
    """The places that an attempt returns, with one right answer standing for all; and how many are of each class."""
    value = attempt(labels, k)
    parts = value if isinstance(value, (list, tuple)) and not isinstance(value, answers.Yielded) else []
    if any(torch.is_tensor(part) and part.ndim for part in parts):
        raise answers.Unreadable(f"one tensor is expected, but you return {answers.kind(value)}: join the parts")
    places = answers.tensor(value)
    counts = labels[places.long()].bincount(minlength=10).tolist() if _inside(places, labels) else None
    once = counts is not None and len(places.unique()) == len(places)
    return _first(labels, k) if once and counts == [k] * 10 else places, counts


def _whole(places):
    return not (places.is_floating_point() or places.dtype in (torch.bool, torch.uint8))


def _inside(places, labels):
    return places.ndim == 1 and _whole(places) and bool(((places >= 0) & (places < len(labels))).all())


def _same_places(value, other):
    kinds = [(places.shape, places.is_floating_point(), _whole(places)) for places, _ in (value, other)]
    values = [places.double().flatten().sort().values for places, _ in (value, other)]
    return kinds[0] == kinds[1] and torch.equal(*values)


def _said_of_places(value, expected):
    (places, counts), (right_places, right_counts) = value, expected
    if places.ndim != 1 or not _whole(places):
        return answers.difference(places, right_places)
    if counts is None:
        return f"there are places from {places.min()} to {places.max()}, some outside of the set"
    return f"you take {counts} images of the classes 0 to 9, expected {right_counts}"


def _sign(words, seen):
    return Sign(words, lambda value, labels, k: bool(seen(value[0], labels, k)))


def _as_many(places, labels, k):
    return _inside(places, labels) and len(places) == 10 * k


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
    read=answers.as_it_is,
    same=_same_places,
    difference=_said_of_places,
    mistakes=[
        Mistake("You return all places of each class. Take only k of them.", lambda y, k: _first(y, 10**6)),
        Mistake("These are the first class alone: take k of each, then join.", lambda y, k: _first(y, 10**6)[:k]),
        Mistake("You took the first 10 * k of all places together. Take k of each class, then join.",
                lambda y, k: _first(y, 10**6)[: 10 * k]),
        Mistake("You look at the first k labels only. Find all places of a class first.", lambda y, k: torch.arange(k)),
        Mistake("These are the first 10 * k places, whatever their classes.", lambda y, k: torch.arange(10 * k)),
        Mistake("You return labels (the classes), not places. Where are these images?", lambda y, k: y[_first(y, k)]),
        Mistake("Your places are all one off: they count from 0.",
                lambda y, k: _first(y, k) - 1, lambda y, k: _first(y, k) + 1),
        Mistake("You take one image fewer of each class than k.",
                lambda y, k: _first(y, k - 1), lambda y, k: _first(y, k, skip=1)),
        Mistake("You take one image more of each class than k.", lambda y, k: _first(y, k + 1)),
        Mistake("You take one image of each class, not k.", lambda y, k: _first(y, 1),
                lambda y, k: torch.stack([(y == c).nonzero().flatten()[k] for c in range(10)])),
        Mistake("You take k // 10 of each class: k is that of each, not of all.", lambda y, k: _first(y, k // 10)),
        Mistake("The first place of each class comes k times.", lambda y, k: _first(y, 1).repeat(k)),
        Mistake("Class 9 is missing: the classes are 0 to 9.", lambda y, k: _first(y, k, range(9))),
        Mistake("Class 0 is missing: the classes are 0 to 9.", lambda y, k: _first(y, k, range(1, 10))),
        Mistake("That is the last class alone: does the loop keep the others?", lambda y, k: _first(y, k, [9])),
        Mistake("Your loop runs over k classes: there are ten, whatever k is.", lambda y, k: _first(y, k, range(k))),
        _sign("These are images or whole rows of them; their places are expected.",
              lambda x, y, k: x.ndim > 2 and x.numel() > 10 * k),
        _sign("These are True and False: where is it True?", lambda x, y, k: x.dtype == torch.bool),
        _sign("Bytes end at 255, and PyTorch takes them for a mask: keep the places as whole numbers of 64 bits.",
              lambda x, y, k: x.dtype == torch.uint8),
        _sign("Your places do not lie in one row: join the ten parts to one, of 10 * k places.",
              lambda x, y, k: x.ndim > 1 and x.numel() == 10 * k),
        _sign("Places are whole numbers: what made yours floats?", lambda x, y, k: x.is_floating_point()),
        _sign("All your places are of one class: take k of each of the ten.",
              lambda x, y, k: _inside(x, y) and len(y[x].unique()) == 1),
        _sign("Some places come twice, so the set would hold the same image twice.",
              lambda x, y, k: _as_many(x, y, k) and len(x.unique()) < len(x)),
        _sign("There are 10 * k places, but not k of each class.", _as_many),
        _sign("There are places outside of the set: do you use the function's own `labels`?",
              lambda x, y, k: x.ndim == 1 and not _inside(x, y)),
    ],
)  # fmt: skip


# Exercise 1.6


def _mean_images(images, labels):
    """The mean image of each class: (10, 784)."""
    return _of(images.flatten(1) / 255, labels, lambda X: X.mean(dim=0))


def _nearest(X, means, p=2):
    return torch.cdist(X, means, p=p).argmin(dim=1)


def _nearest_of_bytes(X, means):
    """Arithmetic of bytes, in which 256 is 0 again."""
    images, means = (X * 255).round().byte(), (means * 255 + 1e-3).byte()
    return torch.stack([((images - mean) ** 2).sum(dim=1) for mean in means]).argmin(dim=0)


# Wrong models, as functions of scaled images, (N, 784), and means, (10, 784).
MODELS = [
    Mistake("You answer with the farthest mean, not with the nearest.",
            lambda X, means: torch.cdist(X, means).argmax(dim=1)),
    Mistake("You compare bytes with means from 0 to 1: scale both in the same way.",
            lambda X, means: _nearest(X * 255, means)),
    Mistake("Your means are far larger than the images: are they sums, or of bytes? Or did you scale images twice?",
            lambda X, means: _nearest(X, means * 255)),
    Mistake("You multiply images and means, so that brightness counts: take section 5's distance.",
            lambda X, means: (X @ means.T).argmax(dim=1), lambda X, means: (X @ means.T).argmin(dim=1)),
    Mistake("You compare the mean brightness alone: compare an image and a mean pixel by pixel.",
            lambda X, means: (X.mean(dim=1)[:, None] - means.mean(dim=1)).abs().argmin(dim=1)),
    Mistake("You add up differences without squares, so that positive and negative ones cancel.",
            lambda X, means: (X.sum(dim=1)[:, None] - means.sum(dim=1)).argmin(dim=1),
            lambda X, means: (means.sum(dim=1) - X.sum(dim=1)[:, None]).argmin(dim=1)),
    Mistake("You take the largest difference of one pixel: section 5's distance adds up all of them.",
            lambda X, means: _nearest(X, means, float("inf"))),
    Mistake("Class 9 never comes: there are ten means.", lambda X, means: _nearest(X, means[:9])),
    Mistake("Class 0 never comes, or the classes are one off: there are ten means, 0 to 9.",
            lambda X, means: _nearest(X, means[1:])),
    Mistake("You subtract bytes, which start again at 255 below 0.", _nearest_of_bytes),
]  # fmt: skip


def _rest_of_means(images, labels, data):
    """The mean images of the training images that were not set aside: (10, 784)."""
    counts, own = (these.bincount(minlength=10)[:, None] for these in (data.train_labels, labels))
    return (_mean_images(data.train_images, data.train_labels) * counts - _mean_images(images, labels) * own) / (
        counts - own
    )


def _seen_before(answer, X, images, labels, data):
    """Words, if the model answers as if it had seen images that it must not have seen; or ""."""
    means = {
        "": _rest_of_means(images, labels, data),
        "the validation images, on which the model is measured": _mean_images(images, labels),
        "all of data.train_images, the validation images among them": _mean_images(
            data.train_images, data.train_labels
        ),
        "the test images, which are for one last score": _mean_images(data.test_images, data.test_labels),
    }
    differ = {(p, of): int((_nearest(X, means[of], p) != answer).sum()) for p in (2, 1) for of in means}
    least = min(differ, key=differ.get)
    return least[1] if differ[least] < len(X) / 1000 else ""


def _trouble_with_images(images, labels, data):
    """Words, if these are not the images and labels that were set aside; or ""."""
    here = "Measure on val_images, val_labels"
    what = [answers.kind(one) for one in (images, labels)]
    if (
        not torch.is_tensor(images)
        or images.shape[1:] != (1, 28, 28)
        or what[1:] != [f"a tensor of the shape {len(images)}"]
    ):
        return f"Validation images and their labels are expected; these are {what[0]} and {what[1]}. {here}"
    if len(images) > len(data.train_images) / 2:
        return f"These are training images, which the model has seen. {here}"
    found = [_place(image, data.train_images) for image in images[:10]]
    if None in found and all(_place(image, data.test_images) is not None for image in images[:3]):
        return f"These are test images, for one last score, and you may want to try more than once. {here}"
    if None in found:
        return "These are not images of the set as it was: has something changed them? Run section 6's split again"
    if data.train_labels[found].tolist() != labels[:10].tolist():
        return f"These are not the labels of these images. {here}"
    return ""


def _place(image, images):
    """The place of an image in the set, or None."""
    near = (images[:, 0, 14] == image[0, 14].to(images.dtype)).all(dim=1).nonzero().flatten()
    return next((int(i) for i in near if torch.equal(images[i], image)), None)


def _classes(answer, count):
    """A model's answer as one class for each of `count` images; raises Unreadable if it is something else."""
    if hasattr(answer, "indices") and not torch.is_tensor(answer):
        raise answers.Unreadable("The model answers with values and places, two tensors: the classes are the places")
    answer, words = answers.tensor(answer), ""
    if answer.shape == (count, 10):
        words = "The model answers with ten numbers for each image, the distances: which is the smallest?"
    elif answer.shape == (10,):
        words = (f"For {count} images you get 10 classes, one for each mean. Which image is nearest to a mean is the "
                 "other question: take the smallest over the ten means")  # fmt: skip
    elif answer.ndim == 1 and len(answer) > count:
        words = f"For {count} images you get {len(answer):,} classes: does `answer` use its own argument?"
    elif answer.shape != (count,):
        words = f"For {count} images your answer has the shape {answers.shape(answer)}, expected {count}: a class each"
    elif answer.is_floating_point() or answer.dtype == torch.bool:
        words = "Classes must be whole numbers from 0 to 9: are these distances, or classes turned into floats?"
    elif answer.min() < 0 or answer.max() > 9:
        words = f"You answer with classes from {answer.min()} to {answer.max()}: they are 0 to 9"
    if words:
        raise answers.Unreadable(words)
    return answer.long()


@checked
def check_mean_model(model, images, labels, data):
    """Exercise 1.6: model(images) returns a class for each image, measured on validation images, bytes, and labels.

    images: (N, 1, 28, 28); labels: (N,); data: an `ImageData`, whose test images are refused.
    """
    if not callable(model):
        return wrong(f"The model is {answers.kind(model)}; expected a function: end mean_model with `return answer`.")
    if isinstance(model, type) or getattr(model, "__name__", "") == "mean_model":
        return wrong("Hand over the model that mean_model returns: model = mean_model(train_images, train_labels).")
    if trouble := _trouble_with_images(images, labels, data):
        raise answers.Unreadable(trouble)
    attempt = Attempt(model, ["images"])
    few = attempt(images[:50])  # within 5 seconds, so that what does not end is known soon
    if few is None:
        raise answers.Unreadable(attempt.returns_nothing().replace("your function", "the model"))
    few = _classes(few, 50)
    attempt.seconds = 60  # a loop over images and means in Python is slow, but right
    answer = _classes(attempt(images), len(images))
    if attempt.manners:
        raise answers.Unreadable(attempt.manners[0])
    attempt.seed = 1
    if not torch.equal(_classes(attempt(images[:50]), 50), few):
        return wrong("Asked twice about the same images, the model gives different answers: is something random in it?")
    alone = [answers.tensor(attempt(image[None])).flatten().tolist() for image in images[:3]]
    if alone != answer[:3, None].tolist() or not torch.equal(few, answer[:50]):
        return wrong(
            "An image gets a different answer on its own than among others: the answer must depend on that image alone."
        )
    return _measured(answer, images.flatten(1) / 255, images, labels.cpu(), data)


def _measured(answer, X, images, y, data):
    """The verdict on the classes with which a model answers for the validation images."""
    share = (answer == y).double().mean().item()
    measured = f"Accuracy {share:.4f} on {len(images):,} images"
    if share > 0.97:
        return wrong(f"{measured}: the model has seen these images. Learn from train_images, train_labels only.")
    if seen := _seen_before(answer, X, images, y, data):
        return wrong(f"{measured}, but the means are those of {seen}. Learn from train_images, train_labels only.")
    if share >= LEAST:
        return right(f"{measured}. Guessing gets 0.1, section 6's memoriser about 0.8.")
    means = _rest_of_means(images, y, data)
    alike, words = max((int((gives(X, means) == answer).sum()), m.words) for m in MODELS for gives in m.gives)
    if alike > 0.99 * len(y):
        return wrong(f"{words} {measured}.")
    if len(answer.unique()) == 1:
        return wrong(f"{measured}: the model answers with class {answer[0]} for every image.")
    if sum(int(y[answer == c].bincount().max()) for c in answer.unique()) >= LEAST * len(y):
        return wrong(f"{measured}: it tells the classes apart, but the means do not match the classes' numbers. In "
                     "which order are your means?")  # fmt: skip
    where = "that is close to guessing, 0.1. Are images and means scaled in the same way, and all 784 pixels compared"
    if share >= 0.4:
        where = (
            f"the goal is {LEAST}. Do all images of a class make its mean, and is it section 5's distance: subtract, "
        )
        where += "square, add up, root"
    return wrong(f"{measured}; {where}?")


def _means_of(images, labels, of_class):
    return torch.stack([of_class(images, labels, label).mean(dim=0) for label in range(10)])


def _cut_in_two(images, labels, num_validation, places):
    """The four parts of a split; places: takes the order and num_validation, returns those of validation and the rest.

    The order is that of the chapter's own line, with seed 0.
    """
    order = torch.randperm(len(images), generator=_generator(0))
    val, train = places(order, num_validation)
    return images[train], labels[train], images[val], labels[val]


def _leaks(parts):
    """True if some image is in both sets; no two images of the probes are alike."""
    return (torch.cdist(parts[0].flatten(1).double(), parts[2].flatten(1).double()) == 0).any()


def _in_another_order(parts, images, labels, num_validation):
    """True if the parts hold the right images, and only their order is another."""
    right_parts = _cut_in_two(images, labels, num_validation, lambda order, n: (order[:n], order[n:]))
    return all(
        parts[i].shape == right_parts[i].shape and torch.equal(parts[i].unique(dim=0), right_parts[i].unique(dim=0))
        for i in (0, 2)
    )


def _said_of_parts(parts, expected):
    names = "training images", "training labels", "validation images", "validation labels"
    for name, part, right_part in zip(names, parts, expected, strict=True):
        if part.shape != right_part.shape:
            return f"your {name} have the shape {answers.shape(part)}, expected {answers.shape(right_part)}"
        if not answers.same(part, right_part):
            return f"your {name} are not the ones at the places in `order`, one by one"


def _batches(images, labels, batch_size):
    for start in range(0, len(images), batch_size):
        yield images[start : start + batch_size] / 255, labels[start : start + batch_size]


def _pieces(cut):
    """Batches whose images and labels are `cut(images or labels, start, batch_size)`."""
    return lambda images, labels, size: [
        (cut(images / 255, start, size), cut(labels, start, size)) for start in range(0, len(images), size)
    ]


def _one_epoch(attempt, images, labels, batch_size):
    """Words for what is wrong with an epoch's batches; "" if nothing is."""
    try:
        pairs = _pairs(attempt(images, labels, batch_size))
        _order(pairs, images, labels, batch_size, False)
    except answers.Unreadable as trouble:
        return str(trouble)
    if any(X.dtype != torch.float32 or y.dtype != labels.dtype for X, y in pairs):  # the next cell compares with these
        return "the numbers are right, but not their type: `images[...] / 255` and `labels[...]` need no other step"
    return ""


def _read_bytes(value):
    """A tensor of bytes, with which the chapter's next cell compares; raises Unreadable for anything else."""
    images = _read_tensor(value, "images")
    if images.dtype != torch.uint8:
        raise answers.Unreadable("Keep the bytes as they are: other numbers, such as floats, are made later")
    return images


def _images_in(path, shaped=torch.Tensor.reshape):
    """The images in an IDX file; shaped(pixels, count, rows, columns): a function that shapes the row of pixels."""
    magic, *sizes = struct.unpack(">4I", gzip.decompress(path.read_bytes())[:16])
    assert magic == 8 * 256 + 3, "this is not an IDX file of images"  # as in the chapter
    return shaped(_bytes(path, 16), *sizes)


BLANKS = {  # functions that the chapter's text leaves to the student, see blank.py
    "read_images": Exercise(
        task="1, section 3; read_images(path): the images in a gzip IDX file, (count, rows, columns).",
        solution=lambda path: _images_in(path),
        probes=lambda: [
            (torch.arange(24, dtype=torch.uint8).reshape(2, 3, 4),),
            (torch.arange(240, dtype=torch.uint8).reshape(5, 8, 6),),
        ],
        praise="Right: one size after the other, as the pixels lie in the file.",
        observe=_from_file,
        read=_read_bytes,
        mistakes=[
            *[Mistake(words, lambda path, shaped=shaped: _images_in(path, shaped)) for words, shaped in {
                "That is still one long row: reshape needs all three sizes.": lambda pixels, n, rows, columns: pixels,
                "You have rows and columns the wrong way round: an image is stored row by row.":
                    lambda pixels, n, rows, columns: pixels.reshape(n, columns, rows),
                "The number of images comes first: they lie in the file one after the other.":
                    lambda pixels, n, rows, columns: pixels.reshape(rows, columns, n),
                "Your images have no rows: keep rows and columns apart.":
                    lambda pixels, n, rows, columns: pixels.reshape(n, rows * columns),
                "There is no channel in the file: three sizes are expected, (count, rows, columns).":
                    lambda pixels, n, rows, columns: pixels.reshape(n, 1, rows, columns),
                "That is the first image alone.": lambda pixels, n, rows, columns: pixels.reshape(n, rows, columns)[0],
                "These sizes do not fit the check's small files: take the last three numbers of `header`.":
                    lambda pixels, n, rows, columns: pixels.reshape(60_000, 28, 28),
            }.items()],
        ],
    ),
    "mean_images": Exercise(
        task="1, section 5; mean_images(images, labels): (N, 1, 28, 28) bytes to the mean image of each class.",
        solution=lambda images, labels: _means_of(images, labels, lambda X, y, label: X[y == label] / 255),
        probes=lambda: [_bright(20, 3, _flat, 204), _bright(80, 12, _noise, 250)],
        praise="Right: the images of one class, as floats.",
        mistakes=[
            *[Mistake(words, lambda images, labels, of_class=of_class: _means_of(images, labels, of_class))
              for words, of_class in {
                "You have floats, but from 0 to 255: divide by 255.": lambda X, y, label: X[y == label].float(),
                "You divided by 255 twice.": lambda X, y, label: X[y == label] / 255 / 255,
                "You divided by 256, but white is 255.": lambda X, y, label: X[y == label] / 256,
                "You took the first image of the class alone: take all of them.":
                    lambda X, y, label: X[y == label][:1] / 255,
                "You took all images: pick those whose label is the class, labels == label.":
                    lambda X, y, label: X / 255,
                "You took the images of all other classes: == is true for the class itself.":
                    lambda X, y, label: X[y != label] / 255,
                "You picked one image by its place in the set: pick all images by their label.":
                    lambda X, y, label: X[label] / 255,
                "You picked by a class that never changes: compare the labels with `label`.":
                    lambda X, y, label: X[y == 0] / 255,
                "You picked class 3 in every turn: compare the labels with `label`.":
                    lambda X, y, label: X[y == 3] / 255,
                "`labels` holds classes, not places: labels == label says which images are meant.":
                    lambda X, y, label: X[y] / 255,
                "`//` cuts the decimals off: `/` keeps them.": lambda X, y, label: (X[y == label] // 255).float(),
            }.items()],
        ],
    ),
    "split": Exercise(
        task="1, section 6; split(images, labels, num_validation): training and validation images and labels.",
        solution=lambda images, labels, num_validation: _cut_in_two(
            images, labels, num_validation, lambda order, n: (order[:n], order[n:])
        ),
        # Sets of 32 places or more: a shorter list of tensors, [order[i] for i in ...], counts as several indices.
        probes=lambda: [(*_numbered(70), 33), (*_numbered(120), 40)],
        praise="Right: each image is in one set, and in one only.",
        read=answers.sequence(4, answers.tensor, "images and labels for training, then for validation"),
        difference=_said_of_parts,
        mistakes=[
            *[Mistake(words, *[lambda images, labels, num_validation, places=one: _cut_in_two(
                images, labels, num_validation, places) for one in places])
              for words, *places in (
                ("You have the two sets the wrong way round: the first num_validation places are for validation.",
                 lambda order, n: (order[n:], order[:n])),
                ("Your training set still holds the validation images, so that they are no longer new: take the other "
                 "places alone.", lambda order, n: (order[:n], order)),
                ("That would be a fair split too. But take the first places of the order for validation, and the rest "
                 "for training, so that everyone has the same images.", lambda order, n: (order[-n:], order[:-n])),
                ("You did not use `order`: these are the first images of the file, not random ones.",
                 lambda order, n: (torch.arange(n), torch.arange(n, len(order))),
                 lambda order, n: (slice(n), slice(n, None))),
                ("That is a single place, not a set of them: `order[:n]` is a slice, `order[n]` one number.",
                 lambda order, n: (order[n], order[n:]), lambda order, n: (order[:n], order[n])),
                ("One image is in neither set: the second slice begins where the first ends, and goes on to the end.",
                 lambda order, n: (order[:n], order[n + 1 :]), lambda order, n: (order[:n], order[n:-1])),
                ("You took one image too few for validation: `order[:n]` has n places.",
                 lambda order, n: (order[: n - 1], order[n - 1 :])),
                ("You took a number of your own: num_validation says how many images are for validation.",
                 lambda order, n: (order[:1000], order[1000:]),
                 lambda order, n: (order[: len(order) // 10], order[len(order) // 10 :])),
                ("You took one image too many for validation: the end of a slice does not count.",
                 lambda order, n: (order[: n + 1], order[n + 1 :])),
            )],
            Sign("Some images are in both sets, so that they are no longer new: the two slices overlap.",
                 lambda parts, images, labels, n: parts[0].ndim == parts[2].ndim == 4 and bool(_leaks(parts))),
            Sign("These are the right images, but in another order: take the rest of `order` as a slice, so that "
                 "everyone has the same.", _in_another_order),
        ],
    ),
    "batches": Exercise(
        task="1, section 7; batches(images, labels, batch_size) yields X and y.",
        solution=_batches,
        probes=lambda: [(*_numbered(24), size) for size in (6, 7, 2)],
        praise="Right: each image comes once, with its label.",
        observe=_one_epoch,
        **IN_WORDS,
        mistakes=[
            Mistake("Your slice ends at batch_size, in every batch: it must end batch_size places after it starts.",
                    _pieces(lambda X, start, size: X[start:size])),
            Mistake("You count in batches, but start counts images already: do not multiply it.",
                    _pieces(lambda X, start, size: X[start * size : (start + 1) * size])),
            Mistake("You take the first images again and again: begin at start.",
                    _pieces(lambda X, start, size: X[:size])),
            Mistake("Your slice has no end, or a fixed one: it must end batch_size places after it starts.",
                    _pieces(lambda X, start, size: X[start:])),
            Mistake("Your slice ends one too early: the end of a slice does not count.",
                    _pieces(lambda X, start, size: X[start : start + size - 1])),
            Mistake("Your slice is one too long: the end of a slice does not count.",
                    _pieces(lambda X, start, size: X[start : start + size + 1])),
        ],
    ),
}  # fmt: skip
