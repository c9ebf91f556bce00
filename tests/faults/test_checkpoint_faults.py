"""Checkpoints that cannot be written leave no trace, and files that are none are refused in words and run no code."""

import contextlib
import pickle
import random
import signal
import subprocess
import sys
import zipfile

import pytest
import torch

from helpers import labs, lenet, load_weights, plotting, save_weights
from helpers.errors import WeightsError
from tests.support import wait_for

NAME = "my-lenet.pt"  # as the training lab proposes it


def network():
    """The network that the training lab begins with: its weights fit there too."""
    return lenet(activation=torch.nn.ReLU, pooling=torch.nn.MaxPool2d)


@contextlib.contextmanager
def full_disk(after=100_000):
    """Within it no file grows beyond so many bytes; the operating system refuses the rest, as on a full disk."""
    import resource  # Windows has none: only this test needs it

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (after, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class Mine:
    """What a malicious checkpoint would hold: unpickling it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def saved(path, change=lambda tensor: tensor):
    """Save a fitting network's weights, each tensor changed."""
    torch.save({name: change(tensor) for name, tensor in network().state_dict().items()}, path)


def truncated(path):
    saved(path)
    path.write_bytes(path.read_bytes()[:-1000])


def without_its_first_half(path):
    saved(path)
    path.write_bytes(path.read_bytes()[100_000:])


def one_wrong_byte(path):
    saved(path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1  # in the weights themselves: PyTorch alone would not notice
    path.write_bytes(content)


def zip_of_something_else(path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("homework.txt", "not weights")


def last_tensor_larger(path):
    weights = network().state_dict()
    weights[list(weights)[-1]] = torch.zeros(11)
    torch.save(weights, path)


def one_more_tensor(path):
    torch.save(network().state_dict() | {"extra": torch.zeros(1)}, path)


def one_tensor_missing(path):
    weights = network().state_dict()
    weights.popitem()
    torch.save(weights, path)


def one_nan(path):
    weights = network().state_dict()
    weights["0.weight"][0, 0, 0, 0] = torch.nan
    torch.save(weights, path)


NO_WEIGHTS = "holds no weights, or only a part of them: save the network again"
OTHERS = "holds the weights of another network: build that network first"
AGAIN = ": save the network again"
DIVERGED = "infinity or NaN, as after training that diverged: train with a smaller learning rate"
# {what the file is: (how it is made, what is said of it)}
FAULTS = {
    "empty": (lambda path: path.write_bytes(b""), NO_WEIGHTS),
    "a text": (lambda path: path.write_text("my homework, not weights\n" * 99, encoding="utf-8"), NO_WEIGHTS),
    "a zip of something else": (zip_of_something_else, NO_WEIGHTS),
    "a folder": (lambda path: path.mkdir(), "is a folder: give the name of a file of weights"),
    "truncated": (truncated, NO_WEIGHTS),
    "without its first half": (without_its_first_half, NO_WEIGHTS),
    "one wrong byte": (one_wrong_byte, NO_WEIGHTS),
    "a whole network": (lambda path: torch.save(network(), path), NO_WEIGHTS),
    "a plain pickle": (lambda path: path.write_bytes(pickle.dumps({"0.weight": [0.1]})), NO_WEIGHTS),
    "code": (lambda path: torch.save(Mine(path.parent / "trap"), path), NO_WEIGHTS),
    "code among weights": (
        lambda path: torch.save(network().state_dict() | {"0.bias": Mine(path.parent / "trap")}, path),
        NO_WEIGHTS,
    ),
    "code in a plain pickle": (lambda path: path.write_bytes(pickle.dumps(Mine(path.parent / "trap"))), NO_WEIGHTS),
    "another kernel size": (lambda path: save_weights(lenet(3), path), OTHERS),
    "the last tensor larger": (last_tensor_larger, OTHERS),
    "one more tensor": (one_more_tensor, OTHERS),
    "one tensor missing": (one_tensor_missing, OTHERS),
    "a list": (lambda path: torch.save([1, 2, 3], path), OTHERS),
    "a single tensor": (lambda path: torch.save(torch.ones(6, 1, 5, 5), path), OTHERS),
    "text for tensors": (lambda path: saved(path, str), OTHERS),
    "tensors without numbers": (lambda path: saved(path, lambda tensor: tensor.to("meta")), OTHERS),
    "tensors without a shape": (lambda path: saved(path, lambda tensor: tensor.sum()), OTHERS),
    "whole numbers": (lambda path: saved(path, lambda tensor: tensor.long()), f"int64, not torch.float32{AGAIN}"),
    "half precision": (lambda path: saved(path, lambda tensor: tensor.half()), f"float16, not torch.float32{AGAIN}"),
    "double precision": (
        lambda path: saved(path, lambda tensor: tensor.double()),
        f"64, not torch.float32{AGAIN}",
    ),
    "one NaN": (one_nan, f"0.weight holds {DIVERGED}"),
    "infinity": (lambda path: saved(path, lambda tensor: tensor / 0), DIVERGED),
}
every_fault = pytest.mark.parametrize("fault", FAULTS)


def copies(net):
    return [tensor.clone() for tensor in net.state_dict().values()]


def same(tensors, others):
    return all(torch.equal(ours, theirs) for ours, theirs in zip(tensors, others, strict=True))


@every_fault
def test_a_file_that_is_no_checkpoint_is_refused_and_the_network_stays(fault, tmp_path):
    make, words = FAULTS[fault]
    make(tmp_path / NAME)
    net = network()
    before = copies(net)
    with pytest.raises(WeightsError) as refused:
        load_weights(net, tmp_path / NAME)
    assert str(refused.value).startswith(str(tmp_path / NAME))
    assert words in str(refused.value)
    assert same(copies(net), before)
    assert [path.name for path in tmp_path.iterdir()] == [NAME]  # no code ran: it would have made a file


def test_the_trap_makes_its_file_where_code_does_run(tmp_path):
    """Else the test above would show nothing."""
    torch.save(Mine(tmp_path / "trap"), tmp_path / NAME)
    torch.load(tmp_path / NAME, weights_only=False).close()
    assert (tmp_path / "trap").exists()


def test_no_single_wrong_byte_is_loaded_as_other_weights(tmp_path):
    net, path = network(), tmp_path / NAME
    save_weights(net, path)
    whole, dice, refused = path.read_bytes(), random.Random(0), 0
    for _ in range(100):
        damaged = bytearray(whole)
        damaged[dice.randrange(len(damaged))] ^= 1 << dice.randrange(8)
        path.write_bytes(damaged)
        other = network()
        before = copies(other)
        try:
            load_weights(other, path)
        except WeightsError:
            refused += 1
            assert same(copies(other), before)
        else:  # the byte lay between two tensors
            assert same(copies(other), copies(net))
    assert refused > 80


def test_a_file_that_is_not_there_is_an_oserror_that_names_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=NAME):
        load_weights(network(), tmp_path / NAME)


@pytest.mark.parametrize("there", [True, False], ids=["over an old file", "as a new file"])
def test_a_full_disk_leaves_the_old_file_and_no_part_of_the_new(there, tmp_path):
    old = network()
    if there:
        save_weights(old, tmp_path / NAME)
    with full_disk(), pytest.raises(OSError, match="too large"):
        save_weights(network(), tmp_path / NAME, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == [NAME] * there
    if there:
        assert same(copies(load_weights(network(), tmp_path / NAME)), copies(old))


WRITE_AND_DIE = """
import os, signal, sys
from helpers import lenet, save_weights
os.replace = lambda *paths: os.kill(os.getpid(), signal.SIGKILL)  # the last step, when all is written
save_weights(lenet(3), sys.argv[1], overwrite=True)
"""


def test_a_kernel_that_is_killed_while_it_saves_leaves_the_old_file(tmp_path):
    old = network()
    save_weights(old, tmp_path / NAME)
    done = subprocess.run([sys.executable, "-c", WRITE_AND_DIE, str(tmp_path / NAME)], capture_output=True)
    assert done.returncode == -signal.SIGKILL
    assert same(copies(load_weights(network(), tmp_path / NAME)), copies(old))
    assert all(path.name == NAME or path.name.endswith(".part") for path in tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_an_oserror_and_is_not_made(tmp_path):
    with pytest.raises(FileNotFoundError):
        save_weights(network(), tmp_path / "missing" / NAME)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def shared_lab(sample):
    """One lab for all faults, with a run that was stopped: what it must keep."""
    made = labs.trainer(sample, num_epochs=2)
    made.buttons["Train"].click()
    wait_for(lambda: made.history)
    made.buttons["Stop"].click()
    yield made
    made.close()


@pytest.fixture
def lab(shared_lab, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shared_lab.file.value = NAME
    return shared_lab


def red_words(lab):
    """What the lab says; fails where it is not in red."""
    assert plotting.TROUBLE in lab.message.value
    return lab.message.value


@every_fault
def test_the_lab_refuses_such_a_file_in_red_words_and_keeps_its_run(fault, lab, tmp_path):
    make, words = FAULTS[fault]
    make(tmp_path / NAME)
    net, runs, line = lab.net, list(lab.runs), lab.board.text.value
    before, picture, predictions = copies(net), lab.picture.image.value, lab.predictions.image.value
    lab.load()
    said = red_words(lab)
    assert f"Not loaded: {NAME}" in said
    assert words in said
    assert lab.net is net
    assert lab.runs == runs
    assert same(copies(net), before)
    assert (lab.board.text.value, lab.picture.image.value) == (line, picture)
    assert lab.predictions.image.value == predictions
    assert not lab.buttons["Resume"].disabled
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


@pytest.mark.parametrize("name", ["", "../net.pt", "/tmp/net.pt", "net.txt", "a\\b.pt", "a\x00.pt", "<img src=x>.pt"])
def test_the_lab_refuses_a_name_that_leads_elsewhere(name, lab, tmp_path):
    before = list(lab.runs)
    lab.file.value = name
    for action, word in [(lab.load, "loaded"), (lab.save, "saved")]:
        action()
        assert f"Not {word}: give the file a plain name" in red_words(lab)
    assert lab.runs == before
    assert list(tmp_path.iterdir()) == []


def test_the_lab_says_that_a_file_is_not_there(lab):
    before = list(lab.runs)
    lab.load()
    assert "Not loaded" in red_words(lab)
    assert "No such file" in lab.message.value
    assert NAME in lab.message.value
    assert lab.runs == before


def test_the_lab_says_that_a_folder_is_not_there(lab, tmp_path, monkeypatch):
    monkeypatch.setattr(lab, "_path", lambda: tmp_path / "missing" / NAME)
    lab.save()
    assert "Not saved" in red_words(lab)
    assert "No such file" in lab.message.value


def test_the_lab_says_that_the_disk_is_full_and_leaves_nothing(lab, tmp_path):
    with full_disk():
        lab.save()
    assert "Not saved" in red_words(lab)
    assert "too large" in lab.message.value
    assert list(tmp_path.iterdir()) == []
