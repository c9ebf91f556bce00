"""Split one heap of images for training and testing: alike on every machine, near copies on one side (chapter 1)."""

import hashlib

import torch
from torch.nn import functional as F

TESTED = 5  # every fifth image of a class is a test image
# Two images whose correlation at 14×14 is above this are near copies. Measured: an image enlarged to 640×480, saved as
# JPEG of quality 40 and read again has 0.996 or more with its original, a darker one 1.0; of 5,000 different images of
# Fashion-MNIST, 14 exceed it with another one, and none of MNIST's. A copy shifted by a pixel or more is not found.
ALMOST, SIDE = 0.995, 14
MOST = 20_000  # images that are compared pairwise, in half a minute on two cores; among more, only equal ones are found


def split(images, labels, keys=None, names=None):
    """The indices of the training and of the test images, each in an order decided by content; and notes, as texts.

    images: (N, channels, height, width) bytes; labels: (N,); keys: a text per image that identifies its content, such
    as its file's hash; None hashes the pixels; names: of the images, for the notes. Every fifth image of a class is a
    test image, or the second of two; near copies stay together. Dates and the order of the files do not matter.
    """
    keys = [hashlib.sha256(image.numpy().tobytes()).hexdigest() for image in images] if keys is None else keys
    groups = _groups(images, keys)
    counts = labels.bincount()
    room = torch.where(counts > 1, (counts / TESTED).round().clamp(min=1), 0).long()
    is_test = torch.zeros(len(labels), dtype=torch.bool)
    for group in sorted(groups, key=lambda group: min(keys[i] for i in group)):
        wanted = labels[group].bincount(minlength=len(room))
        if (wanted <= room).all():
            room -= wanted
            is_test[group] = True
    order = torch.tensor(sorted(range(len(keys)), key=lambda i: (keys[i], int(labels[i]))), dtype=torch.long)
    return order[~is_test[order]], order[is_test[order]], _notes(groups, labels, names)


def _groups(images, keys):
    """Lists of indices: each image together with its near copies, or alone if it has none."""
    root = list(range(len(images)))

    def find(i):
        while root[i] != i:
            root[i] = i = root[root[i]]
        return i

    first = {}
    for i, key in enumerate(keys):
        root[find(i)] = find(first.setdefault(key, i))
    if len(images) <= MOST:
        for i, j in _alike(images):
            root[find(i)] = find(j)
    groups = {}
    for i in range(len(images)):
        groups.setdefault(find(i), []).append(i)
    return list(groups.values())


def _alike(images):
    """The pairs of indices of images whose correlation at 14×14 exceeds ALMOST."""
    small = torch.cat([F.adaptive_avg_pool2d(part.float(), SIDE).flatten(1) for part in images.split(1000)])
    small -= small.mean(dim=1, keepdim=True)
    small /= small.norm(dim=1, keepdim=True).clamp(min=1e-6)  # a uniform image correlates with none
    for start in range(0, len(small), 1000):
        rows, columns = (small[start : start + 1000] @ small[start:].T > ALMOST).nonzero(as_tuple=True)
        above = rows < columns
        yield from zip((rows[above] + start).tolist(), (columns[above] + start).tolist(), strict=True)


def _notes(groups, labels, names):
    copies = [group for group in groups if len(group) > 1]
    if not copies:
        return []
    count = sum(map(len, copies))
    notes = [f"{count:,} images are almost equal to others: such images are kept on one side of the split."]
    if doubtful := [group for group in copies if len(labels[group].unique()) > 1]:
        one = doubtful[0]
        other = next(i for i in one if labels[i] != labels[one[0]])
        pair = " and ".join(names[i] if names else f"number {i}" for i in (one[0], other))
        notes.append(f"in {len(doubtful):,} of these groups the labels differ, as for {pair}: only one can be right.")
    return notes
