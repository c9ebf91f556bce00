"""The command line of the experiments: what it prints, what it keeps, and what it refuses."""

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import matplotlib.image
import pytest
import torch
from torch import nn

from helpers import data, evaluate_accuracy, image_files, load_weights, mlp, num_parameters, reproduce
from helpers.experiments import EXPERIMENTS

ROOT = Path(__file__).resolve().parents[1]
KEYS = {
    "experiment", "data", "device", "seed", "params", "epochs", "examples_per_second", "test_acc", "published_test_acc",
}  # fmt: skip


@pytest.fixture(scope="module")
def few():
    """A thousand training and 300 test images of each set."""

    def first(images):
        return replace(
            images,
            train_images=images.train_images[:1000],
            train_labels=images.train_labels[:1000],
            test_images=images.test_images[:300],
            test_labels=images.test_labels[:300],
        )

    return {data.fashion_mnist: first(data.fashion_mnist("sample")), data.mnist: first(data.mnist("sample"))}


@pytest.fixture
def few_images(few, monkeypatch, tmp_path):
    """Every experiment on few images, on the CPU, in an empty folder: returns the folder."""
    for key, experiment in EXPERIMENTS.items():
        images = few[experiment.load]
        monkeypatch.setitem(EXPERIMENTS, key, replace(experiment, load=lambda part, images=images: images))
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def reproduced(few_images, capsys):
    """Runs the command on few images; returns the lines that it printed."""

    def run(*arguments):
        assert reproduce.main([*map(str, arguments), "--device", "cpu"]) == 0
        printed = capsys.readouterr()
        assert printed.err == ""
        return printed.out.splitlines()

    return run


def epoch_lines(lines):
    return [line for line in lines if line.startswith("epoch ")]


def test_an_epoch_a_line_then_a_summary_beside_what_was_published(reproduced):
    lines = reproduced("R4", "--epochs", 2, "--data", "sample")
    first, second = epoch_lines(lines)
    assert re.match(r"epoch   1  loss 2\.\d{3}  train acc 0\.\d{3}  test acc 0\.\d{3} +\d+\.\d s   published: ", first)
    assert "loss 2.320, train acc 0.102, test acc 0.100" in first
    assert "loss 2.148, train acc 0.173, test acc 0.525" in second
    summary = lines[lines.index(second) + 1 :]
    assert "44,426 parameters" in summary[0]
    assert "2 of 5 epochs" in summary[0]
    for line, what, published in zip(
        summary[1:], ("loss", "train_acc", "test_acc"), ("0.677", "0.732", "0.758"), strict=True
    ):
        assert re.fullmatch(rf" *{what} +\d\.\d{{3}} +published {published}", line)


def test_where_nothing_was_published_nothing_stands_beside(reproduced):
    lines = reproduced("R5", "--epochs", 1, "--json")
    assert "published" not in epoch_lines(lines)[0]
    lines = reproduced("R7", "--epochs", 1, "--json")
    assert not re.search(r"published \d", "\n".join(lines[:-1]))
    assert json.loads(lines[-1])["published_test_acc"] is None


def test_the_last_line_is_the_result_as_json(reproduced):
    lines = reproduced("R1", "--epochs", 2, "--json", "--seed", 7)
    result = json.loads(lines[-1])
    assert set(result) >= KEYS
    assert (result["experiment"], result["device"], result["seed"]) == ("R1", "cpu", 7)
    assert (result["data"], result["params"], result["published_test_acc"]) == ("full", 61_706, 0.890)
    assert [set(epoch) for epoch in result["epochs"]] == [{"loss", "train_acc", "test_acc", "seconds"}] * 2
    assert result["test_acc"] == result["epochs"][-1]["test_acc"]
    assert result["examples_per_second"] > 0
    for epoch, line in zip(result["epochs"], epoch_lines(lines), strict=True):
        assert f"loss {epoch['loss']:.3f}  train acc {epoch['train_acc']:.3f}" in line
        assert f"test acc {epoch['test_acc']:.3f}" in line


def test_without_json_no_line_is_json(reproduced):
    assert not any(line.startswith("{") for line in reproduced("R1", "--epochs", 1))


def test_an_experiment_has_its_name_too(reproduced):
    by_name, by_key = (reproduced(name, "--epochs", 1, "--json")[-1] for name in ("lenet-maxpool-fashion", "r4"))
    assert json.loads(by_name)["experiment"] == json.loads(by_key)["experiment"] == "R4"


