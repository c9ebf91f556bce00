"""The microscope: what it shows of a network is what the network computes, and the network stays as it is."""

import copy
import itertools

import pytest
import torch
from torch import nn

from helpers import labs, lenet, mlp, xavier
from helpers.errors import ShapeError
from helpers.labs.microscope import layer_names, outputs_of, snapshot, working
from helpers.plotting.microscope import Convolved
from tests.every_lab import shown


def with_biases(net):
    """Xavier's weights, and biases that are not zero."""
    for layer in xavier(net):
        if isinstance(layer, nn.Conv2d) and layer.bias is not None:
            nn.init.normal_(layer.bias)
    return net


def unusual():
    """What a student may have built: groups, strides, dilation, no bias, one pooling with overlap, more activations."""
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 4, (3, 5), padding=(1, 2), bias=False), nn.BatchNorm2d(4), nn.ReLU(inplace=True)),
        nn.MaxPool2d(3, stride=2),
        nn.Conv2d(4, 6, 3, groups=2, dilation=2, stride=2, padding=3),
        nn.Tanh(),
        nn.Dropout(),
        nn.AvgPool2d(2),
        nn.Conv2d(6, 20, 1),
        nn.Conv2d(20, 3, 3, padding="same"),
        nn.Flatten(),
        nn.LazyLinear(10),
    )


NETS = {
    "LeNet of 1998": lambda: lenet(),
    "LeNet of today": lambda: lenet(activation=nn.ReLU, pooling=nn.MaxPool2d),
    "wide": lambda: lenet((7, 3), (16, 32), (3, 1), nn.LeakyReLU),
    "one channel": lambda: lenet(3, (1, 1)),
    "unusual": unusual,
}


@pytest.fixture
def image():
    return torch.randint(256, (1, 1, 28, 28), dtype=torch.uint8)


def hooked(net, image):
    """The output of every layer of a network, as PyTorch's own hooks report it."""
    outputs = []
    layers = [layer for layer in net.modules() if not list(layer.children())]
    # A copy of each output: an activation may write over it.
    hooks = [layer.register_forward_hook(lambda *args: outputs.append(args[2].clone())) for layer in layers]
    with torch.no_grad():
        net.eval()(image / 255)
    for hook in hooks:
        hook.remove()
    return outputs


