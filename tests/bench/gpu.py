"""What the course does on this machine's GPU, in at most five minutes: `make gpu`.

It takes the device that `try_gpu` finds, so that it runs everywhere: chapter 4 cell by cell, R1, R4 and R5 with images
a second, how often training copies between devices or waits for a number, and how long the drawing lab takes to answer.
It prints what it saw and writes build/gpu.json.
"""

import json
import os
import statistics
import time
from pathlib import Path

import nbformat
import torch
from nbclient import NotebookClient
from torch.utils._python_dispatch import TorchDispatchMode

from helpers import Batches, fashion_mnist, pretrained, train, try_gpu
from helpers.experiments import EXPERIMENTS
from helpers.files import new_file
from helpers.labs.drawing import Drawing
from helpers.labs.pad import EXAMPLES, on_pad
from helpers.machine import wait_for
from helpers.models import lenet
from helpers.reproduce import run
from helpers.reproduce_all import machine

ROOT = Path(__file__).resolve().parents[2]
CHAPTER, REPORT = ROOT / "notebooks" / "04-training-on-gpu.ipynb", ROOT / "build" / "gpu.json"
EPOCHS = {"R1": 2, "R4": 5, "R5": 3}  # of 50, 5 and 10: for images a second a few are enough


class Traffic(TorchDispatchMode):
    """Counts, while it is entered, what makes a processor wait for its GPU or the other way round.

    reads: numbers fetched from a tensor, as `.item()` and `float(...)` do; copies: tensors moved between devices.
    """

    def __init__(self):
        super().__init__()
        self.reads = self.copies = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function is torch.ops.aten._local_scalar_dense.default:
            self.reads += 1
        if function is torch.ops.aten._to_copy.default and kwargs.get("device") not in (None, args[0].device):
            self.copies += 1
        if function is torch.ops.aten.copy_.default and args[0].device != args[1].device:
            self.copies += 1
        return function(*args, **kwargs)


def traffic(net, train_iter, device, num_epochs=2):
    """Reads and copies of a training without reports: {"steps", "reads", "copies"}."""
    with Traffic() as seen:
        for _ in train(net, train_iter, num_epochs, 0.1, device=device, reports=1):
            pass
    return {"steps": num_epochs * len(train_iter), "reads": seen.reads, "copies": seen.copies}


def cells(path):
    """Seconds a code cell of a notebook: {id: seconds}. It is run as a student runs it, on the bundled sample."""
    notebook, begun, took = nbformat.read(path, as_version=4), {}, {}
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}})
    client.on_cell_execute = lambda cell, cell_index: begun.update({cell.id: time.perf_counter()})
    client.on_cell_complete = lambda cell, cell_index: took.update({cell.id: time.perf_counter() - begun[cell.id]})
    client.execute()
    return {cell.id: took[cell.id] for cell in notebook.cells if cell.cell_type == "code"}


def answers(net, device, times=20):
    """Milliseconds until the drawing lab has an answer to a stroke: {"median", "longest"}."""
    lab = Drawing({"LeNet": net.to(device)}, [str(digit) for digit in range(10)])
    took = []
    for _ in range(times):
        lab.pad.clear()
        started = time.perf_counter()
        lab.pad.draw(on_pad(EXAMPLES["7"]))
        took.append(1000 * (time.perf_counter() - started))
    return {"median": statistics.median(took), "longest": max(took)}


def describe(device):
    """The machine and the device in words."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else {"mps": "Apple's GPU"}.get(device.type)
    return f"{machine()}; {name or 'no GPU was found: all of this ran on the CPU'}"


def main():
    device = try_gpu()
    report = {"machine": describe(device), "device": device.type}
    print(report["machine"])
    data = fashion_mnist()
    for key, epochs in EPOCHS.items():
        run(EXPERIMENTS[key], data, 1, device, say=lambda line: None)  # the first run also loads the GPU's code
        result = run(EXPERIMENTS[key], data, epochs, device, say=lambda line: None)[1]
        report[key] = {name: result[name] for name in ("examples_per_second", "test_acc", "wall_seconds")}
        report[key]["epochs"] = epochs
        print(f"{key}: {epochs} epochs, {result['examples_per_second']:,.0f} images/s, {result['wall_seconds']:.1f} s")
    images = Batches(data.train_images[:12800], data.train_labels[:12800], 256, True, device=device)
    report["traffic"] = traffic(lenet().to(device), images, device)
    print("{steps} steps: {reads} numbers fetched, {copies} tensors copied between devices".format(**report["traffic"]))
    report["drawing"] = answers(pretrained("digits"), device)
    wait_for(device)
    print("the drawing lab answers after {median:.1f} ms, {longest:.1f} at most".format(**report["drawing"]))
    os.environ["LENET_LAB_OFFLINE"] = "1"
    report["chapter 4"] = cells(CHAPTER)
    longest = sorted(report["chapter 4"].items(), key=lambda cell: -cell[1])[:3]
    print(f"chapter 4: {sum(report['chapter 4'].values()):.0f} s; the longest cells:", end=" ")
    print(", ".join(f"{name} {seconds:.1f} s" for name, seconds in longest))
    REPORT.parent.mkdir(exist_ok=True)
    with new_file(REPORT, overwrite=True) as file:
        file.write(json.dumps(report, indent=1).encode())
    print(f"All of it is in {REPORT.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
