"""Points instead of a verdict, for a notebook that a machine grades: see `helpers/teacher/assignment.py`."""

import contextlib
import io
import os
import pickle
import select
import signal
import time

from helpers.checks.attempt import load_compiler

LIMIT = 120  # seconds for one check


def graded(points, check):
    """The points that an answer earns: all of them if `check()` returns a verdict that is right, else 0.

    check: a function without arguments. The verdict is printed beside the points. If the system can fork, the check
    runs in its own process: an answer that never ends, crashes or fills the memory costs only its own points.
    """
    verdict = in_a_process(check) if hasattr(os, "fork") else _tried(check)
    print(verdict)
    return points if verdict.startswith("✅") else 0


def in_a_process(check, limit=LIMIT):
    """What a check says, as a text, from a copy of this process that is killed after `limit` seconds."""
    load_compiler()  # once, not in each child
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        _answer_through(writing, check)
    os.close(writing)
    with open(reading, "rb") as pipe:
        said, deadline = b"", time.monotonic() + limit
        while select.select([pipe], [], [], max(0, deadline - time.monotonic()))[0]:
            chunk = os.read(reading, 65_536)
            if not chunk:
                break
            said += chunk
        else:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return f"❌ The check was ended after {limit} seconds: does your code come to an end?"
    os.waitpid(child, 0)
    return pickle.loads(said) if said else "❌ Your code ended Python itself."


def _answer_through(pipe, check):
    """In the child: write what the check says into the pipe, and exit without Python's clean-up."""
    import torch

    torch.set_num_threads(1)  # the parent's threads do not exist here, but OpenMP would wait for them
    with open(pipe, "wb") as answer:
        pickle.dump(_tried(check), answer)
    os._exit(0)


def _tried(check):
    """What a check says; what the answer prints or warns about is dropped, since text on stderr costs all points."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            return repr(check())
        except Exception as error:
            return f"❌ The check could not run: {type(error).__name__}: {error}"
