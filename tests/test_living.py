"""What labs in the browser stand on: one message a move, words for what cannot be, and one module of many files."""

import re

import pytest
import torch
from traitlets import TraitError

from helpers import plotting
from helpers.errors import ShapeError
from helpers.labs.living import FOLDER, Living, packed, script
from helpers.labs.settings import Button, Choice, Matrix, Slider, Steps, Switch

LABS = sorted(path.name for path in FOLDER.glob("*.js") if "\nexport default" in path.read_text(encoding="utf-8"))


class Demo(Living):
    """A lab with one of each setting, which cannot show a size of 3."""

    NAME = "demo"
    _esm = "export default {}"

    def __init__(self):
        self.pressed = 0
        controls = {
            "size": Slider("size (px)", 2, 0, 9),
            "kind": Choice("kind", {"one (1)": "1", "two": "2"}),
            "lr": Steps("learning rate", [0.1, 0.3], 0.3),
            "on": Switch("on"),
            "row": Slider("row", 0, 0, 9, shown=False),
        }
        super().__init__(controls, {"go": Button("Go", self.press)})

    def press(self):
        self.pressed += 1

    def draw(self, size, **others):
        if size == 3:
            raise ShapeError("3 is larger than <2>")
        return {"map": torch.ones(size, 2), "image": torch.tensor([1, 2], dtype=torch.uint8)}, others, f"size {size}"

    def still(self, **values):
        return plotting.Sheet(100, 100, "a demo")


@pytest.fixture
def lab():
    made = Demo()
    yield made
    made.close()


@pytest.fixture
def messages(lab, monkeypatch):
    """What goes to the browser: the state of each update."""
    sent = []
    monkeypatch.setattr(lab.comm, "send", lambda data=None, **options: sent.append(data["state"]))
    return sent


def hear(lab, turn="a", **message):
    """Let a lab hear a message as the browser sends it."""
    lab._handle_msg({"content": {"data": {"method": "custom", "content": {**message, "turn": turn}}}, "buffers": []})


def test_a_move_is_answered_by_one_message_with_all_that_changed(lab, messages):
    hear(lab, move={"size": 4, "kind": 1, "lr": 0, "on": True})
    (message,) = messages
    assert message["turn"] == "a"
    assert message["facts"]["arrays"] == {"map": [0, 1, [4, 2], "float32"], "image": [5, 2, [2], "uint8"]}
    assert message["said"] == {"text": "size 4", "trouble": False}
    assert message["line"]["text"] == "demo size=4 kind=two lr=0.1 on=on"
    assert [part["name"] for part in message["settings"]] == ["size", "kind", "lr", "on", "go"]
    assert [part["value"] for part in message["settings"][:4]] == [4, 1, 0, True]


def test_what_stays_as_it_is_is_not_sent_again(lab, messages):
    hear(lab, move={"row": 5})
    assert set(messages[0]) == {"turn", "facts", "line"}


def test_a_line_and_a_button_reach_the_lab(lab, messages):
    hear(lab, line="demo size=9, lr: 0.1")
    assert lab.state()["values"] == {"size": 9, "kind": "1", "lr": 0.1, "on": False, "row": 0}
    assert lab.state()["line"] == "demo size=9 lr=0.1"
    hear(lab, press="go")
    assert lab.pressed == 1


def test_a_refusal_stands_there_in_words_and_the_last_numbers_stay(lab, messages):
    before = lab.data
    hear(lab, move={"size": 3})
    assert messages[0]["said"] == {"text": "3 is larger than <2>", "trouble": True}
    assert lab.data == before
    hear(lab, line="demo size=99")
    assert "The nearest is size=9" in lab.state()["refusal"]


def test_the_browser_does_not_wait_for_ever_for_an_answer_that_fails(lab, messages, monkeypatch):
    monkeypatch.setattr(lab, "draw", lambda **values: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        lab._hear(lab, {"move": {"size": 5}, "turn": "b"}, [])
    assert messages[-1]["turn"] == "b"


def test_arrays_go_out_as_bytes_of_what_they_are_and_repeated_numbers_once():
    numbers = torch.tensor([2.5, 2.5, 2.5, -1.0, 2.5], dtype=torch.float64)
    image = torch.tensor([[7, 0], [0, 0], [0, 5], [0, 0], [9, 0]], dtype=torch.uint8).t()
    data, places = packed({"a": numbers, "b": image, "c": torch.zeros(0), "d": torch.ones(1)})
    assert places["a"] == [0, 3, [5], "float32"]
    assert places["b"] == [13, 6, [2, 5], "uint8"]
    assert places["c"] == [21, 0, [0], "float32"]
    assert places["d"] == [21, 1, [1], "float32"]
    new = [[0, 3, 4], [0, 1, 4, 5, 7, 8], [0]]  # the image row by row: 7 0 0 0 9, 0 0 5 0 0
    sizes = [1, 2, 1]
    bits = [sum(2**i for i in places).to_bytes(size, "little") for places, size in zip(new, sizes, strict=True)]
    sent = [
        torch.tensor([2.5, -1.0, 2.5]).numpy().tobytes(),
        bytes([7, 0, 9, 0, 5, 0]),
        torch.ones(1).numpy().tobytes(),
    ]
    assert data == b"".join(part for pair in zip(bits, sent, strict=True) for part in pair)


def test_numbers_that_are_equal_but_not_the_same_both_travel():
    _, places = packed({"zeros": torch.tensor([0.0, -0.0, -0.0]), "nan": torch.tensor([torch.nan, torch.nan])})
    assert [count for _, count, *_ in places.values()] == [2, 1]


@pytest.mark.parametrize("name", LABS)
def test_a_module_is_all_its_files_each_once_and_no_name_twice(name):
    text = script(name)
    assert not re.search(r"^import", text, re.MULTILINE)
    assert text.count("\nexport default") == 1
    assert not re.search(r"^export (?!default)", text, re.MULTILINE)
    names = re.findall(r"^(?:const|let|function|class) (\w+)", text, re.MULTILINE)
    assert {"living", "makeControls", "makeCanvas", "written"} <= set(names)
    assert len(names) == len(set(names))


@pytest.mark.parametrize("path", [*FOLDER.glob("*.js"), *FOLDER.glob("*.css")], ids=lambda path: path.name)
def test_a_file_is_short_enough_to_read_in_one_sitting(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 250
    assert max(map(len, lines)) <= 120
    assert [line for line in lines if line != line.rstrip()] == []


def test_sliders_cut_and_choices_refuse():
    slider, choice = Slider("size", 5, 1, 9), Choice("kind", ["a", "b"])
    slider.max = 3
    assert slider.value == 3
    slider.value = 0
    assert slider.value == 1
    with pytest.raises(TraitError, match="'c' is not one of"):
        choice.value = "c"
    assert Matrix(((100, -1.5), (0, 2))).value == ((99, -1.5), (0, 2))


def test_a_class_gets_its_look_in_one_file():
    """All files of CSS are one on a page: a bar of one lab must not move those of another. lab.css: for every lab."""
    found = {}
    for path in FOLDER.glob("*.css"):
        for name in set(re.findall(r"^\.([\w-]+)", path.read_text(encoding="utf-8"), re.MULTILINE)):
            found.setdefault(name, set()).add(path.name)
    assert {name: files for name, files in found.items() if len(files) > 1 and "lab.css" not in files} == {}
