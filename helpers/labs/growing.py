"""What a lab stands on whose run is seen in the browser while it goes on: only new points of its curves travel."""

import math
import time

import torch
import traitlets as t

from helpers.labs.living import Living
from helpers.labs.runner import RunningLab


class Growing(RunningLab, Living):
    """A `Living` lab with a run. Each of its `curve_points()` also has an "id", a number that no other has.

    Points are sent as messages, which a page that is reloaded has not got: it asks for those that it lacks.
    `STARTS` names the buttons that begin a run or go on with one. The page numbers their presses, so that three of
    them, made while another cell keeps the kernel busy, are one run.
    """

    STARTS = ("Train",)
    going = t.Dict().tag(sync=True)
    refused = False  # True if no run can be begun with the present settings: the picture is an old one

    def __init__(self, controls, buttons):
        self._sent, self._presses = {}, 0
        super().__init__(controls, buttons)

    def go_on(self, work, steps):
        """As `RunningLab`; the page sees at once that it was heard."""
        super().go_on(work, steps)
        self.grow()

    def _end(self):
        super()._end()
        self.grow()
        self.keep_still()

    def _explain(self, error):
        super()._explain(error)
        self.grow()

    def grow(self):
        """Send the points that are new since the last call, and how the run goes."""
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
        """Send the points of a curve from number `start` on, one float32 after another; None becomes NaN."""
        points = curve["points"][start:]
        if points:
            rows = [[math.nan if number is None else number for number in point] for point in points]
            data = torch.tensor(rows, dtype=torch.float32, device="cpu").numpy().tobytes()
            self.send({"points": curve["id"], "at": start, "count": len(points)}, [data])

    def hear(self, message, buffers):
        """As every lab does; also send the points that a page lacks."""
        if "lacking" in message:  # {id: how many points the page has}
            for curve in self.curve_points():
                self._send_points(curve, message["lacking"].get(str(curve["id"]), 0))
            return
        if message.get("press") in self.STARTS:
            if message["nth"] != self._presses + 1:
                return  # it is known already
            self._presses += 1
        super().hear(message, buffers)
        self.grow()

    def state(self):
        """All that the browser shows, and how the run goes, as a plain dict: for tests."""
        return {**Living.state(self), **RunningLab.state(self), "going": self.going}


class NowAndThen:
    """Calls `action` five times a second, and less often if it would take more than a 25th of the run's time."""

    def __init__(self, action):
        self.action, self.next = action, 0.0

    def __call__(self):
        """Call the action, if it is due."""
        began = time.monotonic()
        if began >= self.next:
            self.action()
            ended = time.monotonic()
            self.next = ended + max(0.2, 25 * (ended - began))
