"""What several tests share: a machine without data, and small real data."""

import collections
import functools
import http.server
import re
import shutil
import threading

import pytest
import torch

from helpers import Batches, fashion_mnist, image_files
from helpers.labs import question

# Files that take 15 seconds or more on one core, as `pytest --durations=150` says it, the longest first.
LONGEST = [
    "tests/test_attempts_chapter4.py",
    "tests/test_attempts_chapter5.py",
    "tests/test_attempts_chapter1.py",
    "tests/test_attempts_chapter3.py",
    "notebooks/05-lenet-vs-mlp.ipynb",
    "tests/test_training_verdicts.py",
    "tests/test_assignment.py",
    "tests/faults/test_slider_faults.py",
    "tests/test_lab_states.py",
    "tests/faults/test_training_faults.py",
    "notebooks/04-training-on-gpu.ipynb",
    "tests/test_long_use.py",
    "tests/test_real_photographs.py",
    "notebooks/solutions/04-training-on-gpu.ipynb",
    "notebooks/solutions/05-lenet-vs-mlp.ipynb",
    "tests/test_processes.py",
    "tests/faults/test_data_faults.py",
    "tests/test_reproduce.py",
    "tests/test_handout.py",
    "notebooks/01-data.ipynb",
    "tests/test_lab_trainer.py",
    "tests/test_mutants.py",
]


@pytest.fixture
def bare_machine(monkeypatch, tmp_path):
    """No data folder named, an empty cache, no system copy, no network: returns the cache's folder."""
    monkeypatch.delenv("LENET_LAB_DATA", raising=False)
    monkeypatch.setenv("LENET_LAB_OFFLINE", "1")
    monkeypatch.setattr(image_files, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(image_files, "SYSTEM", tmp_path / "system")
    return tmp_path / "cache"


@pytest.fixture
def sample_counts_as_whole(monkeypatch):
    """The sample's checksums in place of the whole set's: its files then play the real thing."""
    monkeypatch.setattr(image_files, "SHA256", image_files.SAMPLE_SHA256)


@pytest.fixture
def mirror(bare_machine, sample_counts_as_whole, tmp_path, monkeypatch):
    """A mirror on this machine with the four files; returns its folder and the list of requests it saw."""
    folder, requests = tmp_path / "mirror", []
    shutil.copytree(image_files.SAMPLE / "FashionMNIST", folder)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            start = " (only the start)" if "Range" in self.headers else ""
            requests.append(f"{self.command} {self.path}{start}")

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder)) as running:
        threading.Thread(target=running.serve_forever, args=[0.02], daemon=True).start()
        monkeypatch.setattr(image_files, "MIRRORS", {"FashionMNIST": [f"http://127.0.0.1:{running.server_port}/"]})
        monkeypatch.delenv("LENET_LAB_OFFLINE")
        yield folder, requests
        running.shutdown()


@pytest.fixture(scope="session")
def sample():
    """The bundled sample of Fashion-MNIST."""
    return fashion_mnist("sample")


@pytest.fixture
def batches(sample):
    """A thousand training images in shuffled batches of 64; the last has 40."""
    return Batches(sample.train_images[:1000], sample.train_labels[:1000], 64, shuffle=True, seed=0)


@pytest.fixture(autouse=True)
def same_numbers_each_time():
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def threads_are_put_back():
    """A test that sets the number of threads must set it back (`tests.support.threads` does)."""
    before = torch.get_num_threads()
    yield
    after = torch.get_num_threads()
    torch.set_num_threads(before)
    assert after == before, f"the test leaves {after} threads behind, and found {before}"


@pytest.fixture
def shown(monkeypatch):
    """What the `answer` of a question displays, as a list."""
    displayed = []
    monkeypatch.delenv("LENET_LAB_REVEAL", raising=False)
    monkeypatch.setattr(question, "display", lambda *made: displayed.extend(made))
    return displayed


def pytest_collection_modifyitems(items):
    """The files that take longest first: what begins last decides when all are done."""
    items.sort(key=lambda item: LONGEST.index(file) if (file := item.nodeid.partition("::")[0]) in LONGEST else 99)


def pytest_terminal_summary(terminalreporter):
    """How many of the tests that inject a fault ran, and what was at fault."""
    outcomes, ran = collections.Counter(), collections.Counter()
    for outcome in ("passed", "failed", "error", "skipped", "xfailed", "xpassed"):
        for report in terminalreporter.stats.get(outcome, []):
            folder, _, file = report.nodeid.partition("::")[0].rpartition("/")
            if folder.endswith("tests/faults"):
                outcomes[outcome] += 1
                ran[re.sub("^test_|(_faults)?.py$", "", file).replace("_", " ")] += outcome != "skipped"
    if outcomes:
        counts = ", ".join(f"{number} {outcome}" for outcome, number in outcomes.items())
        terminalreporter.line(f"fault tests: {counts} ({', '.join(f'{file} {n}' for file, n in ran.items())})")
