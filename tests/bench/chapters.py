"""Seconds that Run All takes for each notebook on the bundled sample: `make bench`."""

import os
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from helpers.reproduce_all import machine

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


def seconds(path):
    """How long the notebook at `path` takes from the start of its kernel to the end of its last cell."""
    client = NotebookClient(
        nbformat.read(path, as_version=4), timeout=600, resources={"metadata": {"path": str(path.parent)}}
    )
    started = time.perf_counter()
    client.execute()
    return time.perf_counter() - started


def main():
    os.environ.pop("LENET_LAB_DATA", None)
    os.environ["LENET_LAB_OFFLINE"] = "1"
    print(machine())
    for path in sorted(NOTEBOOKS.glob("**/[0-9]*.ipynb")):
        if ".ipynb_checkpoints" not in path.parts:
            print(f"{seconds(path):6.1f} s  {path.relative_to(NOTEBOOKS)}", flush=True)


if __name__ == "__main__":
    main()
