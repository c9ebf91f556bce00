"""What chapter 3 says and its cells compute; each part runs right after the cell that it is named after."""

# %% at-work
assert classes.tolist() == data.train_labels[:5].tolist()

# %% second
names_in_order = [data.class_names[place] for place in best]
assert names_in_order[:3] == ["ankle boot", "sneaker", "sandal"]

# %% shuffle-equal
assert gap < 1e-5

# %% photo-weights
assert dense_weights * 4 == 3_072_000_000
assert conv_weights * 4 == 76_800
assert round(conv_outputs * 4 / 1e9, 1) == 1.0

# %% second-maps
assert second.shape == (1, 16, 10, 10)

# %% walk
assert shapes_of(net, boot) == [
    (1, 6, 28, 28),
    (1, 6, 28, 28),
    (1, 6, 14, 14),
    (1, 16, 10, 10),
    (1, 16, 10, 10),
    (1, 16, 5, 5),
    (1, 400),
    (1, 120),
    (1, 120),
    (1, 84),
    (1, 84),
    (1, 10),
]

# %% flatten-picture
assert X[0].flatten()[28 * 2 + 10] == X[0, 0, 2, 10]

# %% place-of
assert place_of(2, 10) == 66

# %% neighbours
assert (place_of(14, 13) - place_of(14, 12), place_of(15, 12) - place_of(14, 12)) == (1, 28)

# %% picture
assert layer_table(lenet()) == table  # lenet() without choices is this very network
held = [torch.Size(shape).numel() for shape in shapes_of(net, boot)]
assert max(held) == held[0] == 4_704 == 6 * 28 * 28
assert (held[2], held[3]) == (1_176, 1_600)

# %% boot-maps
rows_of_map = trained[:3](boot)[0].detach().sum(dim=2)  # (6, 14)
in_sole = rows_of_map[:, -4:].sum(dim=1) / rows_of_map.sum(dim=1)
assert [part > 0.5 for part in in_sole] == [False, True, False, False, False, False]  # map 1 shows the sole
sole = trained[0].weight[1, 0].sum(dim=1)  # bright above, dark below
assert sole[:2].min() > 0 > sole[2:].max()
assert [type(trained[i - 1]).__name__ for i in (1, 3, 4, 6)] == ["Conv2d", "MaxPool2d"] * 2
assert [tuple(trained[:i](boot).shape) for i in (3, 6)] == [shapes_of(net, boot)[i - 1] for i in (3, 6)]

# %% halves-split
assert features.shape == (1, 400)
assert 160 <= (features == 0).sum() <= 240  # about half of them

# %% break-build
assert when == "when an image goes through"
assert "1x400" in said and "256x120" in said
try:
    net(X[0])  # the batch forgotten
except RuntimeError as error:
    assert "16x25" in str(error)

# %% break-mend
assert net[:7](boot).shape[1] == 400

# %% break-lenet
for padding in (*((first, 0) for first in range(3, 12)), *((0, second) for second in range(2, 12))):
    assert lenet(kernel_size=11, padding=padding)(boot).shape == (1, 10)
for kernel in range(1, 10):
    assert lenet(kernel_size=kernel, padding=(0, 0))(boot).shape == (1, 10)
try:
    lenet(kernel_size=11, padding=(0, 0))
except ValueError as error:
    assert "convolution 2" in str(error) and "larger than the 9×9 map" in str(error)
try:
    lenet(kernel_size=11, padding=(2, 0))
except ValueError as error:
    assert "pooling 2" in str(error) and "1×1" in str(error)

# %% parameters-conv
assert conv_2 == 2_416
assert 26 * 16 == 416

# %% parameters-dense
assert dense_1 == 48_120
assert 400 * 120 + 400 == 48_400

# %% parameters-bars
assert 156 + 2_416 + 48_120 + (120 + 1) * 84 + (84 + 1) * 10 == num_parameters(net) == count_parameters(net) == 61_706
assert rows[2].parameters == 48_120 > 3 / 4 * 61_706

