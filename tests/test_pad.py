"""The drawing pad, the image that becomes of a drawing, and the lab around both."""

import pytest
import torch
from torch import nn

from helpers import labs, lenet, mlp, mnist, xavier
from helpers.digits import like_mnist
from helpers.labs.drawing import look_inside
from helpers.labs.pad import EXAMPLES, PEN, SIDE, Pad
from tests.support import hand_over, hopper

SEVEN = [[(80, 60), (200, 60), (120, 220)]]


def hand(pad, strokes, example="none"):
    """What the browser sends while someone draws: all strokes so far."""
    pad.set_state({"ink": {"example": example, "strokes": strokes}})


def ink(pad):
    """The pad's ink, (SIDE, SIDE), 0 to 255."""
    return pad.pixels().reshape(SIDE, 2, SIDE, 2).float().mean(dim=(1, 3))


def drawn_on(strokes):
    pad = Pad()
    pad.draw(strokes)
    return pad


@pytest.fixture
def digits():
    """A hundred test images of MNIST, (100, 1, 28, 28)."""
    return mnist().test_images[:100]


def test_digits_of_mnist_come_back_as_they_were(digits):
    for image in digits:
        large = image[0].repeat_interleave(10, dim=0).repeat_interleave(10, dim=1)
        assert torch.equal(like_mnist(large), image)


@pytest.mark.parametrize(("down", "right"), [(0, 0), (35, 0), (0, 41), (-40, -50), (50, 60)])
@pytest.mark.parametrize("example", [name for name, strokes in EXAMPLES.items() if strokes])
def test_it_makes_no_difference_where_on_the_pad_somebody_draws(example, down, right):
    middle = drawn_on([[(7 * x + 40, 7 * y + 40) for x, y in stroke] for stroke in EXAMPLES[example]])
    aside = drawn_on([[(7 * x + 40 + right, 7 * y + 40 + down) for x, y in stroke] for stroke in EXAMPLES[example]])
    assert torch.equal(middle.digit(), aside.digit())


@pytest.mark.parametrize("size", [4, 7, 9.5])
@pytest.mark.parametrize("example", [name for name, strokes in EXAMPLES.items() if strokes])
def test_a_drawing_fills_the_box_around_its_centre_of_mass(example, size):
    digit = drawn_on([[(size * x, size * y) for x, y in stroke] for stroke in EXAMPLES[example]]).digit()
    assert digit.shape == (1, 28, 28)
    assert digit.dtype == torch.uint8
    inside = digit[0].nonzero()
    assert int((inside.amax(dim=0) - inside.amin(dim=0) + 1).max()) == 20
    mass, places = digit[0].float(), torch.arange(28.0)
    for weights in (mass.sum(dim=0), mass.sum(dim=1)):
        assert float((weights * places).sum() / weights.sum()) == pytest.approx(14, abs=0.51)


def test_nothing_dust_and_a_dot_have_images_too():
    assert like_mnist(torch.zeros(280, 280, dtype=torch.uint8)).sum() == 0
    assert like_mnist(torch.eye(280, dtype=torch.uint8)).sum() == 0
    dot = torch.zeros(280, 280, dtype=torch.uint8)
    dot[3, 270] = 255
    assert like_mnist(dot).sum() == 20 * 20 * 255
    line = torch.zeros(280, 280, dtype=torch.uint8)
    line[:, 5] = 255
    assert like_mnist(line).sum() == 20 * 255


def test_a_lopsided_drawing_loses_nothing():
    strokes = torch.zeros(200, 200, dtype=torch.uint8)
    strokes[:180, 0] = 255
    strokes[180:] = 255
    assert int((like_mnist(strokes)[0] > 0).any(dim=1).sum()) == 20


def test_a_stroke_is_as_wide_as_the_pen_and_has_round_ends():
    pad, seen = Pad(), []
    pad.on_drawing(seen.append)
    hand(pad, [[[40, 100], [140, 100], [240, 100]]])
    assert ink(pad)[100, 40:240].eq(255).all()
    rows, columns = ink(pad).gt(127).nonzero().T
    assert (int(rows.min()), int(rows.max())) == pytest.approx((100 - PEN / 2, 100 + PEN / 2), abs=1)
    assert (int(columns.min()), int(columns.max())) == pytest.approx((40 - PEN / 2, 240 + PEN / 2), abs=1)
    assert torch.equal(seen[-1], pad.digit())
    assert torch.equal(pad.digit(), drawn_on([[(40, 100), (140, 100), (240, 100)]]).digit())


def test_ink_that_grows_tells_each_time_and_nothing_goes_back_to_the_browser(monkeypatch):
    pad, seen, sent = Pad(), [], []
    pad.on_drawing(seen.append)
    monkeypatch.setattr(pad.comm, "send", lambda data=None, **options: sent.append(data))
    for length in (1, 2, 3):
        hand(pad, [[list(point) for point in SEVEN[0][:length]]])
    assert len(seen) == 3
    assert torch.equal(seen[-1], drawn_on(SEVEN).digit())
    assert sent == []


def test_a_touch_without_a_move_leaves_a_dot():
    pad = Pad()
    hand(pad, [[[70, 35]]])
    assert ink(pad)[35, 70] == 255
    assert ink(pad).gt(127).sum() == pytest.approx(3.14159 * (PEN / 2) ** 2, rel=0.1)


