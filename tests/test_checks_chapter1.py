"""Chapter 1's checks: the right answer passes, the stub is not done yet, each typical mistake gets its own message."""

import gzip
import struct

import pytest
import torch

from helpers import checks, fashion_mnist, train_validation_split
from helpers.checks.chapter1 import BLANKS

DATA = fashion_mnist("sample")
TRAIN_IMAGES, TRAIN_LABELS, VAL_IMAGES, VAL_LABELS = train_validation_split(DATA.train_images, DATA.train_labels, 1000)


def stub(*args, **kwargs):
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


def brightness(images, labels):
    return torch.stack([(images[labels == label] / 255).mean() for label in range(10)])


def one_order(images, labels, batch_size, shuffle):
    order = torch.randperm(len(images)) if shuffle else torch.arange(len(images))
    for places in order.split(batch_size):
        yield images[places] / 255, labels[places]


def shuffled_first(images, labels, batch_size, shuffle):
    if shuffle:
        order = torch.randperm(len(images))
        images, labels = images[order], labels[order]
    return [(images[i : i + batch_size] / 255, labels[i : i + batch_size]) for i in range(0, len(images), batch_size)]


def never_shuffled(images, labels, batch_size, shuffle):
    for start in range(0, len(images), batch_size):
        yield images[start : start + batch_size] / 255, labels[start : start + batch_size]


def normalise(X_train, X_val):
    mean, std = X_train.mean(), X_train.std()
    return (X_train - mean) / std, (X_val - mean) / std


def each(X):
    return (X - X.mean()) / X.std()


def subset(labels, k):
    return torch.cat([(labels == label).nonzero().flatten()[:k] for label in range(10)])


def mean_model(images, labels):
    means = torch.stack([(images[labels == c] / 255).mean(dim=0) for c in range(10)]).flatten(1)
    return lambda images: torch.cdist(images.flatten(1) / 255, means).argmin(dim=1)


def means(images=TRAIN_IMAGES, labels=TRAIN_LABELS):
    return torch.stack([(images[labels == c] / 255).mean(dim=0) for c in range(10)]).flatten(1)


def by_distance(choose, means, scale=255):
    return lambda images: choose(torch.cdist(images.flatten(1) / scale, means))


def of_bytes(images):
    distances = [((images.flatten(1) - mean) ** 2).sum(dim=1) for mean in (255 * means()).byte()]
    return torch.stack(distances).argmin(dim=0)


def remembered(images):
    memory = VAL_IMAGES.flatten(1) / 255
    return VAL_LABELS[torch.cdist(images.flatten(1) / 255, memory).argmin(dim=1)]


def of_the_answered(images):
    X = (images / 255).flatten(1)
    return torch.cdist(X - X.mean(dim=0), means() - means().mean(dim=0)).argmin(dim=1)


def check_mean_model(model):
    return checks.check_mean_model(model, VAL_IMAGES, VAL_LABELS, DATA)


CHECKS = {
    checks.check_read_labels: [idx_labels(), idx_labels_after_struct],
    checks.check_mean_brightness: [
        brightness,
        lambda images, labels: [float((images[labels == c] / 255).mean()) for c in range(10)],
        lambda images, labels: torch.stack([images[labels == c].double().mean() / 255 for c in range(10)]),
    ],
    checks.check_mini_batches: [one_order, shuffled_first],
    checks.check_normalise: [
        normalise,
        lambda a, b: [(X - a.mean()) / a.std(unbiased=False) for X in (a, b)],
    ],
    checks.check_balanced_subset: [subset, lambda labels, k: subset(labels, k).flip(0).tolist()],
    check_mean_model: [
        mean_model(TRAIN_IMAGES, TRAIN_LABELS),
        lambda images: mean_model(TRAIN_IMAGES, TRAIN_LABELS)(images).tolist(),
        by_distance(lambda distances: distances.argmin(dim=1), 255 * means(), scale=1),
    ],
}


@pytest.mark.parametrize("check", CHECKS)
def test_right_answers_pass(check):
    for answer in CHECKS[check]:
        assert check(answer), check(answer)


@pytest.mark.parametrize("check", CHECKS)
def test_an_error_in_the_function_gets_words_and_its_line(check):
    def unfinished(*args, **kwargs):
        raise NotImplementedError("later")

    assert "in line 2 of unfinished, `raise NotImplementedError" in check(unfinished).message
    assert "cannot be called as the exercise asks" in check(lambda: 0).message


