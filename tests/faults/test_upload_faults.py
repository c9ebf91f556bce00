"""Whatever is brought into a lab, a file or a line, is taken or refused in words; nothing of it is run."""

import html
import io
import json
import random
from html.parser import HTMLParser

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from helpers import labs
from helpers.labs import board
from helpers.labs.class_experiment import AXES, read_lines
from helpers.labs.runner import Runner
from helpers.labs.settings import Words
from helpers.labs.upload import Upload
from helpers.photos import PhotoError, read_photo
from tests import every_lab
from tests.support import GOOD, checkers, file_of, grey_of_16_bits, hand_over, hopper, pixels, png_that_promises

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>'
NO_PICTURE = "This picture cannot be read here: save it (also a HEIC) as JPEG or PNG"
DAMAGED = "This picture is damaged, or its end is missing. Save or send it again."


def ten_thousand_square():
    """A whole PNG file of a few kB that fills 100 MB of memory once it is unpacked."""
    content = file_of(Image.new("1", (10_000, 10_000)), optimize=True)
    assert len(content) < 50_000
    return content


# {what the file is: (its bytes, what is said of it)}
FAULTS = {
    "empty": (b"", "This file is empty. Choose another one."),
    "a text": (b"my homework, not a picture", NO_PICTURE),
    "an SVG with a script": (SVG, NO_PICTURE),
    "a web page": (b"<html><script>alert(1)</script></html>", NO_PICTURE),
    "a program": (b"\x7fELF" + bytes(999), NO_PICTURE),
    "a picture of 100 million pixels": (ten_thousand_square(), "10,000×10,000 pixels, more than 25 million pixels"),
    "a picture of more pixels than Pillow counts": (png_that_promises(2**31 - 1, 2**31 - 1), "more than 25 million"),
    "a truncated JPEG": (hopper()[:30_000], DAMAGED),
    "the beginning of a JPEG": (hopper()[:300], ""),
    "a truncated PNG": (file_of(checkers().resize((600, 400)))[:-300], DAMAGED),
}
LABS = [name for name in every_lab.LABS if name in ("explorer", "convolution", "drawing")]  # those with an upload


class Tags(HTMLParser):
    """Collects the tags that a browser would find in a text."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append(tag)


def words_of(message):
    """What a message says, as a student reads it; fails where its HTML has more in it than the message's own box."""
    if isinstance(message, Words):
        return message.value  # the browser sets it as text
    assert Tags(message.value).found == ["div"]
    return html.unescape(message.value.split(">", 1)[1].removesuffix("</div>"))


def red(message):
    return message.trouble


@pytest.mark.parametrize("fault", FAULTS)
def test_reading_a_file_that_is_no_photograph_raises_words(fault):
    content, words = FAULTS[fault]
    with pytest.raises(PhotoError) as refused:
        read_photo(content)
    assert words in str(refused.value)


def test_a_picture_that_promises_too_many_pixels_is_refused_unopened(monkeypatch):
    with pytest.raises(PhotoError, match="damaged"):  # just small enough to try
        read_photo(png_that_promises(5000, 5000))
    monkeypatch.setattr(Image.Image, "convert", lambda *args: pytest.fail("it was unpacked"))
    with pytest.raises(PhotoError, match="5,001×5,000 pixels, more than 25 million"):
        read_photo(png_that_promises(5001, 5000))
    with pytest.raises(PhotoError, match="10,000×10,000 pixels, more than 25 million"):
        read_photo(ten_thousand_square())


def test_no_damage_leads_to_another_error(recwarn):
    dice = random.Random(0)
    whole = [
        file_of(checkers(), "JPEG"),
        file_of(checkers().quantize(4)),
        file_of(grey_of_16_bits()),
        file_of(checkers(), "GIF"),
        file_of(checkers(), "BMP"),
        file_of(checkers(), "WEBP"),
    ]
    read, refused = 0, 0
    for _ in range(600):
        damaged = bytearray(dice.choice(whole))
        for _ in range(dice.choice([1, 5])):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        try:
            photo = read_photo(bytes(damaged[: dice.choice([None, dice.randrange(len(damaged))])]))
        except PhotoError:
            refused += 1
        else:
            assert len(photo) == 3
            read += 1
    assert read > 50
    assert refused > 50
    assert not recwarn.list


