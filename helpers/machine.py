"""What the work asks of the machine: a device, cores, memory, quiet. Importing this changes nothing; `prepare` does."""

import atexit
import contextlib
import ctypes
import gc
import importlib
import platform
import sys
import threading
import time
from pathlib import Path

import torch

CONTAINER_LIMIT = Path("/sys/fs/cgroup/cpu.max")  # Linux, control group v2: microseconds of computing, of how many
OPENMP = Path(torch.__file__).parent / "lib"  # the folder of the OpenMP that PyTorch computes with
MY_WAITING = Path("/proc/thread-self/schedstat")  # Linux: nanoseconds computed, nanoseconds waited, turns


def prepare():
    """Make this process ready for work. `train` calls it first, and so does every lab; a second call changes nothing.

    It is a call, not a side effect of `import helpers`: a program that only borrows a function keeps its own settings
    for threads, memory and garbage collection.
    """
    keep_to_limit()
    keep_memory()
    spare_what_was_imported()


def load_optimizers():
    """Load in a thread what PyTorch otherwise loads when the first optimizer is made, while a student would wait.

    That is `torch._dynamo`, which compiles networks, and the 900 modules that it needs: 3.4 s on 2 cores.
    """
    if "torch._dynamo" not in sys.modules:
        threading.Thread(target=importlib.import_module, args=["torch._dynamo"], name="PyTorch's optimizers").start()


def keep_to_limit():
    """Let PyTorch take no more threads than the container's limit, which it ignores.

    On a server with 64 cores, a student with a limit of one core would have 64 threads that wait for each other. Half a
    core counts as none: with 2 threads and a limit of 1.5 cores, both would be halted again and again.
    """
    # There may be no such file, or no numbers in it: "max" is no limit, and not every container writes what Linux does.
    with contextlib.suppress(OSError, ValueError, ZeroDivisionError):
        quota, period = map(int, CONTAINER_LIMIT.read_text().split())
        torch.set_num_threads(min(torch.get_num_threads(), max(1, quota // period)))


def keep_memory():
    """Have the C library keep what a step frees, up to 128 MB, for the next step: on Linux with glibc, else nothing.

    glibc would return it to the system and request it again, page by page, step after step: on 2 cores that made a step
    of the textbook's LeNet with 256 images up to 1.7 times as long. See `man mallopt`.
    """
    if platform.libc_ver()[0] == "glibc":  # a Python built with musl may say so too, if a library in it names glibc
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt:
            mallopt(-3, 32 * 2**20)  # M_MMAP_THRESHOLD: blocks up to this size come from the heap
            mallopt(-1, 128 * 2**20)  # M_TRIM_THRESHOLD: this much may lie free at its end


def spare_what_was_imported():
    """Have the garbage collector ignore, from now on, everything that exists already: once in a process.

    What PyTorch and Matplotlib create while they are imported stays for the life of the kernel, and walking through it
    takes 0.2 s, which would interrupt a slider in mid-move.
    """
    if not gc.get_freeze_count():
        gc.collect()  # frozen garbage would stay, too
        gc.freeze()
        atexit.register(gc.unfreeze)


def try_gpu(i=0):
    """The i-th CUDA GPU, else Apple's (MPS), else the CPU: a `torch.device` (chapter 4). Like `d2l.try_gpu`."""
    if torch.cuda.is_available() and torch.cuda.device_count() > i:
        return torch.device("cuda", i)
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def wait_for(device):
    """Return when `device` has done all its work: a GPU returns from a call before the work is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def lend_cores():
    """Dismiss the OpenMP threads that wait for this thread's next operation; False if PyTorch has no way to do it.

    They come back by themselves. While they exist and another thread computes, GNU OpenMP counts more threads than
    cores, and lets them sleep at each of its many small steps: on 2 cores, training in a second thread took two to
    five times as long. OpenMP 5.0, section 3.2.44, omp_pause_resource_all. PyTorch 2.6 is older than that, and only its
    builds for Linux use GNU OpenMP.
    """
    omp_pause_soft = 1
    for library in OPENMP.glob("libgomp*"):
        with contextlib.suppress(OSError, AttributeError):  # a library that cannot be loaded, or lacks the function
            return ctypes.CDLL(str(library)).omp_pause_resource_all(omp_pause_soft) == 0
    return False


def waited():
    """Seconds so far in which this thread was ready to compute but had no core; 0 if the system does not count them."""
    try:
        return int(MY_WAITING.read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def sharing(steps, threads, look_after=0.5):
    """Yield `steps`, computed with `threads` threads, or with one as soon as other programs need the cores too.

    The threads that share a step must wait for the one that got no core: on 2 cores, beside another program that
    computed with two threads, an epoch of LeNet took 41 s instead of 2. So every `look_after` seconds this checks
    whether the thread has waited for a core for more than 40% of the time, as happens when several kernels train on
    one machine. At the end the thread that took the first step gets its `threads` back.
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
        # Each thread has its own number, and the thread that drops these steps may be another one.
        if threading.get_ident() == mine:
            torch.set_num_threads(threads)
