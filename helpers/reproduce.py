"""Run an experiment of `helpers/experiments.py` and print it beside the published figures.

python -m helpers.reproduce R4
python -m helpers.reproduce R5 --data sample --epochs 2 --json
torchrun --standalone --nproc-per-node=2 -m helpers.reproduce R5
"""

import argparse
import dataclasses
import json
import math
import sys
import time
from pathlib import Path

import torch
from tqdm import tqdm

from helpers import plotting, processes
from helpers.data import Batches, DataError
from helpers.experiments import EXPERIMENTS
from helpers.files import new_file, refuse_to_replace
from helpers.models import layer_table, num_parameters
from helpers.training import evaluate_accuracy, predict, save_weights, try_gpu

GOOD = 0.95  # the accuracy to which R2's source counts the epochs


class CannotRun(Exception):
    """What was asked for cannot be done here; the message says why, in one line."""


def main(arguments=None):
    """Run what the command line asks for; returns the exit status, 2 where it cannot be done."""
    try:
        options = _options(arguments)
        _reproduce(options)
    except (CannotRun, DataError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _options(arguments):
    class Parser(argparse.ArgumentParser):
        def error(self, message):  # without the lines of usage
            raise CannotRun(f"{message} (--help lists what there is)")

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
    options.device = _device(options.device)
    if options.experiment == "R2":  # its source keeps both
        options.save = options.save or _free(Path("build/lenet-mnist-c5.pt"))
        options.plot = options.plot or _free(Path("build/lenet-mnist-c5.png"))
    for path in filter(None, [options.save, options.plot]):  # now, not after an hour of training
        refuse_to_replace(path)
        path.parent.mkdir(parents=True, exist_ok=True)
    return options


def _key(name):
    for key, experiment in EXPERIMENTS.items():
        if name.lower() in (key.lower(), experiment.name):
            return key
    raise CannotRun(f"there is no experiment {name!r}: choose one of {', '.join(EXPERIMENTS)}")


def _device(name):
    if name == "auto":
        return try_gpu()
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not available[name]:
        raise CannotRun(f"PyTorch finds no {name} device here: choose --device auto or cpu")
    return torch.device(name)


def _free(path):
    """The path itself, or where it is taken, the first of -2, -3 and so on that is not."""
    free, number = path, 1
    while free.exists():
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
    return free


def _reproduce(options):
    experiment = EXPERIMENTS[options.experiment]
    data = experiment.load(options.data)
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
    """Train and measure; returns the network, and what came of it as a dictionary that can be written as JSON.

    data: an `ImageData`; epochs: the published number where None; say: gets each line of the report;
    rank, world_size: this process's number, and how many train together.
    """
    started = time.perf_counter()
    device, epochs = torch.device(device), epochs or experiment.epochs
    net, train_iter, test_iter = experiment.prepare(data, device, seed)
    if experiment.report_steps:
        say(str(layer_table(net)))
    learner = net
    if world_size > 1:
        learner, train_iter = processes.in_step(net, device), processes.Share(train_iter, rank, world_size)
    early_iter = Batches(data.test_images[:2000], data.test_labels[:2000], 1000, device=device)
    steps_an_epoch = len(train_iter)
    val_iter = test_iter if rank == 0 and not experiment.tests_once else None
    history, before = [], 0.0
    hidden = rank > 0 or not sys.stderr.isatty()
    with tqdm(total=epochs * steps_an_epoch, unit=" steps", leave=False, disable=hidden) as bar:
        for progress in experiment.train(learner, train_iter, epochs, val_iter, device, reports=steps_an_epoch):
            bar.update()
            step = round(progress.epoch * steps_an_epoch)
            if experiment.report_steps and step % experiment.report_steps == 0 and rank == 0:
                say(f"step {step:4}  accuracy on the first 2,000 test images {evaluate_accuracy(net, early_iter):.3f}")
            if step % steps_an_epoch == 0:
                if world_size > 1:
                    progress = processes.together(progress, device)
                test_acc = progress.val_acc
                if experiment.tests_once and step == epochs * steps_an_epoch and rank == 0:
                    test_acc = evaluate_accuracy(net, test_iter)
                history.append(
                    {
                        "loss": progress.loss,
                        "train_acc": progress.train_acc,
                        "test_acc": test_acc,
                        "seconds": progress.seconds - before,
                    }
                )
                before = progress.seconds
                say(_line(len(history), history[-1], experiment.published.get(len(history))))
    if len(history) < epochs:
        raise KeyboardInterrupt  # `train` ended quietly; half an experiment is none
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
        first = {"predicted": predict(net, data.test_images[:10]).tolist(), "real": data.test_labels[:10].tolist()}
        say(f"the first ten test images: predicted {first['predicted']}\n{'':>27}really    {first['real']}")
        result["first_ten"] = first
    if experiment.rival:
        say("Now its rival without convolutions:")
        rival = dataclasses.replace(experiment, network=experiment.rival, rival=None, published={})
        result["rival"] = run(rival, data, epochs, device, seed, say, rank, world_size)[1]
        result["epochs_to_0.95"] = epochs_to(GOOD, history)
        result["rival"]["epochs_to_0.95"] = epochs_to(GOOD, result["rival"]["epochs"])
    return net, result


def epochs_to(accuracy, history):
    """The first epoch, from 1, at whose end the test accuracy was at least `accuracy`; None where none was."""
    reached = (number for number, epoch in enumerate(history, start=1) if (epoch["test_acc"] or 0) >= accuracy)
    return next(reached, None)


def _line(number, epoch, published):
    test_acc = "" if epoch["test_acc"] is None else f"  test acc {epoch['test_acc']:.3f}"
    line = f"epoch {number:3}  loss {epoch['loss']:.3f}  train acc {epoch['train_acc']:.3f}{test_acc}"
    line = f"{line}  {epoch['seconds']:5.1f} s"
    if published:
        known = zip(("loss", "train acc", "test acc"), published, strict=True)
        line += "   published: " + ", ".join(f"{what} {value:.3f}" for what, value in known if value is not None)
    return line


def summary(experiment, result):
    """Ours beside the published figures, as lines of text."""
    last, published = result["epochs"][-1], experiment.published.get(experiment.epochs, (None, None, None))
    lines = [
        f"{experiment.name}: {result['params']:,} parameters, {len(result['epochs'])} of {experiment.epochs} epochs,"
        f" {result['examples_per_second']:,.0f} examples/s, {result['wall_seconds']:.1f} s with evaluation"
    ]
    for what, ours, theirs in zip(
        ("loss", "train_acc", "test_acc"), (last["loss"], last["train_acc"], last["test_acc"]), published, strict=True
    ):
        lines.append(f"{what:>10}  {_number(ours)}   published {_number(theirs)}")
    if "rival" in result:
        ours, theirs = result["epochs_to_0.95"], result["rival"]["epochs_to_0.95"]
        lines.append(f"epochs to {GOOD}: {ours or 'not reached'}; the rival: {theirs or 'not reached'}")
    return "\n".join(lines)


def _number(value):
    return "  –  " if value is None or math.isnan(value) else f"{value:.3f}"


if __name__ == "__main__":
    sys.exit(main())
