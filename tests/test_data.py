"""Where images come from: each source, in its order. And `Batches`. See faults/ for sources that fail."""

import shutil

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from helpers import Batches, DataError, data, fashion_mnist, image_files, mnist, train_validation_split
from helpers.data import mirrored
from helpers.sentences import in_html

FILES = list(image_files.SHA256["FashionMNIST"])


@pytest.mark.parametrize(("load", "names"), [(fashion_mnist, data.CLOTHES), (mnist, data.DIGITS)])
def test_offline_gives_the_sample_and_says_so_in_one_line(load, names, bare_machine, capsys):
    images = load()
    assert images.train_images.shape == (10_000, 1, 28, 28)
    assert images.test_images.shape == (2_000, 1, 28, 28)
    assert images.train_images.dtype == torch.uint8
    assert images.train_labels.shape == (10_000,)
    assert images.train_labels.unique().tolist() == list(range(10))
    assert images.class_names == names
    assert "sample" in images.source
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 1
    assert "LENET_LAB_DATA" in printed[0]
    assert not bare_machine.exists()


@pytest.mark.parametrize("load", [fashion_mnist, mnist])
def test_who_asks_for_the_sample_gets_it_in_silence(load, bare_machine, capsys):
    images = load("sample")
    assert (len(images.train_images), len(images.test_images)) == (10_000, 2_000)
    assert "sample" in images.source
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "")


def test_who_asks_for_the_sample_gets_no_more_though_there_is_more(
    mirror, sample_counts_as_whole, bare_machine, monkeypatch, tmp_path
):
    _, requests = mirror
    shutil.copytree(image_files.SAMPLE, tmp_path / "named")
    shutil.copytree(image_files.SAMPLE / "FashionMNIST", bare_machine / "FashionMNIST")
    assert fashion_mnist("sample").folder == image_files.SAMPLE / "FashionMNIST"
    monkeypatch.setenv("LENET_LAB_DATA", str(tmp_path / "named"))
    assert fashion_mnist("sample").folder == image_files.SAMPLE / "FashionMNIST"
    monkeypatch.setenv("LENET_LAB_DATA", str(tmp_path / "nowhere"))
    assert fashion_mnist("sample").folder == image_files.SAMPLE / "FashionMNIST"
    assert requests == []


@pytest.mark.parametrize(("load", "name"), [(fashion_mnist, "FashionMNIST"), (mnist, "MNIST")])
def test_who_asks_for_the_whole_set_gets_no_sample(load, name, bare_machine, capsys):
    with pytest.raises(DataError, match=f"all 70,000 images of {name} are needed") as refused:
        load("full")
    assert "LENET_LAB_DATA" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert capsys.readouterr().out == ""


def test_who_asks_for_the_whole_set_without_a_network_hears_of_it(bare_machine, monkeypatch):
    monkeypatch.delenv("LENET_LAB_OFFLINE")
    monkeypatch.setattr(image_files, "MIRRORS", {"MNIST": ["http://127.0.0.1:9/"]})
    with pytest.raises(DataError, match="no connection"):
        mnist("full")


def test_who_asks_for_the_whole_set_gets_it_where_it_is(bare_machine, sample_counts_as_whole, capsys):
    shutil.copytree(image_files.SAMPLE / "MNIST", bare_machine / "MNIST")
    assert mnist("full").folder == bare_machine / "MNIST"
    assert capsys.readouterr().out == ""


def test_the_named_folder_comes_first(bare_machine, sample_counts_as_whole, monkeypatch, tmp_path):
    shutil.copytree(image_files.SAMPLE, tmp_path / "named")
    monkeypatch.setenv("LENET_LAB_DATA", str(tmp_path / "named"))
    images = fashion_mnist()
    assert images.folder == tmp_path / "named" / "FashionMNIST"
    assert "sample" not in images.source


def test_the_cache_comes_before_the_system_copy(bare_machine, sample_counts_as_whole):
    shutil.copytree(image_files.SAMPLE / "FashionMNIST", image_files.SYSTEM)
    assert fashion_mnist().folder == image_files.SYSTEM
    shutil.copytree(image_files.SAMPLE / "FashionMNIST", bare_machine / "FashionMNIST")
    assert fashion_mnist().folder == bare_machine / "FashionMNIST"


def test_a_download_is_kept_and_needs_no_network_again(mirror, bare_machine, monkeypatch):
    _, requests = mirror
    assert "127.0.0.1" in fashion_mnist().source
    assert sorted(path.name for path in (bare_machine / "FashionMNIST").iterdir()) == sorted(FILES)
    seen = len(requests)
    assert fashion_mnist().folder == bare_machine / "FashionMNIST"
    assert len(requests) == seen


