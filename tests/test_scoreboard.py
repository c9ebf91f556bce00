"""The board of chapter 5's challenge: what it measures, what it counts, what it refuses, and that it tests once."""

from pathlib import Path

import pytest
import torch
from torch import nn

from helpers.data import ImageData
from helpers.labs import Scoreboard


def stripes(count, seed):
    """Images (bytes) with one bright row, and that row's number as label; the pixel in the last row is the seed."""
    labels = torch.arange(count) % 10
    images = torch.zeros(count, 1, 28, 28, dtype=torch.uint8)
    images[torch.arange(count), 0, labels] = 255
    images[:, 0, 27, 0] = torch.arange(count, dtype=torch.uint8) if seed is None else seed
    return images, labels


@pytest.fixture
def board():
    """A board on 120 images, each with its number in one pixel, and 30 test images with 200 there."""
    return Scoreboard(ImageData("stripes", *stripes(120, None), *stripes(30, 200), tuple("0123456789"), "", Path()))


def reader(classes=10, hidden=None):
    """A network that knows the first `classes` classes; with `hidden`, a frozen layer of that width beside it."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    with torch.no_grad():
        net[1].weight.zero_()
        net[1].bias.zero_()
        for label in range(classes):
            net[1].weight[label, 28 * label] = 1.0
    if hidden:
        net.append(nn.Linear(10, hidden, bias=False)).append(nn.Linear(hidden, 10, bias=False))
        with torch.no_grad():
            net[2].weight.copy_(torch.eye(hidden, 10))
            net[3].weight.copy_(torch.eye(10, hidden))
        net[2].requires_grad_(False)
    return net


class Recorder(nn.Module):
    """Keeps the numbers of the images that it is shown."""

    def __init__(self, seen):
        super().__init__()
        self.seen, self.weight = seen, nn.Parameter(torch.ones(1))

    def __deepcopy__(self, memo):
        return self

    def forward(self, X):
        """(batch, 1, 28, 28) to (batch, 10)."""
        self.seen += (255 * X[:, 0, 27, 0]).round().int().tolist()
        return torch.zeros(len(X), 10) * self.weight


def test_a_sixth_is_set_aside_and_never_handed_out(board):
    handed_out = set(board.train_images[:, 0, 27, 0].tolist())
    assert len(handed_out) == len(board.train_labels) == 100
    seen = []
    board.enter("recorder", Recorder(seen))
    measured = {number for number in seen if number}  # without the trial with black images
    assert measured | handed_out | {0} == set(range(120))
    assert not measured & handed_out


def test_the_test_images_are_shown_only_by_test(board):
    seen = []
    board.enter("recorder", Recorder(seen))
    assert 200 not in seen
    board.test("recorder")
    assert seen[-30:] == [200] * 30


def test_an_entry_is_measured_and_counted(board):
    board.enter("reader", reader())
    (entry,) = board.entries
    assert (entry.parameters, entry.multiply_adds, entry.val_acc, entry.test_acc) == (7850, 7840, 1.0, None)
    assert board.said.right is True
    assert "validation accuracy 1.000, the goal of 0.87 is reached" in board.said.message


def test_frozen_parameters_count_too(board):
    board.enter("frozen", reader(hidden=20))
    assert board.entries[0].parameters == 7850 + 200 + 200
    assert board.entries[0].multiply_adds == 7840 + 200 + 200


def test_the_smallest_that_reaches_the_goal_is_on_top_and_the_others_go_by_accuracy(board):
    board.enter("knows two", reader(2)).enter("large", reader(hidden=20)).enter("small", reader())
    board.enter("knows five", reader(5))
    assert [entry.name for entry in board.ranking()] == ["small", "large", "knows five", "knows two"]
    assert board.said.right is False
    assert "the goal is 0.87" in board.said.message
    places = [line.split()[0] for line in repr(board).splitlines()[2:6]]
    assert places == ["1", "2", "–", "–"]


def test_every_try_counts(board):
    for _ in range(3):
        board.enter("reader", reader())
    assert [entry.name for entry in board.entries] == ["reader", "reader (2)", "reader (3)"]
    assert "best of 3 tries" in repr(board)


def test_an_entry_stays_as_it_was_and_the_network_keeps_its_mode(board):
    net = reader().train()
    board.enter("reader", net)
    assert net.training
    with torch.no_grad():
        net[1].weight.zero_()
    board.test("reader")
    assert board.entries[0].test_acc == 1.0


def test_the_test_set_is_read_once(board):
    board.enter("a", reader()).enter("b", reader(5))
    board.test("a")
    assert "a: test accuracy 1.000" in board.said.message
    for name in ("b", "a"):
        board.test(name)
        assert board.said.right is False
        assert "The test set has been used: a scored 1.000 on it" in board.said.message
    assert [entry.test_acc for entry in board.entries] == [1.0, None]


def test_a_name_that_is_not_there_leaves_the_test_set_closed(board):
    board.test("a")
    assert "no entry 'a'. The test set is still closed. Entries: none yet" in board.said.message
    board.enter("b", reader()).test("a")
    assert "Entries: b." in board.said.message
    board.test("b")
    assert board.said.right is True


class Stops(nn.Module):
    """A network whose own code has a mistake."""

    def forward(self, X):
        """Raises."""
        return X.nothing


def spoiled():
    net = reader()
    with torch.no_grad():
        net[1].weight[0, 0] = torch.nan
    return net


@pytest.mark.parametrize(
    ("name", "net", "words"),
    [
        ("a", [1, 2], "A is a list, not a network"),
        ("a", None, "A is a NoneType"),
        ("a", nn.Linear, "A is a type"),
        (reader(), "a", "First the name"),
        (1, reader(), "First the name"),
        ("a", nn.Sequential(nn.Flatten(), nn.Linear(784, 9)), "returns 2×9, expected 2×10"),
        ("a", nn.Conv2d(1, 10, 3), "returns 2×10×26×26, expected 2×10"),
        ("a", nn.Sequential(nn.Flatten(), nn.Linear(1024, 10)), "cannot read two images of 1×28×28: RuntimeError"),
        ("a", Stops(), "AttributeError"),
        ("a", spoiled(), "infinite or NaN"),
    ],
)
def test_what_is_no_such_network_is_refused_in_words(board, name, net, words):
    board.enter(name, net)
    assert board.said.right is False
    assert words in board.said.message
    assert board.entries == []


def test_dots_are_not_done_yet(board):
    board.enter("a", ...)
    assert board.said.right is None
    assert board.entries == []


def test_the_goal_depends_on_how_many_images_there_are(sample):
    assert Scoreboard(sample).goal == 0.87
    images, labels = torch.zeros(1, 1, 28, 28, dtype=torch.uint8), torch.zeros(1, dtype=torch.long)
    many = images.expand(60_000, -1, -1, -1), labels.expand(60_000)
    assert Scoreboard(ImageData("many", *many, images, labels, ("a", "b"), "", Path())).goal == 0.9


def test_the_table_as_html(board):
    assert "No network has been entered yet" in board._repr_html_()
    board.enter("<mine>", reader()).enter("other", reader(5))
    board.test("<mine>")
    table = board._repr_html_()
    assert table.count("<tr>") == 3
    assert "&lt;mine&gt;" in table
    assert "<mine>" not in table
    assert "7,850" in table
    assert table.count("1.000 ± 0.000") == 2  # validation and test
    assert "color:#666666" in table.split("other")[0].rpartition("<td")[2]  # grey: below the goal
