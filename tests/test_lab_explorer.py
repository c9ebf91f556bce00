"""Chapter 1's lab without a browser: its four views, the click that zooms, and a photograph that is brought in."""

import io

import pytest
import torch
from PIL import Image

from helpers import labs, plotting
from helpers.labs.upload import Upload
from helpers.photos import as_example, photo_steps, read_photo
from helpers.plotting.explorer import CELL_HEIGHT, CELL_WIDTH, HEIGHT, WIDTH, slots, table_of_numbers, written_numbers
from tests.support import hand_over, hopper


def examples_at(sample, places):
    """The picture of the images at these places of the training set."""
    names = [sample.class_names[label] for label in sample.train_labels[places]]
    return plotting.examples(sample.train_images[places], places.tolist(), names)


def test_the_explorer_begins_with_the_first_images(sample):
    lab = labs.explorer(sample)
    assert lab.picture.image.value == examples_at(sample, torch.arange(30)).png()
    assert "30 of 10,000 training images, in the file's order" in lab.message.value
    assert "#0 ankle boot, #1 t-shirt" in lab.picture.alt.value


def test_the_explorer_shows_the_class_the_place_and_the_number_that_were_chosen(sample):
    lab = labs.explorer(sample)
    lab.controls["class_name"].value = "bag"
    lab.controls["place"].value = 3
    lab.controls["number"].value = 8
    bags = (sample.train_labels == sample.class_names.index("bag")).nonzero().flatten()
    assert lab.picture.image.value == examples_at(sample, bags[3:11]).png()
    assert f"8 of {len(bags)} training images of class “bag”" in lab.message.value
    assert lab.controls["place"].max == len(bags) - 1
    lab.controls["place"].value = len(bags) - 2  # what is left at the end
    assert lab.picture.image.value == examples_at(sample, bags[-2:]).png()


def test_a_seed_shuffles_and_the_same_seed_gives_the_same_order(sample):
    lab, other = labs.explorer(sample), labs.explorer(sample)
    in_order = lab.picture.image.value
    lab.controls["seed"].value = 7
    order = torch.randperm(10_000, generator=torch.Generator().manual_seed(7))
    assert lab.picture.image.value == examples_at(sample, order[:30]).png() != in_order
    other.board.text.value = lab.board.text.value
    assert other.picture.image.value == lab.picture.image.value


def test_a_click_on_an_image_shows_its_numbers_and_the_next_click_leads_back(sample):
    lab = labs.explorer(sample)
    lab.controls["class_name"].value = "sandal"
    lab.controls["number"].value = 7
    grid = lab.picture.image.value
    side, corners = slots(7, 28)
    left, top = corners[4]
    lab.zoom(left - 3, top + 5)  # between two images
    assert lab.picture.image.value == grid
    lab.zoom(left + side - 1, top)
    fifth = int((sample.train_labels == sample.class_names.index("sandal")).nonzero()[4])
    assert lab.picture.image.value == plotting.pixel_numbers(sample.train_images[fifth], f"#{fifth}, sandal").png()
    assert lab.board.text.value == "explorer view=numbers class_name=sandal place=4 number=7"
    lab.zoom(10, 10)
    assert lab.controls["view"].value == "images"


@pytest.mark.parametrize("side", [8, 28, 32, 64])  # pixels of an image in the data set
@pytest.mark.parametrize("count", range(1, 31))
def test_every_click_meets_the_image_that_is_drawn_there(count, side):
    shown, corners = slots(count, side)
    assert shown % side == 0
    for i, (left, top) in enumerate(corners):
        assert plotting.example_at(left, top, count, side) == i
        assert plotting.example_at(left + shown - 1, top + shown - 1, count, side) == i
        assert left + shown <= WIDTH
        assert top + shown + 20 <= HEIGHT
    assert plotting.example_at(0, 0, count, side) is None


def test_each_number_of_the_table_stands_on_its_own_grey(sample):
    image = sample.train_images[0, 0]
    table = table_of_numbers(image)
    assert table.shape == (29 * CELL_HEIGHT, 29 * CELL_WIDTH)
    corners = table[CELL_HEIGHT::CELL_HEIGHT, CELL_WIDTH::CELL_WIDTH]  # the upper left pixel of each cell
    assert torch.equal(corners, image)
    on_greys, on_white = written_numbers(CELL_WIDTH, CELL_HEIGHT)
    row, column = 5, 14
    top, left = (row + 1) * CELL_HEIGHT, (column + 1) * CELL_WIDTH
    assert torch.equal(table[top : top + CELL_HEIGHT, left : left + CELL_WIDTH], on_greys[int(image[row, column])])
    assert torch.equal(table[top : top + CELL_HEIGHT, :CELL_WIDTH], on_white[row])
    assert torch.equal(table[:CELL_HEIGHT, left : left + CELL_WIDTH], on_white[column])
    assert len({cell.numpy().tobytes() for cell in on_white}) == 256  # no two numbers look alike


def test_counts_and_means_are_those_of_the_training_set(sample):
    lab = labs.explorer(sample)
    lab.controls["view"].value = "counts and means"
    lab.controls["class_name"].value = "dress"
    counts = [int((sample.train_labels == label).sum()) for label in range(10)]
    means = [sample.train_images[sample.train_labels == label, 0].float().mean(dim=0) for label in range(10)]
    assert lab.picture.image.value == plotting.counts_and_means(counts, means, sample.class_names, chosen=3).png()
    assert "from 942 (t-shirt) to 1,027 (trouser)" in lab.message.value


def test_controls_that_a_view_does_not_answer_to_are_grey(sample):
    lab = labs.explorer(sample)
    assert [name for name, control in lab.controls.items() if control.disabled] == ["invert"]
    lab.controls["view"].value = "own photo"
    assert [name for name, control in lab.controls.items() if not control.disabled] == ["view", "invert"]


def test_a_photograph_that_is_brought_in_shows_its_steps(sample):
    lab = labs.explorer(sample)
    hand_over(lab.upload, hopper())
    assert lab.controls["view"].value == "own photo"
    photo = read_photo(hopper())
    assert lab.picture.image.value == plotting.photo_to_example(photo_steps(photo)).png()
    lab.controls["invert"].value = "yes"
    assert lab.picture.image.value == plotting.photo_to_example(photo_steps(photo, invert=True)).png()


def test_the_refusal_of_a_file_goes_with_the_next_move_to_a_view_without_photographs(sample):
    lab = labs.explorer(sample)
    hand_over(lab.upload, b"no picture")
    assert lab.upload.said["trouble"]
    lab.controls["view"].value = "numbers"
    assert not lab.upload.said["trouble"]


def test_before_a_photograph_there_is_an_example_that_says_so(sample):
    lab = labs.explorer(sample)
    lab.controls["view"].value = "own photo"
    assert "An example" in lab.message.value
    assert "3. inverted" in lab.picture.alt.value


def test_all_pictures_of_the_explorer_have_one_size(sample):
    lab = labs.explorer(sample)
    sizes = set()
    for view in ("images", "numbers", "counts and means", "own photo"):
        lab.controls["view"].value = view
        sizes.add(Image.open(io.BytesIO(lab.picture.image.value)).size)
    assert sizes == {(WIDTH, HEIGHT)}


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