def test_two_strokes_are_not_joined_and_what_lies_outside_leaves_no_ink():
    pad = Pad()
    hand(pad, [[[60, 50], [60, 200]], [[220, 50], [220, 200], [400, -90]]])
    assert ink(pad)[:, 100:180].sum() == 0
    assert ink(pad)[0, 279] == 0


def test_clear_empties_the_pad_and_tells():
    pad, seen = drawn_on(SEVEN), []
    pad.on_drawing(seen.append)
    hand(pad, [])
    assert ink(pad).sum() == 0
    pad.clear()  # nothing new
    assert [int(image.sum()) for image in seen] == [0]


def test_an_example_gives_way_to_a_drawing_of_ones_own():
    pad, seen = Pad(), []
    pad.on_drawing(seen.append)
    pad.example.value = "7"
    assert torch.equal(seen[-1], pad.digit())
    pad.draw([[(30, 250), (200, 250)]])
    assert pad.example.value == "none"
    assert torch.equal(pad.digit(), drawn_on([[(30, 250), (200, 250)]]).digit())


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_the_same_from_the_browsers_list_and_from_a_board_line(name):
    chosen, typed = Pad(), Pad()
    hand(chosen, chosen.examples[name], name)
    typed.example.value = name
    assert chosen.example.value == name
    assert chosen.ink == typed.ink


@pytest.fixture
def nets():
    return {"LeNet": xavier(lenet(activation=nn.ReLU, pooling=nn.MaxPool2d)), "MLP": xavier(mlp((8,)))}


def check(lab, image, source="your drawing"):
    """The lab shows what its networks make of an image: their chances, and the maps, each on a scale of its own."""
    X, state = image[None] / 255, lab.state()
    arrays = state["arrays"]
    assert arrays["image"] == image[0].tolist()
    assert state["facts"]["source"] == source
    assert state["facts"]["networks"] == list(lab.nets)
    with torch.no_grad():
        for net, chances in zip(lab.nets.values(), arrays["chances"], strict=True):
            assert torch.allclose(net(X)[0].softmax(dim=0), torch.tensor(chances), atol=1e-6)
        for end, shown in ((2, arrays["maps0"]), (5, arrays["maps1"])):
            maps = lab.nets["LeNet"][:end](X)[0]
            assert torch.tensor(shown).shape == maps.shape
            for numbers, bright in zip(maps, torch.tensor(shown), strict=True):
                high, low = numbers.max(), numbers.min()
                assert torch.allclose(255 * (numbers - low) / (high - low).clamp(min=1e-9), bright.float(), atol=1.01)


def test_the_lab_shows_what_both_networks_say_of_the_drawing(nets, sample):
    lab = labs.drawing(nets, sample.class_names)
    check(lab, lab.pad.digit())
    assert "LeNet says" in lab.state()["said"]
    hand(lab.pad, [[[50, 50], [60, 200]]])
    check(lab, lab.pad.digit())
    assert torch.equal(lab.pad.digit(), drawn_on([[(50, 50), (60, 200)]]).digit())
    assert lab.state()["line"] == "drawing example=none"
    lab.board.text.value = "drawing example=7"
    assert lab.pad.ink["example"] == "7"
    check(lab, lab.pad.digit())
    hand(lab.pad, [])
    assert "Draw" in lab.state()["said"]
    assert not lab.state()["trouble"]
    assert all(net.training for net in nets.values())


def test_a_photograph_takes_the_place_of_the_drawing_and_a_drawing_that_of_the_photograph(nets, sample):
    lab = labs.drawing(nets, sample.class_names)
    hand_over(lab.upload, hopper())
    assert lab.seen.any()
    check(lab, lab.seen, "your photograph")
    assert lab.state()["said"].startswith("Your photograph: LeNet says")
    assert lab.state()["line"] == "drawing example=none"
    assert ink(lab.pad).sum() == 0
    hand(lab.pad, [[[50, 50], [60, 200]]])
    check(lab, lab.pad.digit())
    assert "photograph" not in lab.state()["said"]
    hand_over(lab.upload, hopper())
    hand(lab.pad, [])  # Clear
    check(lab, torch.zeros(1, 28, 28, dtype=torch.uint8))


def test_a_move_of_the_pen_costs_few_bytes(nets, sample):
    lab = labs.drawing(nets, sample.class_names)
    assert len(lab.data) <= 25_000


def test_the_still_picture_shows_the_same(nets, sample):
    lab = labs.drawing(nets, sample.class_names)
    says = lab.state()["facts"]["classes"][torch.tensor(lab.state()["arrays"]["chances"])[0].argmax()]
    assert f"LeNet says {says} with" in lab.still(**lab.board.values()).alt


def test_looking_inside_gives_maps_after_the_activation_and_probabilities(nets, sample):
    maps, chances = look_inside(nets["LeNet"], sample.test_images[0])
    assert [tuple(found.shape) for found in maps] == [(6, 28, 28), (16, 10, 10)]
    assert all(float(found.min()) == 0 for found in maps)  # ReLU's
    assert float(chances.sum()) == pytest.approx(1)
    assert look_inside(nets["MLP"], sample.test_images[0])[0] == []
