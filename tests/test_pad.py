"""The drawing pad, the image that becomes of a drawing, and the lab around both."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from helpers import labs, lenet, mlp, mnist, plotting, xavier
from helpers.digits import like_mnist
from helpers.labs.drawing import look_inside
from helpers.labs.pad import EXAMPLES, PEN, SIDE, Pad

SEVEN = [[(80, 60), (200, 60), (120, 220)]]


def mouse(pad, kind, x, y, at, held=True):
    """What the browser sends for the mouse at (x, y), `at` milliseconds after the page was opened."""
    where = {"relativeX": x, "relativeY": y, "boundingRectWidth": SIDE}
    pad._events._handle_mouse_msg(None, {"event": kind, "timeStamp": at, "buttons": int(held), **where}, [])


def finger(pad, kind, x, y, at):
    where = {"relativeX": x, "relativeY": y, "boundingRectWidth": SIDE}
    pad._events._handle_mouse_msg(None, {"event": kind, "timeStamp": at, "changedTouches": [where]}, [])


def ink(pad):
    """The pad's pixels, (SIDE, SIDE), from the picture that the browser gets."""
    shown = Image.open(io.BytesIO(pad.picture.image.value)).resize((SIDE, SIDE), Image.Resampling.BOX)
    return torch.from_numpy(np.array(shown))


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


def test_the_mouse_leaves_ink_where_its_button_is_held():
    pad, seen = Pad(), []
    pad.on_drawing(seen.append)
    mouse(pad, "mousemove", 30, 200, at=0, held=False)
    mouse(pad, "mousedown", 40, 100, at=100)
    mouse(pad, "mousemove", 140, 100, at=130)
    mouse(pad, "mouseup", 240, 100, at=160, held=False)
    mouse(pad, "mousemove", 240, 250, at=190, held=False)
    assert ink(pad)[100, 40:241].eq(255).all()
    rows, columns = ink(pad).gt(127).nonzero().T
    assert (int(rows.min()), int(rows.max())) == pytest.approx((100 - PEN / 2, 100 + PEN / 2), abs=1)
    assert (int(columns.min()), int(columns.max())) == pytest.approx((40 - PEN / 2, 240 + PEN / 2), abs=1)
    assert torch.equal(seen[-1], pad.digit())
    assert torch.equal(pad.digit(), drawn_on([[(40, 100), (140, 100), (240, 100)]]).digit())


def test_a_finger_draws_like_the_mouse():
    pad = Pad()
    finger(pad, "touchstart", 80, 60, at=0)
    finger(pad, "touchmove", 200, 60, at=30)
    finger(pad, "touchend", 120, 220, at=60)
    assert pad.picture.image.value == drawn_on(SEVEN).picture.image.value


def test_a_pen_that_leaves_the_pad_and_comes_back_draws_no_line_between():
    pad = Pad()
    mouse(pad, "mousedown", 200, 50, at=0)
    mouse(pad, "mouseleave", 290, 50, at=30)
    mouse(pad, "mousemove", 280, 50, at=20)  # throttled, so it comes late
    mouse(pad, "mousemove", 270, 250, at=90)
    assert ink(pad)[50, 279] == 255
    assert ink(pad)[80:220].sum() == 0
    mouse(pad, "mousedown", 50, 250, at=5)  # the page was opened anew: its clock is too
    mouse(pad, "mousedown", 50, 250, at=1000)
    assert ink(pad)[250, 50] == 255


def test_two_strokes_are_not_joined():
    pad = Pad()
    for x in (60, 220):
        mouse(pad, "mousedown", x, 50, at=x)
        mouse(pad, "mouseup", x, 200, at=x + 50, held=False)
    assert ink(pad)[:, 100:180].sum() == 0


def test_a_pad_shown_larger_or_smaller_draws_where_the_mouse_is():
    pad = Pad()
    where = {"relativeX": 70, "relativeY": 35, "boundingRectWidth": SIDE / 2}
    pad._events._handle_mouse_msg(None, {"event": "mousedown", "timeStamp": 1, "buttons": 1, **where}, [])
    assert ink(pad)[70, 140] == 255


def test_clear_empties_the_pad_and_tells():
    pad, seen = drawn_on(SEVEN), []
    pad.on_drawing(seen.append)
    pad.clear_button.click()
    assert ink(pad).sum() == 0
    assert [int(image.sum()) for image in seen] == [0]


def test_an_example_gives_way_to_a_drawing_of_ones_own():
    pad, seen = Pad(), []
    pad.on_drawing(seen.append)
    pad.example.label = "7"
    assert torch.equal(seen[-1], pad.digit())
    mouse(pad, "mousedown", 30, 250, at=0)
    mouse(pad, "mouseup", 200, 250, at=50, held=False)
    assert pad.example.label == "none"
    assert torch.equal(pad.digit(), drawn_on([[(30, 250), (200, 250)]]).digit())


@pytest.fixture
def nets():
    return {"LeNet": xavier(lenet(activation=nn.ReLU, pooling=nn.MaxPool2d)), "MLP": xavier(mlp((8,)))}


def expected(nets, image, class_names):
    X = image[None] / 255
    with torch.no_grad():
        chances = {name: net(X)[0].softmax(dim=0) for name, net in nets.items()}
        maps = [nets["LeNet"][:2](X)[0], nets["LeNet"][:5](X)[0]]
    return plotting.opinions(image, chances, maps, class_names).png()


def test_the_lab_shows_what_both_networks_say_of_the_drawing(nets, sample):
    lab = labs.drawing(nets, sample.class_names)
    seven = lab.picture.image.value
    assert seven == expected(nets, lab.pad.digit(), sample.class_names)
    assert "LeNet says" in lab.message.value
    mouse(lab.pad, "mousedown", 50, 50, at=0)
    mouse(lab.pad, "mouseup", 60, 200, at=500, held=False)
    assert lab.picture.image.value == expected(nets, lab.pad.digit(), sample.class_names) != seven
    assert lab.board.text.value == "drawing example=none"
    lab.board.text.value = "drawing example=7"
    assert lab.picture.image.value == seven
    lab.pad.clear_button.click()
    assert "Draw" in lab.message.value
    assert all(net.training for net in nets.values())


def test_a_photograph_takes_the_place_of_the_drawing(nets, sample):
    lab = labs.drawing(nets, sample.class_names)
    lab.upload._action(sample.test_images[3])
    assert lab.picture.image.value == expected(nets, sample.test_images[3], sample.class_names)
    assert ink(lab.pad).sum() == 0


def test_looking_inside_gives_maps_after_the_activation_and_probabilities(nets, sample):
    maps, chances = look_inside(nets["LeNet"], sample.test_images[0])
    assert [tuple(found.shape) for found in maps] == [(6, 28, 28), (16, 10, 10)]
    assert all(float(found.min()) == 0 for found in maps)  # ReLU's
    assert float(chances.sum()) == pytest.approx(1)
    assert look_inside(nets["MLP"], sample.test_images[0])[0] == []
