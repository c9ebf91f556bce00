"""What the work asks of the machine: nothing before it begins, then no more threads than a container may use."""

import _ctypes
import os
import shutil
import subprocess
import sys
import threading
import time

import pytest
import torch

from helpers import machine, mlp, train
from helpers.machine import keep_to_limit, lend_cores, sharing, waited
from tests.support import wait_for


@pytest.fixture(autouse=True)
def two_threads():
    """Two threads, whatever the machine has; afterwards as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


IMPORTED = """
import atexit, gc, platform, sys
from pathlib import Path
import matplotlib, torch

read_text, register = Path.read_text, atexit.register
Path.read_text = lambda path, *more, **options: (
    "100000 100000" if str(path) == "/sys/fs/cgroup/cpu.max" else read_text(path, *more, **options)
)
asked, registered = [], []
sys.addaudithook(lambda event, found: event == "ctypes.dlsym" and asked.append(found[1]))

def noted(function, *arguments, **options):
    registered.append(sys._getframe(1).f_globals["__name__"])
    return register(function, *arguments, **options)

atexit.register = noted
torch.set_num_threads(2)

def changed():
    '''Threads, whether the collector leaves anything out, whether malloc was changed, whether we act at the end.'''
    ours = any(name.startswith("helpers") for name in registered)
    return torch.get_num_threads(), gc.get_freeze_count() > 0, "mallopt" in asked, ours

before = dict(matplotlib.rcParams), torch.get_default_dtype(), torch.get_rng_state().tolist()
import helpers
assert (dict(matplotlib.rcParams), torch.get_default_dtype(), torch.get_rng_state().tolist()) == before
assert changed() == (2, False, False, False), changed()
assert "torchvision" not in sys.modules  # with which PyTorch's compiler comes: two seconds more
"""
BEGIN = {
    "train": "next(helpers.train(helpers.mlp((4,)), [(torch.rand(8, 1, 28, 28), torch.zeros(8).long())], 1, 0.1))",
    "a lab": "helpers.labs.explorer(helpers.fashion_mnist('sample'))",
}


@pytest.mark.parametrize("work", BEGIN)
def test_importing_the_helpers_changes_nothing_in_the_process_and_work_prepares_it(work):
    after = BEGIN[work] + "\nassert changed() == (1, True, platform.libc_ver()[0] == 'glibc', True), changed()"
    done = subprocess.run([sys.executable, "-c", IMPORTED + after], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


FIRST_OPTIMIZER = """
import sys, threading, torch, helpers
data = helpers.fashion_mnist("sample")
assert "torch._dynamo" not in sys.modules
before = torch.get_rng_state()
helpers.labs.trainer(data)
(loading,) = [thread for thread in threading.enumerate() if thread.name == "PyTorch's optimizers"]
loading.join()
assert torch.equal(torch.get_rng_state(), before)
known = len(sys.modules)
optimizer = torch.optim.SGD(helpers.lenet().parameters(), lr=0.1)
optimizer.step()
print(len(sys.modules) - known)
"""


def test_a_lab_that_trains_loads_the_optimizers_before_anybody_presses_train():
    run = subprocess.run([sys.executable, "-c", FIRST_OPTIMIZER], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    assert int(run.stdout) < 20  # without it, 900


FIRST_BLANKS = """
import sys, threading
from helpers import checks
def corr2d(X, K):
    return ...
def cross_entropy(y_hat, y):
    return ...
for blank in (corr2d, cross_entropy):
    checks.yours(blank)
    for thread in threading.enumerate():
        if thread.name == "PyTorch's optimizers":
            thread.join()
    print("torch._dynamo" in sys.modules)
"""


def test_the_first_blank_of_chapter_4_loads_the_optimizers_before_the_first_step_is_written():
    run = subprocess.run([sys.executable, "-c", FIRST_BLANKS], capture_output=True, text=True)
    assert [line for line in run.stdout.splitlines() if line in ("True", "False")] == ["False", "True"], run.stderr


def test_garbage_is_not_kept_for_ever_and_what_comes_later_is_collected():
    source = """
import gc, weakref
from helpers import machine

class Ring:
    def __init__(self):
        self.ring = self

