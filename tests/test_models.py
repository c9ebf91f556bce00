"""The networks: sizes, parameter counts, initialisation, the layer table."""

import itertools

import pytest
import torch
from torch import nn

from helpers import conv_output_size, layer_table, lenet, mlp, num_parameters, xavier
from helpers.models import ShapeError


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


def test_the_table_leaves_the_network_as_it_was():
    net = lenet().train()
    before = [parameter.clone() for parameter in net.parameters()]
    layer_table(net)
    assert net.training
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))
    assert not any(layer._forward_hooks for layer in net)