def without_times(result):
    epochs = [{**epoch, "seconds": 0} for epoch in result["epochs"]]
    return {**result, "epochs": epochs, "examples_per_second": 0, "wall_seconds": 0}


@pytest.mark.parametrize("key", ["R4", "R7"])
def test_a_seed_gives_the_same_numbers_again(key, reproduced):
    once, again, other = (
        without_times(json.loads(reproduced(key, "--epochs", 1, "--json", "--seed", seed)[-1])) for seed in (1, 1, 2)
    )
    assert once == again
    assert once["epochs"][0]["loss"] != other["epochs"][0]["loss"]


def test_the_number_of_epochs_is_the_published_one_if_none_is_named(reproduced):
    assert len(epoch_lines(reproduced("R4"))) == 5


def test_a_terminal_sees_a_progress_bar(few_images, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert reproduce.main(["R5", "--epochs", "1", "--device", "cpu"]) == 0
    printed = capsys.readouterr()
    assert "0/4" in printed.err
    assert len(epoch_lines(printed.out.splitlines())) == 1


@pytest.mark.parametrize("key", ["R3", "R7"])
def test_what_is_saved_measures_what_was_reported(key, reproduced, few_images):
    lines = reproduced(key, "--epochs", 2, "--json", "--save", "kept/net.pt")
    assert any("kept/net.pt" in line for line in lines)
    torch.manual_seed(99)
    net = load_weights(EXPERIMENTS[key].network(), few_images / "kept" / "net.pt")
    _, _, test_iter = EXPERIMENTS[key].prepare(EXPERIMENTS[key].load("full"), "cpu", 0)
    assert evaluate_accuracy(EXPERIMENTS[key].as_measured(net), test_iter) == json.loads(lines[-1])["test_acc"]
    assert [path.name for path in (few_images / "kept").iterdir()] == ["net.pt"]


def is_a_drawing(path):
    pixels = matplotlib.image.imread(path, format="png")
    return min(pixels.shape[:2]) > 100 and len({tuple(colour) for row in pixels for colour in row.tolist()}) > 2


@pytest.mark.parametrize("key", ["R1", "R6"])
def test_the_plot_is_a_png(key, reproduced, few_images):
    lines = reproduced(key, "--epochs", 1, "--plot", "curves.png")
    assert any("curves.png" in line for line in lines)
    assert is_a_drawing(few_images / "curves.png")
    assert [path.name for path in few_images.iterdir()] == ["curves.png"]


def test_r2_keeps_its_model_and_its_curve_and_runs_its_rival(reproduced, few_images):
    lines = reproduced("R2", "--epochs", 2, "--json")
    kept = {path.suffix: path for path in (few_images / "build").iterdir()}
    assert set(kept) == {".pt", ".png"}
    assert all(any(path.name in line for line in lines) for path in kept.values())
    assert is_a_drawing(kept[".png"])
    load_weights(EXPERIMENTS["R2"].network(), kept[".pt"])
    result = json.loads(lines[-1])
    assert len(epoch_lines(lines)) == 4
    assert len(result["epochs"]) == len(result["rival"]["epochs"]) == 2
    assert result["params"] == 61_706
    assert result["rival"]["params"] == num_parameters(mlp((256,)))
    assert any("epochs to 0.95: not reached; the rival: not reached" in line for line in lines)


def test_r2_overwrites_neither_when_it_runs_again(reproduced, few_images):
    reproduced("R2", "--epochs", 1)
    before = {path: path.read_bytes() for path in (few_images / "build").iterdir()}
    reproduced("R2", "--epochs", 1, "--seed", 1)
    assert all(path.read_bytes() == bytes for path, bytes in before.items())
    assert len(list((few_images / "build").iterdir())) == 4


def test_the_epochs_to_an_accuracy_are_counted_from_one():
    history = [{"test_acc": test_acc} for test_acc in (0.5, 0.94999, 0.95, 0.93)]
    assert reproduce.epochs_to(0.95, history) == 3
    assert reproduce.epochs_to(0.96, history) is None
    assert reproduce.epochs_to(0.5, [{"test_acc": None}, *history]) == 2


def test_the_summary_says_when_network_and_rival_got_there():
    epochs = [{"loss": 0.1, "train_acc": 0.99, "test_acc": test_acc, "seconds": 1} for test_acc in (0.9, 0.95, 0.97)]
    result = {"params": 1, "examples_per_second": 1, "wall_seconds": 1, "epochs": epochs}
    result["rival"] = {**result, "epochs": epochs[:1]}
    assert "epochs to 0.95: 2; the rival: not reached" in reproduce.summary(EXPERIMENTS["R2"], result)


def test_r3_reports_as_its_source_does(few_images, capsys, monkeypatch):
    # 1,000 images in batches of 10: two epochs have 200 steps.
    monkeypatch.setitem(EXPERIMENTS, "R3", replace(EXPERIMENTS["R3"], batch_size=10))
    assert reproduce.main(["R3", "--device", "cpu", "--json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (total,) = [line for line in lines if line.startswith("total")]
    assert "28,938" in total
    assert any(re.match(r"Linear +1×10 +15,690", line) for line in lines)
    steps = [re.match(r"step +(\d+)  accuracy .* 2,000 test images (0\.\d{3})$", line) for line in lines]
    assert [int(step[1]) for step in steps if step] == [50, 100, 150, 200]
    result = json.loads(lines[-1])
    # There are fewer than 2,000 test images here: after an epoch both are measured on all of them.
    assert [float(step[2]) for step in steps if step][1::2] == [round(e["test_acc"], 3) for e in result["epochs"]]
    images = EXPERIMENTS["R3"].load("full")
    real = images.test_labels[:10].tolist()
    (at,) = [number for number, line in enumerate(lines) if "first ten" in line]
    predicted = json.loads(re.search(r"\[.*\]", lines[at])[0])
    assert json.loads(re.search(r"\[.*\]", lines[at + 1])[0]) == real
    assert len(predicted) == 10
    assert sum(ours == label for ours, label in zip(predicted, real, strict=True)) >= 5


def test_r3_measures_on_the_first_2000_test_images_between(few, monkeypatch):
    images = few[data.mnist]
    # The first 2,000 test images are training images, which R3 gets right; those after them have wrong labels.
    test_images, test_labels = images.train_images.repeat(3, 1, 1, 1), images.train_labels.repeat(3)
    test_labels[2000:] = (test_labels[2000:] + 1) % 10
    images = replace(images, test_images=test_images, test_labels=test_labels)
    lines = []
    _, result = reproduce.run(replace(EXPERIMENTS["R3"], report_steps=5), images, 2, say=lines.append)
    between = [float(line.split()[-1]) for line in lines if line.startswith("step ")]
    assert between[-1] > result["test_acc"] * 1.2


def spied(experiment, seen):
    """The experiment with a network that notes in `seen` each batch it is shown: (training or not, its size)."""

    def network():
        net = experiment.network()
        net.register_forward_hook(lambda layer, inputs, output: seen.append((layer.training, len(inputs[0]))))
        return net

    return replace(experiment, network=network)


@pytest.mark.parametrize("key", ["R6", "R7"])
def test_our_own_experiments_open_the_test_set_once_at_the_end(key, few):
    seen, images = [], few[data.fashion_mnist]
    _, result = reproduce.run(spied(EXPERIMENTS[key], seen), images, 3, say=lambda line: None)
    measured = [number for number, (training, _) in enumerate(seen) if not training]
    shown = 2 if EXPERIMENTS[key].both_ways else 1
    assert sum(seen[number][1] for number in measured) == shown * len(images.test_images)
    assert sum(size for training, size in seen if training) == 3 * len(images.train_images)
    assert measured == list(range(len(seen) - len(measured), len(seen)))
    assert [epoch["test_acc"] is None for epoch in result["epochs"]] == [True, True, False]
    assert result["test_acc"] == result["epochs"][-1]["test_acc"]


def test_the_published_experiments_measure_after_each_epoch(few):
    seen, images = [], few[data.fashion_mnist]
    _, result = reproduce.run(spied(EXPERIMENTS["R5"], seen), images, 2, say=lambda line: None)
    assert sum(size for training, size in seen if not training) == 2 * len(images.test_images)
    assert all(epoch["test_acc"] is not None for epoch in result["epochs"])


def test_examples_a_second_count_training_and_nothing_else(few, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])

    def takes(seconds):
        clock[0] += seconds

    def network():
        net = EXPERIMENTS["R5"].network()
        net.register_forward_hook(lambda layer, inputs, output: takes(2 if layer.training else 1000))
        return net

    def change(X):  # stands for all that is done to a batch before the step
        takes(3)
        return X

    images = few[data.fashion_mnist]
    experiment = replace(EXPERIMENTS["R5"], network=network, change=change, report_steps=2)
    _, result = reproduce.run(experiment, images, 2, say=lambda line: takes(100))
    steps = 4  # batches of 256
    assert [epoch["seconds"] for epoch in result["epochs"]] == [steps * (2 + 3)] * 2
    assert result["examples_per_second"] == len(images.train_images) / (steps * (2 + 3))
    assert result["wall_seconds"] > 1000


def test_every_experiment_says_its_size_and_what_was_published(reproduced):
    for key in EXPERIMENTS:
        result = json.loads(reproduced(key, "--epochs", 1, "--json")[-1])
        assert set(result) >= KEYS
        assert result["params"] == num_parameters(EXPERIMENTS[key].network())
        assert result["published_test_acc"] == EXPERIMENTS[key].published_test_acc


REFUSED = {
    "an unknown name": (["R9"], "R9"),
    "no name": ([], "experiment"),
    "two names": (["R4", "R5"], "R5"),
    "an unknown option": (["R4", "--epoch-count", "3"], "--epoch-count"),
    "an unknown device": (["R4", "--device", "tpu"], "tpu"),
    "an unknown part": (["R4", "--data", "half"], "half"),
    "no epochs": (["R4", "--epochs", "0"], "--epochs"),
    "fewer": (["R4", "--epochs", "-1"], "--epochs"),
    "epochs in words": (["R4", "--epochs", "ten"], "ten"),
    "a seed in words": (["R4", "--seed", "lucky"], "lucky"),
    "a seed beyond 64 bits": (["R4", "--seed", str(10**30)], "--seed"),
    "a file in the place of a folder": (["R4", "--save", "mine/net.pt"], "mine"),
    "no folder to make there": (["R4", "--save", "/proc/nowhere/net.pt"], "/proc/nowhere"),
    "a folder that takes no file": (["R4", "--save", "/proc/net.pt"], "/proc"),
    "a folder that takes no picture": (["R4", "--plot", "/proc/curve.png"], "/proc"),
    "two files of one name": (["R4", "--save", "new", "--plot", "new"], "new"),
}


def refused(capsys, *arguments):
    """Check that the command ends with status 2, having trained nothing, and return the one line that says why."""
    assert reproduce.main(list(arguments)) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    return line


@pytest.mark.parametrize("why", REFUSED)
def test_what_cannot_be_done_ends_with_one_line(why, few_images, capsys):
    arguments, named = REFUSED[why]
    (few_images / "mine").write_bytes(b"my work")
    assert named in refused(capsys, *arguments)
    assert [path.name for path in few_images.iterdir()] == ["mine"]


@pytest.mark.parametrize("option", ["--save", "--plot"])
@pytest.mark.parametrize("key", ["R2", "R4"])
def test_a_users_file_stays_as_it_is(option, key, few_images, capsys):
    (few_images / "mine").write_bytes(b"my work")
    assert "mine exists already" in refused(capsys, key, "--epochs", "1", option, "mine")
    assert (few_images / "mine").read_bytes() == b"my work"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there_ends_with_one_line(few_images, capsys):
    assert "cuda" in refused(capsys, "R4", "--device", "cuda")


@pytest.mark.parametrize("key", ["R2", "R4"])
def test_missing_full_data_end_with_one_line(key, bare_machine, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert "LENET_LAB_DATA" in refused(capsys, key)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_data_folder_ends_with_one_line(bare_machine, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("LENET_LAB_DATA", str(tmp_path))
    assert image_files.TRAIN_IMAGES in refused(capsys, "R5")


def test_an_interrupt_reports_and_keeps_nothing(few_images, capsys, monkeypatch):
    def interrupted():
        net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
        net.register_forward_hook(interrupt)
        return net

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setitem(EXPERIMENTS, "R5", replace(EXPERIMENTS["R5"], network=interrupted))
    status = reproduce.main(["R5", "--device", "cpu", "--json", "--save", "net.pt", "--plot", "curves.png"])
    assert status == 130
    assert "{" not in capsys.readouterr().out
    assert list(few_images.iterdir()) == []


def run_command(*arguments):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "helpers.reproduce", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240)


def test_the_command_itself():
    done = run_command("R3", "--data", "sample", "--epochs", "1", "--json", "--device", "cpu")
    assert (done.returncode, done.stderr) == (0, "")
    result = json.loads(done.stdout.splitlines()[-1])
    assert set(result) >= KEYS
    assert result["data"] == "sample"
    assert result["test_acc"] > 0.8


def test_the_command_ends_with_status_2():
    done = run_command("R8")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