gc.disable()
old = weakref.ref(Ring())
machine.prepare()
left_out, new = gc.get_freeze_count(), weakref.ref(Ring())
machine.prepare()
gc.collect()
assert old() is new() is None
assert gc.get_freeze_count() <= left_out
"""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_cores_of_this_thread_are_lent_and_come_back():
    X = torch.rand(500, 500)
    expected = X @ X
    threads = torch.get_num_threads()
    assert lend_cores() in (True, False)  # PyTorch 2.6 cannot, nor can it on a Mac
    assert torch.equal(X @ X, expected)
    assert torch.get_num_threads() == threads


@pytest.mark.skipif(sys.platform != "linux", reason="only PyTorch's builds for Linux use GNU OpenMP")
def test_cores_are_lent_if_openmp_has_the_function():
    (library,) = machine.OPENMP.glob("libgomp*")
    assert lend_cores() == (b"omp_pause_resource_all" in library.read_bytes())


@pytest.mark.parametrize("openmp", ["none", "damaged", "too old"])
def test_without_the_function_training_goes_on(openmp, tmp_path, monkeypatch, batches):
    if openmp == "damaged":
        (tmp_path / "libgomp.so.1").write_bytes(b"no library")
    elif openmp == "too old":
        shutil.copy(_ctypes.__file__, tmp_path / "libgomp.so.1")  # any library without it
    monkeypatch.setattr(machine, "OPENMP", tmp_path)
    assert not lend_cores()
    assert len(list(train(mlp((256,)), batches, 1, 0.1, device="cpu"))) > 0


@pytest.mark.parametrize(
    ("limit", "kept"), [("100000 100000", 1), ("50000 100000", 1), ("150000 100000", 1), ("250000 100000", 2)]
)
def test_a_containers_limit_is_kept(limit, kept, tmp_path, monkeypatch):
    (tmp_path / "cpu.max").write_text(f"{limit}\n")
    monkeypatch.setattr(machine, "CONTAINER_LIMIT", tmp_path / "cpu.max")
    keep_to_limit()
    assert torch.get_num_threads() == kept


@pytest.mark.parametrize("limit", ["max 100000", "6400000 100000", "100000 0", "100000", "", None])
def test_without_a_limit_below_them_the_threads_stay(limit, tmp_path, monkeypatch):
    if limit is not None:
        (tmp_path / "cpu.max").write_text(f"{limit}\n")
    monkeypatch.setattr(machine, "CONTAINER_LIMIT", tmp_path / "cpu.max")
    keep_to_limit()
    assert torch.get_num_threads() == 2


@pytest.fixture
def waiting(monkeypatch):
    """A thread that waits for a core for a share of its time, which a test sets."""
    state = {"share": 0.0, "began": time.monotonic()}
    monkeypatch.setattr(machine, "waited", lambda: state["share"] * (time.monotonic() - state["began"]))
    return state


def used(steps=12):
    """How many threads computed each step, with a look at the cores every hundredth of a second."""
    counts = []
    for _ in sharing(range(steps), 2, look_after=0.01):
        counts.append(torch.get_num_threads())
        time.sleep(0.005)
    return counts


def test_alone_all_threads_compute(waiting):
    waiting["share"] = 0.1
    assert used() == [2] * 12


def test_if_others_want_the_cores_one_thread_goes_on_to_the_end(waiting):
    waiting["share"] = 0.9
    counts = used()
    assert counts[0] == 2
    assert counts[-1] == 1
    assert counts == sorted(counts, reverse=True)


def test_what_is_passed_on_can_be_left_and_taken_up_again(waiting):
    steps = iter(range(10))
    for step in sharing(steps, 2):
        if step == 3:
            break
    assert list(sharing(steps, 2)) == [4, 5, 6, 7, 8, 9]


def test_afterwards_the_threads_are_as_many_as_before(waiting):
    waiting["share"] = 0.9
    assert used()[-1] == 1
    assert torch.get_num_threads() == 2


def test_training_shares_the_cores(waiting, monkeypatch, batches):
    monkeypatch.setattr(machine.sharing, "__defaults__", (0.001,))
    waiting["share"] = 0.9
    counts = [torch.get_num_threads() for _ in train(mlp((256,)), batches, 1, 0.1, device="cpu", reports=len(batches))]
    assert counts[-1] == 1
    assert torch.get_num_threads() == 2


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts how long a thread waits")
def test_a_thread_that_cannot_get_a_core_knows_that_it_waited():
    before, ended = waited(), threading.Event()

    def compute_until_it_ends():
        while not ended.is_set():
            torch.rand(300, 300) @ torch.rand(300, 300)

    rivals = [threading.Thread(target=compute_until_it_ends) for _ in range(2 * os.cpu_count())]
    for rival in rivals:
        rival.start()
    wait_for(lambda: waited() > before)
    ended.set()
    for rival in rivals:
        rival.join()


@pytest.mark.parametrize("counted", [None, "", "0", "no numbers here"])
def test_if_the_system_does_not_count_no_thread_has_waited(counted, monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "MY_WAITING", tmp_path / "schedstat")
    if counted is not None:
        (tmp_path / "schedstat").write_text(counted)
    assert waited() == 0
