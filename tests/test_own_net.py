"""The student's own network travels from chapter to chapter by a file, and nothing that is wrong with it stops one."""

import errno
import pathlib

import pytest
import torch
from torch import nn

from helpers import layer_table, lenet, load_own_net, own_net, save_own_net
from helpers.models import mlp


@pytest.fixture
def path(tmp_path, monkeypatch):
    """Where the file is in this test."""
    monkeypatch.setenv("LENET_LAB_HOME", str(tmp_path))
    return tmp_path / "own_net.txt"


def mine(**choices):
    return lenet(**{"channels": (4, 9), "kernel_size": (3, 5), "activation": nn.ReLU, "dense": (30,), **choices})


def deeper():
    """One as exercise 3.5 asks for, with layers of many kinds."""
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 4, 3, padding="same", bias=False), nn.BatchNorm2d(4), nn.LeakyReLU(0.2)),
        nn.Conv2d(4, 8, 3, stride=2, padding=1, padding_mode="circular"),
        nn.GELU(),
        nn.AdaptiveAvgPool2d(3),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(72, 10),
    )


def example_of_the_course():
    return layer_table(own_net.example())


@pytest.mark.parametrize("net", [mine(), deeper(), mlp((20,), nn.Tanh)], ids=["lenet", "deeper", "mlp"])
def test_what_is_saved_is_found_in_the_next_chapter(net, path, capsys):
    verdict = save_own_net(net)
    assert verdict
    assert f"{layer_table(net).parameters:,} parameters" in verdict.message
    loaded = load_own_net()
    assert repr(loaded) == repr(net)
    assert layer_table(loaded) == layer_table(net)
    assert "✅ own_net is the network that you saved" in capsys.readouterr().out


def test_without_a_file_the_course_goes_on_with_its_example_and_says_so(path, capsys):
    assert layer_table(load_own_net()) == example_of_the_course()
    assert "✏️ You have not saved a network of your own yet" in capsys.readouterr().out
    assert not path.exists()


def test_an_earlier_network_stays_in_the_file(path):
    assert save_own_net(mine())
    earlier = path.read_text(encoding="utf-8")
    assert save_own_net(deeper())
    assert path.read_text(encoding="utf-8").startswith(earlier)
    assert repr(load_own_net()) == repr(deeper())


def test_the_same_network_saved_again_leaves_the_file_as_it_is(path):
    assert save_own_net(mine())
    content = path.read_bytes()
    assert save_own_net(mine())
    assert path.read_bytes() == content


def test_the_example_of_a_fresh_chapter_takes_no_students_place(path):
    assert save_own_net(mine())
    content = path.read_bytes()
    verdict = save_own_net(own_net.example())
    assert verdict.right is None
    assert "example" in verdict.message
    assert path.read_bytes() == content


def test_saving_leaves_network_and_random_numbers_alone(path):
    net = deeper().train()
    before, weights = torch.random.get_rng_state(), [value.clone() for value in net.state_dict().values()]
    assert save_own_net(net)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert net.training and net[0][1].training
    assert all(map(torch.equal, weights, net.state_dict().values()))


class OfItsOwn(nn.Module):
    """A layer that no line of `nn.` can build."""

    def forward(self, X):
        return X


def twice():
    layer = nn.Linear(784, 784)
    return nn.Sequential(nn.Flatten(), layer, nn.ReLU(), layer, nn.Linear(784, 10))


# {what is saved: what is said of it}
UNFIT = {
    "for images of 48×48": (lenet(image_size=48), ["images of 28×28", "layer 7, Linear", "1600", "400"]),
    "five classes": (mine(num_classes=5), ["3×5", "expected 3×10"]),
    "no parameter": (nn.Sequential(nn.Flatten()), ["no parameter"]),
    "a layer of the student's own": (nn.Sequential(OfItsOwn(), *mine()), ["only PyTorch's own layers", "OfItsOwn"]),
    "a class of the student's own": (OfItsOwn(), ["only an nn.Sequential", "OfItsOwn"]),
    "a lazy layer": (nn.Sequential(nn.Flatten(), nn.LazyLinear(10)), ["has seen none yet"]),
    "layers within a layer": (nn.Sequential(nn.TransformerEncoderLayer(28, 2), *mine()), ["only PyTorch's own layers"]),
    "a layer that stands in it twice": (twice(), ["another network", "twice"]),
    "no network": (61_706, ["a int, not a network"]),
    "the class": (nn.Sequential, ["write Sequential(...)"]),
    "dots": (..., ["not a network"]),
}


