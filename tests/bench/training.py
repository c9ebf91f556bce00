"""How fast training is beside its peers and beside the machine's limit: `make bench PART=training`.

Each part runs alone, too: `make bench PART=training ONLY="limit loading"`. All need the whole set of Fashion-MNIST and
an idle machine. The figures are also written to build/bench-training.json.
"""

import contextlib
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torch.profiler import ProfilerActivity, profile

from helpers import fashion_mnist, lenet, xavier
from helpers.experiments import EXPERIMENTS
from helpers.image_files import SHA256
from helpers.machine import keep_memory
from helpers.reproduce import run
from helpers.reproduce_all import machine

ROOT = Path(__file__).resolve().parents[2]
R5 = EXPERIMENTS["R5"]


def compare(rounds, **functions):
    """The median of what each function returns, called in turns: {name: median}."""
    results = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            results[name].append(function())
    return {name: statistics.median(values) for name, values in results.items()}


def seconds(function):
    """How long a call takes."""
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def in_a_new_process(code, folder=ROOT):
    """What `code` prints last, read as JSON; it runs in a Python of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


OURS_IN_ALL = """
import json, time
from helpers import fashion_mnist, plotting, train
from helpers.experiments import EXPERIMENTS
R5 = EXPERIMENTS["R5"]
started = time.perf_counter()
net, train_iter, test_iter = R5.prepare(fashion_mnist(), "cpu", seed=0)
curves, history = plotting.LiveCurves(num_epochs={epochs}), []
for progress in train(net, train_iter, {epochs}, R5.lr, test_iter):
    history.append(progress)
    curves.png(history)
print(json.dumps(time.perf_counter() - started))
"""
D2L_IN_ALL = """
import json, time, torch
from d2l import torch as d2l
from helpers import lenet
if {workers} is not None:
    d2l.get_dataloader_workers = lambda: {workers}
started = time.perf_counter()
train_iter, test_iter = d2l.load_data_fashion_mnist(256)
d2l.train_ch6(lenet(), train_iter, test_iter, {epochs}, 0.9, torch.device("cpu"))
print(json.dumps(time.perf_counter() - started))
"""


def end_to_end(data, epochs=2):
    """R5 with its live curves, from the files to the last test accuracy, against d2l's loader and `train_ch6`."""

    def theirs(workers):
        return in_a_new_process(D2L_IN_ALL.format(workers=workers, epochs=epochs), folder)

    with folder_for_d2l(data) as folder:
        each = {workers: theirs(workers) for workers in (0, 1, 2, 4)}
        best = min(each, key=each.get)
        medians = compare(
            3,
            ours=lambda: in_a_new_process(OURS_IN_ALL.format(epochs=epochs)),
            default=lambda: theirs(None),
            best=lambda: theirs(best),
        )
    return {
        "epochs": epochs,
        "ours, s": medians["ours"],
        "d2l with its default number of workers, s": medians["default"],
        f"d2l with {best} workers, its best, s": medians["best"],
        "times as fast as d2l's default": medians["default"] / medians["ours"],
        "times as fast as d2l's best": medians["best"] / medians["ours"],
    }


@contextlib.contextmanager
def folder_for_d2l(data):
    """A working folder whose `../data` holds Fashion-MNIST as torchvision unpacks it, so that nothing is downloaded."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        raw, work = Path(folder) / "data" / "FashionMNIST" / "raw", Path(folder) / "work"
        raw.mkdir(parents=True)
        work.mkdir()
        for file in SHA256["FashionMNIST"]:
            (raw / Path(file).stem).write_bytes(gzip.decompress((data.folder / file).read_bytes()))
        os.chdir(work)
        try:
            yield work
        finally:
            os.chdir(before)


def stepper(memory_format=torch.channels_last, batch_size=R5.batch_size, pieces=1, **sgd):
    """A function that takes R5's step on one batch that stays where it is, and the batch's size."""
    torch.manual_seed(0)
    net = R5.network().to(memory_format=memory_format)
    optimizer = torch.optim.SGD(net.parameters(), lr=R5.lr, **sgd)
    X, y = torch.rand(batch_size, 1, 28, 28), torch.randint(0, 10, (batch_size,))

    def step():
        optimizer.zero_grad()
        for some_X, some_y in zip(X.chunk(pieces), y.chunk(pieces), strict=True):
            (F.cross_entropy(net(some_X), some_y) / pieces).backward()
        optimizer.step()

    return step


def steps_per_second(step, num_steps=40):
    """How many times a second `step` can be called."""
    return num_steps / seconds(lambda: [step() for _ in range(num_steps)])


def limit(data):
    """R5's training against the same network stepping on one resident batch, in images a second."""

    def ours():
        net, train_iter, _ = R5.prepare(data, "cpu", seed=0)
        *_, progress = R5.train(net, train_iter, 1)
        return progress.examples / progress.seconds

    channels_last, contiguous = stepper(), stepper(torch.contiguous_format)
    medians = compare(
        5,
        ours=ours,
        channels_last=lambda: R5.batch_size * steps_per_second(channels_last, 235),
        contiguous=lambda: R5.batch_size * steps_per_second(contiguous, 60),
    )
    most = max(medians["channels_last"], medians["contiguous"])
    return {
        "ours, images/s": medians["ours"],
        "one resident batch, channels last, images/s": medians["channels_last"],
        "one resident batch, contiguous, images/s": medians["contiguous"],
        "ours over the limit (goal 0.97)": medians["ours"] / most,
    }


