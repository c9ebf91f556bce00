"""The base of labs with a run that the browser shows while it goes on: only the new points of its curves are sent."""

import math
import time

import torch
import traitlets as t

from helpers.labs.living import Living
from helpers.labs.runner import RunningLab


class Growing(RunningLab, Living):
    """A `Living` lab with a run. Each of its `curve_points()` also has an "id", a unique number.

    Points are sent as messages. A page that was reloaded has missed some, and asks for them.
    `STARTS` names the buttons that start or resume a run. The page numbers their presses, so that three presses made
    while another cell keeps the kernel busy are one run.
    """

    STARTS = ("Train",)
    going = t.Dict().tag(sync=True)
    refused = False  # True if the present settings allow no run, so that the picture is an old one

    def __init__(self, controls, buttons):
        self._sent, self._presses = {}, 0
        super().__init__(controls, buttons)

    def go_on(self, work, steps):
        """As `RunningLab`; the page learns at once that the run has started."""
        super().go_on(work, steps)
        self.grow()

    def _end(self):
        super()._end()
        self.grow()

    def rest(self):
        """Update the still picture, which takes a tenth of a second."""
        self.keep_still()

    def _explain(self, error):
        super()._explain(error)
        self.grow()

    def grow(self):
        """Send the points that are new since the last call, and how the run goes; best in one message with the rest.

        Each message makes the browser draw, and on two cores it takes that time from the training.
        """
        curves, (done, total) = self.curve_points(), self.far()
        for curve in curves:
            self._send_points(curve, self._sent.get(curve["id"], 0))
        self._sent = {curve["id"]: len(curve["points"]) for curve in curves}
        self.going = {
            "phase": self.phase, "share": min(done / total, 1) if total else 0, "refused": self.refused,
            "end": total, "presses": self._presses,
            "curves": [{"id": c["id"], "name": c["name"], "points": len(c["points"])} for c in curves],
        }  # fmt: skip

    def _send_points(self, curve, start):
        """Send the points of a curve from number `start` on as float32; None becomes NaN."""
        points = curve["points"][start:]
        if points:
            rows = [[math.nan if number is None else number for number in point] for point in points]
            data = torch.tensor(rows, dtype=torch.float32, device="cpu").numpy().tobytes()
            self.send({"points": curve["id"], "at": start, "count": len(points)}, [data])

    def hear(self, message, buffers):
        """As every lab does; also send the points that a page has missed."""
        if "lacking" in message:  # {id: how many points the page has}
            for curve in self.curve_points():
                self._send_points(curve, message["lacking"].get(str(curve["id"]), 0))
            return
        if message.get("press") in self.STARTS:
            if message["nth"] != self._presses + 1:
                return  # that press has been answered
            self._presses += 1
        super().hear(message, buffers)
        self.grow()

    def state(self):
        """All that the browser shows, and how the run goes, as a plain dict: for tests."""
        return {**Living.state(self), **RunningLab.state(self), "going": self.going}


class NowAndThen:
    """Calls `action` five times a second, where most happens, and after some seconds only twice.

    It is called less often if it would take more than a 25th of the run's time. A browser on the same two cores needs
    time for each picture as well, and while it has one core, a step that two threads share waits.
    """

    def __init__(self, action):
        self.action, self.first, self.next = action, time.monotonic(), 0.0

    def __call__(self):
        """Call the action, if it is due."""
        began = time.monotonic()
        if began >= self.next:
            self.action()
            ended = time.monotonic()
            pause = min(max(0.2, (ended - self.first) / 8), 0.5)
            self.next = ended + max(pause, 25 * (ended - began))
