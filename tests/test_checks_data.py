"""Chapter 1's checks: the right answer passes, the stub is not done yet, each typical mistake gets its own message."""

import gzip
import struct

import pytest
import torch

from helpers import checks


def stub(*args):
    return ...


def idx_labels(offset=8):
    def read_labels(path):
        raw = gzip.decompress(path.read_bytes())
        return torch.frombuffer(bytearray(raw), dtype=torch.uint8, offset=offset)

    return read_labels


def idx_labels_after_struct(path):
    raw = gzip.decompress(path.read_bytes())
    _, count = struct.unpack(">2I", raw[:8])
    return torch.tensor(list(raw[8 : 8 + count]))


def packed_labels(offset):
    return lambda path: torch.frombuffer(bytearray(path.read_bytes()), dtype=torch.uint8, offset=offset)


def brightness(images, labels):
    return torch.stack([(images[labels == label] / 255).mean() for label in range(10)])


def sizes(num_images, batch_size):
    return [min(batch_size, num_images - start) for start in range(0, num_images, batch_size)]


def normalise(X_train, X_val):
    mean, std = X_train.mean(), X_train.std()
    return (X_train - mean) / std, (X_val - mean) / std


def each(X):
    return (X - X.mean()) / X.std()


def subset(labels, k):
    return torch.cat([(labels == label).nonzero().flatten()[:k] for label in range(10)])


CHECKS = {
    checks.check_read_labels: [idx_labels(), idx_labels_after_struct],
    checks.check_mean_brightness: [
        brightness,
        lambda images, labels: [float((images[labels == c] / 255).mean()) for c in range(10)],
        lambda images, labels: torch.stack([images[labels == c].double().mean() / 255 for c in range(10)]),
    ],
    checks.check_batch_sizes: [sizes, lambda n, size: [len(part) for part in torch.arange(n).split(size)]],
    checks.check_normalise: [
        normalise,
        lambda a, b: [(X - a.mean()) / a.std(unbiased=False) for X in (a, b)],
    ],
    checks.check_balanced_subset: [subset, lambda labels, k: subset(labels, k).flip(0).tolist()],
}


@pytest.mark.parametrize("check", CHECKS)
def test_right_answers_pass(check):
    for answer in CHECKS[check]:
        assert check(answer), check(answer)


@pytest.mark.parametrize("check", CHECKS)
def test_stub_is_not_yet(check):
    assert check(stub) is checks.NOT_YET


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("nonsense", [None, "a word", 3, [], torch.zeros(2, 2), object()], ids=str)
def test_nonsense_gets_words(check, nonsense):
    verdict = check(lambda *args: nonsense)
    assert verdict.right is False and len(verdict.message) > 20


def test_another_error_in_the_function_is_the_students_to_see():
    def unfinished(images, labels):
        raise NotImplementedError("later")

    with pytest.raises(NotImplementedError, match="later"):
        checks.check_mean_brightness(unfinished)


def test_half_done_pair_is_not_yet():
    assert checks.check_normalise(lambda a, b: (a, ...)) is checks.NOT_YET


@pytest.mark.parametrize(
    "check, answer, word",
    [
        (checks.check_read_labels, idx_labels(16), "first 8 labels are missing"),
        (checks.check_read_labels, idx_labels(0), "8 labels too many"),
        (checks.check_read_labels, lambda path: gzip.decompress(path.read_bytes())[8:], "bytes"),
        (checks.check_read_labels, lambda path: idx_labels()(path).flip(0), "not their values"),
        (checks.check_read_labels, lambda path: idx_labels()(path)[:-1], "299"),
        (checks.check_read_labels, packed_labels(0), "gzip"),
        (checks.check_read_labels, packed_labels(8), "gzip"),
        (checks.check_read_labels, packed_labels(16), "gzip"),
        (checks.check_mean_brightness, lambda x, y: [x[y == c].mean() for c in range(10)], "bytes have no mean"),
        (checks.check_mean_brightness, lambda x, y: 255 * brightness(x, y), "did not scale"),
        (checks.check_mean_brightness, lambda x, y: (x / 255).mean(), "one number for all"),
        (checks.check_mean_brightness, lambda x, y: brightness(x, y) * y.bincount() * 784, "sums"),
        (checks.check_mean_brightness, lambda x, y: brightness(x, y) * y.bincount() / len(y), "all images"),
        (
            checks.check_mean_brightness,
            lambda x, y: torch.stack([(x[y == c] / 255).mean(dim=0) for c in range(10)]),
            "mean images",
        ),
        (checks.check_mean_brightness, lambda x, y: brightness(x, y).flip(0), "labels == label"),
        (checks.check_batch_sizes, lambda n, size: [size] * (n // size), "smaller batch is missing"),
        (checks.check_batch_sizes, lambda n, size: [size] * -(-n // size), "add up to"),
        (checks.check_batch_sizes, lambda n, size: [*[size] * (n // size), n % size], "empty batch"),
        (checks.check_batch_sizes, lambda n, size: [n % size, *[size] * (n // size)], "you end with"),
        (checks.check_batch_sizes, lambda n, size: n // size, "a list is asked for"),
        (checks.check_normalise, lambda a, b: (each(a), each(b)), "its own mean"),
        (checks.check_normalise, lambda a, b: (each(a), b), "unchanged"),
        (checks.check_normalise, lambda a, b: each(torch.cat([a, b])).split([len(a), len(b)]), "both sets together"),
        (checks.check_normalise, lambda a, b: [(X - b.mean()) / b.std() for X in (a, b)], "validation set's"),
        (checks.check_normalise, lambda a, b: [(X - a.mean()) / a.var() for X in (a, b)], "variance"),
        (checks.check_normalise, lambda a, b: [X - a.mean() for X in (a, b)], "did not divide"),
        (checks.check_normalise, lambda a, b: [X / a.std() for X in (a, b)], "did not subtract"),
        (checks.check_normalise, lambda a, b: [X - a.mean() / a.std() for X in (a, b)], "brackets"),
        (checks.check_normalise, lambda a, b: [(X - a.mean(dim=0)) / a.std(dim=0) for X in (a, b)], "each pixel"),
        (checks.check_normalise, lambda a, b: normalise(a, b)[0], "two tensors"),
        (checks.check_normalise, lambda a, b: normalise(a.flatten(1), b.flatten(1)), "Shapes"),
        (checks.check_balanced_subset, lambda labels, k: torch.arange(10 * k), "expected 7 of each"),
        (checks.check_balanced_subset, lambda labels, k: subset(labels, 10_000), "all places"),
        (checks.check_balanced_subset, lambda labels, k: labels[subset(labels, k)], "not places"),
        (checks.check_balanced_subset, lambda labels, k: subset(labels, k)[:k], "each"),
        (checks.check_balanced_subset, lambda labels, k: labels < k, "True and False"),
        (checks.check_balanced_subset, lambda labels, k: subset(labels, k).reshape(10, k), "torch.cat"),
        (checks.check_balanced_subset, lambda labels, k: subset(labels, 1).repeat(k), "twice"),
    ],
)
def test_typical_mistake_gets_its_message(check, answer, word):
    verdict = check(answer)
    assert verdict.right is False
    assert word in verdict.message, verdict