STEPS = """
import json, sys
from helpers.machine import keep_memory
from tests.bench.training import steps_per_second, stepper
if {kept}:
    keep_memory()
step = stepper()
steps_per_second(step)
print(json.dumps(steps_per_second(step, 100)))
"""


def moving_the_limit(data):
    """What a change of the step buys, as a ratio to R5's own step; and where its milliseconds go."""
    threads = torch.get_num_threads()

    keep_memory()

    def with_threads(count):
        torch.set_num_threads(count)
        speed = steps_per_second(plain)
        torch.set_num_threads(threads)
        return speed

    def without_denormals():
        torch.set_flush_denormal(True)
        speed = steps_per_second(plain)
        torch.set_flush_denormal(False)
        return speed

    plain = stepper()
    changed = {
        "contiguous": stepper(torch.contiguous_format),
        "fused SGD": stepper(fused=True),
        "foreach SGD": stepper(foreach=True),
        "the batch in 2 pieces": stepper(pieces=2),
        "the batch in 4 pieces": stepper(pieces=4),
    }
    medians = compare(
        7,
        plain=lambda: steps_per_second(plain),
        **{name: (lambda step=step: steps_per_second(step)) for name, step in changed.items()},
        **{"denormals flushed": without_denormals, "1 thread": lambda: with_threads(1)},
    )
    ratios = {name: speed / medians["plain"] for name, speed in medians.items() if name != "plain"}
    kept = compare(
        5,
        yes=lambda: in_a_new_process(STEPS.format(kept=True)),
        no=lambda: in_a_new_process(STEPS.format(kept=False)),
    )
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        for _ in range(20):
            plain()
    operators = sorted(profiled.key_averages(), key=lambda event: -event.self_cpu_time_total)
    total = sum(event.self_cpu_time_total for event in operators)
    shares = {event.key: event.self_cpu_time_total / total for event in operators[:8]}
    return {
        "ms a step": 1000 / medians["plain"],
        "as fast as R5's step": ratios,
        "with memory kept between steps, over without": kept["yes"] / kept["no"],
        "share of the step's time": shares,
    }


# The recipe that R6 had to beat: the textbook's shape with GELU, on normalised images.
PROTOTYPE = replace(
    EXPERIMENTS["R6"],
    name="prototype",
    network=lambda: nn.Sequential(
        nn.BatchNorm2d(1, affine=False), *xavier(lenet(activation=nn.GELU, pooling=nn.MaxPool2d))
    ),
    batch_size=128,
    lr=0.006,
    epochs=2,
    optimizer=torch.optim.AdamW,
    loss_function=F.cross_entropy,
)


def quietly(experiment, data, seed):
    """Run an experiment from its untrained network to its test accuracy."""
    return run(experiment, data, seed=seed, say=lambda line: None)[1]


def today(data):
    """R6: seconds to a test accuracy of 0.89, with evaluation, seeds 0 to 4; in turns with the prototype."""
    quietly(EXPERIMENTS["R6"], fashion_mnist("sample"), 0)  # warm
    pairs = [(quietly(EXPERIMENTS["R6"], data, seed), quietly(PROTOTYPE, data, seed)) for seed in range(5)]
    ours, theirs = zip(*pairs, strict=True)
    fast, slow = (statistics.median(result["wall_seconds"] for result in results) for results in (ours, theirs))
    return {
        "parameters": ours[0]["params"],
        "test accuracies, seeds 0-4 (goal 0.89 each)": [result["test_acc"] for result in ours],
        "seconds with evaluation (goal 10)": fast,
        "the prototype's test accuracies": [result["test_acc"] for result in theirs],
        "the prototype's seconds": slow,
        "times as fast as the prototype": slow / fast,
    }