@pytest.fixture(scope="module", params=LABS)
def lab_with_upload(request, sample):
    """A lab that has been given a photograph and shows it."""
    lab = every_lab.made(request.param, sample)
    hand_over(lab.upload, hopper())
    if request.param == "convolution":
        lab.controls["image"].value = "own photo"
    yield lab
    lab.close()


def state(lab):
    """All that a student sees of a lab, but for the words beside the upload."""
    return lab.board.values(), lab.board.text.value, lab.message.value, every_lab.shown(lab)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_lab_says_what_is_wrong_with_a_file_and_keeps_its_photograph(fault, lab_with_upload):
    lab, (content, words) = lab_with_upload, FAULTS[fault]
    photo, before = lab.upload.photo, state(lab)
    hand_over(lab.upload, content, "my file.jpg")
    said = lab.upload.said
    assert said["text"].startswith("my file.jpg: This ")
    assert words in said["text"]
    assert said["trouble"]
    assert lab.upload.photo is photo
    assert state(lab) == before


def test_after_a_fault_the_next_photograph_is_taken(lab_with_upload):
    before = every_lab.shown(lab_with_upload)
    hand_over(lab_with_upload.upload, b"no picture")
    hand_over(lab_with_upload.upload, file_of(checkers()))
    assert not lab_with_upload.upload.said["trouble"]
    assert torch.equal(lab_with_upload.upload.photo, pixels(checkers()))
    assert every_lab.shown(lab_with_upload) != before


@pytest.mark.parametrize("fault", FAULTS)
def test_without_a_photograph_before_there_is_none_after_a_fault(fault):
    upload, seen = Upload(), []
    upload.on_photo(seen.append)
    hand_over(upload, FAULTS[fault][0])
    assert upload.said["trouble"]
    assert upload.photo is None
    assert seen == []


def test_of_a_moving_picture_the_first_frame_is_taken():
    film = file_of(checkers(), "GIF", save_all=True, append_images=[Image.new("RGB", (6, 4), "green")] * 3)
    assert Image.open(io.BytesIO(film)).n_frames > 1
    assert torch.equal(read_photo(film), pixels(checkers()))
    upload, seen = Upload(), []
    upload.on_photo(seen.append)
    hand_over(upload, film, "film.gif")
    assert upload.said["text"] == "film.gif: taken as 6 pixels wide, 4 high"
    assert torch.equal(upload.photo, pixels(checkers()))
    assert len(seen) == 1


# A canary: whoever runs one of these as code makes the file `canary` in the working directory.
CODE = [
    "__import__('pathlib').Path('canary').touch()",  # without a blank, comma or = at which a line is split
    "__import__('os').system('touch canary')",
    "open('canary','w')",
    "$(touch canary)",
    "`touch canary`",
    "!touch canary",
    "%system touch canary",
    "{open('canary','w')}",
    "lambda:open('canary','w')",
]
HTML = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "</div><b>bold</b>",
    "&lt;b&gt;",
    "\"'><i>",
]
LONG = ["x" * 10_000, "9" * 10_000, "<b>" * 10_000, "=" * 10_000, "a=" * 5_000]


@pytest.fixture(autouse=True)
def canary(tmp_path, monkeypatch):
    """Each test runs in an empty folder, and leaves it empty."""
    monkeypatch.chdir(tmp_path)
    yield
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [*HTML, "", "a\x00b.jpg", "ü" * 300, "<b>" * 300, "&" * 300])
@pytest.mark.parametrize("content", [hopper(), b"no picture"], ids=["a photograph", "no picture"])
def test_a_file_name_is_shown_as_text(name, content):
    upload = Upload()
    hand_over(upload, content, name)
    assert upload.said["text"].startswith(f"{name[:24]}: ")  # the browser sets it as text


@pytest.fixture(scope="module", params=every_lab.LABS)
def lab(request, sample):
    made = every_lab.made(request.param, sample)
    yield made
    made.close()