# %% work-bars
assert work[0] == (6 * 28 * 28) * (1 * 5 * 5)
assert work[2] == 120 * 400
assert max(work) == work[1] == (16 * 10 * 10) * (6 * 5 * 5) == 240_000
assert sum(work) == 416_520
assert names[work.index(max(work))] == "conv 2"
assert in_convolutions > 0.85
assert sum(row.parameters for row in rows[:2]) < 0.05 * table.parameters
assert conv_weights == 19_200
assert round(996 * 996 * conv_weights / 1e9) == 19
assert round(dense_weights / 1e9, 2) == 0.77

# %% wide-table
assert num_parameters(wide) == 28_938
assert round(times, 1) == 6.8
assert (wide[3].out_channels, wide[3].in_channels, wide[:4](boot).shape[2:]) == (2 * 16, 16, (14, 14))

# %% bug-listing
assert num_parameters(suspect) == 545_546
assert shapes_of(suspect, boot)[6] == (1, 120, 7, 7)
repaired = nn.Sequential(
    *suspect[:3], nn.Conv2d(6, 16, 5), *suspect[4:6], nn.Conv2d(16, 120, 5), *suspect[7:9], nn.Linear(120, 84),
    *suspect[10:],
)  # fmt: skip
assert num_parameters(repaired) == 61_706
assert repaired(boot).shape == (1, 10)

# %% own-lab
for kernel, padding, size, pooled in ((7, (2, 0), 28, 3), (5, (2, 0), 48, 10)):
    assert shapes_of(lenet(kernel, padding=padding, image_size=size), torch.zeros(1, 1, size, size))[5][2] == pooled


def saves(image_size=28, **choices):
    """Whether half of LeNet's parameters go, but less than a tenth of its work."""
    less = layer_table(lenet(image_size=image_size, **choices), (1, 1, image_size, image_size))
    return less.parameters <= 61_706 / 2 and less.multiply_adds > 416_520 * 0.9


assert [width for width in range(1, 121) if saves(dense=(width, 84))] == [*range(34, 57)]
assert [kernel for kernel in range(1, 12) if saves(kernel_size=(5, kernel))] == [10]
assert not any(saves(image_size=size) for size in range(12, 29))
assert not any(saves(kernel_size=(kernel, 5)) for kernel in range(1, 12))
assert not any(saves(padding=(pad, 0)) or saves(padding=(2, pad)) for pad in range(6))
assert not any(saves(channels=(channels, 16)) for channels in range(1, 7))
assert not any(saves(channels=(6, channels)) for channels in range(1, 17))
assert not any(saves(dense=(120, width)) for width in range(1, 85))
assert [size for size in range(12, 65) if lenet(image_size=size)[7].in_features == 400] == [28, 29, 30, 31]
assert lenet(image_size=32)[7].in_features == 16 * 6 * 6
lenet(kernel_size=11, padding=(3, 0))  # on the teacher's page
large, small = (layer_table(lenet(image_size=size), (1, 1, size, size)) for size in (48, 28))
more_work = [a.multiply_adds - b.multiply_adds for a, b in zip(large, small, strict=True)]
assert more_work.index(max(more_work)) == 3

# %% own-net
assert own_net(X).shape == (5, 10)
assert num_parameters(lenet(channels=(8, 16), dense=(60, 30), activation=nn.ReLU)) == 29_624

# %% place
assert features[0, 5 * 25 + 1 * 5 + 2] == maps[5, 1, 2]
assert numbered[5, 1, 2] == 132

# %% c5-equal
assert num_parameters(as_1998) == 61_706

# %% c5-larger
assert as_1998[:7](torch.zeros(1, 1, 48, 48)).shape == (1, 120, 5, 5)

# %% paper
assert C3 == 1_516
assert number == 60_000

# %% unpadded
assert total == 44_426
assert counts[2] == (256 + 1) * 120
assert num_parameters(lenet(padding=(0, 0), image_size=32)) == 61_706
