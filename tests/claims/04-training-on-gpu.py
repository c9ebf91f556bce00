"""What chapter 4 says and its cells compute; each part runs right after the cell that it is named after."""

# %% to-answer
assert changed == (False, True)

# %% find-device
assert scores.shape == (4, 10)
assert layers[0].weight.dtype == noise.dtype == torch.float32
assert layers[0].weight.device == noise.device

# %% new-net
assert len(train_images) == 9_000
assert len(val_images) == 1_000

# %% loss
assert abs(loss - F.cross_entropy(y_hat, y).item()) < 1e-5
assert abs(loss - math.log(10)) < 0.5

# %% backward
assert net[0].weight.grad.shape == net[0].weight.shape == (6, 1, 5, 5)

# %% add
assert torch.allclose(net[0].weight.grad, 2 * first, rtol=1e-3, atol=1e-6)

# %% step
assert losses[2] < losses[1] < losses[0]

# %% steps
assert sizes == 140 * [64] + [40]

# %% generator
again = one_epoch(new_net(), few_batches(count=count), lr)
assert abs(progress.loss - again) < 0.05  # max-pooling magnifies rounding
assert progress.val_acc > 0.4

# %% dropout
assert set(dropped.tolist()) <= {0.0, 2.0}
assert torch.equal(dropout(ones), ones)
assert net(X).grad_fn is not None
with torch.no_grad():
    assert net(X).grad_fn is None

# %% evaluate
assert abs(measure(trained, val_iter) - evaluate_accuracy(trained, val_iter)) < 1e-6
assert measure(new_net(), val_iter) < 0.3

# %% sweep
assert best_lr == 0.1
assert worst_lr == 1.0
assert val_accs[1.0] < 0.2

# %% alive
assert alive[0] > 60
assert alive[2] > 60
assert alive[3] <= 8

# %% undivided
assert raw_acc < 0.2
assert first_loss > 20

# %% watch
assert val_acc > 0.7

# %% by-heart
assert ours[-1] < 0.7

# %% bugs
assert len(set(losses_a)) == 1
assert net_a[0].weight.grad is None
assert torch.equal(net_a[0].weight, new_net()[0].weight)
assert 1.46 < least < losses_b[-1] < 2.2
perfect = 200.0 * F.one_hot(torch.arange(10), 10) - 100  # all right, all sure
assert abs(F.cross_entropy(perfect.sigmoid(), torch.arange(10)).item() - least) < 1e-5

# %% repair
assert max(losses_ab) - min(losses_ab) < 1e-3

# %% plateau
assert right == "it stays for a long time, then falls"

# %% first-gradients
assert net_a[0].weight.grad is None
new, _, *first_norms = [net_of[0].weight.grad for net_of in suspects.values()]
new, dead, waits, too_slow = [float(grad.norm()) for grad in (new, *first_norms)]
assert 2 * dead < waits < 0.1 * min(too_slow, new)

# %% own-ahead
assert min(accs.values()) > 0.6

# %% confusion
assert counts.sum() == len(val_labels)
assert counts.diagonal().sum() == count_right(scores, val_labels)

# %% look
assert not (predicted == val_labels)[worst].any()
assert len(worst) == 8

# %% story-table
by_change = {row["change"]: row["val_accs"] for row in rows}
assert all(len(accs) == 5 for accs in by_change.values())
pairs = zip(by_change["tanh, not sigmoid"], by_change["ReLU, not tanh"], strict=True)
assert all(tanh > relu for tanh, relu in pairs)
assert max(gains, key=gains.get) == "tanh, not sigmoid"
assert round(gains["batches of 48, not 256"], 2) == 0.09
assert len(rows) == 14
assert round(rows[-1]["val_acc"] - rows[6]["val_acc"], 2) == 0.03
assert rows[-1]["val_acc"] - rows[-2]["val_acc"] < rows[-1]["spread"]
assert [row["change"] for row in rows] == list(experiments.story())

# %% your-row
assert evaluate_accuracy(row_net, held_out) > 0.6
assert len(small.train_images) == 8_334

# %% gradient-sizes
assert by_sigmoids > 20
assert by_pooling < 3
assert slopes["sigmoid"].max() <= 1 / 4

# %% init-picture
assert powers["std 1, ReLU"][-1] > 4
assert powers["std 0.01, ReLU"][-1] < -8
assert powers["Xavier, ReLU"][-1] > powers["Xavier, sigmoid"][-1] + 2

# %% init-fall
assert more > 1

# %% d2l-same
d2l_loss = float(said.stdout.split("loss ")[1].split(",")[0])
assert abs(d2l_loss - progress.loss) < 5e-3
assert difference < 5e-3

# %% save
assert torch.equal(all_weights(loaded), all_weights(trained))
assert torch.equal(all_weights(empty), all_weights(own_net))
assert path.name == "lenet.pt"

# %% bytes
assert 4 * num_parameters(trained) < num_bytes < 260_000
