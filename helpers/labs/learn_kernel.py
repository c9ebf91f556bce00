"""Chapter 2: gradient descent finds a kernel, given the output that it should produce on an image."""

import itertools
import time
from typing import NamedTuple

import torch
from torch.nn import functional as F

from helpers import plotting
from helpers.labs.cells import one_a_cell
from helpers.labs.convolution import KERNELS, kernel_preset
from helpers.labs.growing import Growing, NowAndThen
from helpers.labs.living import script
from helpers.labs.runner import Runner
from helpers.labs.settings import Button, Choice, Steps
from helpers.photos import as_grey

LEARNING_RATES = (0.01, 0.03, 0.1, 0.2, 0.3, 0.4, 0.6, 1, 3, 10)
NUM_STEPS = 300  # of one run
PAUSE = 0.015  # seconds between two steps: slow enough to watch the kernel change
NUM_GHOSTS = 3


class Descent:
    """Gradient descent on a 3×3 kernel, from random weights towards the output of another kernel on one image.

    image: (height, width); target: (3, 3). `kernel` and `output` are those of this moment; `losses` has the mean
    squared difference from the wanted output before the first step and after each.
    """

    def __init__(self, image, target, lr):
        self.X, self.lr, self.target = image[None, None], lr, target
        self.wanted = F.conv2d(self.X, target[None, None])
        chance = torch.Generator().manual_seed(0)
        self.weight = torch.randn(1, 1, 3, 3, generator=chance, dtype=torch.float).requires_grad_()
        self.losses = []
        self._look()

    def _look(self):
        with torch.enable_grad():  # even if a cell has switched gradients off
            self.made = F.conv2d(self.X, self.weight)
            self.loss = F.mse_loss(self.made, self.wanted)
        self.losses.append(self.loss.item())

    def step(self):
        """One step against the gradient."""
        (gradient,) = torch.autograd.grad(self.loss, self.weight)
        with torch.no_grad():
            self.weight -= self.lr * gradient
        self._look()

    @property
    def above_start(self):
        """True if the loss has grown, or is NaN."""
        return not self.losses[-1] <= self.losses[0]

    @property
    def diverged(self):
        """True if the loss has grown so much that going on would show nothing new."""
        return not self.losses[-1] <= 1000 * self.losses[0]

    def verdict(self):
        """A sentence on how far the descent has come."""
        count, start, loss = len(self.losses) - 1, self.losses[0], self.losses[-1]
        if not count:
            return f"The kernel begins with random weights; its loss is {start:.3g}. Press Step or Run."
        if self.above_start:
            return (
                f"Step {count}: the loss is {loss:.3g}, above its start ({start:.3g}): "
                f"the learning rate {self.lr:g} is too high. Choose a smaller one."
            )
        return f"Step {count}: the loss is {loss:.3g}; at the start it was {start:.3g}."

    def figure(self, ghosts=()):
        """The picture of this moment; ghosts: as in `plotting.learn_kernel`."""
        kernel, made = self.weight.detach()[0, 0], self.made.detach()[0, 0]
        return plotting.learn_kernel(self.target, kernel, self.wanted[0, 0], made, self.losses, ghosts)


class Curve(NamedTuple):
    """The losses of a descent, one more than its steps; `id` is unique among the descents of the lab."""

    id: int
    name: str
    losses: list


class KernelLearning(Growing):
    """A target kernel and a learning rate; Step, Run, Stop and Reset move a descent towards the target.

    Moving a control starts again from the same random kernel, and a run that was going on restarts. The curves of the
    latest runs towards the same target stay as ghosts.
    """

    NAME, STARTS = "learn", ("Run",)
    _esm = script("learn_kernel.js")
    unit, held = "step", ("image", "descent", "ghosts", "curve", "arrays")

    def __init__(self, image):
        self.image = as_grey(image)
        self.runner, self.descent, self.curve, self.ghosts, self.goal = Runner(), None, None, [], 0
        self.numbers = itertools.count()
        controls = {
            "target": Choice("target kernel", KERNELS),
            "lr": Steps("learning rate", LEARNING_RATES, 0.2, patient=True),
        }
        buttons = {
            "Run": Button("Run", self.run, group="descent"),
            "Stop": Button("Stop", self.stop, group="descent"),
            "Step": Button("Step", self.step, group="descent"),
            "Reset": Button("Reset", self.reset, group="descent"),
        }
        super().__init__(controls, buttons)

    def draw(self, **values):
        """The kernel and its map, what both should become, and how far the descent has come."""
        descent = self.descent
        arrays = {"target": descent.target, "kernel": descent.weight.detach()[0, 0]}
        arrays |= {"wanted": descent.wanted[0, 0], "output": descent.made.detach()[0, 0]}
        return arrays, {}, "\n".join(filter(None, [self.status(), descent.verdict()]))

    def still(self, **values):
        """The picture of this moment."""
        return self.descent.figure([(ghost.name, ghost.losses) for ghost in self.ghosts])

    def redraw(self):
        """A control has moved: start again, and keep the curve of the last run as a ghost."""
        was_running = self.running
        self.cancel()
        self._begin()
        self.present()
        if was_running:
            self.run()

    def _begin(self):
        last, target = self.descent, kernel_preset(self.controls["target"].value, 3)
        if last and not torch.equal(last.target, target):
            self.ghosts = []
        elif last and len(last.losses) > 1:
            self.ghosts = [*self.ghosts, self.curve][-NUM_GHOSTS:]
        self.descent, self.goal = Descent(self.image, target, self.controls["lr"].value), 0
        self.curve = Curve(next(self.numbers), f"lr {self.descent.lr:g}", self.descent.losses)

    def present(self):
        """Show the kernel and the loss of this moment; a loss above its start in red."""
        with self.hold_sync():
            super().redraw()
            self.message.say(self.message.value, self.descent.above_start)
            self.enable()
            self.grow()

    def step(self):
        """Take one step; a run that is going on ends."""
        self.cancel()
        self.goal = 0
        self.descent.step()
        self.present()

    def run(self):
        """Take the next NUM_STEPS steps in a thread, or the remaining steps of a run that was stopped."""
        if self.running is None:
            done, goal = self.far()
            self.goal = goal if done < goal else done + NUM_STEPS
            self.go_on(self.descent, self._steps())

    def _steps(self):
        show_now_and_then = NowAndThen(self.present)
        while len(self.descent.losses) <= self.goal and not self.descent.diverged:
            self.descent.step()
            show_now_and_then()
            yield
            time.sleep(PAUSE)

    def reset(self):
        """Go back to the random kernel and forget the ghosts."""
        self.cancel()
        self.descent, self.ghosts = None, []
        self.redraw()

    def far(self):
        """The steps taken, and the step at which the present run ends; 0 before the first."""
        return len(self.descent.losses) - 1, self.goal

    def ready(self):
        """Once the loss has grown out of hand, there is nothing left to run."""
        return {"Run": self.running is None and not self.descent.diverged}

    def curve_points(self):
        """(step, loss) for each curve; "name" is the learning rate."""
        curves = [*self.ghosts, self.curve]
        return [{"id": curve.id, "name": curve.name, "points": list(enumerate(curve.losses))} for curve in curves]


@one_a_cell
def learn_kernel(image):
    """The lab that learns a kernel (chapter 2); image: a square of bytes or of floats from 0 to 1."""
    return KernelLearning(image)
