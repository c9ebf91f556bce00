"""How many of the machine's cores are ours, and what to do when others want them too."""

import contextlib
import ctypes
import threading
import time
from pathlib import Path

import torch

CONTAINER_LIMIT = Path("/sys/fs/cgroup/cpu.max")  # Linux, control group v2: microseconds of computing, of how many
OPENMP = Path(torch.__file__).parent / "lib"  # where PyTorch keeps the OpenMP that it computes with
MY_WAITING = Path("/proc/thread-self/schedstat")  # Linux: nanoseconds computed, nanoseconds waited, turns


def keep_to_limit():
    """Let PyTorch take no more threads than a container's limit, at which it does not look.

    On a server of 64 cores a student with a limit of one core would have 64 threads that wait for each other. Half a
    core is none: with 2 threads and a limit of 1.5 cores, both are halted again and again.
    """
    # No such file, or no numbers in it: "max" is no limit, and not every container writes what Linux does.
    with contextlib.suppress(OSError, ValueError, ZeroDivisionError):
        quota, period = map(int, CONTAINER_LIMIT.read_text().split())
        torch.set_num_threads(min(torch.get_num_threads(), max(1, quota // period)))


def lend_cores():
    """Dismiss the OpenMP threads that wait for this thread's next operation; False if PyTorch brought no way to do it.

    They come back by themselves. As long as they are there, GNU OpenMP finds more threads than cores when another
    thread computes, and lets them sleep at each of its many small steps: on 2 cores, training in a second thread took
    two to five times as long. OpenMP 5.0, section 3.2.44, omp_pause_resource_all. PyTorch 2.6 is older than that, and
    only its builds for Linux use GNU OpenMP.
    """
    omp_pause_soft = 1
    for library in OPENMP.glob("libgomp*"):
        with contextlib.suppress(OSError, AttributeError):  # a library that cannot be loaded, or lacks the function
            return ctypes.CDLL(str(library)).omp_pause_resource_all(omp_pause_soft) == 0
    return False


def waited():
    """Seconds that this thread has been ready to compute but had no core, so far; 0 if the system does not count."""
    try:
        return int(MY_WAITING.read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def sharing(steps, threads, look_after=0.5):
    """Pass on `steps`, computed with `threads` threads; with one, as soon as others want the cores too.

    The threads that share a step must wait for the one that got no core: on 2 cores, beside another program that
    computed with two threads, an epoch of LeNet took 41 s instead of 2. So this looks, every `look_after` seconds,
    whether this thread has waited for a core for more than 40 % of the time, as it does when several kernels train on
    one machine. At the end the thread that took the first step has its `threads` again.
    """
    torch.set_num_threads(threads)
    mine = threading.get_ident()
    began, before = time.monotonic(), waited()
    try:
        for step in steps:
            yield step
            passed = time.monotonic() - began
            if passed > look_after and torch.get_num_threads() > 1:
                if waited() - before > 0.4 * passed:
                    torch.set_num_threads(1)
                began, before = time.monotonic(), waited()
    finally:
        # Each thread has a number of its own, and whoever throws these steps away may be another thread.
        if threading.get_ident() == mine:
            torch.set_num_threads(threads)