def test_a_download_fetches_only_what_is_missing(mirror, bare_machine):
    folder, requests = mirror
    (bare_machine / "FashionMNIST").mkdir(parents=True)
    shutil.copy(folder / image_files.TRAIN_IMAGES, bare_machine / "FashionMNIST")
    fashion_mnist()
    assert sorted(path.name for path in (bare_machine / "FashionMNIST").iterdir()) == sorted(FILES)
    assert not any(image_files.TRAIN_IMAGES in request for request in requests)


def test_the_split_keeps_every_image_once():
    images = torch.arange(100).reshape(100, 1, 1, 1)
    labels = torch.arange(100)
    train_images, train_labels, val_images, val_labels = train_validation_split(images, labels, 30, seed=1)
    assert (len(train_images), len(val_images)) == (70, 30)
    assert sorted([*train_labels.tolist(), *val_labels.tolist()]) == list(range(100))
    assert (train_images.flatten() == train_labels).all()
    assert (val_images.flatten() == val_labels).all()
    assert val_labels.tolist() != train_validation_split(images, labels, 30, seed=2)[3].tolist()


@pytest.mark.parametrize("num_validation", [0, 100, 101])
def test_a_split_with_nothing_on_one_side_is_refused(num_validation):
    with pytest.raises(ValueError, match=str(num_validation)):
        train_validation_split(torch.zeros(100), torch.zeros(100), num_validation)


def test_batches_are_what_a_data_loader_yields(sample):
    images, labels = sample.train_images[:200], sample.train_labels[:200]
    ours = Batches(images, labels, 64)
    theirs = DataLoader(TensorDataset(images.float() / 255, labels), 64)
    assert len(ours) == len(theirs) == 4
    for (X, y), (their_X, their_y) in zip(ours, theirs, strict=True):
        assert torch.equal(X, their_X)
        assert torch.equal(y, their_y)


def test_every_pass_shows_every_example_once_in_a_new_order():
    numbers = torch.arange(250)
    batches = Batches(numbers.float().reshape(-1, 1, 1, 1), numbers, 100, shuffle=True, seed=3)
    first, second = (torch.cat([y for _, y in batches]).tolist() for _ in range(2))
    assert sorted(first) == sorted(second) == numbers.tolist()
    assert first != second
    assert [len(y) for _, y in batches] == [100, 100, 50]
    again = Batches(numbers.float().reshape(-1, 1, 1, 1), numbers, 100, shuffle=True, seed=3)
    assert torch.cat([y for _, y in again]).tolist() == first
    for X, y in batches:
        assert torch.equal(X.flatten(), y.float())


def test_batches_refuse_what_cannot_work():
    with pytest.raises(ValueError, match="10 images but 9 labels"):
        Batches(torch.zeros(10, 1, 2, 2), torch.zeros(9), 4)
    with pytest.raises(ValueError, match="batch_size is 0"):
        Batches(torch.zeros(10, 1, 2, 2), torch.zeros(10), 0)


def test_a_change_meets_every_batch_before_it_is_scaled():
    images, labels = torch.arange(250, dtype=torch.uint8).reshape(-1, 1, 1, 1), torch.arange(250)
    seen = []

    def negative(X):
        seen.append((X.dtype, len(X)))
        return 255 - X

    for X, y in Batches(images, labels, 100, shuffle=True, seed=0, change=negative):
        assert torch.allclose(X.flatten(), (255 - y) / 255)
    assert seen == [(torch.uint8, 100), (torch.uint8, 100), (torch.uint8, 50)]
    assert torch.equal(images.flatten(), labels.to(torch.uint8))  # the images themselves stay as they are


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_mirrored_gives_each_image_or_its_mirror_image(dtype, sample):
    X = sample.train_images[:200].to(dtype)
    before = X.clone()
    Y = mirrored(X)
    assert (Y.shape, Y.dtype) == (X.shape, X.dtype)
    kept = [torch.equal(ours, image) for ours, image in zip(Y, X, strict=True)]
    turned = [torch.equal(ours, torch.fliplr(image[0])[None]) for ours, image in zip(Y, X, strict=True)]
    assert all(one or other for one, other in zip(kept, turned, strict=True))
    assert 50 < sum(kept) < 150  # seven standard deviations around a half
    assert not torch.equal(mirrored(X), Y)
    assert torch.equal(X, before)


def test_a_notebook_breaks_the_lines_of_a_data_set_between_words(sample):
    assert sample._repr_html_() == in_html(repr(sample))
    assert sample.source in sample._repr_html_()
