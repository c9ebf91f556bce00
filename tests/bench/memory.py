"""How much memory the chapters need, and how eight kernels share one machine: `make bench PART=memory`.

Each part runs alone, too: `make bench PART=memory ONLY="runs kernels"`. `full_data` needs LENET_LAB_DATA. Linux only:
other systems do not tell a process's own peak. The figures are also written to build/bench-memory.json.
"""

import contextlib
import itertools
import json
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

import nbformat
import torch
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient

from helpers.reproduce_all import machine
from tests import every_lab

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
KERNELS = 8
# Measured by the kernel itself.  VmHWM is the largest memory that the process has ever had in the machine's RAM.
PEAK = """
import re as _re
with open("/proc/self/status") as _status:
    print("PEAK", int(_re.search(r"VmHWM:\\s+(\\d+)", _status.read())[1]) / 1024)
"""
IMPORTS = "import torch, torchvision, matplotlib.figure, matplotlib.backends.backend_agg, ipywidgets"


@contextlib.contextmanager
def kernel():
    """A new kernel in notebooks/: a function that runs code in it and returns what that printed, and its process id."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    manager, client = start_new_kernel(cwd=ROOT / "notebooks", env=environment, stderr=subprocess.DEVNULL)

    def run(code):
        printed = []

        def note(message):
            if message["msg_type"] == "stream":
                printed.append(message["content"]["text"])

        reply = client.execute_interactive(code, timeout=900, output_hook=note, allow_stdin=False)["content"]
        if reply["status"] != "ok":
            raise RuntimeError("\n".join(reply["traceback"]))
        return "".join(printed)

    try:
        yield run, int(run("import os; print(os.getpid())"))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def peak_after(code):
    """Megabytes at the peak of a kernel that runs `code`."""
    with kernel() as (run, _):
        run(code)
        return float(run(PEAK).split()[1])


def chapter(path, data=None):
    """Megabytes at the peak of a chapter's kernel, from Run All, and the cells that raised it most, {id: megabytes}."""
    notebook = nbformat.read(path, as_version=4)
    cells = []
    for cell in notebook.cells:
        cells.append(cell)
        if cell.cell_type == "code":
            cells.append(nbformat.v4.new_code_cell(PEAK, metadata={"tags": ["raises-exception"]}))
    notebook.cells = cells
    client = NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(path.parent)}})
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment |= {"LENET_LAB_DATA": data} if data else {"LENET_LAB_OFFLINE": "1"}
    client.execute(env=environment)
    peaks = {}
    for cell, probe in itertools.pairwise(cells):
        if probe.cell_type == "code" and probe.source == PEAK:
            text = "".join(output.get("text", "") for output in probe.outputs)
            peaks[cell.id] = float(re.search(r"PEAK ([\d.]+)", text)[1])
    values = list(peaks.values())
    raised = {name: after - before for name, before, after in zip(list(peaks)[1:], values, values[1:], strict=False)}
    most = dict(sorted(raised.items(), key=lambda pair: -pair[1])[:4])
    return {
        "peak, MB": values[-1],
        "of which imports": values[0],
        **{f"+ cell {name}": megabytes for name, megabytes in most.items() if megabytes > 10},
    }


def imports():
    """Megabytes of a kernel that has imported packages and nothing else."""
    return {
        "build of PyTorch": torch.__version__ + (" (CUDA)" if torch.version.cuda else " (CPU)"),
        "an empty kernel, MB": peak_after("pass"),
        "import torch, MB": peak_after("import torch"),
        "import torch, torchvision, matplotlib, ipywidgets, MB": peak_after(IMPORTS),
        "import helpers, MB": peak_after("import helpers"),
    }


def sample():
    """Each chapter's kernel, executed whole on the bundled sample (goal: a peak below 1,000 MB)."""
    return {path.stem: chapter(path) for path in CHAPTERS}


def full_data():
    """Each chapter's kernel, executed whole on the whole set (goal: a peak below 1,200 MB)."""
    data = os.environ.get("LENET_LAB_DATA")
    if not data:
        return {"not measured": "set LENET_LAB_DATA to the folder of the whole sets"}
    return {path.stem: chapter(path, data) for path in CHAPTERS}


RUNS = """
for _ in range({more}):
    lab.start()
    lab.runner.wait()
import threading
print(threading.active_count(), len(os.listdir("/proc/self/task")))
with open("/proc/self/smaps_rollup") as file:
    print(int(re.search(r"Rss:\\s+(\\d+)", file.read())[1]) / 1024)
"""


def runs():
    """The training lab's kernel after 5 runs and after 50, of one epoch each."""
    figures = {}
    with kernel() as (run, _):
        run(f"import os, re\n{every_lab.BEGIN}\nlab = labs.trainer(data, num_epochs=1)\nlab")
        for count, more in ((5, 5), (50, 45)):
            threads, tasks, resident = run(RUNS.format(more=more)).split()[-3:]
            figures[f"after {count} runs"] = {
                "resident, MB": float(resident),
                "Python's threads": int(threads),
                "the system's threads": int(tasks),
            }
    return figures


