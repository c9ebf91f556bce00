"""Do the tests notice? Each mutation spoils one line of a copy of the helpers; a test or a chapter must then fail.

`make mutants`, or python -m tests.mutants, with names of mutations to try these alone. The project itself is never
touched. As many run side by side as there are cores, each in a copy of its own. A test that hangs is ended after
TEST_LIMIT seconds, and a mutation that hangs pytest itself, for example by a thread that never ends, after LIMIT.
"""

import ast
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEST_LIMIT, LIMIT = 60, 300  # seconds


@dataclass(frozen=True)
class Mutation:
    """In a helper's `function`, `old` becomes `new`; `first` is what should notice soonest.

    `old` stands there once, as ast.unparse writes the function: so neither its file nor its layout matters here.
    Without a `function` it stands outside of all.
    """

    name: str
    function: str
    old: str
    new: str
    first: str


MUTATIONS = [
    Mutation("no backward()", "take_step", "loss.backward()", "pass", "tests/test_training.py"),
    Mutation("no zero_grad()", "take_step", "optimizer.zero_grad()", "pass", "tests/test_training.py"),
    Mutation("no step()", "take_step", "optimizer.step()", "pass", "tests/test_training.py"),
    Mutation("no eval()", "measuring", "net.eval()", "pass", "tests/test_training.py"),
    Mutation(
        "evaluation leaves eval mode", "modes_kept", "module.training = training", "pass", "tests/test_training.py"
    ),
    Mutation("no train()", "set_to_training", "net.train()", "pass", "tests/test_training.py"),
    Mutation("loss not weighted", "train", "loss.detach() * size", "loss.detach()", "tests/test_training.py"),
    Mutation(
        "accuracy off by the batch size",
        "evaluate_accuracy",
        "accuracy(scores_of(net, X), y), len(y))",
        "accuracy(scores_of(net, X), y), 1)",
        "tests/test_training.py",
    ),
    Mutation(
        "a hidden read per batch", "train", "sums.add(loss.detach()", "sums.add(loss.item()", "tests/test_device.py"
    ),
    Mutation("weights not copied", "load_weights", "inner.load_state_dict(", "dict(", "tests/test_training.py"),
    Mutation(
        "pickles run",
        "load_weights",
        "weights_only=True",
        "weights_only=False",
        "tests/faults/test_checkpoint_faults.py",
    ),
    Mutation(
        "last batch dropped",
        "__iter__",
        "order.split(self.batch_size)",
        "order.split(self.batch_size)[:-1]",
        "tests/test_data.py",
    ),
    Mutation("labels shifted", "__iter__", "self.labels[pick]", "self.labels.roll(1)[pick]", "tests/test_data.py"),
    Mutation("pixels not scaled", "to_floats", "X / 255", "X / 1", "tests/test_data.py"),
    Mutation("never shuffled", "__iter__", "if self.shuffle:", "if False:", "tests/test_data.py"),
    Mutation(
        "validation images trained on",
        "train_validation_split",
        "order[num_validation:]",
        "order",
        "tests/test_data.py",
    ),
    Mutation(
        "checksums not looked at",
        "_unpacked",
        "if hashlib.sha256(raw).hexdigest() != sha256:",
        "if False:",
        "tests/faults/test_data_faults.py",
    ),
    Mutation(
        "images turned upside down",
        "_parse_idx",
        ".reshape(shape)",
        ".flip(0).reshape(shape)",
        "notebooks/01-data.ipynb",
    ),
    Mutation(
        "a download kept unverified",
        "_fetch",
        "_unpacked(io.BytesIO(packed), sha256)",
        "pass",
        "tests/faults/test_data_faults.py",
    ),
    Mutation(
        "all kernels download at once",
        "one_at_a_time",
        "lock.acquire(timeout=0)",
        "pass",
        "tests/faults/test_data_faults.py",
    ),
    Mutation(
        "a trickling server waited for",
        "received",
        "len(content) >= due",
        "content",
        "tests/faults/test_data_faults.py",
    ),
    Mutation("argmin for argmax", "as_classes", "argmax", "argmin", "tests/test_metrics.py"),
    Mutation(
        "confusion matrix transposed",
        "confusion_counts",
        "labels * num_classes + predicted",
        "predicted * num_classes + labels",
        "tests/test_metrics.py",
    ),
    Mutation("padding forgotten", "lenet", "padding=pad)", "padding=0)", "tests/test_models.py"),
    Mutation("one output too small", "conv_output_size", "// stride + 1", "// stride", "tests/test_models.py"),
    Mutation("biases not zero", "xavier", "nn.init.zeros_(layer.bias)", "pass", "tests/test_models.py"),
    Mutation(
        "kernel flipped",
        "output",
        "self.weights[None, None], **options",
        "self.weights.flip(0, 1)[None, None], **options",
        "tests/test_lab_convolution.py",
    ),
    Mutation("average for max", "", "'max': F.max_pool2d", "'max': F.avg_pool2d", "tests/test_lab_pooling.py"),
    Mutation("Stop does not stop", "_work", "if stop.is_set():", "if False:", "tests/test_runner.py"),
    Mutation(
        "two runs at once", "start", "Runner.end_latest()\n    Runner._latest = self", "pass", "tests/test_runner.py"
    ),
    Mutation("a board line half applied", "read", "{**began, **named(", "{**named(", "tests/test_board.py"),
    Mutation(
        "test images measured again and again",
        "ready",
        " and (run.test_acc is None)",
        "",
        "tests/test_lab_trainer.py",
    ),
    Mutation(
        "a ghost lost",
        "_begin",
        "[run for run in self.runs if run.history][-GHOSTS:]",
        "[]",
        "tests/test_lab_trainer.py",
    ),
    Mutation("the picture stays", "redraw", "self.show(arrays, facts)", "pass", "tests/test_lab_pooling.py"),
    Mutation("the schedule forgotten", "train", "rate * schedule(", "rate + 0 * schedule(", "tests/test_training.py"),
    Mutation("a step's memory given back", "prepare", "keep_memory()", "pass", "tests/test_training.py"),
    Mutation("nothing mirrored", "mirrored", "X.flip(3)", "X", "tests/test_data.py"),
    Mutation("the sample passed off as the whole set", "read", "if part == 'full':", "if False:", "tests/test_data.py"),
    Mutation("a seed that decides nothing", "prepare", "torch.manual_seed(seed)", "pass", "tests/test_experiments.py"),
    Mutation(
        "chosen on the test images",
        "for_choosing",
        "replace(data, **dict(zip(names, parts, strict=True)))",
        "replace(data, **dict(zip(names[:2], parts)))",
        "tests/test_experiments.py",
    ),
    Mutation(
        "the test set opened in every epoch", "run", "experiment.tests_once and", "False and", "tests/test_reproduce.py"
    ),
    Mutation(
        "evaluation counted as training",
        "train",
        "seconds += time.perf_counter() - started",
        "seconds = time.perf_counter()",
        "tests/test_reproduce.py",
    ),
    Mutation(
        "every process takes the same part",
        "__iter__",
        "X[self.rank::self.world_size], y[self.rank::self.world_size]",
        "X[::self.world_size], y[::self.world_size]",
        "tests/test_processes.py",
    ),
    Mutation(
        "gradients not shared",
        "in_step",
        "return DistributedDataParallel(net.to(device))",
        "return net.to(device)",
        "tests/test_processes.py",
    ),
    Mutation("half a file left behind", "new_file", "part.unlink(missing_ok=True)", "pass", "tests/test_files.py"),
    Mutation(
        "a user's file replaced", "refuse_to_replace", "if Path(path).exists():", "if False:", "tests/test_files.py"
    ),
    Mutation("the test set read twice", "test", "if tested:", "if False:", "tests/test_scoreboard.py"),
    Mutation("an entry that goes on learning", "enter", "copy.deepcopy(net)", "net", "tests/test_scoreboard.py"),
    Mutation(
        "a guess changed afterwards",
        "_verdict",
        "self.choices.disabled = True",
        "pass",
        "tests/test_question.py",
    ),
    Mutation("a container's limit ignored", "keep_to_limit", "quota // period", "64", "tests/test_machine.py"),
    Mutation("the cores never shared", "sharing", "> 0.4 * passed", "> passed", "tests/test_machine.py"),
]


