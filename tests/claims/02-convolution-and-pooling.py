"""What chapter 2 says and its cells compute; each part runs right after the cell that it is named after."""

# %% corner
assert corner == 3 * 1 + 1 * 2 + 2 * (-1) + 5 * 3 == 18

# %% all-places
assert corr2d(X, K).shape == (2, 2)

# %% flip
assert torch.equal(seen, K.flip(0, 1))
assert torch.equal(corr2d(dot, K.flip(0, 1)), K)  # the copy of a dot comes out straight

# %% by-pytorch
assert F.conv2d(X[None], K[None, None]).shape == (1, 2, 2)  # unbatched

# %% matrix
assert W.shape == (4, 9)
assert torch.equal(W @ X.flatten(), corr2d(X, K).flatten())
assert (W == 0).sum() == 20
assert sorted(W[W != 0].tolist()) == sorted(4 * K.flatten().tolist())
assert nn.Linear(28 * 28, 26 * 26, bias=False).weight.numel() == 784 * 676 == 529_984  # the fold below it
assert 676 * 9 == 6_084

# %% kernels
assert all(kernels[name].sum() == 0 for name in ("vertical edges", "horizontal edges", "outline"))
assert all(abs(kernels[name].sum() - 1) < 1e-6 for name in ("blur", "sharpen"))

# %% flat
assert abs(response) < 1e-6
brighter = torch.tensor([[0.0, 0, 1]]).expand(3, 3)
assert corr2d(brighter, kernels["vertical edges"]) > 0

# %% bank
assert maps.shape == (5, 26, 26)

# %% learnt-filters
from helpers.labs.convolution import kernel_preset

assert silent == 4
assert [i for i in range(6) if abs(sums[i]) < 0.05] == [1, 2, 4, 5]
vertical = kernel_preset("vertical edges (Sobel)", 5)
upright, lying = (F.cosine_similarity(filters.flatten(1), table.flatten()[None]) for table in (vertical, vertical.T))
assert upright[5] > 0.4
changing = upright[[1, 2, 4, 5]]
assert changing.max() == upright[5] and changing.min() == upright[4]
assert lying[1] < -0.8

# %% photo
wall = photo[:, :40, 80:].mean(dim=(1, 2))
assert wall[0] < wall[1] < wall[2]

# %% channels-out
assert layer.weight.shape == (8, 3, 5, 5)
assert layer.weight.numel() + layer.bias.numel() == 608

# %% by-hand
assert by_layer.shape == (2, 119, 99)

# %% padding
assert [int(count[0, 0]) for count in counts.values()] == [1, 4, 9]
assert all(count[2, 2] == 9 for count in counts.values())
assert (counts["padding 2"] == 9).all() and not (counts["padding 1"] == 9).all()
assert 28 - 13 * 2 == 2

# %% sizes
from itertools import product

from helpers import conv_output_size

for n, k, p, s in product((9, 12, 28), (1, 2, 3, 4, 5), (0, 1, 2), (1, 2, 3, 4)):
    width = nn.Conv2d(1, 1, k, padding=p, stride=s)(torch.zeros(1, n, n)).shape[-1]
    assert width == output_size(n, k, p, s) == conv_output_size(n, k, p, s)

# %% learn
assert losses[-1] < 0.01 * losses[0]
assert (learnt - kernels["vertical edges"]).abs().max() < 0.5

# %% rate
assert best == "lr 0.4"
assert curves["lr 0.6"][8] < curves["lr 0.4"][8] < curves["lr 0.02"][8]  # at first
assert curves["lr 0.4"][-1] < curves["lr 0.02"][-1] < curves["lr 0.02"][0] < curves["lr 0.6"][-1]

# %% equivariant
assert same and not moved
assert not torch.equal(nn.MaxPool2d(2)(shift(image[None], 1)), nn.MaxPool2d(2)(image[None]))  # not invariant

# %% change
assert change(left, left) == 0 and abs(change(left, right) - 2**0.5) < 1e-6

# %% tolerance
assert 0.75 < without < 0.85
assert 0.2 < smaller < 0.7
assert smaller < 0.8 * without and control > 0.95 * without
assert all(value > 1 for name, curve in curves.items() for value in curve[2:])
average = [change(F.avg_pool2d(edge_maps[0], 2), F.avg_pool2d(shifted, 2)) for shifted in edge_maps[1:]]
assert smaller < average[0] < 0.9 * without

# %% gradient
assert widths == [1 + 4, 5 + 4, 6 + 4 * 2]

# %% dilated
for n, k, p, s, d in product((12, 28), (1, 2, 3), (0, 1, 2), (1, 2, 3), (1, 2, 3)):
    width = nn.Conv2d(1, 1, k, padding=p, stride=s, dilation=d)(torch.zeros(1, n, n)).shape[-1]
    assert width == output_size(n, d * (k - 1) + 1, p, s)

# %% too-large
assert output_size(3, 5) == -1

# %% strided
assert 9 * every_place(image[None]).numel() == 4 * 9 * every_second(image[None]).numel()
assert nn.MaxPool2d(2)(every_place(image[None])).shape == every_second(image[None]).shape == (1, 14, 14)
