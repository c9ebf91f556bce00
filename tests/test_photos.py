"""From the bytes of a picture file to an image as in the data set."""

import io

import pytest
import torch
from PIL import Image

from helpers.photos import LONGEST_SIDE, as_example, photo_steps, read_photo
from tests.support import checkers, file_of, grey_of_16_bits, hopper, pixels


def test_a_photograph_is_read_as_it_is():
    photo = read_photo(hopper())
    assert photo.dtype == torch.uint8
    assert torch.equal(photo, pixels(Image.open(io.BytesIO(hopper()))))
    assert torch.equal(read_photo(memoryview(hopper())), photo)  # what an upload gives


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "WEBP"])
def test_files_without_loss_give_the_very_pixels(kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    assert torch.equal(read_photo(file_of(checkers(), kind, **options)), pixels(checkers()))


@pytest.mark.parametrize("mode", ["P", "L", "1", "RGBA", "LA"])
def test_pictures_of_every_mode_come_out_in_three_colours(mode):
    image = checkers(mode)
    assert torch.equal(read_photo(file_of(image)), pixels(image))


def test_grey_of_16_bits_is_scaled_to_8():
    assert torch.equal(read_photo(file_of(grey_of_16_bits())), pixels(checkers("L")))


def test_a_jpeg_for_printers_keeps_its_colours():
    big = checkers().resize((96, 64), Image.Resampling.NEAREST)
    photo = read_photo(file_of(big.convert("CMYK"), "JPEG", quality=95)).float()
    assert (photo - pixels(big).float()).abs().mean() < 3


def test_what_is_transparent_becomes_white():
    image = checkers("RGBA")
    image.putalpha(Image.new("L", image.size, 0))
    assert (read_photo(file_of(image)) == 255).all()


def test_a_photograph_taken_sideways_is_turned_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise to see it upright
    photo = read_photo(file_of(checkers(), exif=exif))
    assert torch.equal(photo, pixels(checkers()).rot90(-1, dims=(1, 2)))


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_large_photograph_is_kept_smaller(kind):
    large = Image.linear_gradient("L").resize((3000, 2000))
    photo = read_photo(file_of(large, kind))
    assert photo.shape == (3, 683, LONGEST_SIDE)
    rows = photo.float().mean(dim=(0, 2))
    assert (rows[::50].diff() > 0).all()  # it still goes from black to white


def on_wall(wall, thing, top=100, left=30, height=60, width=90):
    """A photograph, 300 wide and 200 high, of a thing of one colour before a wall of another."""
    photo = torch.tensor(wall, dtype=torch.uint8)[:, None, None].repeat(1, 200, 300)
    photo[:, top : top + height, left : left + width] = torch.tensor(thing, dtype=torch.uint8)[:, None, None]
    return photo


def test_the_steps_are_what_their_names_say():
    photo = on_wall((200, 200, 200), (255, 0, 0))
    steps = photo_steps(photo)
    assert list(steps) == ["photo", "grey", "inverted", "cropped", "as in the data set"]
    assert all(image.dtype == torch.uint8 for image in steps.values())
    assert steps["photo"] is photo
    assert (steps["grey"][0, 0, 0], steps["grey"][0, 110, 50]) == (200, 76)  # 0.299 · 255
    assert torch.equal(steps["inverted"], 255 - steps["grey"])
    assert torch.equal(steps["as in the data set"], as_example(photo))


@pytest.mark.parametrize(
    ("wall", "thing", "inverts"), [((220, 210, 200), (30, 40, 50), True), ((40, 30, 30), (240, 200, 200), False)]
)
def test_the_subject_is_white_on_black_and_in_the_middle(wall, thing, inverts):
    photo = on_wall(wall, thing)
    assert ("inverted" in photo_steps(photo)) == inverts
    example = as_example(photo)
    assert example.shape == (1, 28, 28)
    # The thing is 90 wide and 60 high: it fills the image from left to right, and two thirds of its height.
    assert (example[0, 5:23] == 255).all()
    assert (example[0, :4] == 0).all()
    assert (example[0, 24:] == 0).all()


def test_it_does_not_matter_where_in_the_photograph_the_subject_is():
    here, there = on_wall((250, 250, 250), (90, 0, 0)), on_wall((250, 250, 250), (90, 0, 0), top=0, left=210)
    difference = as_example(here).float() - as_example(there).float()
    assert difference.abs().mean() < 16


def test_a_speck_of_dust_is_not_the_subject():
    clean = on_wall((250, 250, 250), (0, 0, 0))
    dusty = clean.clone()
    dusty[:, 5:7, 290:292] = 200
    assert torch.equal(as_example(dusty), as_example(clean))


def test_inverting_can_be_asked_for_and_refused():
    photo = on_wall((250, 250, 250), (0, 0, 0))
    assert torch.equal(as_example(photo, invert=True), as_example(photo))
    left_alone = photo_steps(photo, invert=False)
    assert torch.equal(left_alone["not inverted"], left_alone["grey"])
    example, left_dark = as_example(photo).float(), left_alone["as in the data set"].float()
    assert torch.allclose(left_dark, 255 - example, atol=1)  # both are rounded


def test_an_image_of_the_data_set_photographed_from_paper_comes_back(sample):
    boot = sample.train_images[0]
    print_out = 255 - boot.repeat_interleave(20, dim=1).repeat_interleave(20, dim=2)
    photo = torch.nn.functional.pad(print_out, (200, 300, 150, 100), value=255).repeat(3, 1, 1)
    assert (as_example(photo).float() - boot.float()).abs().mean() < 16


@pytest.mark.parametrize("shape", [(1, 1), (1, 1024), (1024, 1), (2, 3), (28, 28), (1024, 1024)])
@pytest.mark.parametrize("invert", [None, True, False])
def test_photographs_of_any_size_and_content_become_examples(shape, invert):
    for photo in (torch.zeros(3, *shape), torch.full((3, *shape), 255.0), 255 * torch.rand(3, *shape)):
        steps = photo_steps(photo.byte(), invert)
        assert steps["cropped"].shape[1] == steps["cropped"].shape[2]
        assert steps["as in the data set"].shape == (1, 28, 28)
