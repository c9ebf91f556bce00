"""The networks: sizes, parameter counts, initialisation, the layer table."""

import itertools

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from helpers import conv_output_size, layer_table, lenet, mlp, num_parameters, xavier
from helpers.errors import ShapeError
from helpers.layers import receptive_field


def test_output_size_is_pytorchs_for_every_choice():
    for size, kernel, padding, stride, dilation in itertools.product(
        range(1, 14), range(1, 6), range(3), range(1, 4), range(1, 3)
    ):
        convolution = nn.Conv2d(1, 1, kernel, stride, padding, dilation)
        try:
            expected = convolution(torch.zeros(1, 1, size, size)).shape[-1]
        except RuntimeError:
            with pytest.raises(ValueError, match="add padding"):
                conv_output_size(size, kernel, padding, stride, dilation)
        else:
            assert conv_output_size(size, kernel, padding, stride, dilation) == expected


def test_output_size_is_pytorchs_for_every_place_of_the_convolution_labs_sliders():
    image = torch.zeros(1, 1, 28, 28)
    fitted = refused = 0
    for kernel, padding, stride, dilation in itertools.product(range(1, 12), range(6), range(1, 5), range(1, 5)):
        if dilation * (kernel - 1) + 1 > 28 + 2 * padding:
            with pytest.raises(ShapeError):
                conv_output_size(28, kernel, padding, stride, dilation)
            refused += 1
        else:
            weight = torch.zeros(1, 1, kernel, kernel)
            output = F.conv2d(image, weight, padding=padding, stride=stride, dilation=dilation)
            assert output.shape[-1] == conv_output_size(28, kernel, padding, stride, dilation)
            fitted += 1
    assert fitted and refused


