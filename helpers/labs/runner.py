"""One training run at a time, in a thread of its own, so that sliders and Stop stay alive."""

import threading

import torch
from IPython import get_ipython

from helpers.cores import lend_cores

PATIENCE = 10  # seconds for a step to end; one of a lab takes 0.2 s at most on 2 cores, its measuring a second


class Runner:
    """Iterates over a generator in a thread. In the whole kernel only one run goes on: a new one ends the old.

    A step that hangs, as a student's own network may, never holds up the notebook: after PATIENCE seconds its run is
    left alone, and ends by itself after that step.
    """

    _latest = None

    def __init__(self):
        Runner.end_latest()  # a cell that is run again makes a new runner: the run of the old one ends
        self._thread, self._stop, self._quiet, self._error = None, threading.Event(), threading.Event(), None

    @staticmethod
    def end_latest():
        """End the run that is going on in this kernel, if there is one."""
        if Runner._latest:
            Runner._latest.stop()
            Runner._latest._quiet.set()  # also where its last step has not ended yet

    def start(self, steps, then, failed):
        """Iterate over `steps` in the thread, then call `then()` there; after an error, `failed(error)` instead.

        A generator that was stopped goes on where it was.
        """
        Runner.end_latest()
        Runner._latest = self
        end_on_interrupt(self)
        # New ones for each run: one that was left alone must find its own when its step ends at last.
        self._stop, self._quiet, self._error = threading.Event(), threading.Event(), None
        threads = torch.get_num_threads() if lend_cores() else 1
        work = [steps, then, failed, self._stop, self._quiet, threads]
        self._thread = threading.Thread(target=self._work, args=work, name="a lab's run", daemon=True)
        self._thread.start()

    def _work(self, steps, then, failed, stop, quiet, threads):
        torch.set_num_threads(threads)
        try:
            for _ in steps:
                if stop.is_set():
                    break
            if not quiet.is_set():
                then()
        except Exception as error:  # nobody would see it here: `failed` shows it, wait() raises it again
            if not quiet.is_set():
                self._error = error
                failed(error)

    def stop(self):
        """End the run after its present step and wait for the thread; nothing happens if none runs."""
        self._stop.set()
        if self._thread and self._thread is not threading.current_thread():
            self._thread.join(PATIENCE)

    def cancel(self):
        """End the run after its present step, wait for the thread, and do not call `then`: a new run follows."""
        self._quiet.set()
        self.stop()

    def ask_to_stop(self):
        """End the run after its present step, without waiting for it."""
        self._stop.set()

    @property
    def running(self):
        """True while a run goes on."""
        return self._thread is not None and self._thread.is_alive()

    def wait(self):
        """Wait for the run to end by itself; an error in it is raised here. An interrupt of the kernel ends the run."""
        try:
            while self.running:
                self._thread.join(0.2)  # without a limit, Windows would not let an interrupt through
        except KeyboardInterrupt:
            self.stop()
        if self._error:
            raise self._error


def end_on_interrupt(runner):
    """Let JupyterLab's ■ end a run also while no cell is running, when ipykernel would ignore it."""
    kernel = getattr(get_ipython(), "kernel", None)
    # ipykernel puts this handler in place when it has dealt with the message that started the run.
    if hasattr(kernel, "saved_sigint_handler"):
        kernel.saved_sigint_handler = lambda *signal: runner.ask_to_stop()
