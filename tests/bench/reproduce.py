"""R1 to R7 on the whole sets beside what was published, and chapter 4's story: `make reproduce`.

Writes helpers/measured.json, the README's table and its figure. `make reproduce-full` takes the published number of
epochs and three seeds, which needs hours. `--show` measures nothing: it writes the table and the figure anew. Names of
experiments, such as R7, measure these anew and leave the other rows as they are.
"""

import json
import statistics
import sys
from pathlib import Path

from helpers import plotting
from helpers.experiments import EXPERIMENTS, MEASURED, for_choosing, measured, story
from helpers.reproduce import run, summary
from helpers.training import try_gpu
from tests.bench.machine import describe

ROOT = Path(__file__).resolve().parents[2]
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
            "machine": describe(),
        }
        print(summary(experiment, runs[0]), flush=True)
    return results


def tell(seeds=3):
    """Run each step of the story; the test images stay closed: one result a change, over all seeds."""
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
                "spread": max(val_accs) - min(val_accs),
                "seconds": statistics.fmean(result["epochs"][-1]["seconds"] for result in runs),
                "seeds": seeds,
            }
        )
        print(f"{rows[-1]['val_acc']:.3f}  {rows[-1]['seconds']:5.1f} s  {change}", flush=True)
    return rows


def table(results):
    """The README's table as Markdown lines."""
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
    """Write the README's table and its figure."""
    labelled = {f"{key}  {EXPERIMENTS[key].name}": result for key, result in results["experiments"].items()}
    FIGURE.write_bytes(plotting.published_against_ours(labelled).png(scale=2))
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{BEGIN}{table(results)}{END}{after}", encoding="utf-8")


def main():
    keys, full = [key for key in EXPERIMENTS if key in sys.argv], "--full" in sys.argv
    if keys:
        results = measured()
        results["experiments"] |= reproduce(keys, full)
    elif "--show" not in sys.argv:
        results = {"machine": describe(), "experiments": reproduce(EXPERIMENTS, full), "story": tell()}
    if keys or "--show" not in sys.argv:
        MEASURED.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    show(measured())


if __name__ == "__main__":
    main()