def test_output_size_is_pytorchs_for_every_place_of_the_pooling_labs_sliders():
    for size, window, stride in itertools.product((8, 13, 28), range(1, 9), range(1, 9)):
        image = torch.zeros(1, 1, size, size)
        for padding in range(window // 2 + 1):
            pooled = F.max_pool2d(image, window, stride, padding)
            assert pooled.shape[-1] == conv_output_size(size, window, padding, stride)


def test_a_kernel_too_large_is_explained_with_its_numbers():
    with pytest.raises(ShapeError) as error:
        conv_output_size(5, 7)
    assert str(error.value) == "kernel 7 is larger than the 5×5 map that reaches it: add padding or use at most 5"
    conv_output_size(5, 5)


def test_lenet_has_the_published_shapes():
    shapes = [row.output_shape for row in layer_table(lenet())]
    assert shapes == [
        (1, 6, 28, 28), (1, 6, 28, 28), (1, 6, 14, 14), (1, 16, 10, 10), (1, 16, 10, 10), (1, 16, 5, 5),
        (1, 400), (1, 120), (1, 120), (1, 84), (1, 84), (1, 10),
    ]  # fmt: skip


def test_the_variant_without_padding_has_the_published_shapes():
    net = lenet(padding=(0, 0), pooling=nn.MaxPool2d)
    pooled = [row.output_shape for row in layer_table(net) if row.name in ("Conv2d", "MaxPool2d", "Linear")]
    assert pooled == [(1, 6, 24, 24), (1, 6, 12, 12), (1, 16, 8, 8), (1, 16, 4, 4), (1, 120), (1, 84), (1, 10)]


@pytest.mark.parametrize(
    ("net", "expected"),
    [
        (lenet(), 61_706),
        (lenet(padding=(0, 0), pooling=nn.MaxPool2d), 44_426),
        (lenet(channels=(16, 32), padding=(2, 2), activation=nn.ReLU, pooling=nn.MaxPool2d, dense=()), 28_938),
        (mlp((256,)), 784 * 256 + 256 + 256 * 10 + 10),
    ],
)
def test_parameter_counts(net, expected):
    assert num_parameters(net) == expected == sum(row.parameters for row in layer_table(net))


def test_every_network_of_the_family_runs_or_says_why_not():
    ran = refused = 0
    for kernel, padding, size in itertools.product(range(1, 14), range(4), (12, 28, 32)):
        try:
            net = lenet(kernel, padding=(padding, 0), image_size=size)
        except ValueError as error:
            assert "add padding" in str(error)
            refused += 1
        else:
            assert net(torch.zeros(2, 1, size, size)).shape == (2, 10)
            ran += 1
    assert ran and refused
    with pytest.raises(ValueError, match="2 convolutions but 1 padding"):
        lenet(padding=(2,))


def test_every_convolution_may_have_a_kernel_size_of_its_own():
    net = lenet(kernel_size=(7, 3), padding=(3, 1))
    assert [layer.kernel_size for layer in net if isinstance(layer, nn.Conv2d)] == [(7, 7), (3, 3)]
    assert net(torch.zeros(2, 1, 28, 28)).shape == (2, 10)
    assert layer_table(lenet(kernel_size=(5, 5))) == layer_table(lenet())
    with pytest.raises(ShapeError, match="2 convolutions but 1 kernel sizes"):
        lenet(kernel_size=(5,))


def test_a_shape_error_names_the_layer():
    with pytest.raises(ShapeError) as error:
        lenet(kernel_size=(5, 7), image_size=10)
    assert str(error.value) == (
        "convolution 2: kernel 7 is larger than the 5×5 map that reaches it: add padding or use at most 5"
    )
    with pytest.raises(ShapeError, match="pooling 1: its 2×2 window is larger than the 1×1 map"):
        lenet(kernel_size=12, padding=(0, 0), image_size=12)
    with pytest.raises(ShapeError, match="convolution 4"):
        lenet(kernel_size=3, channels=(1, 1, 1, 1), padding=(1, 1, 1, 0), image_size=16)


def pixels_with_a_gradient(layers, row, column, size):
    """Rows and columns of the image that move a cell of the last map: as far as PyTorch knows."""
    image = torch.rand(1, 1, *size, requires_grad=True)
    output = image
    for layer in layers:
        output = layer(output)
    output[0, 0, row, column].backward()
    seen = image.grad[0, 0] != 0
    return seen.any(dim=1).nonzero().flatten().tolist(), seen.any(dim=0).nonzero().flatten().tolist()


def positive(net):
    """All weights 1: no pixel's influence can cancel another's."""
    for layer in net:
        if isinstance(layer, nn.Conv2d):
            nn.init.ones_(layer.weight)
    return net


@pytest.mark.parametrize(
    "net",
    [
        lenet(),
        lenet(kernel_size=(3, 4), padding=(5, 5)),
        lenet(kernel_size=(1, 2), padding=(2, 1)),
        nn.Sequential(nn.Conv2d(1, 1, (2, 3), stride=(3, 1), padding=(1, 2), dilation=(2, 1)), nn.AvgPool2d(2, 1)),
        nn.Sequential(nn.Conv2d(1, 1, (4, 3), padding="same"), nn.Conv2d(1, 1, 2, padding="valid")),
        nn.Sequential(nn.AvgPool2d(2), nn.Sequential(nn.Conv2d(1, 1, 3, padding=2), nn.AvgPool2d(2))),
    ],
    ids=[
        "LeNet",
        "more padding than kernel",
        "padding alone",
        "stride and dilation",
        "padding in words",
        "odd sizes, nested",
    ],
)
@pytest.mark.parametrize("size", [(28, 28), (15, 21)])
def test_the_receptive_field_is_where_the_gradient_is_not_zero(net, size):
    # Without activations and with positive weights every pixel that is seen has a gradient.
    layers = [layer for part in net for layer in (part if isinstance(part, nn.Sequential) else [part])]
    layers = [nn.Identity() if isinstance(layer, nn.Sigmoid) else layer for layer in layers]
    positive(layers)
    for last in range(len(layers)):
        if isinstance(layers[last], nn.Flatten):
            break
        output = nn.Sequential(*layers[: last + 1])(torch.zeros(1, 1, *size))
        rows, columns = output.shape[2:]
        # Rows and columns are independent of each other: the diagonal reaches each of both.
        for cell in range(max(rows, columns)):
            row, column = min(cell, rows - 1), min(cell, columns - 1)
            expected = pixels_with_a_gradient(layers[: last + 1], row, column, size)
            rows_seen, columns_seen = receptive_field(net, last, row, column, size)
            if rows_seen and columns_seen:
                assert (rows_seen, columns_seen) == expected
            else:
                assert expected == ([], [])


def test_of_a_trained_kind_of_network_no_pixel_outside_the_receptive_field_matters():
    net = xavier(lenet(activation=nn.ReLU, pooling=nn.MaxPool2d))
    for layer, size in [(2, 14), (5, 5)]:
        for row, column in itertools.product(range(0, size, 2), repeat=2):
            rows, columns = pixels_with_a_gradient(net[: layer + 1], row, column, (28, 28))
            seen = receptive_field(net, layer, row, column)
            assert set(rows) <= set(seen[0])
            assert set(columns) <= set(seen[1])
    assert receptive_field(net, 5, 2, 2) == (list(range(6, 22)), list(range(6, 22)))
    assert receptive_field(net, 0, 0, 27) == ([0, 1, 2], [25, 26, 27])


def test_xavier_takes_layers_without_a_bias():
    net = xavier(nn.Sequential(nn.Conv2d(1, 2, 3, bias=False), nn.Flatten(), nn.Linear(2, 2)))
    assert (net[2].bias == 0).all()


def test_xavier_draws_the_published_variance_and_no_bias():
    net = xavier(mlp((1000,)))
    weight = net[1].weight
    assert weight.var().item() == pytest.approx(2 / (784 + 1000), rel=0.02)
    assert weight.abs().max() <= (6 / (784 + 1000)) ** 0.5
    assert all((layer.bias == 0).all() for layer in net if isinstance(layer, nn.Linear))


def test_multiply_adds_are_those_counted_by_hand():
    table = layer_table(lenet())
    assert [row.multiply_adds for row in table if row.parameters] == [
        28 * 28 * 6 * 25,
        10 * 10 * 16 * 25 * 6,
        400 * 120,
        120 * 84,
        84 * 10,
    ]
    assert "61,706" in repr(table)
    assert table.input_shape == (1, 1, 28, 28)


def test_the_table_leaves_the_network_as_it_was():
    net = lenet().train()
    before = [parameter.clone() for parameter in net.parameters()]
    layer_table(net)
    assert net.training
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))
    assert not any(layer._forward_hooks for layer in net)
