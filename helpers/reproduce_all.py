"""Run R1 to R7 on the whole data sets, and chapter 4's story: `make reproduce`.

Writes helpers/measured.json, the README's table and its figure.

python -m helpers.reproduce_all           # all of them, some 15 minutes
python -m helpers.reproduce_all R7        # R7 only; the other rows stay as they are
python -m helpers.reproduce_all --full    # as many epochs as were published, three seeds: hours
python -m helpers.reproduce_all --show    # measures nothing: draws the table and the figure again
"""

import argparse
import json
import os
import platform
import statistics
from pathlib import Path

import torch

from helpers import plotting
from helpers.experiments import EXPERIMENTS, MEASURED, for_choosing, measured, story
from helpers.machine import try_gpu
from helpers.reproduce import run, summary

ROOT = Path(__file__).resolve().parents[1]
README, FIGURE = ROOT / "README.md", ROOT / ".github" / "screenshots" / "reproduced.png"
BEGIN, END = "<!-- written by `make reproduce` -->\n", "<!-- until here -->\n"


def reproduce(keys, full):
    """Run experiments; returns {key: the result of seed 0, with the test accuracies of all seeds and the machine}."""
    results = {}
    for key in keys:
        experiment = EXPERIMENTS[key]
        data = experiment.load("full")
        epochs = experiment.epochs if full else experiment.quick_epochs
        print(f"\n{key} {experiment.name}", flush=True)
        runs = [run(experiment, data, epochs, try_gpu(), seed)[1] for seed in range(3 if full else 1)]
        results[key] = {
            **runs[0],
            "test_accs": [result["test_acc"] for result in runs],
            "machine": machine(),
        }
        print(summary(experiment, runs[0]), flush=True)
    return results


def tell(seeds=5):
    """Run each step of chapter 4's story on validation images; returns one result per change, over all seeds."""
    rows = []
    for change, step in story().items():
        data = for_choosing(step.load("full"))
        runs = [run(step, data, None, try_gpu(), seed, say=lambda line: None)[1] for seed in range(seeds)]
        val_accs = [result["test_acc"] for result in runs]
        rows.append(
            {
                "change": change,
                "params": runs[0]["params"],
                "val_acc": statistics.fmean(val_accs),
                "val_accs": val_accs,
                "spread": max(val_accs) - min(val_accs),
                "seeds": seeds,
            }
        )
        print(f"{rows[-1]['val_acc']:.3f}  {change}", flush=True)
    return rows


def machine():
    """This machine in one line: processor, cores, system, Python and PyTorch."""
    processor = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as file:
            names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
        processor = names[0] if names else processor
    return (
        f"{processor}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, "
        f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads"
    )


def table(results):
    """The README's table as Markdown; results: what `experiments.measured` returns."""
    lines = [
        "| | network, data | parameters | epochs | published test accuracy | ours | images/s | seconds |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for key, result in results["experiments"].items():
        experiment, accuracies = EXPERIMENTS[key], sorted(result["test_accs"])
        ours = " to ".join(f"{accuracy:.3f}" for accuracy in dict.fromkeys((accuracies[0], accuracies[-1])))
        epochs = f"{len(result['epochs'])}"
        if len(result["epochs"]) != experiment.epochs:
            epochs += f" of {experiment.epochs}"
        published = "–" if experiment.published_test_acc is None else f"{experiment.published_test_acc:.3f}"
        lines.append(
            f"| {key} | `{experiment.name}` | {result['params']:,} | {epochs} | {published} | {ours} "
            f"| {result['examples_per_second']:,.0f} | {result['wall_seconds']:.0f} |"
        )
    elsewhere = "".join(
        f" {key} on: {result['machine']}."
        for key, result in results["experiments"].items()
        if result.get("machine", results["machine"]) != results["machine"]
    )
    return "\n".join([*lines, "", f"Measured on: {results['machine']}.{elsewhere}", ""])


def show(results):
    """Write the README's table and its figure; results: as for `table`."""
    labelled = {f"{key}  {EXPERIMENTS[key].name}": result for key, result in results["experiments"].items()}
    FIGURE.write_bytes(plotting.published_against_ours(labelled).png(scale=2))
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{BEGIN}{table(results)}{END}{after}", encoding="utf-8")


def main(arguments=None):
    """Measure what the command line asks for, then write the table and the figure."""
    parser = argparse.ArgumentParser("python -m helpers.reproduce_all", description=__doc__.splitlines()[0])
    parser.add_argument("experiments", nargs="*", metavar="R7", help="measure only these")
    parser.add_argument("--full", action="store_true", help="as many epochs as were published, with three seeds")
    parser.add_argument("--show", action="store_true", help="measure nothing, draw the table and the figure again")
    options = parser.parse_args(arguments)
    unknown = [key for key in options.experiments if key not in EXPERIMENTS]
    if unknown:
        parser.error(f"there is no experiment {', '.join(unknown)}: choose from {', '.join(EXPERIMENTS)}")
    if not options.show:
        if options.experiments:
            results = measured()
            results["experiments"] |= reproduce(options.experiments, options.full)
        else:
            results = {"machine": machine(), "experiments": reproduce(EXPERIMENTS, options.full), "story": tell()}
        MEASURED.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    show(measured())


if __name__ == "__main__":
    main()
