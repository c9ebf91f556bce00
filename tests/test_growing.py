"""What a page hears of a run: only new points, all again after a reload, and one run for three presses."""

import math
import threading
from types import SimpleNamespace

import pytest
import torch

from helpers import labs
from tests.support import wait_for


@pytest.fixture(params=["learn_kernel", "trainer"])
def lab(request, sample):
    made = {
        "learn_kernel": lambda: labs.learn_kernel(sample.train_images[0]),
        "trainer": lambda: labs.trainer(sample, num_epochs=1),
    }[request.param]()
    yield made
    made.close()


@pytest.fixture
def sent(lab, monkeypatch):
    """The messages that the lab sends, as a list of (message, numbers)."""
    messages = []

    def send(message, buffers):
        messages.append((message, torch.frombuffer(bytearray(buffers[0]), dtype=torch.float32)))

    monkeypatch.setattr(lab, "send", send)
    return messages


def press(lab, name, nth=None):
    """What the page sends when a button is pressed; nth: which press of a button that begins a run."""
    lab._hear(lab, {"press": name, "nth": nth, "turn": "t"}, [])


def start(lab):
    press(lab, lab.STARTS[0], lab.going["presses"] + 1)


def collected(messages):
    """What a page knows that has heard these messages, {id: rows}; a gap between two of them fails."""
    known = {}
    for message, numbers in messages:
        rows = known.setdefault(message["points"], [])
        assert message["at"] <= len(rows)
        rows[message["at"] :] = numbers.reshape(message["count"], -1).tolist()
    return known


def same(rows, points):
    """True if the rows, of float32 with NaN, say the same as the points."""
    points = [[math.nan if number is None else number for number in point] for point in points]
    return len(rows) == len(points) and torch.allclose(torch.tensor(rows), torch.tensor(points), equal_nan=True)


def test_each_point_travels_once_and_together_they_are_the_curve(lab, sent):
    lab._hear(lab, {"lacking": {}, "turn": "the page begins"}, [])
    start(lab)
    wait_for(lambda: len(sent) > 3)
    press(lab, "Stop")
    [curve] = lab.state()["curves"]
    assert same(collected(sent)[curve["id"]], curve["points"])
    assert sum(message["count"] for message, _ in sent) == len(curve["points"])
    assert lab.going["curves"] == [{"id": curve["id"], "name": curve["name"], "points": len(curve["points"])}]


def test_a_page_that_was_reloaded_in_mid_run_asks_and_gets_the_whole_curve(lab, sent):
    start(lab)
    wait_for(lambda: len(lab.state()["curves"][-1]["points"]) > 5)
    sent.clear()
    lab._hear(lab, {"lacking": {}, "turn": "reloaded"}, [])
    assert sent[0][0]["at"] == 0
    assert sent[0][0]["count"] > 5
    assert lab.turn == "reloaded"
    press(lab, "Stop")
    [curve] = lab.state()["curves"]
    assert same(collected(sent)[curve["id"]], curve["points"])


def test_a_page_that_has_lost_a_message_gets_what_it_lacks(lab, sent):
    start(lab)
    wait_for(lambda: len(lab.state()["curves"][-1]["points"]) > 5)
    press(lab, "Stop")
    sent.clear()
    [curve] = lab.state()["curves"]
    lab._hear(lab, {"lacking": {str(curve["id"]): 3}, "turn": "t"}, [])
    [(message, numbers)] = sent
    assert message == {"points": curve["id"], "at": 3, "count": len(curve["points"]) - 3}
    assert same(numbers.reshape(message["count"], -1).tolist(), curve["points"][3:])


def test_three_presses_while_the_kernel_was_busy_are_one_run(lab):
    begun = []
    go_on = lab.go_on
    lab.go_on = lambda *work: begun.append(go_on(*work))
    nth = lab.going["presses"] + 1
    for _ in range(3):  # the page has heard nothing between them: all are its first press
        press(lab, lab.STARTS[0], nth)
    assert len(begun) == 1
    press(lab, "Stop")
    assert lab.going["phase"] == "stopped"
    press(lab, lab.STARTS[-1], lab.going["presses"] + 1)
    assert len(begun) == 2


def test_a_button_that_can_do_nothing_now_does_nothing(lab):
    press(lab, "Stop")
    assert lab.going["phase"] == "idle"
    assert not lab.runner.running


def test_the_still_picture_that_is_there_tomorrow_is_one_of_the_last_run(lab):
    shown = []
    lab.asleep = SimpleNamespace(update=lambda still: shown.append(still.data))
    began = lab._still("began")
    start(lab)
    lab.runner.wait()
    (now,) = shown
    assert "as it was after its last run" in now
    assert now.partition("<svg")[2].partition("</svg>")[0] != began.partition("<svg")[2].partition("</svg>")[0]


def test_a_moment_of_a_run_is_one_message_so_that_the_browser_draws_once(lab, monkeypatch):
    moments, messages = [], []
    present = lab.present

    def counted():
        messages.clear()
        present()
        moments.append([*messages])

    monkeypatch.setattr(lab, "present", counted)
    monkeypatch.setattr(lab.comm, "send", lambda data=None, **options: messages.append(data["state"]))
    monkeypatch.setattr(lab, "send", lambda message, buffers: None)  # the points
    start(lab)
    wait_for(lambda: len(moments) > 3)
    press(lab, "Stop")
    assert all(len(moment) == 1 for moment in moments[1:3])  # the first falls into the answer to the button
    assert {"going", "said"} <= set(moments[1][0])


def test_nobody_waits_for_the_still_picture_at_the_end_of_a_run(lab):
    drawing, drawn = threading.Event(), threading.Event()
    lab.asleep = SimpleNamespace(update=lambda still: (drawing.set(), drawn.wait(60)))
    start(lab)
    wait_for(lambda: len(lab.state()["curves"][-1]["points"]) > 3)
    press(lab, "Stop")  # returns, although the picture is being drawn
    assert lab.going["phase"] == "stopped"
    assert not lab.runner.running
    assert drawing.wait(60)
    drawn.set()
    lab.runner.wait()