def type_in(lab, line):
    """Type a board line into a lab and check all that holds for any text; returns whether the lab took it."""
    line = line.replace("\n", " ").replace("\r", " ")  # as a browser's field does with what is pasted into it
    before, unmoved = lab.board.values(), state(lab)[2:]
    lab.board.text.value = line
    said = words_of(lab.board.trouble)
    try:
        asked = board.read(line, lab.board.lab, lab.board.controls, lab.board.defaults)
    except board.BoardError as error:
        assert said == str(error)
        assert red(lab.board.trouble)
        assert lab.board.values() == before
        assert state(lab)[2:] == unmoved
        assert len(said) < 1000
        return False
    assert said == ""
    assert lab.board.values().keys() == asked.keys()
    Runner.end_latest()  # a lab that trains must not change while the next line is tried
    return True


def test_code_and_html_in_a_board_line_are_refused_and_shown_as_text(lab):
    first, *others = lab.board.controls
    for text in CODE + HTML + LONG:
        for line in [text, f"{lab.board.lab} {text}", f"{lab.board.lab} {text}=1", f"{text} {first}=1"]:
            assert not type_in(lab, line)
        for name in (first, *others):
            assert not type_in(lab, f"{lab.board.lab} {name}={text}")


ANYTHING = st.one_of(
    st.text(max_size=600), st.sampled_from(CODE + HTML), st.integers().map(str), st.floats().map(str), st.just("")
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_any_text_in_a_board_line_is_taken_or_refused_in_words(lab, data):
    name = st.sampled_from([*lab.board.controls, "", "lr", "__class__"])
    pairs = st.lists(st.tuples(name, ANYTHING).map("=".join), max_size=3).map(" ".join)
    line = data.draw(ANYTHING | pairs.map(lambda words: f"{lab.board.lab} {words}"), label="line")
    type_in(lab, line)


@pytest.fixture(scope="module")
def classroom():
    return labs.class_experiment()


def paste(classroom, text):
    """Paste result lines into the class experiment and check all that holds for any text; returns its words."""
    classroom.hear({"lines": text}, [])
    results, troubles = read_lines(text)
    state = classroom.state()
    told = state["facts"]["troubles"]
    assert state["said"].startswith(f"{len(results)} result{'' if len(results) == 1 else 's'}.")
    assert told[:5] == troubles[:5]
    assert len(told) <= 6
    assert not state["trouble"]
    assert len(" ".join([state["said"], *told])) < 1000
    json.dumps(state, allow_nan=False)  # all that the browser is told
    assert len(state["arrays"]["dots"]) == len(results)
    return [state["said"], *told]


@pytest.mark.parametrize("text", CODE + HTML + LONG, ids=lambda text: text[:30])
def test_code_and_html_in_a_result_line_are_refused_and_shown_as_text(text, classroom):
    paste(classroom, GOOD)
    alone = classroom.state()["arrays"], classroom.state()["facts"]["groups"]
    spoilt = [f"{GOOD} {name}={text}" for name in (*AXES, "accuracy")]
    said = paste(classroom, "\n".join([GOOD, text, f"result {text}", *spoilt]))
    assert said[0].startswith("1 result.")
    assert said[1].startswith("line 2: it begins with “")
    assert "line 4: lr=" in said[3]
    assert len(read_lines("\n".join(spoilt))[1]) == len(spoilt)
    assert (classroom.state()["arrays"], classroom.state()["facts"]["groups"]) == alone
    tags = set(Tags(classroom.still(**classroom.board.values())._repr_html_()).found)
    assert tags <= {"svg", "defs", "g", "path", "clippath", "rect", "use"}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(text=st.lists(ANYTHING | ANYTHING.map(lambda text: f"{GOOD} {text}"), max_size=6).map("\n".join))
@example(text=GOOD.replace("lr=0.1", "lr=1e-300"))
@example(text=GOOD.replace("lr=0.1", "lr=999999999"))
def test_any_text_in_result_lines_is_counted_or_refused_in_words(classroom, text):
    paste(classroom, text)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(numbers=st.lists(st.tuples(*[st.floats().map(str)] * 5), max_size=5))
def test_any_numbers_in_result_lines_are_drawn_or_refused_in_words(classroom, numbers):
    names = ("lr", "channels", "kernel", "parameters", "accuracy")
    pairs = [" ".join(f"{name}={number}" for name, number in zip(names, row, strict=True)) for row in numbers]
    paste(classroom, "\n".join(f"result {words}" for words in pairs))