START = """
import threading, time
def until_the_end():
    lab.runner.wait()
    took.append(time.perf_counter() - started)
took, started = [], time.perf_counter()
lab.start()
waiting = threading.Thread(target=until_the_end)
waiting.start()
"""
END = "waiting.join(); print(*took, lab.history[-1].val_acc)"
MOVES = """
import time
def moves(count):
    waits = []
    for i in range(count):
        started = time.perf_counter()
        lab.controls["row"].value = 5 + i % 2
        waits.append(time.perf_counter() - started)
        time.sleep(0.2)
    return waits
print(moves({count}))
"""


def kernels():
    """Chapter 4's lab in eight kernels at once, and in a ninth one meanwhile a slider of chapter 2's lab."""
    with contextlib.ExitStack() as stack:
        started = [stack.enter_context(kernel()) for _ in range(KERNELS + 1)]
        for run, _ in started[:-1]:
            run(f"{every_lab.BEGIN}\nlab = labs.trainer(data)\nlab")
        slide = started[-1][0]
        slide(f"{every_lab.BEGIN}\nlab = labs.convolution(data.train_images[0])\nlab")
        trainers = [run for run, _ in started[:-1]]
        trainers[0](START)
        alone = float(trainers[0](END).split()[0])
        idle, waits = json.loads(slide(MOVES.format(count=20))), []
        for run in trainers:
            run(START)
        while any(run("print(waiting.is_alive())").strip() == "True" for run in trainers):
            waits += json.loads(slide(MOVES.format(count=10)))
        seconds, accuracies = zip(*(map(float, run(END).split()) for run in trainers), strict=True)
        memory = [pss(pid) for _, pid in started]
    return {
        "one kernel alone, s": alone,
        "eight at once, s each": sorted(seconds),
        "eight one after the other would take, s": KERNELS * alone,
        "validation accuracies": list(accuracies),
        "slider to picture in the kernel, idle: median, slowest, ms": milliseconds(idle),
        "the same while eight train: median, slowest, ms": milliseconds(waits),
        "proportional memory (PSS) of a kernel, of all nine, MB": [statistics.median(memory), sum(memory)],
    }


def milliseconds(seconds):
    """The median and the largest of some times, in milliseconds."""
    return [1000 * statistics.median(seconds), 1000 * max(seconds)]


def pss(pid):
    """A process's share of the memory in use, in megabytes: pages that it shares with others count in part."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE)[1]) / 1024


LONG_USE = """
import gc, random, time
def long_use(moves=400, trainings=20):
    hand = random.Random(0)
    for lab in [made for made in list(Out.values()) if hasattr(made, "board")]:
        where_it_began, controls = lab.board.values(), lab.controls
        for _ in range(moves):
            control = hand.choice(list(controls.values()))
            if hasattr(control, "options"):
                control.value = hand.choice(control.options)[1]
            elif isinstance(control.value, bool):
                control.value = not control.value
            else:
                control.value = hand.randrange(control.min, control.max + 1, control.step)
            if getattr(lab, "train_button", None) and hand.random() < 0.3:
                lab.train()
            time.sleep(0.05)
        if hasattr(lab, "runner"):
            lab.runner.stop()
        lab.board.move({**where_it_began, **({"epochs": 1} if "epochs" in controls else {})})
        for seed in range(trainings if "seed" in controls and hasattr(lab, "runner") else 0):
            controls["seed"].value = seed + 1
            lab.runner.wait()
long_use()
"""


def long_use():
    """Chapters 4 and 5 on the whole set, then 400 random moves of each lab, 20 trainings (goal: below 1,200 MB)."""
    figures = {}
    for path in CHAPTERS[3:5]:
        cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
        with kernel() as (run, _):
            for cell in cells:
                with contextlib.suppress(RuntimeError) if "# raises" in cell.source else contextlib.nullcontext():
                    run(cell.source)
            before = float(run(PEAK).split()[-1])
            run(LONG_USE)
            figures[path.stem] = {"peak of the chapter, MB": before, "afterwards": float(run(PEAK).split()[-1])}
    return figures


PARTS = {part.__name__: part for part in (imports, sample, full_data, runs, long_use, kernels)}


def main():
    os.environ["LENET_LAB_OFFLINE"] = "1"
    path = ROOT / "build" / "bench-memory.json"
    path.parent.mkdir(exist_ok=True)
    figures = json.loads(path.read_text()) if path.exists() else {}
    figures["machine"] = machine()
    print(figures["machine"])
    for name in sys.argv[1:] or PARTS:
        figures[name] = PARTS[name]()
        print(f"\n{name}: {PARTS[name].__doc__}")
        show(figures[name])
        path.write_text(json.dumps(figures, indent=1))


def show(figures, indent=4):
    """Print figures, a line each."""
    for what, figure in figures.items():
        if isinstance(figure, dict):
            print(f"{' ' * indent}{what}")
            show(figure, indent + 4)
        else:
            print(f"{' ' * indent}{what:<{64 - indent}}{written(figure)}", flush=True)


def written(figure):
    """Numbers in a few digits, texts as they are."""
    if isinstance(figure, list):
        return ", ".join(map(written, figure))
    if isinstance(figure, str):
        return figure
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"


if __name__ == "__main__":
    main()
