"""What chapter 5 says and its cells compute; each part runs right after the cell that it is named after.

What is measured here holds with room to spare, on the sample and on the whole set, with blanks empty and filled in; the
numbers of the prose are in tests/bench/chapter5.py.
"""

# %% makers
assert hidden == 78
assert num_parameters(new_mlp()) == 62_020
assert num_parameters(new_lenet()) == 61_706
assert 784 * hidden + hidden + 10 * hidden + 10 == num_parameters(new_mlp())

# %% match
assert nearest == 80

# %% cost
assert tables[0].multiply_adds == 416_520
assert round(times) == 7

# %% same-rate
assert tried["MLP"][0.1][1] > tried["LeNet"][0.1][1] + 0.1

# %% best-rates
assert all(tried[name][lr][1] == max(val for _, val in tried[name].values()) for name, lr in best_lr.items())
assert all(0.001 <= lr <= 0.01 for lr in best_lr.values())

# %% race-train
assert min(race.values()) > 0.75
assert abs(lead) < 6

# %% other-seed
assert min(pair) > 0.75
assert abs(pair[0] - pair[1]) < 0.06

# %% own-net
assert list(runners) == ["LeNet", "MLP", "yours"]
trained_own = {name: weights.clone() for name, weights in own_net.state_dict().items()}
new_yours(seed=1)
assert all(torch.equal(weights, trained_own[name]) for name, weights in own_net.state_dict().items())
assert all(torch.equal(weights.cpu(), trained_own[name].cpu()) for name, weights in bench.net.state_dict().items())

# %% shift-two
assert moved_acc["LeNet"] > moved_acc["MLP"] + 0.03
assert min(losses) > 2

# %% move
assert torch.equal(two_to_the_right(X_val), moved(X_val, shift=2))
of_lenet, of_mlp = (dict(zip(shifts, by_shift[name], strict=True)) for name in rivals)
assert of_lenet[2] == moved_acc["LeNet"]
assert max(of_lenet[8], of_mlp[8]) < 0.6

# %% equivariant
assert cells == 1
assert same[1] < 1e-3 < same[0]

# %% permutation
assert torch.equal(shuffle_pixels(X_val[:1]).flatten().sort().values, X_val[:1].flatten().sort().values)

# %% shuffle-train
assert abs(drops["MLP"]) < 0.05
assert 0.70 < shuffled["LeNet"] < race["LeNet"]
assert far["LeNet"] - far["MLP"] < moved_acc["LeNet"] - moved_acc["MLP"] - 0.03

# %% on-frozen
assert random_half(torch.rand(2, 1, 28, 28)).shape == (2, 400)

# %% frozen-train
assert on_random > 0.65
assert all(torch.equal(p, q) for p, q in zip(random_half.parameters(), new_lenet(2)[:7].parameters(), strict=True))

# %% controls
assert all(isinstance(half, nn.Sequential) for half, *_ in controls.values())  # a right `reuse` may unpack both halves

# %% controls-train
assert min(frozen.values()) > 0.6
assert frozen["random convolutions"] > frozen["random convolutions, shuffled pixels"] - 0.03
assert behind < 3

# %% transfer
assert len(X_few) == 100
assert y_few.bincount().tolist() == [10] * 10

# %% transfer-train
assert gain > 1

# %% few-reveal
assert seen > 0.93
assert 0.65 < new_ones < 0.83
assert by_size["LeNet"][-1][1] > new_ones + 0.03

# %% test
assert min(result["LeNet"][0], result["MLP"][0]) > 0.75
assert result["LeNet"][1] > result["MLP"][1] + 0.03  # shifted

# %% rotation-and-scale
assert all(max(by_angle[name][0], by_angle[name][-1]) < 0.2 for name in rivals)
small = {name: accs[4] + accs[6] for name, accs in by_angle.items()}  # -10 and 10
assert small["LeNet"] > small["MLP"]
assert by_scale["LeNet"][scales.index(0.8)] > by_scale["MLP"][scales.index(0.8)]

# %% reading-ours
assert ours.class_names == digits.class_names
assert len(meant) == len(drawn) > 0
assert read["MNIST's"] > 0.97

# %% scoreboard
assert len(board.entries) == 2
