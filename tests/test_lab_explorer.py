"""Chapter 1's lab without a browser: its four views, the click that zooms, and a photograph that is brought in."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from helpers import labs, plotting
from helpers.labs.explorer import VIEWS
from helpers.labs.upload import Upload
from helpers.photos import as_example, photo_steps, read_photo
from tests.support import hand_over, hopper


@pytest.fixture
def lab(sample):
    made = labs.explorer(sample)
    yield made
    made.close()


def grid(lab):
    """The images that the lab shows, their places and their classes."""
    return lab.arrays["images"], lab.facts["places"], lab.facts["names"]


def check_grid(lab, sample, places):
    """The lab shows the images at these places of the training set."""
    images, shown, names = grid(lab)
    assert shown == list(places)
    assert torch.equal(images, sample.train_images[shown])
    assert names == [sample.class_names[label] for label in sample.train_labels[shown]]


def settings(lab):
    """The names of the settings that stand beside the picture."""
    return [setting["name"] for setting in lab.settings]


def test_the_explorer_begins_with_the_first_images(lab, sample):
    check_grid(lab, sample, range(30))
    assert "30 of 10,000 training images, in the file's order" in lab.message.value


def test_the_explorer_shows_the_class_the_place_and_the_number_that_were_chosen(lab, sample):
    lab.controls["class_name"].value = "bag"
    lab.controls["place"].value = 3
    lab.controls["number"].value = 8
    bags = (sample.train_labels == sample.class_names.index("bag")).nonzero().flatten().tolist()
    check_grid(lab, sample, bags[3:11])
    assert f"8 of {len(bags)} training images of class “bag”" in lab.message.value
    assert lab.controls["place"].max == len(bags) - 1
    lab.controls["place"].value = len(bags) - 2  # what is left at the end
    check_grid(lab, sample, bags[-2:])


def test_previous_and_next_lead_by_a_page_of_images_and_by_one_image_of_numbers(lab):
    lab.controls["number"].value = 12
    (place,) = [setting for setting in lab.settings if setting["name"] == "place"]
    assert (place["kind"], place["leap"], place["max"]) == ("place", 12, 9999)
    lab.controls["view"].value = "numbers"
    (place,) = [setting for setting in lab.settings if setting["name"] == "place"]
    assert place["leap"] == 1


def test_a_seed_shuffles_and_the_same_seed_gives_the_same_order(lab, sample):
    other = labs.explorer(sample)
    lab.controls["seed"].value = 7
    order = torch.randperm(10_000, generator=torch.Generator().manual_seed(7))
    check_grid(lab, sample, order[:30].tolist())
    assert grid(lab)[1] != grid(other)[1]
    other.board.text.value = lab.board.text.value
    check_grid(other, sample, order[:30].tolist())


def test_a_click_on_an_image_shows_its_numbers(lab, sample):
    lab.board.move({"class_name": "sandal", "number": 7})
    fifth = lab.facts["places"][4]
    lab.hear({"move": {"view": list(VIEWS).index("numbers"), "place": lab.facts["place"] + 4}}, [])
    assert fifth == int((sample.train_labels == sample.class_names.index("sandal")).nonzero()[4])
    assert torch.equal(lab.arrays["image"], sample.train_images[fifth])
    assert lab.facts["title"] == f"#{fifth}, sandal"
    assert lab.board.text.value == "explorer view=numbers class_name=sandal place=4 number=7"
    image = sample.train_images[fifth].float()
    assert lab.facts["known"] == [
        "28×28 = 784 numbers",
        f"smallest {int(image.min())}, largest {int(image.max())}",
        f"mean {image.mean():.1f}",
        f"{(image == 0).float().mean():.0%} are 0",
    ]


def test_a_move_sends_at_most_25_kilobytes(lab):
    for view in VIEWS:
        lab.controls["view"].value = view
        assert view == "own photo" or len(lab.data) <= 19_000  # and some 6,000 of words, and of what goes around them
    assert len(lab.data) < 50_000  # a photograph and four pictures of it


def test_counts_and_means_are_those_of_the_training_set(lab, sample):
    lab.controls["view"].value = "counts and means"
    lab.controls["class_name"].value = "dress"
    means = [sample.train_images[sample.train_labels == label, 0].float().mean(dim=0) for label in range(10)]
    assert lab.facts["counts"] == [int((sample.train_labels == label).sum()) for label in range(10)]
    assert torch.equal(lab.arrays["images"][:, 0], torch.stack(means).round().byte())
    assert lab.facts["names"][lab.facts["chosen"]] == "dress"
    assert "from 942 (t-shirt) to 1,027 (trouser)" in lab.message.value


def test_only_the_settings_of_a_view_stand_beside_it(lab):
    assert settings(lab) == ["view", "class_name", "place", "number", "seed"]
    lab.controls["view"].value = "numbers"
    assert settings(lab) == ["view", "class_name", "place", "seed"]
    lab.controls["view"].value = "counts and means"
    assert settings(lab) == ["view", "class_name"]
    lab.controls["view"].value = "own photo"
    assert settings(lab) == ["view"]


def check_steps(lab, steps):
    """The lab shows these steps from a photograph to an image of the data set."""
    *before, last = steps.values()
    assert torch.equal(lab.arrays["image"], last)
    shown = [Image.open(io.BytesIO(bytes(lab.arrays[f"step{i}"].tolist()))) for i in range(4)]
    for picture, image in zip(shown, before, strict=True):
        assert max(picture.size) == min(240, max(image.shape[1:]))
        assert np.asarray(picture).mean() == pytest.approx(float(image.float().mean()), abs=3)
    assert [title.split(",")[0] for title in lab.facts["titles"]] == [f"{i}. {t}" for i, t in enumerate(steps, 1)]


def test_a_photograph_that_is_brought_in_shows_its_steps(lab):
    hand_over(lab.upload, hopper())
    assert lab.controls["view"].value == "own photo"
    photo = read_photo(hopper())
    check_steps(lab, photo_steps(photo))
    lab.controls["invert"].value = "yes"
    check_steps(lab, photo_steps(photo, invert=True))


def test_the_refusal_of_a_file_goes_with_the_next_move_to_a_view_without_photographs(lab):
    hand_over(lab.upload, b"no picture")
    assert lab.upload.said["trouble"]
    lab.controls["view"].value = "numbers"
    assert not lab.upload.said["trouble"]


def test_before_a_photograph_there_is_an_example_that_says_so(lab):
    lab.controls["view"].value = "own photo"
    assert "An example" in lab.message.value
    assert lab.facts["titles"][2].startswith("3. inverted")


@pytest.mark.parametrize("shape", [(1, 1, 28, 28), (3, 3, 32, 32)])
def test_the_still_picture_names_its_images(shape):
    figure = plotting.examples(torch.zeros(shape, dtype=torch.uint8), range(shape[0]), ["bag"] * shape[0])
    assert figure.png().startswith(b"\x89PNG")
    assert "#0 bag" in figure.alt


def test_an_upload_hands_over_the_example_and_keeps_the_photograph():
    upload, seen = Upload(), []
    upload.on_photo(seen.append)
    hand_over(upload, hopper(), "<b>grace.jpg")
    assert torch.equal(upload.photo, read_photo(hopper()))
    assert len(seen) == 1
    assert torch.equal(seen[0], as_example(upload.photo))
    assert upload.said == {"text": "<b>grace.jpg: taken as 512 pixels wide, 600 high", "trouble": False}
    assert hopper() not in upload.get_state().values()  # nothing of it is saved with the notebook
    hand_over(upload, hopper(), "<b>grace.jpg")  # the same file once more
    assert len(seen) == 2
