"""What chapter 1 says and its cells compute; each part runs right after the cell that it is named after."""

# %% read-ten
assert digits.train_images.shape[1:] == (1, 28, 28)
assert torch.equal(read, y)

# %% paper
assert number <= 4
assert share < 0.3 and sure > 0.6

# %% count
assert len(data.train_images) == struct.unpack(">I", raw[4:8])[0] == a * 256 + b
assert raw[4] == raw[5] == 0
assert len(raw) == 16 + data.train_images.numel()

# %% read-images
assert data.train_images.shape[1:] == (1, 28, 28)

# %% histogram
assert frequent == 0 and 0.4 < share < 0.6

# %% three-versions
assert (byte + 100).item() == 336 - 256
assert ((image + 100) < image).any()

# %% ranges
assert scaled.min() == 0 and scaled.max() == 1
assert scaled.nbytes == 4 * image.nbytes

# %% twice
assert accuracy["divided twice"] < 0.15
assert accuracy["divided once"] > 0.98 and abs(accuracy["divided once"] - accuracy["not divided"]) < 0.01
assert 0.0039 < 1 / 255 < 0.004

# %% balance
assert counts.min() > 0.09 * counts.sum()
if len(data.train_images) == 10_000:  # the sample
    assert (counts.min(), counts.max()) == (942, 1027)
else:
    assert (counts == 6_000).all()

# %% ten-means
assert means.shape == (10, 1, 28, 28)
assert torch.allclose(means[3], (data.train_images[data.train_labels == 3] / 255).mean(dim=0))

# %% look-alikes
assert pairs[0] == "pullover – coat"
assert all(set(pair.split(" – ")) < {"pullover", "coat", "shirt"} for pair in pairs[:3])
assert pairs[-1] == "sneaker – ankle boot"
assert (distances < distances[shoes]).sum() > 10  # many pairs are nearer

# %% sorted-split
assert always_t_shirt > 0.9 and left == 0

# %% split-by-hand
assert len(train_images) + len(val_images) == len(data.train_images)
assert len(val_images) == num_validation
assert 0.08 < (val_labels == 0).float().mean() < 0.12

# %% memory-answer
assert on_training > 0.995 and 0.75 < on_validation < 0.85
assert (memoriser(val_images[:50]) != val_labels[:50]).any()

# %% lucky
assert 0.18 < used_to_choose[best] < 0.25 and 0.07 < fresh[best] < 0.13

# %% last-batch
assert sizes == [256] * (len(images) // 256) + [len(images) % 256]
assert 60_000 / 256 > 200

# %% batches-helper
assert all(torch.equal(y, y_mine) for (_, y), (_, y_mine) in zip(loader, batches(images, labels, 256), strict=True))
seeded = [next(iter(Batches(images, labels, batch_size, shuffle=True, seed=3)))[0] for _ in range(2)]
assert torch.equal(*seeded)

# %% shuffled-first
assert not torch.equal(*looks)

# %% magic
assert 8 * 256 + 3 == struct.unpack(">I", raw[:4])[0] == 2051
assert struct.unpack("<I", raw[:4])[0] != 2051

# %% photo-by-hand
assert photo.shape == (3, 128, 128) and photo[:, 0, 0].tolist() == [255, 255, 255]  # white
assert small.shape == (28, 28) and small[0, 0] == 0

# %% present
assert chances.shape == (10,)

# %% normalise
assert abs(normalised.mean()) < 1e-3 and abs(normalised.std() - 1) < 1e-3
import torchvision

transform = torchvision.transforms.Normalize([mean.item()], [std.item()])
assert torch.allclose(normalised_val, transform(X_val), atol=1e-5)

# %% loaders
assert all(sum(len(some) for _, some in loader) == 10_000 for loader in loaders.values())
one, ready = (next(iter(DataLoader(kind, 256)))[0] for kind in (OneByOne(X, y), TensorDataset(X / 255, y)))
assert torch.allclose(one, ready) and torch.allclose(one, next(iter(Batches(X, y, 256)))[0])

# %% own-read
assert own.class_names == ("bag", "sandal", "trouser")
assert counts_of_own[2] / counts_of_own.sum() > 1 / 2 and counts_of_own.min() == counts_of_own[1]

# %% own-outliers
assert len(own_labels) + len(own.test_labels) == 113
assert len(trousers) == counts_of_own[2]
