"""Images that are shifted, turned and scaled: as torchvision does it, without waiting for torchvision."""

import pytest
import torch
from torchvision.transforms import InterpolationMode
from torchvision.transforms.functional import affine

from helpers import moved


def bright(row, column):
    image = torch.zeros(1, 1, 28, 28, dtype=torch.uint8)
    image[..., row, column] = 200
    return image


def test_a_shift_is_in_pixels_to_the_right_and_black_moves_in():
    assert moved(bright(4, 14), shift=5).equal(bright(4, 19))
    assert moved(bright(4, 14), shift=-5).equal(bright(4, 9))
    assert moved(bright(4, 27), shift=1).sum() == 0
    assert moved(bright(4, 14)).equal(bright(4, 14))


def test_a_turn_is_clockwise_and_a_scale_above_one_enlarges():
    assert moved(bright(4, 14), angle=90)[..., 12:16, 21:25].sum() > 100  # from the top to the right
    assert moved(bright(13, 20), scale=2)[..., 26].sum() > 0  # twice as far from the centre


@pytest.mark.parametrize("move", [(2, 0, 1.0), (-3, 20, 1.0), (0, -90, 1.0), (0, 0, 0.5), (1.5, 40, 1.3)])
@pytest.mark.parametrize("shape", [(3, 1, 28, 28), (2, 3, 20, 31)])
def test_the_numbers_are_those_of_torchvision(move, shape):
    shift, angle, scale = move
    images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    floats = images / 255

    def by_torchvision(X):
        return affine(X, angle, [shift, 0], scale, [0, 0], InterpolationMode.BILINEAR)

    difference = moved(images, *move).int() - by_torchvision(images).int()
    assert difference.abs().max() <= 1  # a half may be rounded either way
    torch.testing.assert_close(moved(floats, *move), by_torchvision(floats), atol=1e-4, rtol=0)
    assert moved(images, *move).dtype == torch.uint8
