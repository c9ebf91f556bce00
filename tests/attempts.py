"""Run attempts at a chapter's exercises as a notebook would, and print what the checks say, a line of JSON each.

python tests/attempts.py CHAPTER < ATTEMPTS.jsonl: a line an attempt, {"code": the answer's cell without the check,
"call": the line of the check, "kind": right, wrong, nothing or endless}. Each runs in a process of its own, forked
after the cells before the exercises. `misjudged` runs those under tests/attempts and compares.
"""

import gc
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

LIMIT = 60  # seconds for one attempt, which only a hang can take on a machine that does other things too
ENDLESS = 0.5  # seconds that an endless attempt gets from the check, which gives 5
ROOT = Path(__file__).resolve().parents[1]
RIGHT = {"right": True, "wrong": False, "endless": False, "nothing": None}
# Cells that train for long and make no name that an attempt uses.
TRAININGS = {
    4: {"generator", "sweep", "alive", "watch", "by-heart", "bugs", "repair", "plateau",
        "first-gradients", "your-row"},
    5: {"other-seed", "own-net", "shuffle-train", "lab-drawing", "rotation-and-scale", "frozen-train", "few-train",
        "scoreboard"},
}  # fmt: skip


def misjudged(chapter):
    """The attempts of a chapter that are not judged as they deserve, with the verdict, in words.

    A line an attempt: exercise, kind, label, code, call, and for a wrong or endless one `said`: a part of the verdict
    that names the mistake that was made.
    """
    lines = (ROOT / "tests" / "attempts" / f"chapter{chapter}.jsonl").read_text(encoding="utf-8")
    program = [sys.executable, __file__, str(chapter)]
    answer = subprocess.run(program, input=lines, capture_output=True, encoding="utf-8", check=True).stdout
    pairs = zip(map(json.loads, lines.splitlines()), map(json.loads, answer.splitlines()), strict=True)
    return [f"{chapter}.{a['exercise']} {a['kind']}, {a['label']}: {verdict}" for a, verdict in pairs
            if not deserved(a, verdict)]  # fmt: skip


def deserved(attempt, verdict):
    """Whether a verdict is the one that an attempt deserves; "not done yet" is one of a wrong attempt if it is true."""
    right = verdict.get("right", "none")
    untouched = "..." in attempt["code"] or "dots" not in verdict.get("message", "")
    left = right is None and attempt["kind"] == "wrong" and untouched
    return (right == RIGHT[attempt["kind"]] or left) and attempt.get("said", "") in verdict["message"]


def outcome(shell, attempt):
    """What the check says: {"right", "message"} of its verdict, or {"raised"}: what came instead of one."""
    sys.modules["torch"].manual_seed(0)  # the same outcome in every run
    if attempt["kind"] == "endless":
        sys.modules["helpers.checks.attempt"].SECONDS = ENDLESS
    result = shell.run_cell(attempt["code"] + "\n\n" + attempt["call"])
    error = result.error_before_exec or result.error_in_exec
    if error is None and hasattr(result.result, "message"):
        return {"right": result.result.right, "message": result.result.message}
    if error is None:
        return {"raised": f"no verdict: {result.result!r}"}
    frames = traceback.extract_tb(error.__traceback__)
    return {"raised": f"{type(error).__name__}: {error}", "in_helpers": any("/helpers/" in f.filename for f in frames)}


def apart(work):
    """What `work()` returns in a forked process; what it started ends with it."""
    ours, theirs = multiprocessing.Pipe(duplex=False)

    def run():
        os.setsid()
        theirs.send(work())

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    theirs.close()
    try:
        return ours.recv() if ours.poll(LIMIT) else {"raised": f"no verdict within {LIMIT} s"}
    except EOFError:
        return {"raised": "the process died"}
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.join()


def shell_before_exercises(chapter):
    """An IPython shell in which the chapter's cells before its exercises have run."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    (notebook,) = (ROOT / "notebooks").glob(f"{chapter:02}-*.ipynb")
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown" and "## Exercises" in source:
            break
        if cell["cell_type"] == "code" and cell["id"] not in TRAININGS.get(chapter, ()):
            shell.run_cell(source)
    sys.modules["helpers.checks.attempt"].load_compiler()  # once, not in each process
    gc.freeze()  # what is shared with the forked processes is not copied by a collection there
    return shell


def main():
    """Answer each line on standard input by one on standard output."""
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what the cells print goes nowhere
    os.chdir(ROOT / "notebooks")
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(PYTHONPATH=str(ROOT), IPYTHONDIR=folder, OMP_NUM_THREADS="1")
        shell = shell_before_exercises(int(sys.argv[1]))
        for line in sys.stdin:
            attempt = json.loads(line)
            print(json.dumps(apart(lambda a=attempt: outcome(shell, a))), file=answer, flush=True)


if __name__ == "__main__":
    main()