@pytest.mark.parametrize("net, words", UNFIT.values(), ids=UNFIT)
def test_what_cannot_be_saved_is_said_and_the_file_stays(net, words, path):
    assert save_own_net(mine())
    content = path.read_bytes()
    verdict = save_own_net(net)
    assert verdict.right is False
    assert all(word in verdict.message for word in words), verdict
    assert path.read_bytes() == content


def test_a_file_edited_by_hand_counts(path, capsys):
    line = "own_net = lenet(kernel_size=(3, 5), channels=(4, 9), dense=(30,), activation=nn.ReLU)\n"
    path.write_text(line, encoding="utf-8-sig")  # with the mark that Windows' editor puts first
    assert repr(load_own_net()) == repr(mine())
    assert save_own_net(mine())
    assert path.read_text(encoding="utf-8-sig") == line
    assert "✅" in capsys.readouterr().out


# {what another program or hand made of the file: what is said of it}
BROKEN = {
    "half a line": (b"nn.Sequential(\n    nn.Conv2d(1, 6, kernel_", ["line 2", "cannot be read as Python"]),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00", ["is not a text"]),
    "zeros": (bytes(200), ["cannot be read as Python"]),
    "too long": (b"# a line\n" * 20_000, ["too long"]),
    "comments alone": (b"# my networks\n", ["holds no network"]),
    "prose": (b"my homework", ["cannot be read as Python"]),
    "a word": (b"homework", ["line 1", "not a network"]),
    "a program": (b"import os\nos.remove('x')\n", ["line 2", "os.remove is not one of PyTorch's layers"]),
    "a sum": (b"2 + 2\n", ["something other than layers"]),
    "a loop": (b"for i in range(3):\n    pass\n", ["something other than layers"]),
    "no such layer": (b"nn.Sequential(nn.Konv2d(1, 6, 5))", ["nn.Konv2d is not one of"]),
    "a function of nn": (b"nn.init.zeros_(1)", ["nn.init.zeros_ is not one of"]),
    "a wrong argument": (b"nn.Sequential(nn.Linear(784))", ["nn.Linear cannot be built"]),
    "a negative size": (b"nn.Sequential(nn.Flatten(), nn.Linear(784, -10))", ["nn.Linear cannot be built"]),
    "an impossible lenet": (b"lenet(kernel_size=11, padding=(0, 0))", ["convolution 2", "larger than the 9"]),
    "unknown names": (b"nn.Sequential(**choices)", ["nn.Sequential cannot be built"]),
    "another size": (b"\n\nlenet(image_size=48)", ["line 3", "made for 1600 numbers"]),
    "a slip of ten zeros": (b"nn.Sequential(nn.Flatten(), nn.Linear(784, 10000000000))", ["too many"]),
    "nested without end": (b"(" * 5_000 + b")" * 5_000, ["cannot be read as Python"]),
}


@pytest.mark.parametrize("content, words", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_said_in_words_and_stays_as_it_is(content, words, path, capsys):
    path.write_bytes(content)
    assert layer_table(load_own_net()) == example_of_the_course()
    said = capsys.readouterr().out
    verdict = save_own_net(mine())
    assert verdict.right is False
    for message in (said, verdict.message):
        assert "own_net.txt" in message
        assert all(word in message for word in words), message
    assert "❌" in said and "the course's example is used instead" in said
    assert path.read_bytes() == content


def test_a_folder_of_that_name_and_a_folder_that_is_not_there_are_said_in_words(path, monkeypatch, capsys):
    path.mkdir()
    assert layer_table(load_own_net()) == example_of_the_course()
    assert "cannot be read" in capsys.readouterr().out
    assert "cannot be written" in save_own_net(mine()).message
    monkeypatch.setenv("LENET_LAB_HOME", str(path / "nowhere"))
    assert "cannot be written" in save_own_net(mine()).message


def test_a_full_disk_costs_nothing_that_was_saved(path, monkeypatch):
    assert save_own_net(mine())
    content = path.read_bytes()

    def full(self, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pathlib.Path, "replace", full)
    verdict = save_own_net(deeper())
    assert verdict.right is False
    assert "No space left on device" in verdict.message
    assert path.read_bytes() == content
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_without_the_variable_the_file_stands_beside_the_notebook(tmp_path, monkeypatch):
    monkeypatch.delenv("LENET_LAB_HOME")
    monkeypatch.chdir(tmp_path)
    assert save_own_net(mine())
    assert (tmp_path / "own_net.txt").exists()
    assert repr(load_own_net()) == repr(mine())
