"""Chapter 4: move a slider and the network trains anew."""

import html
import math

import ipywidgets as widgets
import torch
from torch import nn

from helpers import plotting
from helpers.data import Batches, train_validation_split
from helpers.labs.controls import Message, rows_of, slider
from helpers.labs.live import FiveTimesASecond, Picture
from helpers.labs.runner import Runner
from helpers.models import lenet, num_parameters, xavier
from helpers.training import train, try_gpu

LEARNING_RATES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0]
BATCH_SIZE = 64


class Trainer(widgets.VBox):
    """Sliders for learning rate, kernel size and channels, Train and Stop, and the curves of this run and the last.

    A ReLU and max-pooling LeNet learns visibly within seconds on 9,000 training images; 1,000 others measure it.
    """

    def __init__(self, data, num_epochs):
        self.split = train_validation_split(data.train_images[:10_000], data.train_labels[:10_000], 1000)
        self.num_epochs = num_epochs
        self.net, self.history, self.ghosts = None, [], []
        self.runner, self.picture, self.message = Runner(), Picture(), Message()
        self.controls = {
            "lr": widgets.SelectionSlider(
                options=LEARNING_RATES, value=0.1, description="learning rate", style={"description_width": "initial"}
            ),
            "kernel_size": slider("kernel size", 5, 1, 9, 2),
            "channels": slider("first channels", 6, 1, 16),
        }
        self.train_button = widgets.Button(description="Train", button_style="primary")
        self.stop_button = widgets.Button(description="Stop")
        self.train_button.on_click(self.start)
        self.stop_button.on_click(self.stop)
        for control in self.controls.values():
            control.continuous_update = False  # a run for each place that the hand passes would be too many
            control.observe(self.start, names="value")
        super().__init__(
            [
                rows_of(self.controls.values()),
                rows_of([self.train_button, self.stop_button]),
                self.message,
                self.picture,
            ]
        )
        self.message.say("Press Train, or move a slider.")
        self.picture.show(plotting.curves([], num_epochs=num_epochs))

    def start(self, change=None):
        """Train a new network with the present settings; a run that is still going on ends."""
        self.runner.stop()
        if self.history:
            self.ghosts = [*self.ghosts, self.history][-4:]
        self.history = []
        settings = {name: control.value for name, control in self.controls.items()}
        with torch.random.fork_rng(devices=[]):  # the notebook's own random numbers go on as if nothing had happened
            torch.manual_seed(0)
            kernel_size, channels = settings["kernel_size"], (settings["channels"], 16)
            self.net = xavier(lenet(kernel_size, channels, (kernel_size // 2, 0), nn.ReLU, nn.MaxPool2d))
        self.runner.start(self.steps(self.net, settings["lr"]), then=self.draw, failed=self.explain)

    def stop(self, change=None):
        """End the run; the network keeps what it has learnt."""
        self.runner.stop()

    def explain(self, error):
        """Say in words what ended the run."""
        self.message.say(html.escape(f"Training stopped: {error}"), trouble=True)

    def steps(self, net, lr):
        """Train `net`, drawing as it goes; a generator of `Progress`, for the runner."""
        train_images, train_labels, val_images, val_labels = self.split
        device = try_gpu()
        train_iter = Batches(train_images, train_labels, BATCH_SIZE, shuffle=True, seed=0, device=device)
        val_iter = Batches(val_images, val_labels, 256, device=device)
        draw_now_and_then = FiveTimesASecond(self.draw)
        for progress in train(net, train_iter, self.num_epochs, lr, val_iter, device, reports=20):
            self.history = [*self.history, progress]
            draw_now_and_then()
            yield progress

    def draw(self):
        """Show the curves of this run and the ghosts of the last ones."""
        if not self.history:
            return
        last = self.history[-1]
        if math.isnan(last.loss):
            self.message.say("The loss is not a number any more: the learning rate is too high.", trouble=True)
        else:
            self.message.say(f"{num_parameters(self.net):,} parameters, {last}, {last.seconds:.1f} s")
        self.picture.show(plotting.curves(self.history, self.ghosts, self.num_epochs))


def trainer(data, num_epochs=5):
    """The training lab on the first 10,000 training images of `data`, an `ImageData`."""
    return Trainer(data, num_epochs)
