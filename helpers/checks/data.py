"""Checks of chapter 1's exercises."""

import gzip
import struct
import tempfile
from pathlib import Path

import torch

from helpers.checks.verdict import NOT_YET, Verdict, wrong


def check_read_labels(read_labels):
    """Exercise 1.1: read_labels(path) returns the labels in a gzip IDX file."""
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


def check_mean_brightness(mean_brightness):
    """Exercise 1.2: mean_brightness(images, labels) returns the mean pixel value of each class, 0 to 1."""
    generator = torch.Generator().manual_seed(12)
    labels = torch.arange(10).repeat_interleave(torch.arange(3, 13))[torch.randperm(75, generator=generator)]
    images = torch.randint(256, (75, 1, 28, 28), generator=generator)
    images = (images * (labels + 2).reshape(-1, 1, 1, 1) // 12).to(torch.uint8)  # each class has its own brightness
    scaled = images / 255
    expected = torch.stack([scaled[labels == label].mean() for label in range(10)])
    try:
        answer = mean_brightness(images, labels)
    except NotImplementedError as error:
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
        "Do you take exactly the images with labels == label?"
    )


def check_batch_sizes(batch_sizes):
    """Exercise 1.3: batch_sizes(num_images, batch_size) returns the sizes of all batches of one epoch."""
    for num_images, batch_size in [(1000, 300), (900, 300), (50, 64), (60_000, 256)]:
        answer = batch_sizes(num_images, batch_size)
        if answer is ...:
            return NOT_YET
        if torch.is_tensor(answer):
            answer = answer.tolist()
        if not isinstance(answer, (list, tuple)):
            return wrong(f"Your function returns {_kind(answer)}, but a list is asked for, such as [4, 4, 2].")
        answer, full = list(answer), num_images // batch_size
        expected = [batch_size] * full + [num_images % batch_size] * (num_images % batch_size > 0)
        if answer == expected:
            continue
        case = f"For {num_images:,} images in batches of {batch_size}"
        if answer == [*expected, 0]:
            return wrong(f"{case} you add an empty batch at the end: there is no rest here.")
        if answer == expected[:full]:
            return wrong(f"{case} the last, smaller batch is missing: {expected[-1]} images are lost.")
        if answer == [batch_size] * len(expected):
            return wrong(
                f"{case} your sizes add up to {sum(answer):,}: the last batch is smaller, {expected[-1]} images."
            )
        if len(answer) == len(expected):
            return wrong(
                f"{case} the number of batches is right, but not the sizes: you end with {answer[-1]}; "
                f"expected {expected[-1]}."
            )
        return wrong(f"{case} you return {len(answer)} batches; expected {len(expected)}.")
    return Verdict(True, "Right: also when there is no rest, and when one batch holds everything.")


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
        return wrong("Places are whole numbers, but yours have a fraction part: leave the division out.")
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
        return wrong(f"You return {k} places: those of one class, or {k} in all. k images of *each* class: {10 * k}.")
    if len(answer.unique()) < len(answer):
        return wrong("Some places come twice, so the set would hold the same image twice.")
    counts = labels[answer.long()].bincount(minlength=10)
    if bool((counts == k).all()):
        return Verdict(True, f"Right: {k} images of each class, {10 * k} in all, no image twice.")
    if torch.equal(counts, labels.bincount(minlength=10)):
        return wrong(f"You return all places of each class. Take only the first {k} of them: [:k].")
    return wrong(f"Images of each class: {counts.tolist()}; expected {k} of each. Take [:k] of each class by itself.")


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
