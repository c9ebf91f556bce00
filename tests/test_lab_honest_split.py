"""The honest split: both figures of the same drawings, and simulated writers where there is no class."""

import sys

import pytest
import torch

from helpers import labs, mnist
from helpers.labs import honest_split as function
from helpers.labs.class_drawings import gathered
from helpers.labs.honest_split import HonestSplit, epochs_for, read_by_mnist
from helpers.simulated_writers import simulated_writers

DIGITS = tuple("0123456789")


@pytest.fixture(scope="module")
def writers():
    return simulated_writers(6, each=2)


def every(writers):
    return gathered({mark: (*drawn, 0) for mark, drawn in writers.items()}, DIGITS, ".", "simulated writers")


@pytest.fixture
def lab(writers, monkeypatch):
    monkeypatch.setattr(sys.modules["helpers.labs.honest_split"], "SEEN", 480)  # four epochs: these tests wait for them
    made = HonestSplit(every(writers))
    yield made
    made.close()


def test_one_word_alone_is_refused():
    with pytest.raises(ValueError, match="only one word, cat: a network chooses"):
        labs.honest_split("cat")


def test_simulated_writers_are_the_same_each_time_and_share_no_digit(writers):
    again = simulated_writers(6, each=2)
    assert all(torch.equal(images, again[mark][1]) for mark, (_, images) in writers.items())
    everyone = torch.cat([images for _, images in writers.values()])
    assert everyone.shape == (120, 28, 28)
    assert everyone.dtype == torch.uint8
    assert everyone.flatten(1).any(dim=1).all()
    assert len(everyone.flatten(1).unique(dim=0)) == 120


def test_a_writers_drawings_of_a_digit_are_more_alike_than_those_of_others(writers):
    X = torch.stack([images for _, images in writers.values()]).flatten(2).float()  # (writers, 20, 784)
    own = (X[:, ::2] - X[:, 1::2]).norm(dim=2).mean()
    others = (X[:, ::2] - X.roll(1, 0)[:, 1::2]).norm(dim=2).mean()
    assert own < 0.8 * others


def test_it_trains_both_ways_and_says_the_gap(lab):
    assert lab.state()["phase"] == "idle"
    lab.buttons["Train"].click()
    lab.runner.wait()
    state = lab.state()
    assert state["phase"] == "done"
    means = state["facts"]["means"]
    assert set(means) == {"at random", "by writer"}
    assert all(0 <= share <= 1 for share in means.values())
    gap = 100 * (means["at random"] - means["by writer"])
    assert f"a gap of {gap:.1f} points" in state["said"]
    assert len(state["curves"]) == 10
    assert len({curve["id"] for curve in state["curves"]}) == 10
    assert all(len(curve["points"]) == epochs_for(lab.drawings) for curve in state["curves"])
    assert lab.buttons["Train"].disabled


def test_neither_a_move_nor_a_run_seeds_the_random_numbers_of_the_notebook(lab, monkeypatch):
    seed, seeds = torch.manual_seed, []
    monkeypatch.setattr(torch, "manual_seed", lambda number: (seeds.append(number), seed(number)))
    lab.board.text.value = "honest_split writers=2"
    lab.buttons["Train"].click()
    lab.runner.wait()
    assert seeds == []


def test_it_stops_goes_on_and_begins_again_with_other_writers(lab):
    lab.buttons["Train"].click()
    lab.buttons["Stop"].click()
    done = lab.far()[0]
    assert 0 < done < lab.far()[1]
    lab.buttons["Train"].click()
    lab.buttons["Stop"].click()
    assert lab.far()[0] > done
    lab.board.text.value = "honest_split writers=2"
    assert lab.far()[0] == 0
    assert lab.state()["said"].startswith("40 drawings by 2 writers. Source: simulated writers.")


def test_one_writer_cannot_be_split(writers):
    mark = next(iter(writers))
    lab = HonestSplit(every({mark: writers[mark]}))
    assert "needs at least two writers" in lab.state()["said"]
    assert lab.buttons["Train"].disabled
    lab.close()


def test_mnists_network_is_asked_for_digits_only_and_by_their_names():
    data = mnist("sample")
    places = (data.test_labels == 7).nonzero()[:50, 0]
    images = data.test_images[places][:, 0]
    sevens = {"a": (["7"] * 50, images, 0)}
    assert read_by_mnist(gathered(sevens, ("3", "7"), ".", "")).float().mean() > 0.9
    assert read_by_mnist(gathered({"a": (["cat"] * 50, images, 0)}, ("cat",), ".", "")) is None


def test_without_a_class_the_lab_stands_on_simulated_writers(tmp_path, monkeypatch):
    monkeypatch.delenv("LENET_LAB_CLASS", raising=False)
    monkeypatch.setenv("LENET_LAB_HOME", str(tmp_path))
    lab = labs.honest_split()
    assert "simulated writers, made from MNIST" in lab.state()["said"]
    assert function is labs.honest_split
    lab.close()


def test_a_writer_of_few_drawings_counts_for_few(writers):
    first, *others = writers.items()
    few = {first[0]: (first[1][0][:1], first[1][1][:1])}  # one drawing
    lab = HonestSplit(every(few | dict(others[:1])))
    last = {"by writer": (1.0, 0.5), "at random": (0.5, 0.5)}
    for fold, result in enumerate(lab.results):
        for name in result:
            result[name] = [last[name][fold]] * epochs_for(lab.drawings)
    assert lab.means() == pytest.approx({"at random": 0.5, "by writer": (1 + 20 * 0.5) / 21})
    lab.close()
