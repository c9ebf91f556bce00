"""What the chapters' prose says in numbers, measured with five seeds on the bundled sample: `make claims`.

Chapter N's claims are in tests/bench/chapterN.py:

    MEASURES = {"race": race}  # race(seed) returns {what: a number, or a list of numbers}
    CLAIMS = [("LeNet loses 8 to 15 points", "race", lambda run: 0.08 <= run["lost"] <= 0.15)]

A claim is its text as it stands in the chapter, the measure that it is about, and whether the numbers of one seed bear
it out: those of all five must. The numbers go into tests/claims/measured.json; tests/test_claims.py compares the three.

`make claims ONLY=5` measures chapter 5, `make claims ONLY=5.race` one measure of it.
"""

import importlib
import json
import os
import sys
import time
from pathlib import Path

from helpers.reproduce_all import machine

SEEDS = range(5)
HERE = Path(__file__).resolve().parent
MEASURED = HERE.parent / "claims" / "measured.json"


def chapters():
    """{"5": the module with the claims of chapter 5}, for each chapter that has one."""
    paths = sorted(HERE.glob("chapter[1-5].py"))
    return {path.stem[-1]: importlib.import_module(f"tests.bench.{path.stem}") for path in paths}


def measured():
    """{chapter: {measure: [the numbers of each seed]}} as they were measured last."""
    return json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}


def broken(claims, runs):
    """The texts of those claims that the numbers of some seed do not bear out; runs: {measure: [numbers of a seed]}."""
    return [text for text, measure, holds in claims if not all(map(holds, runs[measure]))]


def keep(chapter, measure, runs):
    """Write the numbers of one measure into the file, which is read anew: another `make claims` may be at it."""
    everything = measured()
    everything.setdefault(chapter, {})[measure] = runs
    # a line a seed, so that a change of one number is a change of one line
    parts = []
    for number, measures in sorted(everything.items()):
        inside = ",\n".join(
            f'  "{name}": [\n' + ",\n".join(f"   {json.dumps(run)}" for run in its) + "\n  ]"
            for name, its in sorted(measures.items())
        )
        parts.append(f' "{number}": {{\n{inside}\n }}')
    MEASURED.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


def rounded(values):
    """Numbers as they are kept: four places."""
    return {what: [round(v, 4) for v in value] if isinstance(value, list) else round(value, 4)
            for what, value in values.items()}  # fmt: skip


def main():
    os.environ.pop("LENET_LAB_DATA", None)
    os.environ["LENET_LAB_OFFLINE"] = "1"
    print(machine())
    only, failed = sys.argv[1:], False
    for chapter, module in chapters().items():
        for name, measure in module.MEASURES.items():
            if only and not {chapter, f"{chapter}.{name}"} & set(only):
                continue
            started, runs = time.perf_counter(), []
            for seed in SEEDS:
                runs.append(rounded(measure(seed)))
                print(f"{chapter}.{name}, seed {seed}: {runs[-1]}", flush=True)
            keep(chapter, name, runs)
            about = [claim for claim in module.CLAIMS if claim[1] == name]
            wrong = broken(about, {name: runs})
            failed = failed or bool(wrong)
            print(f"{chapter}.{name}: {len(about) - len(wrong)} of {len(about)} claims hold, "
                  f"{time.perf_counter() - started:.0f} s", *(f"  no longer true: {text}" for text in wrong),
                  sep="\n")  # fmt: skip
    sys.exit(failed)


if __name__ == "__main__":
    main()
