"""Two processes that train one network together, started as torchrun starts them, against one process alone."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from helpers import Batches, reproduce
from helpers.processes import Share, end, join

ROOT = Path(__file__).resolve().parents[1]

# Ten steps of R5, the last of them smaller. Each process writes the losses that it saw and the weights at the end.
TEN_STEPS = """
import dataclasses
import sys

import torch

from helpers import data, processes
from helpers.experiments import EXPERIMENTS

experiment, images, device = EXPERIMENTS["R5"], data.fashion_mnist("sample"), torch.device("cpu")
images = dataclasses.replace(images, train_images=images.train_images[:2500], train_labels=images.train_labels[:2500])
rank, world_size = processes.join(device)
net, train_iter, _ = experiment.prepare(images, device, 0)
learner = net
if world_size > 1:
    learner, train_iter = processes.in_step(net, device), processes.Share(train_iter, rank, world_size)
seen = []
for progress in experiment.train(learner, train_iter, 1, device):
    if world_size > 1:
        progress = processes.together(progress, device)
    seen.append((progress.loss, progress.train_acc, progress.examples))
torch.save({"seen": seen, "weights": net.state_dict(), "world_size": world_size}, f"{sys.argv[1]}-{rank}.pt")
processes.end(0)
"""


def run(*command, processes=None):
    """Run Python on `command`, or so many of it under torchrun; returns what it wrote to its standard output."""
    # By its number: not every machine can look up its own name, and then torchrun waits for ever.
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--local-addr=127.0.0.1"]
    torchrun = [*torchrun, f"--nproc-per-node={processes}"] if processes else []
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *torchrun, *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_first_steps_of_two_processes_are_those_of_one(tmp_path, monkeypatch):
    script = tmp_path / "ten_steps.py"
    script.write_text(TEN_STEPS, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", [str(script), str(tmp_path / "alone")])
    with pytest.raises(SystemExit, match="0"):
        runpy.run_path(str(script))
    run(script, tmp_path / "two", processes=2)
    alone, first, second = (torch.load(tmp_path / f"{name}.pt") for name in ("alone-0", "two-0", "two-1"))
    assert [each["world_size"] for each in (alone, first, second)] == [1, 2, 2]
    assert len(alone["seen"]) == 10
    assert first["seen"] == second["seen"]
    for (loss, train_acc, examples), (joint_loss, joint_acc, joint_examples) in zip(
        alone["seen"], first["seen"], strict=True
    ):
        assert joint_loss == pytest.approx(loss, rel=1e-5)
        assert joint_acc == pytest.approx(train_acc, abs=1e-3)  # rounding may tip an image that is on the edge
        assert joint_examples == examples
    for name, weight in alone["weights"].items():
        assert torch.equal(first["weights"][name], second["weights"][name])
        assert torch.allclose(first["weights"][name], weight, atol=1e-4), name


def test_the_command_under_torchrun_prints_once_what_it_prints_alone(capsys):
    arguments = ["R5", "--data", "sample", "--epochs", "1", "--device", "cpu", "--json"]
    printed = run("-m", "helpers.reproduce", *arguments, processes=2).splitlines()
    assert reproduce.main(arguments) == 0
    alone = capsys.readouterr().out.splitlines()
    assert len(printed) == len(alone)
    assert len([line for line in printed if line.startswith("epoch ")]) == 1
    ours, single = json.loads(printed[-1]), json.loads(alone[-1])
    assert ours["epochs"][0]["loss"] == pytest.approx(single["epochs"][0]["loss"], rel=1e-4)
    assert ours["epochs"][0]["train_acc"] == pytest.approx(single["epochs"][0]["train_acc"], abs=2e-3)
    assert 0 <= ours["test_acc"] <= 1
    assert {**ours, "epochs": 0, "test_acc": 0, "examples_per_second": 0, "wall_seconds": 0} == {
        **single, "epochs": 0, "test_acc": 0, "examples_per_second": 0, "wall_seconds": 0,
    }  # fmt: skip


def test_without_torchrun_a_process_is_alone(monkeypatch):
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    assert join(torch.device("cpu")) == (0, 1)
    with pytest.raises(SystemExit) as ended:
        end(2)
    assert ended.value.code == 2


@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_the_shares_together_are_the_batch(world_size):
    numbers = torch.arange(250)

    def batches():
        return Batches(numbers.float().reshape(-1, 1, 1, 1), numbers, 100, shuffle=True, seed=1)

    shares = [Share(batches(), rank, world_size) for rank in range(world_size)]
    assert [len(share) for share in shares] == [3] * world_size
    for (whole, labels), *parts in zip(batches(), *shares, strict=True):
        assert sorted(torch.cat([y for _, y in parts]).tolist()) == sorted(labels.tolist())
        for X, y in parts:
            assert torch.equal(X.flatten(), y.float())
            assert abs(len(y) - len(whole) / world_size) < 1