def test_half_done_pair_is_not_yet():
    assert checks.check_normalise(lambda a, b: (..., ...)) is checks.NOT_YET


@pytest.mark.parametrize(
    "check, answer, word",
    [
        (check_mean_model, by_distance(lambda distances: distances, means()), "ten numbers for each image"),
        (check_mean_model, by_distance(lambda distances: distances.argmin(dim=0), means()), "over the ten means"),
        (check_mean_model, by_distance(lambda distances: distances.argmax(dim=1), means()), "the farthest mean"),
        (check_mean_model, by_distance(lambda distances: distances.amin(dim=1), means()), "whole numbers from 0 to 9"),
        (
            check_mean_model,
            by_distance(lambda distances: distances.argmin(dim=1), means(), 1),
            "compare bytes with means",
        ),
        (check_mean_model, of_bytes, "subtract bytes"),
        (check_mean_model, lambda x: torch.cdist(x.flatten(1) / 255, means(), p=1).argmin(1), "root"),
        (check_mean_model, remembered, "has seen these"),
        (check_mean_model, of_the_answered, "gets a different answer on its own"),
    ],
)
def test_typical_mistake_gets_its_message(check, answer, word):
    verdict = check(answer)
    assert verdict.right is False
    assert "Your code stops" not in verdict.message, verdict  # it would quote the line above, with the word in it
    assert word in verdict.message, verdict


def test_a_loader_that_ignores_its_switch_is_not_mended_yet():
    verdict = checks.check_mini_batches(never_shuffled)
    assert verdict.right is None and "Not fixed yet" in verdict.message
    assert "order" not in verdict.message  # what is wrong is the student's to find


@pytest.mark.parametrize(
    "images, labels, word",
    [
        (DATA.test_images, DATA.test_labels, "one last score"),
        (DATA.test_images[500:700], DATA.test_labels[500:700], "one last score"),
        (TRAIN_IMAGES, TRAIN_LABELS, "training images"),
        (VAL_IMAGES, TRAIN_LABELS, "val_images, val_labels"),
        (VAL_IMAGES.flatten(1), VAL_LABELS, "val_images, val_labels"),
    ],
)
def test_a_model_is_measured_on_validation_images_only(images, labels, word):
    verdict = checks.check_mean_model(mean_model(TRAIN_IMAGES, TRAIN_LABELS), images, labels, DATA)
    assert verdict.right is False and word in verdict.message


@pytest.mark.parametrize("model", [None, means()])
def test_what_is_no_model_gets_words(model):
    assert "a function" in check_mean_model(model).message


def test_a_model_not_written_yet_is_not_yet():
    assert check_mean_model(...) is checks.NOT_YET


class Elsewhere(torch.Tensor):
    """A tensor as on another device: its values can be read only after `.cpu()`."""

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        if function.__name__ in ("numpy", "tolist", "item", "__array__"):
            raise TypeError(f"{function.__name__} of a tensor that is not on the CPU")
        result = super().__torch_function__(function, types, args, kwargs or {})
        return result.as_subclass(torch.Tensor) if function.__name__ == "cpu" else result


def elsewhere(function):
    """The function, with its tensors moved to another device as chapter 4 teaches."""
    return lambda *args: function(*(arg.as_subclass(Elsewhere) if torch.is_tensor(arg) else arg for arg in args))


def one_order_elsewhere(images, labels, batch_size, shuffle):
    for X, y in one_order(images, labels, batch_size, shuffle):
        yield X.as_subclass(Elsewhere), y.as_subclass(Elsewhere)


@pytest.mark.parametrize(
    "check, answer",
    [
        (checks.check_mean_brightness, elsewhere(brightness)),
        (checks.check_read_labels, lambda path: idx_labels()(path).as_subclass(Elsewhere)),
        (checks.check_mini_batches, one_order_elsewhere),
        (checks.check_normalise, elsewhere(normalise)),
        (checks.check_balanced_subset, elsewhere(subset)),
        (check_mean_model, elsewhere(mean_model(TRAIN_IMAGES, TRAIN_LABELS))),
    ],
)
def test_answers_may_be_on_another_device(check, answer):
    assert check(answer), check(answer)


