"""One training run at a time, in a thread of its own, so that sliders and Stop stay alive."""

import math
import signal
import threading
import time

import torch
from IPython import get_ipython

from helpers.machine import lend_cores

PATIENCE = 10  # seconds for a step to end; one of a lab takes 0.2 s at most on 2 cores, its measuring a second


class Runner:
    """Iterates over a generator in a thread. Only one run goes on in the whole kernel: a new one ends the old one.

    A step that hangs, as a student's own network may, never holds up the notebook: after PATIENCE seconds its run is
    left to itself, and ends after that step.
    """

    _latest = None

    def __init__(self):
        Runner.end_latest()  # a cell that is run again makes a new runner, and the old one's run must end
        self._thread, self._stop, self._quiet, self._error = None, threading.Event(), threading.Event(), None
        self._over = threading.Event()

    @staticmethod
    def end_latest():
        """End the run that is going on in this kernel, if any."""
        if Runner._latest:
            Runner._latest.stop()
            Runner._latest._quiet.set()  # even if its last step has not ended yet
            Runner._latest._let_rest()

    def start(self, steps, then, failed, afterwards=lambda: None):
        """Iterate over `steps` in the thread, then call `then()` there, or `failed(error)` after an error.

        `afterwards()` follows `then()` when the run counts as ended, so that nobody waits for it.
        A generator that was stopped resumes at the same step.
        """
        Runner.end_latest()
        Runner._latest = self
        end_on_interrupt(self)
        # New events for each run: one that was left to itself must still find its own when its step ends.
        self._stop, self._quiet, self._error = threading.Event(), threading.Event(), None
        self._over = threading.Event()
        threads = torch.get_num_threads() if lend_cores() else 1
        work = [steps, then, failed, afterwards, self._stop, self._quiet, self._over, threads]
        self._thread = threading.Thread(target=self._work, args=work, name="a lab's run", daemon=True)
        self._thread.start()

    def _work(self, steps, then, failed, afterwards, stop, quiet, over, threads):
        torch.set_num_threads(threads)
        try:
            for _ in steps:
                if stop.is_set():
                    break
            if not quiet.is_set():
                then()
        except Exception as error:  # in a thread it would be lost: `failed` shows it, wait() raises it again
            if not quiet.is_set():
                self._error = error
                failed(error)
        finally:
            over.set()
        if not quiet.is_set():
            afterwards()

    def stop(self):
        """End the run after its present step and wait for that; does nothing without a run."""
        self._stop.set()
        if self._thread and self._thread is not threading.current_thread():
            self._over.wait(PATIENCE)

    def cancel(self):
        """End the run after its present step, wait for the thread, and do not call `then`: a new run follows."""
        self._quiet.set()
        self.stop()
        self._let_rest()
        self._error = None  # its traceback would keep the network in memory

    def _let_rest(self):
        """Wait for what follows a run that has ended: it may still compute with the networks."""
        if self._over.is_set() and self._thread is not threading.current_thread():
            self._thread.join()

    def ask_to_stop(self):
        """End the run after its present step, without waiting for it."""
        self._stop.set()

    @property
    def running(self):
        """True while a run goes on."""
        return self._thread is not None and not self._over.is_set()

    def wait(self):
        """Wait until the run has ended by itself, with what follows it; its error, if any, is raised here.

        A keyboard interrupt ends the run.
        """
        try:
            while self._thread and self._thread.is_alive():
                self._thread.join(0.2)  # without a limit, Windows would not let an interrupt through
        except KeyboardInterrupt:
            self.stop()
        if self._error:
            raise self._error