@pytest.mark.parametrize("name", NETS)
def test_the_working_gives_exactly_the_number_of_the_map(name, image):
    net = NETS[name]()
    net(torch.zeros(2, 1, 28, 28))  # a lazy layer learns its size, batch normalisation its statistics
    with_biases(net.eval())
    expected, layers = hooked(net, image), snapshot(net)
    outputs = outputs_of(layers, image[0])
    for i, _ in enumerate(layer_names(net)):
        assert torch.allclose(outputs[i + 1], expected[i], atol=1e-6)
        channels, rows, columns = expected[i].shape[1:]
        cells = itertools.product({0, channels // 2, channels - 1}, {0, rows // 2, rows - 1}, {0, columns - 1})
        for channel, row, column in cells:
            found = working(layers[i], outputs[i][0], channel, row, column)
            number = expected[i][0, channel, row, column]
            assert torch.allclose(torch.tensor(found.number), number, atol=1e-5)
            if isinstance(found, Convolved):
                written = float(str(found).rsplit("=", 1)[1].replace("−", "-"))
                assert written == pytest.approx(float(number), abs=1e-4)
                assert float(found.sums.sum()) + found.bias == pytest.approx(float(number), abs=1e-5)


def test_it_shows_the_image_layer_and_cell_that_the_controls_name(sample):
    net = with_biases(lenet(activation=nn.ReLU, pooling=nn.MaxPool2d))
    lab = labs.microscope(net, sample.test_images, sample.class_names)
    lab.board.text.value = "microscope image=7 layer=4-convolution channel=3 row=2 column=8"
    outputs = hooked(net, sample.test_images[7:8])
    arrays = {"maps": outputs[3][0], "below": outputs[2][0], "weights": net[3].weight, "bias": net[3].bias}
    assert all(torch.allclose(lab.arrays[name], array, atol=1e-6) for name, array in arrays.items())
    assert torch.equal(lab.arrays["image"], sample.test_images[7, 0])
    assert lab.facts["cell"] == [3, 2, 8]
    rows, columns = lab.facts["sees"]
    assert (rows[2], columns[8]) == ([2, 15], [14, 27])
    shares = outputs[-1][0].softmax(dim=0)
    assert f"{sample.class_names[shares.argmax()]} ({shares.max():.0%})" in lab.message.value


def test_it_reads_a_network_without_changing_it(sample):
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(), nn.Flatten(), nn.Linear(1352, 10)).train()
    before, random = copy.deepcopy(net.state_dict()), torch.random.get_rng_state()
    lab = labs.microscope(net, sample.test_images[:3])
    lab.board.move({"layer": 2, "row": 5})
    assert net.training
    assert all(layer.training for layer in net)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert torch.equal(torch.random.get_rng_state(), random)
    assert all(parameter.grad is None for parameter in net.parameters())


def test_each_move_shows_the_network_as_it_is_now(sample):
    net = xavier(lenet())
    lab = labs.microscope(net, sample.test_images[:3])
    before = lab.arrays["maps"]
    with torch.no_grad():
        net[0].bias += 1
    lab.board.move({})
    assert torch.allclose(lab.arrays["maps"], before + 1)
    assert lab.arrays["bias"].tolist() == [1] * 6


def test_sliders_reach_as_far_as_the_layer(sample):
    lab = labs.microscope(lenet(channels=(1, 16)), sample.test_images[:1])
    controls = lab.controls
    assert controls["image"].disabled
    assert controls["channel"].disabled
    assert (controls["row"].max, controls["column"].max) == (27, 27)
    lab.board.move({"layer": 5, "channel": 99, "row": 27, "column": 3})
    assert not controls["channel"].disabled
    assert (controls["channel"].max, controls["row"].max, controls["column"].max) == (15, 4, 4)
    assert (controls["channel"].value, controls["row"].value, controls["column"].value) == (15, 4, 3)
    controls["layer"].value = 0
    assert controls["row"].max == 27


@pytest.mark.parametrize(
    ("net", "words"),
    [
        (mlp(), "no feature maps: its first layer is Flatten"),
        (nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular")), "padding_mode=circular"),
        (nn.Conv2d(1, 1, 3), "opens an nn.Sequential"),
    ],
)
def test_a_network_without_maps_is_refused_in_words(net, words, sample):
    with pytest.raises(ShapeError, match=words):
        labs.microscope(net, sample.test_images)


def test_images_that_are_none_are_refused_in_words(sample):
    with pytest.raises(ShapeError, match=r"these are \(1, 28, 28\)"):
        labs.microscope(lenet(), sample.test_images[0])


def test_a_layer_that_it_cannot_open_ends_the_list():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2, padding=1), nn.Conv2d(2, 2, 3))
    assert layer_names(net) == ["1 convolution", "2 ReLU"]


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_a_network_that_has_diverged_is_said_in_words(bad, sample):
    net = lenet()
    lab = labs.microscope(net, sample.test_images[:2])
    good = shown(lab)
    nn.init.constant_(net[0].weight, bad)
    lab.board.move({"layer": 1})
    assert "diverged" in lab.message.value
    assert shown(lab) == good


@pytest.mark.parametrize("name", NETS)
def test_type_can_be_read_and_nothing_is_cut_off(name, image):
    net = NETS[name]()
    net(torch.zeros(2, 1, 28, 28))
    lab = labs.microscope(with_biases(net), image, ["ankle boot"] * 10)
    for layer in range(len(lab.controls["layer"].options)):
        lab.board.move({"layer": layer})
        figure = lab.still(**lab.board.values())
        figure.png()
        for text in figure.ax.texts:
            place = text.get_window_extent()
            assert text.get_fontsize() >= 9
            assert 0 <= place.x0 < place.x1 <= figure.bbox.x1, text
            assert 0 <= place.y0 < place.y1 <= figure.bbox.y1, text