@pytest.mark.parametrize(
    "images, labels, words",
    [
        (VAL_IMAGES, VAL_LABELS, "the validation images, on which"),
        (DATA.train_images, DATA.train_labels, "the validation images among them"),
        (DATA.test_images, DATA.test_labels, "those of the test images"),
    ],
)
def test_means_of_images_that_a_model_must_not_see_are_noticed(images, labels, words):
    verdict = check_mean_model(mean_model(images, labels))
    assert verdict.right is False and words in verdict.message


def test_images_that_something_has_changed_are_noticed():
    verdict = checks.check_mean_model(means, VAL_IMAGES.clamp(min=50), VAL_LABELS, DATA)
    assert verdict.right is False and "has something changed them" in verdict.message


def idx_images(change):
    def read_images(path):
        raw = gzip.decompress(path.read_bytes())
        pixels = torch.frombuffer(bytearray(raw), dtype=torch.uint8, offset=16)
        return change(pixels.reshape(struct.unpack(">4I", raw[:16])[1:]))

    return read_images


def mean_images_of(pick):
    def mean_images(images, labels):
        return torch.stack([pick(images, labels, label).mean(dim=0) for label in range(10)])

    return mean_images


def split_by(places):
    def split(images, labels, num_validation):
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
        val, train = places(order, num_validation)
        return images[train], labels[train], images[val], labels[val]

    return split


def all_but(order, val):
    rest = torch.ones(len(order), dtype=torch.bool)
    rest[val] = False
    return rest


def batches(change_images, change_labels, size=None):
    def batches(images, labels, batch_size):
        for start in range(0, len(images), batch_size):
            pick = slice(start, start + (size or batch_size))
            yield change_images(images[pick]), change_labels(labels[pick])

    return batches


@pytest.mark.parametrize(
    "name, answer, words",
    [
        ("read_images", idx_images(lambda x: x), ""),
        ("read_images", idx_images(lambda x: x.float()), "keep the bytes as they are"),
        ("read_images", idx_images(lambda x: x.long()), "keep the bytes as they are"),
        ("read_images", idx_images(lambda x: x.numpy()), "a tensor is expected"),
        ("read_images", idx_images(lambda x: (x, 3)), "the images alone are expected"),
        ("batches", batches(lambda x: x.float() / 255, lambda y: y), ""),
        ("batches", batches(lambda x: x.double() / 255, lambda y: y), "not their type"),
        ("batches", batches(lambda x: x / 255, lambda y: y.int()), "not their type"),
    ],
)
def test_what_a_blank_accepts_is_what_the_chapters_next_cell_can_compare(name, answer, words):
    verdict = BLANKS[name](answer)
    assert verdict.right is (not words) and words in verdict.message.lower()


@pytest.mark.parametrize(
    "name, answer, words",
    [
        ("read_images", idx_images(lambda x: x.reshape(60_000, 28, 28)), "the last three numbers of `header`"),
        ("read_images", idx_images(lambda x: x.reshape(-1, 28, 28)), "the last three numbers of `header`"),
        ("mean_images", mean_images_of(lambda images, labels, label: images[labels == 3] / 255), "class 3 in every"),
        ("split", split_by(lambda order, n: (order[:n], all_but(order, order[:n]))), "but in another order"),
        ("split", split_by(lambda order, n: (order[:n], order[n:].sort().values)), "but in another order"),
        ("split", split_by(lambda order, n: (order[:n], order[n:] * 0 + order[-1])), "are not the ones at the places"),
        ("split", split_by(lambda order, n: (order[:n], order[n:-1])), "in neither set"),
        ("split", split_by(lambda order, n: (order[: n - 1], order[n - 1 :])), "one image too few"),
        ("split", split_by(lambda order, n: (order[:6000], order[6000:])), "a number of your own"),
        ("batches", batches(lambda x: x / 255, lambda y: y, 256), "or a fixed one"),
    ],
)
def test_common_slips_at_a_blank_are_named(name, answer, words):
    verdict = BLANKS[name](answer)
    assert verdict.right is False and words in verdict.message, verdict


def test_a_split_may_be_written_as_lists_of_places():
    assert BLANKS["split"](split_by(lambda order, n: (order[:n], [i for i in order if i not in order[:n]])))
    assert BLANKS["split"](split_by(lambda order, n: ([order[i] for i in range(n)], order[n:].tolist())))
