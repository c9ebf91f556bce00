"""The class draws: what the pad asks for and keeps, and what is made of a folder in which anything may lie."""

import concurrent.futures
import json
import os
import struct
import threading
import time
import zlib

import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from helpers import DataError, class_data, labs
from helpers.labs import class_drawings
from helpers.labs.class_data import oddness
from helpers.labs.class_drawings import MOST_BYTES, Files, Writer, as_file, as_words, drawings_or_simulated, from_file
from helpers.labs.class_folder import DRAWN, VARIABLE, ClassFolder
from tests.support import png_that_promises, wait_for

SEVEN = [[[80, 60], [200, 60], [120, 220]]]
WORDS = ("0", "1")


def image(number=0):
    """A drawing that no other number gives."""
    return torch.randint(0, 256, (1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(number))


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A student's own folder; no class."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("LENET_LAB_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def shared(home, tmp_path, monkeypatch):
    """The class's folder."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "class"))
    (tmp_path / "class").mkdir()
    return tmp_path / "class"


@pytest.fixture
def lab(home):
    made = labs.collect("cat house")
    yield made
    made.close()


def hand(lab, strokes=SEVEN, kept=None):
    """Draw, and press Keep, as the page does."""
    at = lab.facts["kept"] if kept is None else kept
    lab.hear({"keep": at, "ink": {"example": "none", "strokes": strokes}}, [])


def files(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def read(folder):
    return Files(ClassFolder(folder)).read()


@pytest.mark.parametrize("text", ["cat house", " cat,\nhouse ", "cat,house"])
def test_words_are_read_as_a_teacher_types_them(text):
    assert as_words(text) == ("cat", "house")


def test_words_in_any_alphabet_are_taken():
    assert as_words("猫 हाथी дом Haus") == ("猫", "हाथी", "дом", "Haus")


@pytest.mark.parametrize(("text", "why"), [("", "0 words"), ("a " * 63, "63 words"), ("🐱 a", "cannot be one of"),
                                           ("cat Cat", "too alike"), ("x" * 21, "cannot be one of")])  # fmt: skip
def test_words_that_cannot_be_asked_for_are_named(text, why):
    with pytest.raises(ValueError, match=why):
        labs.collect(text)


def test_the_pad_asks_for_one_word_after_the_other_and_keeps_what_the_network_will_see(lab, home):
    assert lab.state()["values"]["word"] == "cat"
    hand(lab)
    (name,) = files(home)
    (found,) = read(home / "drawings")[0].values()
    assert name == f"{lab.writer.mark}{DRAWN}"
    assert found[0] == ["cat"]
    lab.pad.draw(SEVEN)
    assert torch.equal(found[1], lab.pad.digit())
    assert lab.state()["values"]["word"] == "house"
    hand(lab)
    assert lab.state()["values"]["word"] == "cat"
    assert lab.state()["facts"]["words"] == ["house", "cat"]
    assert not lab.seen.any()


def test_an_example_chosen_by_keyboard_is_kept_too(home):
    lab = labs.collect()
    lab.board.text.value = "collect word=3 example=3"
    lab.hear({"keep": 0, "ink": lab.pad.ink}, [])
    assert lab.writer.words == ["3"]
    assert lab.state()["line"] == "collect"  # asks for 0, on an empty pad
    lab.close()


def test_a_double_click_keeps_one_drawing_and_an_empty_pad_none(lab):
    hand(lab, kept=0)
    hand(lab, kept=0)
    hand(lab, strokes=[])
    assert lab.writer.words == ["cat"]
    assert lab.state()["trouble"]
    assert "draw first" in lab.state()["said"]


def test_a_stroke_that_grows_costs_few_bytes(lab):
    for number in range(30):
        lab.writer.keep("cat", image(number))
    lab.pad.draw(SEVEN)
    assert len(lab.data) < 20_000


def test_a_drawing_and_all_of_them_can_be_taken_back_everywhere(shared, home):
    lab = labs.collect("cat house")
    for _ in range(3):
        hand(lab)
    lab.hear({"back": 1, "of": 3}, [])
    lab.hear({"back": 0, "of": 3}, [])  # of a page that has not heard of the first yet
    for folder in (home / "drawings", shared):
        ((words, *_),) = read(folder)[0].values()
        assert words == ["cat", "cat"]
    lab.buttons["All back"].click()
    assert "again" in lab.state()["said"]
    assert len(files(shared)) == 1
    lab.buttons["All back"].click()
    assert files(shared) == files(home) == []
    lab.buttons["All back"].click()
    assert lab.state()["said"] == "Nothing is kept."
    lab.close()


def test_on_the_next_day_a_writer_goes_on_and_a_neighbour_has_a_mark_of_his_own(lab, home):
    hand(lab)
    again = labs.collect("cat house")
    assert again.writer.mark == lab.writer.mark
    assert again.state()["values"]["word"] == "house"
    again.buttons["New writer"].click()
    hand(again)
    assert len(files(home)) == 2
    assert [words for words, *_ in read(home / "drawings")[0].values()] == [["cat"], ["cat"]]
    again.close()


def test_two_who_share_a_pad_find_back_to_their_own_drawings(shared, home):
    lab = labs.collect("cat house")
    lab.buttons["Earlier writer"].click()
    assert "no drawings of anyone else" in lab.state()["said"]
    marks = []
    for count in (1, 2, 3):
        marks.append(lab.writer.mark)
        for _ in range(count):
            hand(lab)
        os.utime(lab.writer.file, (count, count))  # the clock of a file system may not tell them apart
        lab.buttons["New writer"].click()
    for count in (3, 2, 1, 3, 2):
        lab.buttons["Earlier writer"].click()
        assert lab.writer.mark == marks[count - 1]
        assert lab.state()["facts"]["count"] == count
    lab.hear({"back": 0, "of": 2}, [])
    for folder in (home / "drawings", shared):
        assert {mark: words for mark, (words, *_) in read(folder)[0].items()} == {
            marks[0]: ["cat"], marks[1]: ["house"], marks[2]: ["cat", "house", "cat"],
        }  # fmt: skip
    hand(lab)
    assert lab.writer.words == ["house", "cat"]
    lab.close()


def test_two_labs_of_one_writer_lose_nothing_of_each_other(lab, home):
    hand(lab)
    other = labs.collect("tree")
    hand(other)
    hand(lab)
    assert read(home / "drawings")[0][lab.writer.mark][0] == ["cat", "tree", "house"]
    other.hear({"back": 1, "of": 2}, [])  # the page has not heard of the third: it shows it now
    assert other.state()["facts"]["words"] == ["house", "tree", "cat"]
    other.hear({"back": 1, "of": 3}, [])
    assert read(home / "drawings")[0][lab.writer.mark][0] == ["cat", "house"]
    other.close()


def test_a_file_that_cannot_be_read_any_more_is_not_written_over(lab, home):
    hand(lab)
    file = home / "drawings" / f"{lab.writer.mark}{DRAWN}"
    file.write_bytes(b"mine")
    hand(lab)
    assert file.read_bytes() == b"mine"
    assert lab.state()["trouble"]
    assert "holds no drawings" in lab.state()["said"]


def test_what_a_user_has_in_the_folder_stays_as_it_is(home):
    (home / "drawings").mkdir()
    for name in ("holiday.png", f"mine{DRAWN}"):
        (home / "drawings" / name).write_bytes(b"mine")
    Writer().keep("cat", image())
    assert {(home / "drawings" / name).read_bytes() for name in ("holiday.png", f"mine{DRAWN}")} == {b"mine"}


def test_what_is_said_without_a_class_names_no_class(home):
    writer = Writer()
    assert [writer.keep("cat", image()), writer.keep("house", image(1))] == ["Kept.", "Kept."]
    assert [writer.take_back(0), writer.take_back(None)] == ["Taken back.", "Taken back."]


def test_what_is_said_of_the_class_is_what_its_folder_holds(shared):
    writer = Writer()
    for number in range(3):
        assert writer.keep("cat", image(number)) == f"Kept. The class's folder {shared} has it too."
    for which, left in ((0, 2), (1, 1), (0, 0)):
        assert writer.take_back(which) == f"Taken back, also from the class's folder {shared}."
        assert sum(len(words) for words, *_ in read(shared)[0].values()) == left
    writer.keep("cat", image())
    assert writer.take_back(None) == f"Taken back, also from the class's folder {shared}."
    assert files(shared) == []


def test_a_drawing_taken_back_while_the_class_is_away_goes_with_the_next_change(shared, tmp_path):
    writer = Writer()
    for number in range(3):
        writer.keep("cat", image(number))
    shared.rename(tmp_path / "away")
    said = f"Taken back here. But the class's folder {shared} does not exist: your next change will take it back there"
    assert writer.take_back(0).startswith(said)
    (tmp_path / "away").rename(shared)
    assert len(read(shared)[0][writer.mark][0]) == 3
    writer.take_back(0)
    assert len(read(shared)[0][writer.mark][0]) == 1


def test_all_that_is_taken_back_while_the_class_is_away_can_be_taken_back_there_later(shared, home, tmp_path):
    lab = labs.collect("cat house")
    hand(lab)
    shared.rename(tmp_path / "away")
    for _ in range(2):
        lab.buttons["All back"].click()
    name = f"{lab.writer.mark}{DRAWN}"
    said = (
        f"Taken back here. But the class's folder {shared} does not exist: press “Take all back” again when it can be "
        f"used, or have {name} deleted there."
    )
    assert lab.state()["said"] == said
    lab.buttons["All back"].click()
    assert lab.state()["said"] == said  # still away
    (tmp_path / "away").rename(shared)
    assert (files(home), files(shared)) == ([], [name])
    lab.buttons["All back"].click()
    assert files(shared) == []
    assert lab.state()["said"] == f"Taken back, also from the class's folder {shared}."
    lab.close()


def test_a_class_folder_that_vanishes_is_said_and_catches_up_when_it_is_back(shared, home):
    writer = Writer()
    shared.rmdir()
    assert "does not exist" in writer.keep("cat", image())
    assert writer.words == ["cat"]
    shared.mkdir()
    assert str(shared) in writer.keep("house", image(1))
    ((words, *_),) = read(shared)[0].values()
    assert words == ["cat", "house"]


def test_a_folder_that_cannot_be_written_is_said_and_the_drawing_stays_on_the_pad(lab, home):
    (home / "drawings").write_text("")
    hand(lab)
    assert lab.state()["trouble"]
    assert lab.writer.words == []
    assert lab.seen.any()


def lying(words, height=28, width=28, mode="L"):
    """A file whose line of JSON says what it likes."""
    line, picture = PngInfo(), Image.new(mode, (width, height))
    line.add_text("drawn", words)
    path = class_drawings.io.BytesIO()
    picture.save(path, "PNG", pnginfo=line)
    return path.getvalue()


def bomb():
    """A file of a right size whose pixels unpack to far more."""
    content = lying('["cat"]')
    start = content.index(b"IDAT") - 4
    data = zlib.compress(bytes(50_000_000))
    chunk = struct.pack(">I", len(data)) + b"IDAT" + data + struct.pack(">I", zlib.crc32(b"IDAT" + data))
    return content[:start] + chunk + content[-12:]


@pytest.mark.parametrize(
    "content",
    [
        b"", bytes(range(256)), b"\x89PNG", png_that_promises(28, 60_000), png_that_promises(2**31 - 1, 2**31 - 1),
        lying('["cat", "house"]'), lying("[7]"), lying('{"cat": 1}'), lying("[" * 100_000), lying('["cat"'),
        lying(json.dumps(["x" * 999])), lying('["cat"]', mode="RGB"), lying('["cat"]', width=29), lying("[]"),
        as_file(["cat"], image())[:-60],
    ],
)  # fmt: skip
def test_a_file_that_lies_is_refused(content):
    with pytest.raises(ValueError, match=r"holds no drawings|that do not fit"):
        from_file(content)


def test_pixels_beyond_the_picture_are_not_unpacked():
    words, images = from_file(bomb())  # 50 MB for a picture of 784 bytes
    assert words == ["cat"]
    assert images.shape == (1, 28, 28)


def test_whatever_else_lies_in_the_folder_is_named_and_never_opened(tmp_path):
    good = as_file(["cat", "cat"], torch.cat([image(), image(1)]))
    (tmp_path / f"good{DRAWN}").write_bytes(good)
    (tmp_path / f"binary{DRAWN}").write_bytes(bytes(range(256)))
    (tmp_path / f"large{DRAWN}").write_bytes(bytes(MOST_BYTES + 1))
    (tmp_path / f"half{DRAWN}.1234.part").write_bytes(good)
    (tmp_path / "a.results.txt").write_text("result lr=0.1")  # of the class experiment
    os.mkfifo(tmp_path / f"pipe{DRAWN}")  # to open it would wait for ever
    (tmp_path / f"link{DRAWN}").symlink_to(tmp_path / f"good{DRAWN}")
    (tmp_path / f"folder{DRAWN}").mkdir()
    (tmp_path / f"two\nlines{DRAWN}").write_bytes(good)  # such a name, or one that is no text, cannot be shown
    found, troubles = read(tmp_path)
    assert list(found) == ["good"]
    assert torch.equal(found["good"][1], torch.cat([image(), image(1)]))
    assert troubles == [
        f"binary{DRAWN} holds no drawings",
        f"large{DRAWN} has more than {MOST_BYTES:,} bytes",
        "4 other things in the folder",
    ]
    assert ClassFolder(tmp_path).read()[1] == ["4 other things in the folder"]


def test_two_hundred_writers_at_once_lose_nothing(shared):
    writers = [Writer(new=True) for _ in range(200)]

    def draw(number):
        for turn in range(3):
            writers[number].keep(WORDS[turn % 2], image(3 * number + turn))

    looking = Files(ClassFolder(shared))
    with concurrent.futures.ThreadPoolExecutor(16) as students:
        reader = students.submit(lambda: [looking.read() for _ in range(20)])
        list(students.map(draw, range(200)))
    assert all(troubles == [] for _, troubles in reader.result())  # while they write: only whole files
    found, troubles = looking.read()
    assert troubles == []
    assert {mark: words for mark, (words, *_) in found.items()} == {one.mark: ["0", "1", "0"] for one in writers}
    everyone = torch.cat([images for _, images, _ in found.values()])
    assert len(everyone.flatten(1).unique(dim=0)) == 600


@pytest.fixture
def class_of_six(shared):
    """Six writers, two drawings each of "0" and "1"."""
    writers = [Writer(new=True) for _ in range(6)]
    for number, writer in enumerate(writers):
        for turn in range(4):
            writer.keep(WORDS[turn % 2], image(4 * number + turn))
    return writers


def test_the_class_is_a_data_set_like_any_other_and_no_hand_is_on_both_sides(class_of_six, shared):
    data = class_data("0 1")
    assert (len(data.train_images), len(data.test_images)) == (16, 8)
    assert data.class_names == WORDS
    assert data.source == f"the drawings of 6 writers in {shared}"
    for writer in class_of_six:
        own = {tuple(one.flatten().tolist()) for one in writer.images}
        sides = [{tuple(one.flatten().tolist()) for one in part} for part in (data.train_images, data.test_images)]
        assert own <= sides[0] or own <= sides[1]


def test_each_drawing_is_set_aside_once_by_writer_and_at_random(class_of_six):
    drawings = drawings_or_simulated(WORDS)
    folds = drawings.folds()
    assert len(folds) == 5
    for way in (0, 1):
        assert torch.stack([fold[way] for fold in folds]).sum(dim=0).eq(1).all()
    assert all(not set(drawings.writers[test].tolist()) & set(drawings.writers[~test].tolist()) for test, _ in folds)
    mixed = [set(drawings.writers[test].tolist()) & set(drawings.writers[~test].tolist()) for _, test in folds]
    assert any(mixed)


def test_at_random_as_many_drawings_are_set_aside_as_by_writer(shared):
    for number, count in enumerate((9, 1, 2)):
        writer = Writer(new=True)
        for turn in range(count):
            writer.keep(WORDS[turn % 2], image(10 * number + turn))
    folds = drawings_or_simulated(WORDS).folds()
    assert sorted(int(by_writer.sum()) for by_writer, _ in folds) == [1, 2, 9]
    assert all(by_writer.sum() == at_random.sum() for by_writer, at_random in folds)
    assert torch.stack([at_random for _, at_random in folds]).sum(dim=0).eq(1).all()


def test_words_that_were_not_asked_for_are_left_out(class_of_six):
    class_of_six[0].keep("cat", image(99))
    assert len(class_data("1 0").train_labels) + len(class_data("1 0").test_labels) == 24
    assert class_data("1 0").class_names == ("1", "0")


def test_without_drawings_digits_are_simulated_and_other_words_are_asked_for(home):
    data = class_data()
    assert data.source.startswith("10 simulated writers, made from MNIST")
    assert (len(data.train_images), len(data.test_images)) == (240, 60)
    with pytest.raises(DataError, match=r"no drawing of cat, house in .* yet: collect some in labs\.collect"):
        class_data("cat house")


def test_one_writer_of_digits_is_split_from_nine_simulated_ones(home):
    Writer().keep("7", image(7))
    lab = labs.honest_split()
    assert lab.drawings.marks[0] == Writer().mark
    assert len(lab.every.marks) == 10
    assert lab.ready()["Train"]
    assert f"Source: the drawings in {home / 'drawings'} and 9 simulated writers" in lab.draw(2)[2]
    Writer().keep("cat", image(8))
    Writer().keep("house", image(9))
    assert not labs.honest_split("cat house").ready()["Train"]


def test_one_writer_alone_is_on_both_sides(home):
    writer = Writer()
    for number in range(10):
        writer.keep(WORDS[number % 2], image(number))
        if number == 0:
            assert len(class_data("0 1").train_images) == 1  # of the first drawing no network is tested yet
    data = class_data("0 1")
    assert (len(data.train_images), len(data.test_images)) == (8, 2)


@pytest.fixture
def projector(shared):
    made = labs.class_data("0 1")
    yield made
    made.close()


def test_the_projector_follows_a_drawing_and_says_who_has_some_left(projector):
    assert projector.message.value.startswith("No drawings yet.")
    writer = Writer()
    writer.keep("1", image())
    wait_for(lambda: projector.message.value.startswith("1 drawing by 1 writer,"))
    assert projector.state()["facts"]["counts"] == [0, 1]
    assert projector.state()["facts"]["missing"] == [{"mark": writer.mark, "count": 1, "words": ["0"]}]
    writer.take_back(None)
    wait_for(lambda: projector.message.value.startswith("No drawings yet."))


def test_the_projector_shows_outliers_first_or_the_newest(projector):
    writer, other = Writer(), Writer(new=True)
    upright, flat = torch.zeros(1, 28, 28, dtype=torch.uint8), torch.zeros(1, 28, 28, dtype=torch.uint8)
    upright[0, 4:24, 12:16], flat[0, 12:16, 4:24] = 255, 255
    for number in range(6):
        writer.keep("1", (upright - 5 * number * (upright > 0)).byte())
        writer.keep("0", (flat - 5 * number * (flat > 0)).byte())
    other.keep("1", flat)
    wait_for(lambda: projector.message.value.startswith("13 drawings by 2 writers"))
    assert projector.state()["facts"]["marks"][0] == other.mark  # a 0 that is said to be a 1
    assert "1 of them is a copy of another" in projector.message.value
    projector.board.text.value = "class_data order=newest-first word=0"
    assert projector.state()["facts"]["marks"] == [writer.mark] * 6
    shown = torch.tensor(projector.state()["arrays"]["images"])
    assert shown[0].amax() == 255 - 25


def test_a_hand_at_the_projector_and_a_drawing_that_comes_are_one_after_the_other(projector, monkeypatch):
    writer = Writer()
    writer.keep("1", image())
    wait_for(lambda: projector.message.value.startswith("1 drawing"))
    places, seen = projector.places, []

    def slowly(order, word):
        """While a hand's picture is made, more drawings come."""
        if threading.current_thread() is threading.main_thread() and not seen:
            seen.append(True)
            for number in range(1, 5):
                writer.keep("0", image(number))
            time.sleep(2)
        return places(order, word)

    monkeypatch.setattr(projector, "places", slowly)
    projector.hear({"move": {"word": 0}}, [])
    assert len(projector.facts["labels"]) == sum(projector.facts["counts"])
    wait_for(lambda: projector.message.value.startswith("5 drawings"))


def test_before_the_first_drawing_of_ones_own_nothing_is_wrong(home):
    assert Files(class_drawings.place_of_all()).read() == ({}, [])


def test_the_projector_names_what_it_cannot_read_and_lives_without_its_folder(projector, shared):
    (shared / f"bad{DRAWN}").write_bytes(b"no picture")
    wait_for(lambda: projector.facts["troubles"] == [f"bad{DRAWN} holds no drawings"])
    (shared / f"bad{DRAWN}").unlink()
    shared.rmdir()
    wait_for(lambda: projector.facts["troubles"] == [f"the class's folder {shared} does not exist"])


def test_wrong_labels_stand_out_and_what_is_alone_comes_last():
    shapes = torch.zeros(3, 1, 28, 28, dtype=torch.uint8)
    for place, shape in enumerate(shapes):
        shape[0, :, 9 * place : 9 * place + 5] = 255
    images = shapes[[0, 0, 0, 1, 1, 1, 0, 2]]
    images -= 3 * torch.arange(8, dtype=torch.uint8)[:, None, None, None] * (images > 0)
    odd = oddness(images, torch.tensor([0, 0, 0, 1, 1, 1, 1, 2]))
    assert int(odd.argmax()) == 6  # a 0 that is said to be a 1
    assert odd[6] > 0 > odd[:6].max()
    assert int(odd.argmin()) == 7
    assert oddness(images[:0], torch.zeros(0, dtype=torch.long)).shape == (0,)
    assert oddness(images[:3], torch.zeros(3, dtype=torch.long)).isfinite().all()
