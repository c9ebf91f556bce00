"""Chapter 4: move a slider and a new network trains."""

import html
import re
from pathlib import Path

import ipywidgets as widgets

from helpers import plotting
from helpers.any_network import classes_of
from helpers.data import Batches, train_validation_split
from helpers.diagnosis import diagnose
from helpers.errors import DataError, ShapeError
from helpers.labs.board import BoardLine
from helpers.labs.cells import Whole, one_a_cell
from helpers.labs.class_experiment import result_line
from helpers.labs.controls import FULL_LABEL, Message, button, choice, rows_of, slider, steps, switch
from helpers.labs.lab import FiveTimesASecond, Picture
from helpers.labs.runner import Runner, RunningLab
from helpers.labs.runs import (
    ACTIVATIONS,
    LEARNING_RATES,
    OPTIMIZERS,
    POOLINGS,
    PRESETS,
    Run,
    keep,
    network,
    points,
    table,
)
from helpers.models import num_parameters
from helpers.training import evaluate_accuracy, train, try_gpu
from helpers.weights import load_weights, save_weights

OWN = "own settings"
GHOSTS = 4  # earlier runs whose curves stay in grey


class Trainer(RunningLab, Whole):
    """Controls of a LeNet and of its training; every move trains a new network, with the earlier runs in grey.

    The ReLU and max-pooling LeNet that it begins with learns visibly within seconds on 9,000 training images; 1,000
    others measure it. The test images stay closed until the Test button, once a run.
    """

    held = ("runs", "ghosts", "curves", "unfinished", "data", "val_iter", "_split")

    def __init__(self, data, num_epochs):
        self.data, self.device = data, try_gpu()
        self.runner, self.picture, self.message = Runner(), Picture(), Message(lines=3)
        self.controls = _controls(num_epochs)
        self.board = BoardLine("trainer", self.controls, self.start)
        self.begun_with = self.board.values()
        self._naming, self._split = False, None
        self.preset = choice("preset", [*PRESETS, OWN])
        self.preset.observe(self._choose, names="value")
        self.buttons = {
            "Train": button("Train", self.start, button_style="primary"),
            "Stop": button("Stop", self.stop),
            "Resume": button("Resume", self.resume),
            "Reset": button("Reset", self.reset, tooltip="Forget all runs and put every control back"),
            "Test": button("Test (once a run)", self.test, tooltip="Measure this network on the test images"),
        }
        self.table, self.predictions = widgets.HTML(), Picture()
        self.result = widgets.Text(description="result line", style=FULL_LABEL, layout={"width": "98%"})
        self.file_message = Message(lines=0)
        self.file = widgets.Text("my-lenet.pt", description="file", style=FULL_LABEL)
        super().__init__(self._layout())
        self._forget()

    def _layout(self):
        front = [self.controls[name] for name in ("lr", "kernel", "channels")]
        folded = [control for control in self.controls.values() if control not in front]
        files = rows_of([self.file, button("Save", self.save), button("Load", self.load)])
        more = widgets.VBox([rows_of(folded), files, self.file_message])
        return [
            rows_of([self.preset, *front]),
            rows_of(self.buttons.values()),
            self.message,
            self.picture,
            widgets.Tab([self.table, self.predictions], titles=["Runs", "Predictions"]),
            widgets.Accordion([more], titles=["More settings, save and load"]),
            self.board,
            self.result,
        ]

    @property
    def net(self):
        """The network of the latest run; None before the first."""
        return self.runs[-1].net if self.runs else None

    @property
    def history(self):
        """What the latest run has reported, a list of `Progress`."""
        return self.runs[-1].history if self.runs else []

    def start(self):
        """Train a new network with the present settings; a run that is still going on ends."""
        self.cancel()  # a step that hangs is left alone: the new run has a network of its own
        self.table.value = table(self.runs)  # with the run that has just ended
        settings = self.board.values()
        self._name_preset(settings)
        try:
            net = self._network(settings)
            train_iter, val_iter = self._batches(settings)
        except (ShapeError, DataError) as error:
            self._say(str(error), trouble=True)
            self.enable()
            return
        self._begin(net, settings, val_iter)
        self.unfinished = self._steps(self.runs[-1], train_iter)
        self.go_on(self.runs[-1], self.unfinished)

    def _begin(self, net, settings, val_iter):
        """Make a new run the latest; the earlier ones become grey curves and rows of the table."""
        self.runs = [run for run in self.runs if run.shown]
        self.ghosts = [run for run in self.runs if run.history][-GHOSTS:]
        for run in self.runs:
            run.put_aside(as_ghost=run in self.ghosts)
        self.curves = plotting.LiveCurves([run.history for run in self.ghosts], settings["epochs"])
        self.unfinished, self.val_iter = None, val_iter
        self.runs.append(Run(self.board.line(), settings, net.to(self.device), num_parameters(net)))

    def resume(self):
        """Go on with the run that was stopped, unless the controls ask for a different network or training."""
        if not self.unfinished or self.running:
            return
        if self.board.values() != self.runs[-1].settings:
            self._say(f"The run that was stopped has other settings, {self.runs[-1].line}: press Train.", trouble=True)
            return
        self.go_on(self.runs[-1], self.unfinished)

    def reset(self):
        """Forget all runs and put every control back to its first value."""
        self.cancel()
        self.board.move(self.begun_with, then=self._forget)

    def test(self):
        """Measure the latest network on the test images."""
        run = self.runs[-1]
        test_iter = Batches(self.data.test_images, self.data.test_labels, 256, device=self.device)
        run.test_acc = evaluate_accuracy(run.net, test_iter)
        self._end()

    def save(self):
        """Save the weights of the latest network beside the notebook; never over a file that is there."""
        try:
            if not self.runs:
                raise ValueError("there is no network yet: press Train first")
            path = self._path()
            save_weights(self.net, path)
        except (OSError, ValueError) as error:
            self._say_of_file(f"Not saved: {error}", trouble=True)
        else:
            self._say_of_file(f"Saved as {path.name}, beside this notebook. To load it, the settings must be the same.")

    def load(self):
        """Load saved weights into a network with the present settings, and measure it.

        A file that cannot be loaded changes nothing: a run that is going on goes on.
        """
        settings = self.board.values()
        try:
            net = load_weights(self._network(settings), self._path())
            _, val_iter = self._batches(settings)
        except (DataError, OSError, ValueError) as error:
            self._say_of_file(f"Not loaded: {error}", trouble=True)
            return
        self.cancel()
        self._begin(net, settings, val_iter)
        run = self.runs[-1]
        run.loaded_acc = evaluate_accuracy(net, val_iter)
        self._end()
        self._say(f"Loaded: validation accuracy {run.val_acc:.1%}")

    def far(self):
        """The epochs that the latest run has trained for, and is to train for."""
        run = self.runs[-1] if self.runs else None
        epochs = run.settings["epochs"] if run else self.controls["epochs"].value
        return (self.history[-1].epoch if self.history else 0), epochs

    def ready(self):
        """A run that was stopped can go on with its own settings; test images are read once a run."""
        run = self.runs[-1] if self.runs else None
        idle = run is not None and self.running is None
        return {
            "Resume": idle and self.unfinished is not None and self.board.values() == run.settings,
            "Test": idle and run.shown and run.test_acc is None,
        }

    def curve_points(self):
        """`runs.points` of the earlier runs in grey and of the latest; "name" is the board line."""
        return [{"name": run.line, "points": points(run.history)} for run in [*self.ghosts, *self.runs[-1:]]]

    def result_text(self):
        """The result line of the latest run."""
        return result_line(self.runs[-1]) if self.runs else ""

    def _forget(self):
        """As at the beginning: no runs, empty axes."""
        self.runs, self.ghosts, self.unfinished = [], [], None
        self._name_preset(self.begun_with)
        self.curves = plotting.LiveCurves(num_epochs=self.begun_with["epochs"])
        self.show()
        _, self.val_iter = self._batches(self.begun_with)
        self._show_predictions(self._network(self.begun_with))
        self.table.value, self.result.value = table([]), ""
        self._say("Press Train, or move a slider: each move trains a new network.")
        self.enable()

    def _choose(self, change):
        """Move the controls to the chosen preset."""
        if not self._naming and change.new != OWN:
            self.board.move({**self.begun_with, **PRESETS[change.new][0]})

    def _name_preset(self, settings):
        """Let the list show which preset the settings are, if any."""
        names = [name for name, (changes, _) in PRESETS.items() if {**self.begun_with, **changes} == settings]
        self._naming = True
        self.preset.value = names[0] if names else OWN
        self._naming = False

    def _say(self, text, trouble=False, advice=""):
        """Show a text, and below it advice or, without any, what the preset is about."""
        note = PRESETS[self.preset.value][1] if self.preset.value in PRESETS else ""
        self.message.say(f"{html.escape(text)}<br>{html.escape(advice or note)}", trouble)

    def _say_of_file(self, text, trouble=False):
        """Say below the buttons what came of Save or Load, and above too unless a run is speaking there."""
        self.file_message.say(html.escape(text), trouble)
        if self.running is None:
            self._say(text, trouble)

    def _network(self, settings):
        """An untrained network for the data; raises ShapeError."""
        names = ("kernel", "channels", "padding", "activation", "pooling", "seed")
        sizes = {"num_classes": len(self.data.class_names), "image_size": self.data.train_images.shape[-1]}
        return network(**{name: settings[name] for name in names}, **sizes)

    def _batches(self, settings):
        """Training and validation batches; raises DataError if the whole set is asked for and is not here."""
        number = 10_000 if settings["images"] == "sample" else 60_000
        if len(self.data.train_images) < number:
            raise DataError(f"only {len(self.data.train_images):,} training images are here: choose the sample")
        if self._split is None or self._split[0] != number:  # a copy of the images: one, not one a run
            images, labels = self.data.train_images[:number], self.data.train_labels[:number]
            self._split = number, train_validation_split(images, labels, number // 10)
        train_images, train_labels, *val = self._split[1]
        seed, size = settings["seed"], settings["batch"]
        train_iter = Batches(train_images, train_labels, size, shuffle=True, seed=seed, device=self.device)
        return train_iter, Batches(*val, 256, device=self.device)

    def _steps(self, run, train_iter):
        """Train, a yield a step, so that Stop acts within one; the curves are drawn now and then."""
        settings = run.settings
        training = train(
            run.net, train_iter, settings["epochs"], settings["lr"], self.val_iter, self.device,
            settings["optimizer"], reports=len(train_iter),
        )  # fmt: skip
        draw_now_and_then = FiveTimesASecond(self.show)
        for progress in training:
            keep(run.history, progress)
            draw_now_and_then()
            yield
            if diagnose(run.history[-1:]).state == "diverged":
                break
        self.unfinished = None

    def show(self):
        """Show the curves and say how the run goes."""
        if self.history:
            found, (_, loss, train_acc, _) = diagnose(self.history), points(self.history)[-1]
            val_acc = "" if self.runs[-1].val_acc is None else f" · validation accuracy {self.runs[-1].val_acc:.3f}"
            numbers = f"loss {loss:.3f} · training accuracy {train_acc:.3f}{val_acc}"
            said = f"{self.status()} {numbers} · {self.runs[-1].parameters:,} parameters"
            self._say(said, found.lost, found.advice)
        self.picture.show_png(self.curves.png(self.history), self.curves.width, self.curves.alt(self.history))

    def finish(self):
        """Show what a run that ended, or was stopped, has come to: also its row, its line and its predictions."""
        self.show()
        self.table.value, self.result.value = table(self.runs), self.result_text()
        self._show_predictions()

    def _explain(self, error):
        """Say in words what ended the run; it cannot go on."""
        self.unfinished = None
        super()._explain(error)

    def _show_predictions(self, net=None):
        """Eight validation images with what a network says of them; without one, that of the latest run."""
        X, y = self.val_iter.images[:8], self.val_iter.labels[:8]
        predicted = classes_of(net or self.net, X)
        self.predictions.show(plotting.predictions(X, y, predicted, self.data.class_names))

    def _path(self):
        """The file beside the notebook that the student named; raises ValueError for a name that leads elsewhere."""
        name = self.file.value.strip()
        if not re.fullmatch(r"[\w. -]+\.pt", name):
            raise ValueError("give the file a plain name that ends in .pt, such as my-lenet.pt")
        return Path(name)


def _controls(num_epochs):
    """The settings, {name: widget}; a run starts when the hand lets go of a slider, not at each place it passes."""
    controls = {
        "lr": steps("learning rate", LEARNING_RATES, 0.1),
        "kernel": slider("kernel size", 5, 1, 11, 2),
        "channels": slider("first channels", 6, 1, 32),
        "batch": steps("batch size (images)", [16, 32, 64, 128, 256], 64),
        "epochs": slider("epochs", num_epochs, 1, 20),
        "activation": choice("activation", ACTIVATIONS),
        "pooling": choice("pooling", POOLINGS),
        "optimizer": choice("optimizer", OPTIMIZERS),
        "padding": switch("pad the first convolution", True),
        "images": choice("data", ["sample", "full"]),
        "seed": slider("seed", 0, 0, 99),
    }
    for control in controls.values():
        control.continuous_update = False
    return controls


@one_a_cell
def trainer(data, num_epochs=5):
    """The training lab; data: an `ImageData`; num_epochs: how long a run is at first."""
    return Trainer(data, num_epochs)
