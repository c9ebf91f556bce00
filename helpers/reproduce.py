"""Run an experiment of `helpers/experiments.py` and print it beside the published figures.

python -m helpers.reproduce R4
python -m helpers.reproduce R5 --data sample --epochs 2 --json
torchrun --standalone --nproc-per-node=2 -m helpers.reproduce R5
"""

import argparse
import dataclasses
import json
import math
import os
import sys
import tempfile
import time
from pathlib import Path

import torch
from tqdm import tqdm

from helpers import plotting, processes
from helpers.any_network import classes_of
from helpers.data import Batches
from helpers.errors import DataError
from helpers.experiments import EXPERIMENTS
from helpers.files import new_file, refuse_to_replace
from helpers.layers import layer_table
from helpers.machine import try_gpu
from helpers.models import num_parameters
from helpers.training import evaluate_accuracy
from helpers.weights import save_weights

GOOD = 0.95  # R2's source counts the epochs up to this accuracy


class CannotRun(Exception):
    """The request cannot be carried out here; the message says why, in one line."""


def main(arguments=None):
    """Run what the command line asks for; returns the exit status, 2 if that is impossible."""
    try:
        options = _options(arguments)
        _reproduce(options)
    except (CannotRun, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    except DataError as error:
        print(f"{error} Or add --data sample.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _options(arguments):
    class Parser(argparse.ArgumentParser):
        def error(self, message):  # without the lines of usage
            raise CannotRun(f"{message} (--help lists the options)")

    parser = Parser(
        "python -m helpers.reproduce", description="Run an experiment and compare it with what was published."
    )
    names = ", ".join(f"{key} ({experiment.name})" for key, experiment in EXPERIMENTS.items())
    parser.add_argument("experiment", help=names)
    parser.add_argument("--epochs", type=int, help="how many; as published if left out")
    parser.add_argument("--data", choices=["sample", "full"], default="full", help="the bundled sample, or all images")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda", "mps"], default="auto")
    parser.add_argument("--seed", type=int, default=0, help="decides the first weights and the order of the images")
    parser.add_argument("--json", action="store_true", help="print the result as JSON in the last line")
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep the trained weights in a new file")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the curves into a new PNG file")
    options = parser.parse_args(arguments)
    options.experiment = _key(options.experiment)
    if options.epochs is not None and options.epochs < 1:
        raise CannotRun(f"--epochs is {options.epochs}: take 1 or more")
    if not -(2**63) <= options.seed < 2**63:
        raise CannotRun(f"--seed is {options.seed}: take a number of at most 18 digits")
    options.device = _device(options.device)
    experiment = EXPERIMENTS[options.experiment]
    if experiment.keeps_files:
        options.save = options.save or _free(Path(f"build/{experiment.name}.pt"))
        options.plot = options.plot or _free(Path(f"build/{experiment.name}.png"))
    options.files = [path for path in (options.save, options.plot) if path]
    for path in options.files:  # now, not after an hour of training
        refuse_to_replace(path)
    if len(options.files) > len({path.resolve() for path in options.files}):
        raise CannotRun(f"--save and --plot both name {options.save}: give each its own file")
    return options


def _make_room(path):
    """Make the folder of a new file if it does not exist, and check that files can be written to it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise CannotRun(f"no file can be made in {path.parent} ({error.strerror}): choose another folder") from None


def _key(name):
    for key, experiment in EXPERIMENTS.items():
        if name.lower() in (key.lower(), experiment.name):
            return key
    raise CannotRun(f"there is no experiment {name!r}: choose one of {', '.join(EXPERIMENTS)}")


def _device(name):
    number = int(os.environ.get("LOCAL_RANK", 0))  # torchrun numbers the processes of a machine: a GPU for each
    available = {"cpu": True, "cuda": torch.cuda.device_count() > number, "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = try_gpu(number).type
        if name == "mps" and "LOCAL_RANK" in os.environ:
            name = "cpu"  # several processes cannot exchange gradients on Apple's GPU
    if not available[name]:
        raise CannotRun(f"PyTorch finds no {name} device number {number} here: choose --device auto or cpu")
    return torch.device(name, number) if name == "cuda" else torch.device(name)


def _free(path):
    """The path itself or, if it is taken, the first free one with -2, -3 and so on."""
    free, number = path, 1
    while free.exists():
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
    return free


def _reproduce(options):
    experiment = EXPERIMENTS[options.experiment]
    data = experiment.load(options.data)
    for path in options.files:
        _make_room(path)
    rank, world_size = processes.join(options.device)

    def say(line):
        if rank == 0:
            tqdm.write(line)

    say(f"{options.experiment} {experiment.name} on {data}")
    net, result = run(experiment, data, options.epochs, options.device, options.seed, say, rank, world_size)
    if rank > 0:
        return
    result = {"experiment": options.experiment, "data": options.data, **result}
    if options.save:
        save_weights(net, options.save)
        say(f"The weights are in {options.save}.")
    if options.plot:
        with new_file(options.plot) as file:
            file.write(plotting.reproduction(result, experiment.published).png(scale=2))
        say(f"The curves are in {options.plot}.")
    say(summary(experiment, result))
    if options.json:
        print(json.dumps(result))


def run(experiment, data, epochs=None, device="cpu", seed=0, say=print, rank=0, world_size=1):
    """Train and measure; returns the network, and the result as a dictionary for JSON.

    data: an `ImageData`; epochs: None means the published number; say: is called with each line of the report;
    rank, world_size: this process's number, and how many train together; only number 0 measures.
    """
    started = time.perf_counter()
    device, epochs = torch.device(device), epochs or experiment.epochs
    net, train_iter, test_iter = experiment.prepare(data, device, seed)
    if experiment.report_steps:
        say(str(layer_table(net)))
    learner = net
    if world_size > 1:
        learner, train_iter = processes.in_step(net, device), processes.Share(train_iter, rank, world_size)
    training = _with_bar(experiment.train(learner, train_iter, epochs, device), len(train_iter) * epochs, rank)
    history, seconds = [], 0.0
    for step, progress in enumerate(training, start=1):
        if experiment.report_steps and step % experiment.report_steps == 0 and rank == 0:
            early_iter = Batches(data.test_images[:2000], data.test_labels[:2000], 1000, device=device)
            say(f"step {step:4}  accuracy on the first 2,000 test images {evaluate_accuracy(net, early_iter):.3f}")
        if step % len(train_iter) == 0:
            if world_size > 1:
                progress = processes.together(progress, device)
            closed = experiment.tests_once and len(history) + 1 < epochs
            test_acc = None if closed or rank > 0 else evaluate_accuracy(experiment.as_measured(net), test_iter)
            history.append(_epoch(progress, test_acc, progress.seconds - seconds))
            seconds = progress.seconds
            say(_line(len(history), history[-1], experiment.published.get(len(history))))
    if len(history) < epochs:
        raise KeyboardInterrupt  # `train` ended quietly, but half an experiment has no result
    result = {
        "device": device.type,
        "seed": seed,
        "params": num_parameters(net),
        "epochs": history,
        "examples_per_second": progress.examples / progress.seconds,
        "test_acc": history[-1]["test_acc"],
        "published_test_acc": experiment.published_test_acc,
        "wall_seconds": time.perf_counter() - started,
    }
    if experiment.report_steps:
        result["first_ten"] = _first_ten(net, data, say)
    if experiment.rival:
        say("Now its rival without convolutions:")
        rival = dataclasses.replace(experiment, network=experiment.rival, rival=None, published={})
        result["rival"] = run(rival, data, epochs, device, seed, say, rank, world_size)[1]
    return net, result


def _with_bar(training, num_steps, rank):
    """What `training` reports, with a progress bar if this is the first process and its output is a terminal."""
    hidden = rank > 0 or not sys.stderr.isatty()
    return tqdm(training, total=num_steps, unit=" steps", leave=False, disable=hidden)


def _epoch(progress, test_acc, seconds):
    loss = progress.loss if math.isfinite(progress.loss) else None  # JSON has no NaN
    return {"loss": loss, "train_acc": progress.train_acc, "test_acc": test_acc, "seconds": seconds}


def _first_ten(net, data, say):
    predicted, real = classes_of(net, data.test_images[:10]).tolist(), data.test_labels[:10].tolist()
    say(f"the first ten test images: predicted {predicted}\n{'':>27}really    {real}")
    return {"predicted": predicted, "real": real}


def epochs_to(accuracy, history):
    """The first epoch, from 1, at whose end the test accuracy was at least `accuracy`; None if there is none."""
    reached = (number for number, epoch in enumerate(history, start=1) if (epoch["test_acc"] or 0) >= accuracy)
    return next(reached, None)


def _line(number, epoch, published):
    test_acc = "" if epoch["test_acc"] is None else f"  test acc {epoch['test_acc']:.3f}"
    line = f"epoch {number:3}  loss {_number(epoch['loss'])}  train acc {epoch['train_acc']:.3f}{test_acc}"
    line = f"{line}  {epoch['seconds']:5.1f} s"
    if published:
        known = zip(("loss", "train acc", "test acc"), published, strict=True)
        line += "   published: " + ", ".join(f"{what} {value:.3f}" for what, value in known if value is not None)
    return line


def summary(experiment, result):
    """Our results beside the published ones, as lines of text."""
    lines = [
        f"{experiment.name}: {result['params']:,} parameters, {len(result['epochs'])} of {experiment.epochs} epochs, "
        f"{result['examples_per_second']:,.0f} examples/s, {result['wall_seconds']:.1f} s with evaluation"
    ]
    published = experiment.published.get(experiment.epochs, (None, None, None))
    for what, theirs in zip(("loss", "train_acc", "test_acc"), published, strict=True):
        lines.append(f"{what:>10}  {_number(result['epochs'][-1][what])}   published {_number(theirs)}")
    if "rival" in result:
        ours, theirs = (epochs_to(GOOD, each["epochs"]) or "not reached" for each in (result, result["rival"]))
        lines.append(f"epochs to {GOOD}: {ours}; the rival: {theirs}")
    return "\n".join(lines)


def _number(value):
    return "  –  " if value is None else f"{value:.3f}"


if __name__ == "__main__":
    processes.end(main())