class RunningLab:
    """The base of labs that run something: it starts, stops and closes the run, and says how far it is.

    Comes before `Living` in the list of base classes. The lab needs a `runner`, a `message`, `buttons`, {name: button}
    including "Stop", and four methods:
      far(): how far the present run has come, and how far it goes, in units;
      ready(): whether each button would do something now, {name: True or False}, for all but Stop;
      present(): draws this moment;
      curve_points(): a list of {"name": ..., "points": list of tuples}, the present curve last.
    """

    unit = "epoch"  # in which `far` counts
    held = ()  # names of attributes that keep networks and images in memory
    running = None  # what the run works on

    def go_on(self, work, steps):
        """Start or resume `steps` in the thread; `work` is what they change."""
        self.running, self._since = work, (time.monotonic(), self.far()[0])
        self.enable()
        self.runner.start(steps, then=self._end, failed=self._explain, afterwards=self.rest)

    def stop(self):
        """End the run after its present step, keeping what it has reached."""
        if self.running is None:
            return
        self.message.say("Stopping: the present step must end first.")
        self.runner.stop()
        if self.runner.running:
            self.message.say(
                "The present step takes unusually long. The run ends after it; you can start a new one now.",
                trouble=True,
            )

    def cancel(self):
        """End the run without a message, because something else follows."""
        self.runner.cancel()
        self.running = None

    def close(self):
        """End the run, close the lab with all its widgets, and release its networks and images."""
        self.cancel()
        super().close()
        for name in self.held:  # IPython keeps what a cell has shown, as Out[5], for the life of the kernel
            setattr(self, name, None)

    def _end(self):
        self.running = None
        self.finish()
        self.enable()

    def rest(self):
        """What can wait until the results are shown."""

    def _explain(self, error):
        """Show what ended the run."""
        self.running = None
        self.message.say(f"The run ended: {str(error) or type(error).__name__}", trouble=True)
        self.enable()

    def enable(self):
        """Enable only the buttons that would do something now."""
        with self.hold_sync():
            for name, does_something in {"Stop": self.running is not None, **self.ready()}.items():
                self.buttons[name].disabled = not does_something

    @property
    def phase(self):
        """One of "idle", "waiting" (for the first step), "training", "stopped" and "done"."""
        done, total = self.far()
        if self.running is not None:
            return "training" if done > self._since[1] else "waiting"
        if not done or not total:
            return "idle"
        return "done" if done >= total else "stopped"

    def seconds_left(self):
        """How much longer the run will take, in seconds, with drawing and measuring; None if not known yet."""
        if self.phase != "training":
            return None
        (since, before), (done, total) = self._since, self.far()
        elapsed = time.monotonic() - since
        return elapsed * (total - done) / (done - before) if elapsed > 0.5 else None

    def status(self):
        """A sentence on how far the run has come; "" before the first run."""
        (done, total), left, phase = self.far(), self.seconds_left(), self.phase
        whole = f"{total} {self.unit}{'' if total == 1 else 's'}"
        if phase in ("waiting", "training"):
            soon = "" if left is None else f", about {duration(left)} left"
            return f"Training: {self.unit} {min(math.floor(done) + 1, total)} of {total}{soon}."
        said = {"idle": "", "stopped": f"Stopped after {round(done, 2):g} of {whole}.", "done": f"Done: {whole}."}
        return said[phase]

    def state(self):
        """Everything that a picture of the lab needs, as a plain dict.

        "phase": see `phase`; "epoch" and "epochs", in some labs "step" and "steps": how far the run is, out of how
        many; "seconds_left": None if not known; "curves": `curve_points()`; "result": a line to hand in, or "";
        "message": text; "trouble": True if the message is a warning.
        """
        done, total = self.far()
        return {
            "phase": self.phase, self.unit: done, f"{self.unit}s": total, "seconds_left": self.seconds_left(),
            "curves": self.curve_points(), "result": self.result_text(),
            "message": self.message.value, "trouble": self.message.trouble,
        }  # fmt: skip

    def result_text(self):
        """The line that a student hands in, or ""."""
        return ""

    def finish(self):
        """Show the results of a run that has ended or was stopped."""
        self.present()


def duration(seconds):
    """A time as text, for people who wait: "5 s", "3 min"."""
    return f"{max(seconds, 1):.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def end_on_interrupt(runner):
    """Let JupyterLab's ■ end a run even while no cell is running, when ipykernel would ignore it."""
    kernel = getattr(get_ipython(), "kernel", None)
    if not hasattr(kernel, "saved_sigint_handler"):
        return

    def ask(*interrupt):
        runner.ask_to_stop()

    # ipykernel installs this handler after it has handled the message that started the run.
    kernel.saved_sigint_handler = ask
    if threading.current_thread() is not threading.main_thread():
        # It does so in the main thread only, but a widget's messages are handled in another one.
        kernel.io_loop.add_callback(signal.signal, signal.SIGINT, ask)
