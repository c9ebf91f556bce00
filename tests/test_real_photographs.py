"""Photographs made for the purpose: what people hold before a camera, and whether a network still knows it."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F
from torchvision.transforms.functional import rotate

from helpers import labs, mnist
from helpers.any_network import classes_of
from helpers.digits import like_mnist
from helpers.labs.upload import Upload
from helpers.photos import NOTHING, as_digit, as_example, read_photo
from helpers.weights import TRAINED, pretrained
from tests import every_lab
from tests.support import hand_over

DIGITS, GARMENTS = 200, 210  # how many are photographed
PAPER, INK = (235, 230, 220), (40, 45, 90)
HEIGHT, WIDTH = 160, 200


def colour(rgb):
    return torch.tensor(rgb, dtype=torch.float)[:, None, None]


def drawn_on(digit, paper=PAPER, ink=INK, tilt=0):
    """A photograph, 200 wide and 160 high, of a digit, (1, 28, 28) bytes, that was drawn on paper."""
    strokes = F.interpolate(digit[None] / 255, scale_factor=4, mode="bilinear")[0]
    strokes = F.pad(rotate(strokes, tilt), (50, 38, 20, 28))
    return colour(paper) * (1 - strokes) + colour(ink) * strokes


def pasted_on(garment, ground, dark=False):
    """A photograph, 200 wide and 160 high, with a garment, (1, 28, 28) bytes, laid on grey or a colour.

    dark: as a negative, which the data set's makers turned into what we have.
    """
    large = F.pad(garment.repeat_interleave(4, dim=1).repeat_interleave(4, dim=2), (50, 38, 20, 28))
    cloth = 255 - large if dark else large
    ground = colour(ground if isinstance(ground, tuple) else (ground, ground, ground))
    return torch.where(large > 0, cloth, ground).byte()


def across():
    """From 0 at the left to 1 at the right, and from 0 at the top to 1 at the bottom: (height, width) each."""
    y, x = torch.meshgrid(torch.linspace(0, 1, HEIGHT), torch.linspace(0, 1, WIDTH), indexing="ij")
    return x, y


def in_light(photo, kind):
    """The photograph in another light: a lamp at the left, a shadow with a sharp edge, a lens with dark corners."""
    x, y = across()
    lights = {
        "even": 1,
        "uneven": 1 - 0.5 * x,
        "shadow": torch.where(x + 0.4 * y > 0.7, 0.65, 1.0),
        "vignette": 1 - (x - 0.5) ** 2 - (y - 0.5) ** 2,
    }
    return photo * lights[kind]


def noisy(photo):
    return photo + 10 * torch.randn(photo.shape, generator=torch.Generator().manual_seed(0))


def as_jpeg(photo):
    file = io.BytesIO()
    Image.fromarray(photo.clamp(0, 255).byte().movedim(0, -1).numpy()).save(file, "JPEG", quality=50)
    return read_photo(file.getvalue()).float()


def squared(photo):
    lines = (torch.arange(HEIGHT) % 16 == 0)[:, None] | (torch.arange(WIDTH) % 16 == 0)
    return torch.where(lines, photo.minimum(colour((170, 190, 220))), photo)


SCENES = {  # each makes a photograph of a digit
    "plain": drawn_on,
    "grey paper": lambda digit: drawn_on(digit, (140, 140, 140)),
    "chalk on a board": lambda digit: drawn_on(digit, (30, 70, 50), (230, 230, 220)),
    "coloured paper": lambda digit: drawn_on(digit, (240, 200, 60), (160, 30, 30)),
    "uneven light": lambda digit: in_light(drawn_on(digit), "uneven"),
    "a shadow": lambda digit: in_light(drawn_on(digit), "shadow"),
    "dark corners": lambda digit: in_light(drawn_on(digit), "vignette"),
    "noise": lambda digit: noisy(drawn_on(digit)),
    "JPEG": lambda digit: as_jpeg(drawn_on(digit)),
    "squared paper": lambda digit: squared(drawn_on(digit)),
}


def accuracy(name, images, labels):
    return float((classes_of(pretrained(name), images) == labels).float().mean())


def test_photographed_digits_are_read_as_well_as_the_digits_themselves():
    data = mnist("sample")
    digits, labels = data.test_images[:DIGITS], data.test_labels[:DIGITS]
    scenes = list(SCENES.values())
    photos = [scenes[i % len(scenes)](digit).clamp(0, 255).byte() for i, digit in enumerate(digits)]
    read = accuracy("digits", torch.stack([as_digit(photo) for photo in photos]), labels)
    assert read >= 0.95 * accuracy("digits", digits, labels)


def test_a_sharp_shadow_across_a_digit_is_not_ink():
    data = mnist("sample")
    digits, labels = data.test_images[:50], data.test_labels[:50]
    photos = [in_light(drawn_on(digit), "shadow").byte() for digit in digits]
    assert accuracy("digits", torch.stack([as_digit(photo) for photo in photos]), labels) >= 0.9


def test_the_box_of_mnist_also_fits_what_as_example_made():
    data = mnist("sample")
    photos = [drawn_on(digit).byte() for digit in data.test_images[:40]]
    boxed = torch.stack([like_mnist(as_example(photo)[0]) for photo in photos])
    assert accuracy("digits", boxed, data.test_labels[:40]) >= 0.9


def test_tilted_by_ten_degrees_digits_are_still_read():
    data = mnist("sample")
    photos = [drawn_on(digit, tilt=10 * (-1) ** i).byte() for i, digit in enumerate(data.test_images[:40])]
    assert accuracy("digits", torch.stack([as_digit(photo) for photo in photos]), data.test_labels[:40]) >= 0.9


GROUNDS = [60, 100, 140, 180, 230, (60, 140, 80), (200, 70, 60)]


def test_garments_on_plain_grey_or_a_colour_are_recognised(sample):
    garments, labels = sample.test_images[:GARMENTS], sample.test_labels[:GARMENTS]
    photos = [pasted_on(garment, GROUNDS[i % 7], dark=i % 14 >= 7) for i, garment in enumerate(garments)]
    known = accuracy("clothes", torch.stack([as_example(photo) for photo in photos]), labels)
    assert known >= accuracy("clothes", garments, labels) - 0.08


@pytest.mark.parametrize("paper", [0, 255])
def test_garments_on_white_and_on_black_lose_nothing(paper, sample):
    garments, labels = sample.test_images[:30], sample.test_labels[:30]
    examples = torch.stack([as_example(pasted_on(garment, paper, dark=paper == 255)) for garment in garments])
    assert accuracy("clothes", examples, labels) >= accuracy("clothes", garments, labels) - 0.05


@pytest.mark.parametrize(
    "change",
    [
        lambda photo: rotate(photo, 10, fill=140),
        lambda photo: in_light(photo.float(), "uneven").byte(),
    ],
    ids=["tilt", "uneven light"],
)
def test_garments_are_recognised_tilted_and_in_uneven_light(change, sample):
    garments, labels = sample.test_images[:30], sample.test_labels[:30]
    examples = torch.stack([as_example(change(pasted_on(garment, 140))) for garment in garments])
    assert accuracy("clothes", examples, labels) >= accuracy("clothes", garments, labels) - 0.15


BLOB = (255 * (torch.linspace(-1, 1, 60)[:, None] ** 2 + torch.linspace(-1, 1, 60) ** 2 < 1)) / 255


def lying_on(ground, thing):
    """A photograph of a round thing of one colour on a ground of another."""
    round_thing = F.pad(BLOB, (70, 70, 50, 50))
    return colour(ground) * (1 - round_thing) + colour(thing) * round_thing


@pytest.mark.parametrize(
    ("ground", "thing"),
    [
        ((140, 140, 140), (250, 250, 250)), ((128, 128, 128), (255, 255, 255)), ((230, 230, 230), (255, 255, 255)),
        ((90, 60, 40), (30, 20, 15)), ((60, 60, 60), (20, 20, 20)), ((230, 230, 230), (20, 20, 20)),
        ((200, 60, 60), (40, 129, 40)),  # equally bright
        ((40, 90, 160), (230, 200, 60)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("light", ["even", "uneven", "vignette"])
def test_the_thing_is_white_on_black_whichever_is_lighter(ground, thing, light):
    photo = in_light(lying_on(ground, thing), light).clamp(0, 255).byte()
    example = as_example(photo)[0].float()
    inside = F.adaptive_avg_pool2d(BLOB[None], 28)[0]
    assert example[inside == 1].mean() > 100
    assert example[inside == 0].mean() < 25


@pytest.mark.parametrize("level", [0, 60, 140, 255])
def test_where_nothing_stands_out_every_lab_says_so(level, sample):
    empty = in_light(torch.full((3, HEIGHT, WIDTH), float(level)), "uneven").byte()
    assert not as_example(empty).any()
    file = io.BytesIO()
    Image.fromarray(empty.movedim(0, -1).numpy()).save(file, "PNG")
    nets = {"LeNet": pretrained("digits"), "again": pretrained("digits")}
    made = labs.explorer(sample), labs.convolution(sample.train_images[0]), labs.drawing(nets, "0123456789")
    made[1].controls["image"].value = "own photo"
    for lab in made:
        hand_over(lab.upload, file.getvalue())
        assert NOTHING in lab.upload.message.value
        assert NOTHING in lab.message.value


def test_every_lab_with_a_photograph_inverts_it_when_asked_and_by_its_board_line(sample):
    nets = {"LeNet": pretrained("digits"), "again": pretrained("digits")}
    made = labs.explorer(sample), labs.convolution(sample.train_images[0]), labs.drawing(nets, "0123456789")
    made[0].controls["view"].value = "own photo"
    made[1].controls["image"].value = "own photo"
    file = io.BytesIO()
    Image.fromarray(drawn_on(sample.test_images[1]).byte().movedim(0, -1).numpy()).save(file, "PNG")
    for lab in made:
        hand_over(lab.upload, file.getvalue())
        right = every_lab.shown(lab)
        lab.controls["invert"].value = "no"
        assert every_lab.shown(lab) != right
        assert "invert=no" in lab.board.text.value
        lab.controls["invert"].value = "auto"
        assert every_lab.shown(lab) == right


def test_the_drawing_lab_puts_a_photographed_digit_into_the_box_of_mnist():
    nets = {"LeNet": pretrained("digits"), "again": pretrained("digits")}
    lab = labs.drawing(nets, "0123456789")
    lab.upload.photo = drawn_on(mnist("sample").test_images[0]).byte()
    lab.upload.invert.value = "yes"
    rows = lab.seen[0].any(dim=1).nonzero()
    assert int(rows[-1] - rows[0]) + 1 <= 20


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
@pytest.mark.parametrize("ink", [0, 255])
def test_ink_on_transparency_is_ink_in_black_and_in_white(mode, ink):
    strokes = Image.fromarray((255 * BLOB).byte().numpy()).resize((100, 100))
    image = Image.merge("LA", [Image.new("L", strokes.size, ink), strokes])
    if mode == "P":
        image = Image.fromarray((np.array(strokes) > 127).astype("uint8"), "P")
        image.putpalette([127, 127, 127, ink, ink, ink])
    file = io.BytesIO()
    (image if mode != "RGBA" else image.convert("RGBA")).save(
        file, "PNG", **({"transparency": 0} if mode == "P" else {})
    )
    example = as_example(read_photo(file.getvalue()))[0]
    assert example[14, 14] == 255
    assert example[0, 0] == 0


def test_an_upload_offers_to_invert():
    upload = Upload()
    assert [label for label, _ in upload.invert.options] == ["auto", "yes", "no"]


@pytest.mark.parametrize("name", TRAINED)
def test_the_trained_networks_are_ready_to_use_and_small(name):
    net = pretrained(name)
    assert not net.training
    assert net(torch.zeros(2, 1, 28, 28)).shape == (2, 10)


def test_a_damaged_or_unknown_network_is_refused_in_words(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="choose from digits, clothes"):
        pretrained("cats")
    (tmp_path / "digits.pt").write_bytes(b"no weights")
    monkeypatch.setattr("helpers.weights.FOLDER", tmp_path)
    with pytest.raises(ValueError, match="damaged"):
        pretrained("digits")