def spoil(mutation, folder):
    """Apply the mutation to the helpers in `folder`; returns the file and its text before, ValueError if it cannot."""
    places = []
    for path in sorted((folder / "helpers").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if mutation.function and f"def {mutation.function}(" not in text:
            continue
        module = ast.parse(text)
        functions = (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef))
        for node in [node for node in functions if node.name == mutation.function] if mutation.function else [module]:
            code = ast.unparse(node)
            places += [(path, text, node, code)] * code.count(mutation.old)
    if len(places) != 1:
        raise ValueError(f"{mutation.old!r} stands {len(places)} times in a {mutation.function or 'module'}, not once")
    path, text, node, code = places[0]
    code = code.replace(mutation.old, mutation.new)
    if mutation.function:
        lines = text.splitlines(keepends=True)
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]) - 1
        code = "".join([*lines[:first], textwrap.indent(code, " " * node.col_offset), "\n", *lines[node.end_lineno :]])
    path.write_text(code, encoding="utf-8")
    return path, text


def fails(folder, *what):
    """The first test that fails or hangs when pytest runs `what` in `folder`, or None."""
    environment = os.environ | {"LENET_LAB_OFFLINE": "1", "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}
    environment.pop("LENET_LAB_DATA", None)
    # The copy is no git repository, and the browser tests and the lock's would only be slow.
    left_out = [f"--ignore=tests/{name}" for name in ("test_project.py", "test_lock.py", "browser")]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", f"--timeout={TEST_LIMIT}"]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as printed:
        run = subprocess.Popen(
            [*command, *left_out, *what],
            cwd=folder, env=environment, stdout=printed, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            code = run.wait(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            code = run.wait() and None
        printed.seek(0)
        text = printed.read()
    if code == 0:
        return None
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", text, re.MULTILINE)
    if code is None:
        return f"{found[1] if found else what[0]} (HANGS: ended after {LIMIT} s)"
    if not found:
        raise ValueError(f"pytest itself failed:\n{text}")
    return found[1] + (f" (HANGS: ended after {TEST_LIMIT} s)" if f"Timeout (>{TEST_LIMIT}" in text else "")


def tried(mutation, folder):
    """What notices the mutation in `folder`, a copy of the project; None if nothing does."""
    path, text = spoil(mutation, folder)
    try:
        return fails(folder, mutation.first) or fails(folder, "tests", "notebooks")
    finally:
        path.write_text(text, encoding="utf-8")


def main():
    chosen = [mutation for mutation in MUTATIONS if not sys.argv[1:] or mutation.name in sys.argv[1:]]
    noticed, survivors, errors = 0, [], []
    cores = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(cores) as pool:
        copies = queue.SimpleQueue()
        for number in range(cores):
            folder = Path(temporary) / f"copy{number}"
            shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".venv", ".git", "data", "build", ".*_cache"))
            copies.put(folder)

        def in_a_copy(work, *arguments):
            folder = copies.get()
            try:
                return work(*arguments, folder)
            finally:
                copies.put(folder)

        firsts = sorted({mutation.first for mutation in chosen})
        before = pool.map(lambda first: in_a_copy(lambda folder: fails(folder, first)), firsts)
        if failed := [test for test in before if test]:
            sys.exit(f"{', '.join(failed)} without any mutation: mend that first")
        runs = {mutation: pool.submit(in_a_copy, tried, mutation) for mutation in chosen}
        for mutation, run in runs.items():
            try:
                test = run.result()
            except ValueError as error:
                errors.append(mutation.name)
                print(f"{mutation.name:40} ERROR: {error}", flush=True)
                continue
            print(f"{mutation.name:40} {f'noticed by {test}' if test else 'SURVIVED'}", flush=True)
            noticed += bool(test)
            survivors += [] if test else [mutation.name]
    print(f"{noticed} of {len(chosen)} mutations noticed")
    for what, names in {"survived": survivors, "could not be tried": errors}.items():
        if names:
            print(f"{what}: {', '.join(names)}")
    sys.exit(bool(survivors or errors))


if __name__ == "__main__":
    main()
