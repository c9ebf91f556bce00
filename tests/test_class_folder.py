"""The class's folder: what a run leaves there, and what else may lie there."""

import concurrent.futures
import os
import threading

import pytest

from helpers import labs
from helpers.labs import class_folder
from helpers.labs.class_folder import ENDING, MOST_BYTES, MOST_FILES, VARIABLE, ClassFolder
from tests.support import wait_for

LINE = "result lr=0.1 channels=6 kernel=5 parameters=61706 accuracy=0.8430"


@pytest.fixture
def trained(sample, tmp_path, monkeypatch):
    """A lab of a class that has trained for an epoch, and the class's folder."""
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    monkeypatch.setattr(class_folder, "own_file", lambda: f"mine{ENDING}")
    lab = labs.trainer(sample, num_epochs=1)
    lab.hear({"student": "Ada L. / 4b"}, [])
    lab.buttons["Train"].click()
    lab.runner.wait()
    yield lab, tmp_path
    lab.close()


def test_a_finished_run_leaves_its_line_and_the_name_and_nothing_else(trained):
    lab, folder = trained
    assert [path.name for path in folder.iterdir()] == [f"mine{ENDING}"]
    assert (folder / f"mine{ENDING}").read_text() == lab.result_text().replace("result", "result name=Ada_L._4b") + "\n"
    assert lab.below["class"] == str(folder)
    assert lab.below["shared"] == f"Shared with the class, in {folder}, as Ada_L._4b."
    lab.buttons["Test"].click()
    assert len((folder / f"mine{ENDING}").read_text().splitlines()) == 1  # the same run is not handed in again


def test_a_run_that_was_stopped_is_not_shared(sample, tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    lab = labs.trainer(sample, num_epochs=20)
    lab.buttons["Train"].click()
    lab.buttons["Stop"].click()
    lab.close()
    assert list(tmp_path.iterdir()) == []


def test_without_the_variable_nothing_is_shared_or_said(sample, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    lab = labs.trainer(sample, num_epochs=1)
    assert (class_folder.named(), lab.below["class"], lab.below["shared"]) == (None, "", "")
    lab.close()


def test_a_run_ends_well_if_the_folder_has_vanished(sample, tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "gone"))
    lab = labs.trainer(sample, num_epochs=1)
    lab.buttons["Train"].click()
    lab.runner.wait()
    assert lab.below["shared"] == f"Not shared with the class: {tmp_path / 'gone'} does not exist."
    assert lab.phase == "done"
    lab.close()


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    assert ClassFolder(tmp_path / "file").share(LINE).endswith("is not a folder.")


def test_each_run_of_a_kernel_adds_a_line_to_its_one_file(tmp_path):
    folder = ClassFolder(tmp_path)
    assert folder.share(LINE).endswith("without a name.")
    folder.share(LINE, "bo")
    texts, troubles = folder.read()
    assert list(texts.values()) == [f"{LINE}\n{LINE.replace('result', 'result name=bo')}\n"]
    assert troubles == []
    assert ClassFolder(tmp_path / "gone").read() == ({}, [f"the class's folder {tmp_path / 'gone'} does not exist"])


def test_whatever_else_lies_in_the_folder_is_named_and_never_opened(tmp_path):
    (tmp_path / f"good{ENDING}").write_text(LINE)
    (tmp_path / f"binary{ENDING}").write_bytes(bytes(range(256)))
    (tmp_path / f"large{ENDING}").write_text("x" * (MOST_BYTES + 1))
    (tmp_path / f"half{ENDING}.1234.part").write_text("result l")
    os.mkfifo(tmp_path / f"pipe{ENDING}")  # to open it would wait for ever
    (tmp_path / f"link{ENDING}").symlink_to(tmp_path / f"good{ENDING}")
    (tmp_path / f"folder{ENDING}").mkdir()
    texts, troubles = ClassFolder(tmp_path).read()
    assert texts == {f"good{ENDING}": LINE}
    assert troubles == [
        f"binary{ENDING} is not a text file",
        f"large{ENDING} has more than 50,000 bytes",
        "3 other things in the folder",
    ]


def test_two_hundred_students_at_once_lose_nothing(tmp_path, monkeypatch):
    own, token = threading.local(), iter(range(200))
    monkeypatch.setattr(class_folder, "own_file", lambda: own.name)

    def student(number):
        own.name = f"{number}{ENDING}"
        for run in range(3):
            ClassFolder(tmp_path).share(LINE.replace("0.1", f"0.{number + 1}{run}"))

    with concurrent.futures.ThreadPoolExecutor(16) as students:
        reader = students.submit(lambda: [ClassFolder(tmp_path).read() for _ in range(20)])
        list(students.map(student, token))
    for texts, troubles in reader.result():  # while they write: only whole lines
        assert troubles == []
        assert all(line.endswith("accuracy=0.8430") for text in texts.values() for line in text.splitlines())
    texts, _ = ClassFolder(tmp_path).read()
    assert len({line for text in texts.values() for line in text.splitlines()}) == 600


def test_more_files_than_a_class_has_are_not_all_read(tmp_path):
    for number in range(MOST_FILES + 5):
        (tmp_path / f"{number}{ENDING}").touch()
    texts, troubles = ClassFolder(tmp_path).read()
    assert len(texts) == MOST_FILES
    assert troubles == [f"only the first {MOST_FILES} files were read"]


@pytest.fixture
def projector(tmp_path, monkeypatch):
    """The class experiment at the projector, and the class's folder."""
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    lab = labs.class_experiment(LINE)
    yield lab, tmp_path
    lab.close()


def test_the_projector_shows_a_line_as_it_comes_beside_pasted_ones(projector):
    lab, folder = projector
    assert lab.message.value == f"1 result. New ones appear on their own, from {folder}."
    ClassFolder(folder).share(LINE.replace("0.1", "0.3"), "bo")
    wait_for(lambda: lab.message.value.startswith("2 results."))
    assert [group["x"] for group in lab.facts["groups"]] == [0.1, 0.3]


def test_lines_that_lie_are_named_with_their_file(projector):
    lab, folder = projector
    (folder / f"liar{ENDING}").write_text(f"{LINE}\n{LINE.replace('0.8430', '7')}\n__import__('os').abort()\n")
    wait_for(lambda: len(lab.facts["troubles"]) == 2)
    assert lab.facts["troubles"][0] == f"liar{ENDING}, line 2: an accuracy of 7 is more than 1"
    assert lab.message.value.startswith("2 results.")


def test_the_projector_says_that_the_folder_has_gone_and_goes_on_when_it_is_back(projector):
    lab, folder = projector
    folder.rmdir()
    wait_for(lambda: lab.facts["troubles"] == [f"the class's folder {folder} does not exist"])
    folder.mkdir()
    ClassFolder(folder).share(LINE)
    wait_for(lambda: lab.message.value.startswith("2 results.") and not lab.facts["troubles"])


def test_a_closed_projector_looks_no_more(projector):
    lab, _ = projector
    lab.close()
    wait_for(lambda: "lenet-lab class" not in [thread.name for thread in threading.enumerate()])
