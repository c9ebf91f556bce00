"""Checks of chapter 1's exercises."""

import gzip
import struct
import tempfile
from pathlib import Path

import torch

from helpers.checks.old import NOT_YET, Verdict, checked, wrong

LEAST = 0.66  # accuracy; the nearest of ten means reaches 0.685 with all images, 0.714 with the sample


@checked
def check_mean_brightness(mean_brightness):
    """Exercise 1.1: mean_brightness(images, labels) returns the mean pixel value of each class, 0 to 1."""
    generator = torch.Generator().manual_seed(12)
    labels = torch.arange(10).repeat_interleave(torch.arange(3, 13))[torch.randperm(75, generator=generator)]
    images = torch.randint(256, (75, 1, 28, 28), generator=generator)
    images = (images * (labels + 2).reshape(-1, 1, 1, 1) // 12).to(torch.uint8)  # each class has its own brightness
    scaled = images / 255
    expected = torch.stack([scaled[labels == label].mean() for label in range(10)])
    try:
        answer = mean_brightness(images, labels)
    except RuntimeError as error:
        if "mean(): could not infer output dtype" not in str(error):
            raise
        return wrong("You take the mean of bytes, but bytes have no mean: divide by 255 first.")
    if answer is ...:
        return NOT_YET
    answer = _as_tensor(answer)
    if answer is None or not answer.is_floating_point():
        return wrong("A tensor of ten numbers from 0 to 1 is asked for: one mean for each class.")
    if answer.numel() == 1:
        return wrong("You return one number for all images. Take one mean for each class: images[labels == label].")
    if answer.shape[0] == 10 and answer.ndim > 1:
        return wrong(
            f"Your answer has shape {tuple(answer.shape)}: these are mean images. For one number a class, take the "
            "mean over everything: .mean() without dim."
        )
    if answer.shape != (10,):
        return wrong(f"Your answer has shape {tuple(answer.shape)}; expected (10,): one number for each class.")
    if _close(answer, expected):
        return Verdict(True, "Right: one mean for each class, on the scale from 0 to 1.")
    if _close(answer / 255, expected):
        return wrong(f"Your means go up to {answer.max():.0f}: you did not scale. Divide the bytes by 255.")
    sums = expected * labels.bincount() * 28 * 28
    if _close(answer, sums) or _close(answer, sums * 255):
        return wrong("These are sums, not means: a class with more images gets a larger number. Use .mean().")
    if _close(answer * labels.bincount() / len(labels), expected) or _close(
        answer, expected * labels.bincount() / len(labels)
    ):
        return wrong("You divided by the number of all images. Divide by the number of images of the class.")
    worst = int((answer - expected).abs().argmax())
    return wrong(
        f"For class {worst} you return {answer[worst]:.3f}; expected {expected[worst]:.3f}. "
        "Do you take exactly the images with labels == label, of the function's own images and labels?"
    )


@checked
def check_read_labels(read_labels):
    """Exercise 1.2: read_labels(path) returns the labels in a gzip IDX file."""
    labels = torch.randint(10, (300,), generator=torch.Generator().manual_seed(11), dtype=torch.uint8)
    raw = struct.pack(">2I", 8 * 256 + 1, len(labels)) + bytes(labels.tolist())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labels-idx1-ubyte.gz"
        packed = gzip.compress(raw)
        path.write_bytes(packed)
        answer = read_labels(path)
    if answer is ...:
        return NOT_YET
    if not torch.is_tensor(answer):
        return wrong(f"Your function returns {_kind(answer)}, but a tensor is asked for: try torch.frombuffer.")
    if answer.ndim != 1:
        return wrong(f"Your labels have shape {tuple(answer.shape)}; expected (300,): labels have one size only.")
    if 0 < len(answer) <= len(packed) and answer.tolist() == list(packed[-len(answer) :]):
        return wrong("These are bytes of the compressed file, not labels: did you unpack it with gzip.decompress?")
    if len(answer) == len(labels) - 8 and torch.equal(answer.long(), labels[8:].long()):
        return wrong(
            "Your first 8 labels are missing: you skipped 16 bytes, as for images. The header of a labels file "
            "has two numbers of four bytes: try offset=8."
        )
    if len(answer) == len(raw):
        return wrong(
            "You have 8 labels too many: you read the header as labels. Start after its two numbers: offset=8."
        )
    if len(answer) != len(labels):
        return wrong(f"You read {len(answer)} labels, but the file holds {len(labels)}. Where do they start?")
    if not torch.equal(answer.long(), labels.long()):
        return wrong(
            f"The number of labels is right, but not their values: yours begin {answer[:5].tolist()}, "
            f"those of the file {labels[:5].tolist()}. Each label is one byte: dtype=torch.uint8."
        )
    return Verdict(True, "Right: 8 bytes of header, then one byte for each label.")


@checked
def check_mini_batches(mini_batches):
    """Exercise 1.3: mini_batches(images, labels, batch_size, shuffle) yields X and y, in a new order where asked to."""
    count, batch_size = 23, 5
    labels = torch.arange(count)  # an image says by its brightness which label belongs to it
    images = (10 * labels).to(torch.uint8).reshape(-1, 1, 1, 1).repeat(1, 1, 28, 28)
    unshuffled = {frozenset(ids.tolist()) for ids in labels.split(batch_size)}
    epochs = []
    for shuffle in (False, True, True):
        given = images.clone(), labels.clone()
        batches = mini_batches(*given, batch_size, shuffle=shuffle)
        if batches is ...:
            return NOT_YET
        batches = list(batches) if hasattr(batches, "__iter__") else []
        if not batches:
            return wrong(f"With shuffle={shuffle} your function yields no batches. Keep the loop, and the yield in it.")
        if not torch.equal(given[0], images) or not torch.equal(given[1], labels):
            return wrong("You change the order of the images that were handed over. Leave them, and pick from them.")
        trouble = _trouble_in_batches(batches)
        if trouble:
            return wrong(trouble)
        shown = [(X[:, 0, 0, 0] * 25.5).round().long() for X, _ in batches]
        if any(not torch.equal(ids, y) for ids, (_, y) in zip(shown, batches, strict=True)):
            return wrong(
                "Images and labels no longer belong together: they are in two different orders. Make one order, "
                "and pick images and labels with it."
            )
        order = torch.cat(shown).tolist()
        if len(set(order)) < len(order):
            return wrong(
                f"Some images come twice in an epoch: {len(set(order))} different ones in {len(order)} places. "
                "Draw one order for the whole epoch, before the loop; randperm has each place once, randint has not."
            )
        if len(order) < count:
            return wrong(f"An epoch has {len(order)} images of {count}: the last, smaller batch is lost.")
        if shuffle and order != labels.tolist() and {frozenset(ids.tolist()) for ids in shown} == unshuffled:
            return wrong(
                "Each batch holds the same images as without shuffling: you shuffle within the batches, or the "
                "batches. Shuffle the whole set, then cut."
            )
        sizes = [len(ids) for ids in shown]
        if sizes != [5, 5, 5, 5, 3]:
            return wrong(f"23 images in batches of 5 give {sizes}; expected [5, 5, 5, 5, 3].")
        if not shuffle and order != labels.tolist():
            return wrong("With shuffle=False the images must keep the order of the set. Yours are shuffled too.")
        epochs.append(order)
    _, first, second = epochs
    if first == labels.tolist():
        return Verdict(None, "Not mended yet: shuffle=True still gives the order of the set.")
    if first == second:
        return wrong("Two epochs have the same order. Draw a new one each time, without a fixed seed.")
    return Verdict(True, "Right: each epoch has a new order, each image comes once, and keeps its label.")


def _trouble_in_batches(batches):
    """In words, what is wrong with the kind of these batches; None where each is a pair of X and y."""
    for batch in batches:
        if not isinstance(batch, (tuple, list)) or len(batch) != 2 or not all(map(torch.is_tensor, batch)):
            return "Each batch must be a pair of tensors: yield X, y."
        X, y = batch
        if X.ndim != 4 or X.shape[1:] != (1, 28, 28) or y.shape != X.shape[:1]:
            return (
                f"A batch has X of shape {tuple(X.shape)} and y of shape {tuple(y.shape)}; expected "
                "(batch, 1, 28, 28) and (batch,)."
            )
        if not X.is_floating_point() or X.max() > 1:
            return f"X must be floats from 0 to 1, but its largest value is {X.max():.0f}: keep the division by 255."
    return None


@checked
def check_normalise(normalise):
    """Exercise 1.4: normalise(X_train, X_val) returns both, shifted and stretched by the training set's numbers."""
    generator = torch.Generator().manual_seed(14)
    X_train = torch.rand(60, 1, 28, 28, generator=generator) ** 2
    X_val = torch.rand(30, 1, 28, 28, generator=generator) ** 2 * 0.7 + 0.2  # brighter, with less contrast
    mean, std = X_train.mean(), X_train.std()
    both = torch.cat([X_train, X_val])
    answer = normalise(X_train.clone(), X_val.clone())
    if answer is ... or (isinstance(answer, (list, tuple)) and any(part is ... for part in answer)):
        return NOT_YET
    if not isinstance(answer, (list, tuple)) or len(answer) != 2 or not all(map(torch.is_tensor, answer)):
        return wrong("Return two tensors: return normalised_train, normalised_val.")
    train, val = answer
    if train.shape != X_train.shape or val.shape != X_val.shape:
        return wrong(
            f"Shapes must stay as they are: {tuple(X_train.shape)} and {tuple(X_val.shape)}; "
            f"you return {tuple(train.shape)} and {tuple(val.shape)}."
        )
    if _close(train, (X_train - mean) / std, 2e-3):
        if _close(val, (X_val - mean) / std, 2e-3):
            return Verdict(True, "Right: one mean and one standard deviation, from the training set, for both sets.")
        if _close(val, (X_val - X_val.mean()) / X_val.std(), 2e-3):
            return wrong(
                "The validation set is normalised with its own mean and standard deviation. Use those of the "
                "training set: with its own, a brighter set would look just like a darker one."
            )
        if _close(val, X_val):
            return wrong("The training set is right, but the validation set is unchanged. It needs the same step.")
        return wrong("The training set is right, the validation set is not: use the same two numbers for it.")
    if _close(train, (X_train - both.mean()) / both.std(), 2e-3):
        return wrong(
            "You computed the mean over both sets together. So knowledge of the validation set reaches the "
            "training: take the training set alone."
        )
    if _close(train, (X_train - X_val.mean()) / X_val.std(), 2e-3):
        return wrong("You took the validation set's mean and standard deviation. Take the training set's.")
    if _close(train, (X_train - mean) / std**2, 2e-3):
        return wrong("You divided by the variance. Divide by the standard deviation, .std(), its square root.")
    if _close(train, X_train - mean, 2e-3):
        return wrong("The mean is 0 now, but you did not divide by the standard deviation.")
    if _close(train, X_train / std, 2e-3):
        return wrong("You divided by the standard deviation, but did not subtract the mean.")
    if _close(train, X_train - mean / std, 2e-3):
        return wrong("Python divides before it subtracts: write (X - mean) / std, with the brackets.")
    if _close(train, (X_train - X_train.mean(dim=0)) / X_train.std(dim=0), 2e-3):
        return wrong("You took a mean for each pixel (dim=0). Here one mean for all pixels is asked for: .mean().")
    return wrong(
        f"Your training set has mean {train.float().mean():.3f} and standard deviation {train.float().std():.3f}; "
        "expected 0 and 1. Write (X - mean) / std."
    )


@checked
def check_balanced_subset(balanced_subset):
    """Exercise 1.5: balanced_subset(labels, k) returns the places of k images of each class."""
    labels = torch.randint(10, (600,), generator=torch.Generator().manual_seed(15))
    k = 7
    answer = balanced_subset(labels.clone(), k)
    if answer is ...:
        return NOT_YET
    answer = _as_tensor(answer)
    if answer is None:
        return wrong("Return one tensor of places; torch.cat joins a list of tensors.")
    if answer.dtype == torch.bool:
        return wrong("These are True and False. Places are whole numbers: .nonzero().flatten() gives them.")
    if answer.is_floating_point():
        return wrong("Places are whole numbers, but yours are floats: leave out the division, or the .float().")
    if answer.ndim != 1:
        return wrong(
            f"Your places have shape {tuple(answer.shape)}; expected ({10 * k},): after .nonzero() use .flatten(), "
            "and join with torch.cat, not with torch.stack."
        )
    if torch.equal(answer.sort().values, torch.arange(10).repeat_interleave(k)):
        return wrong("You return labels (the classes), not places. Where in the set do these images lie?")
    if len(answer) and (answer.min() < 0 or answer.max() >= len(labels)):
        return wrong(f"Place {int(answer.max())} is outside of the set: its places are 0 to {len(labels) - 1}.")
    if len(answer) == k:
        return wrong(f"You return {k} places: those of one class, or {k} in all. k images of each class: {10 * k}.")
    if len(answer.unique()) < len(answer):
        return wrong("Some places come twice, so the set would hold the same image twice.")
    counts = labels[answer.long()].bincount(minlength=10)
    if bool((counts == k).all()):
        return Verdict(True, f"Right: {k} images of each class, {10 * k} in all, no image twice.")
    if torch.equal(counts, labels.bincount(minlength=10)):
        return wrong(f"You return all places of each class. Take only the first {k} of them: [:k].")
    return wrong(f"Images of each class: {counts.tolist()}; expected {k} of each. Take [:k] of each class by itself.")


@checked
def check_mean_model(model, images, labels, data):
    """Exercise 1.6: model(images) returns a class for each image, measured on validation images, bytes, and labels.

    images: (N, 1, 28, 28); labels: (N,); data: an `ImageData`, whose test images are refused.
    """
    if model is ...:
        return NOT_YET
    if not callable(model):
        return wrong(f"The model is {_kind(model)}; expected a function, so end mean_model with `return answer`.")
    if not torch.is_tensor(images) or images.shape[1:] != (1, 28, 28) or len(images) != len(labels):
        return wrong("Measure on validation images and their labels: val_images, val_labels.")
    if all((data.test_images == image).flatten(1).all(dim=1).any() for image in images[:3]):
        return wrong(
            "These are test images. They are for one last score, and you may want to try more than once: "
            "measure on val_images, val_labels."
        )
    if len(images) > len(data.train_images) / 2:
        return wrong("These are training images, which the model has seen: measure on val_images, val_labels.")
    answer = model(images)
    if answer is ...:
        return NOT_YET
    answer = _as_tensor(answer)
    if answer is None:
        return wrong("The model must answer with one tensor: the class of each image.")
    if answer.shape == (len(images), 10):
        return wrong("The model answers with ten numbers an image. Which is the smallest? Try .argmin(dim=1).")
    if answer.shape != labels.shape:
        return wrong(
            f"For {len(images):,} images the answer has shape {tuple(answer.shape)}; expected {tuple(labels.shape)}: "
            "one class for each image. Do you take the smallest over the ten means?"
        )
    if answer.is_floating_point() or answer.dtype == torch.bool or answer.min() < 0 or answer.max() > 9:
        return wrong("The model must answer with classes: whole numbers from 0 to 9, the places of the nearest means.")
    if any(_as_tensor(model(images[i : i + 1])).tolist() != [int(answer[i])] for i in range(3)):
        return wrong("An image alone gets another answer than among others. Take the means of training images only.")
    share = (answer == labels).float().mean().item()
    measured = f"Accuracy {share:.3f} on {len(images):,} images"
    if share < 0.05:
        return wrong(f"{measured}: worse than guessing. Do you take the farthest mean? argmin finds the nearest.")
    if share < 0.4:
        return wrong(
            f"{measured}: too near to guessing, 0.1. Are images and means scaled? Do you subtract bytes, which "
            "start again at 255 below 0? Do you add up the squares over all 784 pixels?"
        )
    if share < LEAST:
        return wrong(f"{measured}; the goal is {LEAST}. Take section 4's distance: subtract, square, add up, root.")
    if share > 0.97:
        return wrong(f"{measured}: the model has seen these images. Learn from train_images, train_labels only.")
    return Verdict(True, f"{measured} that it has never seen. Guessing has 0.1, section 5's memoriser about 0.8.")


def _kind(answer):
    return "nothing: is a return missing?" if answer is None else f"a {type(answer).__name__}"


def _as_tensor(answer):
    """`answer` as a tensor, or None where it cannot be one."""
    try:
        return torch.as_tensor(answer).detach().cpu()
    except (TypeError, ValueError, RuntimeError):
        return None


def _close(answer, expected, tolerance=1e-4):
    return answer.shape == expected.shape and torch.allclose(answer.float(), expected, rtol=1e-4, atol=tolerance)
