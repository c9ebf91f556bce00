"""Do the tests notice? Each mutation spoils one line of a copy of the helpers; a test or a chapter must then fail.

`make mutants`, or python -m tests.mutants. The project itself is never touched.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Mutation:
    """In helpers/`file`, `old`, which stands there once, becomes `new`; `first` is what should notice soonest."""

    name: str
    file: str
    old: str
    new: str
    first: str


MUTATIONS = [
    Mutation("no backward()", "training.py", "loss.backward()", "pass", "tests/test_training.py"),
    Mutation("no zero_grad()", "training.py", "optimizer.zero_grad()", "pass", "tests/test_training.py"),
    Mutation("no step()", "training.py", "optimizer.step()", "pass", "tests/test_training.py"),
    Mutation("no eval()", "models.py", "net.eval()", "pass", "tests/test_training.py"),
    Mutation("evaluation leaves eval mode", "models.py", "module.training = training", "pass",
             "tests/test_training.py"),
    Mutation("no train()", "training.py", "    net.train()\n", "", "tests/test_training.py"),
    Mutation("loss not weighted", "training.py", "loss.detach() * size", "loss.detach()", "tests/test_training.py"),
    Mutation("accuracy off by the batch size", "training.py", "accuracy(scores_of(net, X), y), len(y))",
             "accuracy(scores_of(net, X), y), 1)",
             "tests/test_training.py"),
    Mutation("a hidden read per batch", "training.py", "sums.add(loss.detach()", "sums.add(loss.item()",
             "tests/test_device.py"),
    Mutation("weights not copied", "training.py", "    net.load_state_dict(", "    dict(", "tests/test_training.py"),
    Mutation("pickles run", "training.py", "weights_only=True", "weights_only=False",
             "tests/faults/test_checkpoint_faults.py"),
    Mutation("last batch dropped", "data.py", "order.split(self.batch_size)", "order.split(self.batch_size)[:-1]",
             "tests/test_data.py"),
    Mutation("labels shifted", "data.py", "self.labels[pick]", "self.labels.roll(1)[pick]", "tests/test_data.py"),
    Mutation("pixels not scaled", "data.py", "X / 255", "X / 1", "tests/test_data.py"),
    Mutation("never shuffled", "data.py", "if self.shuffle:", "if False:", "tests/test_data.py"),
    Mutation("validation images trained on", "data.py", "order[num_validation:]", "order", "tests/test_data.py"),
    Mutation("checksums not looked at", "data.py", "if hashlib.sha256(raw).hexdigest() != sha256:", "if False:",
             "tests/faults/test_data_faults.py"),
    Mutation("images turned upside down", "data.py", ".reshape(shape)", ".flip(0).reshape(shape)",
             "notebooks/01-data.ipynb"),
    Mutation("a download kept unverified", "data.py", "_unpacked(io.BytesIO(packed), sha256)", "pass",
             "tests/faults/test_data_faults.py"),
    Mutation("all kernels download at once", "download.py", "lock.acquire(timeout=0)", "pass",
             "tests/faults/test_data_faults.py"),
    Mutation("a trickling server waited for", "download.py", "since >= due", "since",
             "tests/faults/test_data_faults.py"),
    Mutation("argmin for argmax", "metrics.py", "values.argmax(dim=1)", "values.argmin(dim=1)",
             "tests/test_metrics.py"),
    Mutation("confusion matrix transposed", "metrics.py", "labels * num_classes + predicted",
             "predicted * num_classes + labels",
             "tests/test_metrics.py"),
    Mutation("padding forgotten", "models.py", "padding=pad)", "padding=0)", "tests/test_models.py"),
    Mutation("one output too small", "models.py", "// stride + 1", "// stride", "tests/test_models.py"),
    Mutation("biases not zero", "models.py", "nn.init.zeros_(layer.bias)", "pass", "tests/test_models.py"),
    Mutation("kernel flipped", "labs/convolution.py", "weights[None, None], padding", "weights.flip(0, 1)[None, None], "
             "padding", "tests/test_lab_convolution.py"),
    Mutation("average for max", "labs/pooling.py", '"max": F.max_pool2d', '"max": F.avg_pool2d',
             "tests/test_lab_pooling.py"),
    Mutation("Stop does not stop", "labs/runner.py", "if stop.is_set():", "if False:", "tests/test_runner.py"),
    Mutation("two runs at once", "labs/runner.py", "        Runner.end_latest()\n        Runner._latest = self\n", "",
             "tests/test_runner.py"),
    Mutation("a board line half applied", "labs/board.py", "asked = dict(defaults)", "asked = {}",
             "tests/test_board.py"),
    Mutation("test images measured again and again", "labs/trainer.py", " or self.runs[-1].test_acc is not None", "",
             "tests/test_lab_trainer.py"),
    Mutation("a ghost lost", "labs/trainer.py", "[run.history for run in self.runs if run.history][-4:]", "[]",
             "tests/test_lab_trainer.py"),
    Mutation("the picture stays", "labs/live.py", "        self.picture.show(figure)\n", "        pass\n",
             "tests/test_lab_pooling.py"),
    Mutation("the schedule forgotten", "training.py", '= rate * factor', '= rate', "tests/test_training.py"),
    Mutation("a step's memory given back", "training.py", "    keep_memory()\n", "", "tests/test_training.py"),
    Mutation("nothing mirrored", "data.py", "X.flip(3)", "X", "tests/test_data.py"),
    Mutation("the sample passed off as the whole set", "data.py", 'if part == "full":', "if False:",
             "tests/test_data.py"),
    Mutation("a seed that decides nothing", "experiments.py", "torch.manual_seed(seed)", "pass",
             "tests/test_experiments.py"),
    Mutation("chosen on the test images", "experiments.py", "test_images=val_images", "test_images=data.test_images",
             "tests/test_experiments.py"),
    Mutation("the test set opened in every epoch", "reproduce.py", "experiment.tests_once and ", "False and ",
             "tests/test_reproduce.py"),
    Mutation("evaluation counted as training", "training.py", "seconds += time.perf_counter() - started\n", "seconds ="
             " time.perf_counter()\n", "tests/test_reproduce.py"),
    Mutation("every process takes the same part", "processes.py", "yield X[self.rank :: self.world_size], "
             "y[self.rank :: self.world_size]", "yield X[:: self.world_size], y[:: self.world_size]",
             "tests/test_processes.py"),
    Mutation("gradients not shared", "processes.py", "return DistributedDataParallel(net.to(device))",
             "return net.to(device)",
             "tests/test_processes.py"),
    Mutation("half a file left behind", "files.py", "part.unlink(missing_ok=True)", "pass", "tests/test_files.py"),
    Mutation("a user's file replaced", "files.py", "if Path(path).exists():", "if False:",
             "tests/test_files.py"),
    Mutation("the test set read twice", "checks/scoreboard.py", "if tested:", "if False:",
             "tests/test_checks_scoreboard.py"),
    Mutation("an entry that goes on learning", "checks/scoreboard.py", "copy.deepcopy(net)", "net",
             "tests/test_checks_scoreboard.py"),
    Mutation("a guess changed afterwards", "checks/prediction.py", "self.buttons.disabled = True", "pass",
             "tests/test_checks_prediction.py"),
    Mutation("a container's limit ignored", "cores.py", "quota // period", "64", "tests/test_cores.py"),
    Mutation("the cores never shared", "cores.py", "> 0.4 * passed", "> passed", "tests/test_cores.py"),
]  # fmt: skip


def fails(folder, *what):
    """The first test that fails when pytest runs `what` in `folder`, or None."""
    environment = os.environ | {"LENET_LAB_OFFLINE": "1", "PYTHONPATH": str(folder)}
    environment.pop("LENET_LAB_DATA", None)
    # The copy is no git repository, and the browser tests would only be slow.
    left_out = ["--ignore=tests/test_project.py", "--ignore=tests/browser"]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *left_out, *what]
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if run.returncode == 0:
        return None
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", run.stdout, re.MULTILINE)
    if not found:
        raise SystemExit(f"pytest itself failed:\n{run.stdout}\n{run.stderr}")
    return found[1]


def main():
    survivors = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "copy"
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".venv", ".git", "data", "build", ".*_cache"))
        everything = sorted({mutation.first for mutation in MUTATIONS})
        if failed := fails(folder, *everything):
            raise SystemExit(f"{failed} fails without any mutation: mend that first")
        for mutation in MUTATIONS:
            path = folder / "helpers" / mutation.file
            original = path.read_text(encoding="utf-8")
            if original.count(mutation.old) != 1:
                raise SystemExit(f"{mutation.name}: {mutation.old!r} does not stand exactly once in {mutation.file}")
            path.write_text(original.replace(mutation.old, mutation.new), encoding="utf-8")
            noticed = fails(folder, mutation.first) or fails(folder, "tests", "notebooks")
            path.write_text(original, encoding="utf-8")
            print(f"{mutation.name:32} {'noticed by ' + noticed if noticed else 'SURVIVED'}", flush=True)
            survivors += [] if noticed else [mutation.name]
    print(f"{len(MUTATIONS) - len(survivors)} of {len(MUTATIONS)} mutations noticed")
    sys.exit(bool(survivors))


if __name__ == "__main__":
    main()