def sharp(data):
    """R7: the test accuracy within 120 s, seeds 0 to 4."""
    results = [quietly(EXPERIMENTS["R7"], data, seed) for seed in range(5)]
    return {
        "parameters": results[0]["params"],
        "test accuracies, seeds 0-4 (goal 0.925)": [result["test_acc"] for result in results],
        "seconds with evaluation (at most 120)": [result["wall_seconds"] for result in results],
    }


IMPORTS = "import torch, torchvision, matplotlib.figure, matplotlib.backends.backend_agg, ipywidgets"
TIMED = "import json, time; started = time.perf_counter()\n{code}\nprint(json.dumps(time.perf_counter() - started))"
FIRST_BATCHES = """
import json, time
{setup}
def first_batch():
    started = time.perf_counter()
    X, y = next(iter({loader}))
    return time.perf_counter() - started
print(json.dumps([first_batch(), first_batch()]))
"""
OURS = {
    "setup": "from helpers import Batches, fashion_mnist",
    "loader": "(lambda data: Batches(data.train_images, data.train_labels, 256, shuffle=True))(fashion_mnist())",
}
D2L = {"setup": "from d2l import torch as d2l", "loader": "d2l.load_data_fashion_mnist(256)[0]"}


def loading(data):
    """Seconds to the first batch, in a new process (cold) and again in it (warm), and to import the helpers."""
    with folder_for_d2l(data) as folder:
        pairs = [[in_a_new_process(FIRST_BATCHES.format(**names), folder) for names in (OURS, D2L)] for _ in range(5)]
    medians = torch.tensor(pairs).median(dim=0).values.tolist()
    imports = compare(
        5,
        helpers=lambda: in_a_new_process(TIMED.format(code="import helpers")),
        packages=lambda: in_a_new_process(TIMED.format(code=IMPORTS)),
    )
    return {
        "first batch, cold and warm, s": medians[0],
        "d2l's first batch, cold and warm, s": medians[1],
        "import helpers, s": imports["helpers"],
        "import torch, torchvision, matplotlib, ipywidgets, s": imports["packages"],
        "more, s (goal: at most 0.2)": imports["helpers"] - imports["packages"],
    }


# Linux tells a process's own peak; getrusage would count that of the process which started it, too.
TRAINING = """
import json, re
from dataclasses import replace
import helpers
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024
imported = peak()
from helpers.experiments import EXPERIMENTS
data = helpers.fashion_mnist("full")
data = replace(data, train_images=data.train_images[:{count}], train_labels=data.train_labels[:{count}])
R5 = EXPERIMENTS["R5"]
net, train_iter, test_iter = R5.prepare(data, "cpu", 0)
*_, progress = R5.train(net, train_iter, 2, val_iter=test_iter)
print(json.dumps([progress.seconds / 2, peak() - imported]))
"""


def memory(data):
    """Megabytes at the peak of R5's training on the whole set, over those after `import helpers`."""
    return {"MB (goal: at most 150)": in_a_new_process(TRAINING.format(count=60_000))[1]}


def growth(data):
    """Seconds an epoch and megabytes over `import helpers`, by the number of training images."""
    counts = (10_000, 20_000, 40_000, 60_000)
    rows = [[in_a_new_process(TRAINING.format(count=count)) for count in counts] for _ in range(3)]
    medians = torch.tensor(rows).median(dim=0).values.tolist()
    return {f"{count:,} images: s, MB": row for count, row in zip(counts, medians, strict=True)}


PARTS = {
    "end_to_end": end_to_end,
    "limit": limit,
    "moving_the_limit": moving_the_limit,
    "today": today,
    "sharp": sharp,
    "loading": loading,
    "memory": memory,
    "growth": growth,
}


def main():
    data = fashion_mnist("full")
    path = ROOT / "build" / "bench-training.json"
    path.parent.mkdir(exist_ok=True)
    figures = json.loads(path.read_text()) if path.exists() else {}
    figures["machine"] = machine()
    print(figures["machine"])
    for name in sys.argv[1:] or PARTS:
        figures[name] = PARTS[name](data)
        print(f"\n{name}: {PARTS[name].__doc__}")
        for what, figure in figures[name].items():
            print(f"    {what:<56}{written(figure)}", flush=True)
        path.write_text(json.dumps(figures, indent=1))


def written(figure):
    """Numbers in a few digits."""
    if isinstance(figure, dict):
        return "".join(f"\n        {key:<52}{written(value)}" for key, value in figure.items())
    if isinstance(figure, list):
        return ", ".join(map(written, figure))
    return f"{figure:,.0f}" if figure >= 1000 else f"{figure:.4g}"


if __name__ == "__main__":
    main()
