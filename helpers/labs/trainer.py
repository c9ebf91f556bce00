"""Chapter 4: move a slider and a new network trains."""

import itertools
import re
from pathlib import Path

import ipywidgets
import traitlets as t
from torch.nn import functional as F

from helpers import plotting
from helpers.any_network import classes_of
from helpers.data import Batches
from helpers.diagnosis import diagnose
from helpers.errors import DataError, ShapeError
from helpers.labs import class_folder, expected
from helpers.labs.board import word
from helpers.labs.cells import one_a_cell
from helpers.labs.class_experiment import result_line
from helpers.labs.growing import Growing, NowAndThen
from helpers.labs.living import script
from helpers.labs.pad import Pad
from helpers.labs.past import MOST_BYTES, LookBack, LookedAt, Past, forget
from helpers.labs.recipe import PRESETS, Preset, Supply, network, settings_of_a_run, sizes_of
from helpers.labs.runner import Runner
from helpers.labs.runs import HEAD, Run, keep, points, table
from helpers.labs.settings import Button, Words
from helpers.machine import load_optimizers, try_gpu
from helpers.models import num_parameters
from helpers.training import evaluate_accuracy, train
from helpers.weights import load_weights, save_weights

ASIDE = {"expected", "moment"}  # controls that are not settings of a run
GHOSTS = 4  # earlier runs whose curves stay in grey


class Trainer(Growing):
    """Controls of a LeNet and of its training; every move trains a new network, with the earlier runs in grey.

    At first it is a LeNet with ReLU and max-pooling, which learns visibly within seconds on 9,000 training images;
    1,000 others measure it. The test images stay closed until the Test button is pressed, once a run.
    """

    NAME, STARTS = "trainer", ("Train", "Resume")
    _esm = script("trainer.js")
    presets = PRESETS
    held = ("runs", "ghosts", "unfinished", "images", "val_iter", "arrays", "supply", "predicted")
    # What is below the curves: the rows of the runs, the line to hand in, and the result of Save or Load.
    below = t.Dict().tag(sync=True)
    pad = t.Instance(ipywidgets.Widget, allow_none=True).tag(sync=True, **ipywidgets.widget_serialization)
    guess = t.Dict().tag(sync=True)  # the curve that the student expects, and how far it was from the run

    def __init__(self, data, num_epochs):
        self.images, self.device = data, try_gpu()
        self.supply = Supply(data, self.device)
        self.runner, self.runs, self.numbers, self._moved_to = Runner(), None, itertools.count(), None
        self.back, self.drawing = LookBack(), None
        self._opened = 0  # how often a line has asked for a moment of the past
        self._kept = ()  # a guess that a line without one does not change
        self.table, self.file, self.file_message = [], "my-lenet.pt", Words()
        self.class_folder, self.student, self.shared = class_folder.named(), "", ""
        controls = self.offered(num_epochs)
        self.begun_with = {name: control.value for name, control in controls.items()}
        self.preset = Preset(self.presets, self.begun_with, lambda chosen: self.board.move({**chosen, "moment": None}))
        self.preset.observe(self._tell)
        self.expected = controls["expected"] = expected.Expected()
        self.moment = controls["moment"] = LookedAt()
        buttons = {
            "Train": Button("Train", self.train, group="training"),
            "Stop": Button("Stop", self.stop, group="training"),
            "Resume": Button("Resume", self.resume, group="training"),
            "Reset": Button("Reset", self.reset, group="training"),
            "Test": Button("Test (once a run)", self.test, group="training"),
        }
        super().__init__(controls, buttons)
        self.pad = Pad()
        self.pad.on_drawing(self.see)
        load_optimizers()

    def parts(self):
        """The preset, the settings that are moved most often, the buttons, and the other settings."""
        front = {name: self.controls[name] for name in ("lr", "kernel", "channels") if name in self.controls}
        return {"preset": self.preset, **front, **self.buttons, **self.controls}

    def offered(self, num_epochs):
        """The settings of the network and of its training, {name: Setting}."""
        return settings_of_a_run(num_epochs)

    def hear(self, message, buffers):
        """As every lab that trains; also a preset, a file to save or load, and a name for the class."""
        move = dict(message.get("move", {}))
        looks = self.back.heard(move)  # first, because looking back must not remove the guess
        if not self._is_used() and "expected" not in message.get("line", "expected"):
            self._kept = self.expected.value
        elif {*move} - {"expected"}:
            self._drop_used_guess()
        self.student = message.get("student", self.student)
        if "preset" in move:
            self.preset.value = self.preset.heard(move.pop("preset"))
        if "expected" in move:
            self.expected.value = self.expected.heard(move.pop("expected"))
        if "file" in message:
            self.file = message["file"]
            {"save": self.save, "load": self.load}[message["do"]]()
        if looks:
            self.board.move({"moment": self._moment_in_the_line()}, then=self._looked)
        if "move" not in message:
            super().hear(message, buffers)
        elif move:
            super().hear({"move": {**move, "moment": None}}, buffers)  # show the end of the run that this begins
        self._kept = ()

    @property
    def net(self):
        """The network of the latest run; None before the first."""
        return self.runs[-1].net if self.runs else None

    @property
    def history(self):
        """The reports of the latest run, a list of `Progress`."""
        return self.runs[-1].history if self.runs else []

    def train(self):
        """Do what the Train button does."""
        self._drop_used_guess()
        self.moment.value = None
        self.start()

    def start(self):
        """Train a new network with the present settings; a run that is still going on ends."""
        self.cancel()  # a step that hangs does no harm: the new run has its own network
        self.table = table(self.runs)  # with the run that has just ended
        settings = self._settings()
        self.preset.name(settings)
        try:
            net = self._network(settings)
            train_iter, val_iter = self.supply.batches(settings)
        except (ShapeError, DataError) as error:
            self.refused = True
            self._say(str(error), trouble=True)
            self.enable()
            self.grow()
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
        self.unfinished, self.val_iter, self.refused, self.back.moment = None, val_iter, False, self.moment.value
        run = Run(expected.without(self.board.line()), settings, net.to(self.device), num_parameters(net))
        run.number, run.expected = next(self.numbers), self.expected.value
        self.runs.append(run)

    def resume(self):
        """Go on with the run that was stopped, unless the controls ask for a different network or training."""
        if not self.unfinished or self.running:
            return
        if self._settings() != self.runs[-1].settings:
            self._say(f"The run that was stopped has other settings, {self.runs[-1].line}: press Train.", trouble=True)
            return
        self.go_on(self.runs[-1], self.unfinished)

    def reset(self):
        """Forget all runs and put every control back to its initial value."""
        self.cancel()
        self.board.move({**self.begun_with, "expected": (), "moment": None}, then=self._forget)

    def test(self):
        """Measure the latest network on the test images."""
        run = self.runs[-1]
        test_iter = Batches(self.images.test_images, self.images.test_labels, 256, device=self.device)
        run.test_acc = evaluate_accuracy(run.net, test_iter)
        self._end()

    def save(self):
        """Save the weights of the latest network beside the notebook, but never over an existing file."""
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

        A file that cannot be loaded changes nothing, not even a run that is going on.
        """
        settings = self._settings()
        try:
            net = load_weights(self._network(settings), self._path())
            _, val_iter = self.supply.batches(settings)
        except (DataError, OSError, ValueError) as error:
            self._say_of_file(f"Not loaded: {error}", trouble=True)
            return
        self.cancel()
        self.moment.value = None
        self._begin(net, settings, val_iter)
        run = self.runs[-1]
        run.loaded_acc = evaluate_accuracy(net, val_iter)
        self._end()
        self._say(f"Loaded: validation accuracy {run.val_acc:.1%}")

    def far(self):
        """The epochs that the latest run has trained for, and will train for in all."""
        run = self.runs[-1] if self.runs else None
        epochs = run.settings["epochs"] if run else self.controls["epochs"].value
        return (self.history[-1].epoch if self.history else 0), epochs

    def ready(self):
        """A stopped run can be resumed with its own settings; the test images are used once a run."""
        run = self.runs[-1] if self.runs else None
        idle = run is not None and self.running is None
        return {
            "Resume": idle and self.unfinished is not None and self._settings() == run.settings,
            "Test": idle and run.shown and run.test_acc is None and len(self.images.test_images) > 0,
        }

    def curve_points(self):
        """`runs.points` of the earlier runs in grey and of the latest; "name" is the board line."""
        shown = [*self.ghosts, *self.runs[-1:]]
        return [{"id": run.number, "name": run.line, "points": points(run.history)} for run in shown]

    def result_text(self):
        """The result line of the latest run."""
        return result_line(self.runs[-1]) if self.runs else ""

    def redraw(self):
        """A control has moved: train anew, but not when the lab is made, nor if only the guess or the moment did."""
        before, guess, epochs = self._moved_to, self.expected.value or self._kept, self.controls["epochs"].value
        if before and guess == before["expected"]:
            guess = expected.stretched(guess, before["epochs"], epochs)
        self.expected.value = guess if len(guess) == len(expected.handles(epochs)) else ()
        self._moved_to = self.board.values()
        self.back.moment = self.moment.value
        self._opened += self.moment.value is not None
        if self.runs is None:
            self._forget()
            return
        changed = {name for name in before if before[name] != self._moved_to[name]}
        is_new = not changed or changed - ASIDE
        if self.moment.value is not None:  # a line asks for a moment of a run, which may exist already
            latest = self.runs[-1] if self.runs else None
            is_new = not latest or latest.settings != self._settings() or not (self.running or latest.past)
        if is_new:
            self.start()
            return
        if "moment" in changed:
            self.look()
        self.grow()

    def _settings(self):
        """The present settings of a run, {name: value}."""
        return {name: value for name, value in self.board.values().items() if name not in ASIDE}

    def _drop_used_guess(self):
        """A guess counts for the next run, however that begins, and for no other."""
        if self._is_used():
            self.expected.value = ()

    def _is_used(self):
        """True if the latest run began with the present guess."""
        return bool(self.runs and self.expected.value and self.runs[-1].expected == self.expected.value)

    def _forget(self):
        """Return to the beginning: no runs, empty axes."""
        self._moved_to = self.board.values()
        self.runs, self.ghosts, self.unfinished, self.refused, self.table = [], [], None, False, []
        self.preset.name(self.begun_with)
        _, self.val_iter = self.supply.batches(self.begun_with)
        self._show_predictions(self._network(self.begun_with))
        self._say("Press Train, or move a slider: each move trains a new network.")
        self.enable()
        self.grow()

    def grow(self):
        """As every lab that trains; also what is below the curves."""
        super().grow()
        said = {"text": self.file_message.value, "trouble": self.file_message.trouble}
        self.below = {
            "head": HEAD, "rows": self.table, "result": self.result_text(), "file": self.file, "said": said,
            "class": str(self.class_folder.path) if self.class_folder else "", "shared": self.shared,
            "past": {**self.back.offers(self.runs), "opened": self._opened},
        }  # fmt: skip
        at, values = expected.handles(self.controls["epochs"].value), list(self.expected.value)
        self.guess = {"at": at, "values": values, "said": self._of_the_guess(at)}

    def _of_the_guess(self, at):
        """A sentence on the guess: the guess itself, or how far it was from the run that has ended."""
        if self._is_used() and self.running is None and self.history:
            return expected.gap(list(zip(at, self.expected.value, strict=True)), points(self.history))
        return f"You expect {expected.in_words(self.expected.value, at)}." if self.expected.value else ""

    def state(self):
        """Everything that the browser shows, as a plain dict, for tests."""
        values = {name: word(control) for name, control in self.controls.items()}
        of_the_file, guess = self.file_message.value, self.guess
        return {**super().state(), "values": values, "table": self.table, "of the file": of_the_file, "guess": guess}

    def still(self, **values):
        """The curves of this moment."""
        return plotting.curves(self.history, [run.history for run in self.ghosts], self.far()[1])

    def _say(self, text, trouble=False, advice=""):
        """Show a text, and below it advice or, if there is none, a note on the preset."""
        self.message.say(f"{text}\n{advice or self.preset.note}", trouble)

    def _say_of_file(self, text, trouble=False):
        """Show the result of Save or Load below the buttons, and also above unless a run uses that line."""
        self.file_message.say(text, trouble)
        if self.running is None:
            self._say(text, trouble)

    def _network(self, settings):
        """An untrained network for the data; raises ShapeError."""
        names = ("kernel", "channels", "padding", "activation", "pooling", "seed")
        return network(**{name: settings[name] for name in names}, **sizes_of(self.images))

    def _steps(self, run, train_iter):
        """Train, a yield a step, so that Stop acts within one; the curves are drawn now and then."""
        settings = run.settings
        steps = len(train_iter)
        run.past = Past(steps * settings["epochs"], run.net)
        forget([ghost.past for ghost in self.ghosts if ghost.past], MOST_BYTES // 2)
        if self.back.looking:
            self.look()  # at the new run: the page still shows the old one
        training = train(
            run.net, train_iter, settings["epochs"], settings["lr"], self.val_iter, self.device,
            settings["optimizer"], reports=steps,
        )  # fmt: skip
        draw_now_and_then = NowAndThen(self.present)
        for progress in training:
            keep(run.history, progress)
            run.past.note(round(steps * progress.epoch), progress.epoch, run.net)
            draw_now_and_then()
            yield
            if diagnose(run.history[-1:]).state == "diverged":
                break
        self.unfinished = None

    def present(self):
        """Show the curves and how the run is doing."""
        with self.hold_sync():
            if self.history:
                found, (_, loss, train_acc, _) = diagnose(self.history), points(self.history)[-1]
                val_acc = "" if self.runs[-1].val_acc is None else f" · validation accuracy {self.runs[-1].val_acc:.3f}"
                numbers = f"loss {loss:.3f} · training accuracy {train_acc:.3f}{val_acc}"
                said = f"{self.status()} {self.runs[-1].parameters:,} parameters.\n{numbers}"
                self._say(said, found.lost, found.advice)
            self.grow()

    def finish(self):
        """Show the results of a run that has ended or was stopped, with its row, its line and its predictions.

        The line of a run that was not stopped goes to the class, if there is a folder for it.
        """
        run = self.runs[-1]
        if self.class_folder and run.history and self.result_text() and not (self.unfinished or run.handed_in):
            run.handed_in, self.shared = True, self.class_folder.share(self.result_text(), self.student)
        if run.past:
            run.past.pause(run.net)
        self.table = table(self.runs)
        self._show_predictions()
        self.present()

    def _explain(self, error):
        """Show what ended the run, which cannot be resumed."""
        self.unfinished = None
        super()._explain(error)

    def _show_predictions(self, net=None):
        """Show eight validation images with the predictions of a network, by default that of the latest run."""
        X, y = self.val_iter.images[:8], self.val_iter.labels[:8].tolist()
        names, predicted = self.images.class_names, classes_of(net or self.net, X).tolist()
        self.predicted = {"images": X}, {"true": [names[i] for i in y], "said": [names[i] for i in predicted]}
        self.look()

    def look(self):
        """Show the predictions and, if a page looks back, a moment of the past."""
        (arrays, facts), val = self.predicted, self.val_iter
        names = self.images.class_names
        then, look = self.back.picture(self.runs, val.images, val.labels, names, self._network, self.drawing)
        Growing.show(self, {**arrays, **then}, {**facts, "look": look})

    def _looked(self):
        self._moved_to = self.board.values()
        self.look()
        self.grow()

    def _moment_in_the_line(self):
        """The step that the page looks at; None at the end of a run that has one."""
        moments = self.runs[-1].past.moments if self.runs and self.runs[-1].past else []
        at = self.back.moment
        return None if at is None or not moments or (not self.running and at >= moments[-1].step) else at

    def see(self, _):
        """Show the networks of the past what is on the pad, scaled to the size of the images but not moved."""
        shape = self.images.train_images.shape[1:]
        self.drawing = F.interpolate(self.pad.pixels()[None, None].float(), shape[-1], mode="area")[0].byte()
        self.drawing = self.drawing.expand(shape)  # white ink is red, green and blue
        self.look()

    def _path(self):
        """The file beside the notebook that the student named; raises ValueError for a path that leads elsewhere."""
        name = self.file.strip()
        if not re.fullmatch(r"[\w. -]+\.pt", name):
            raise ValueError("give the file a plain name that ends in .pt, such as my-lenet.pt")
        return Path(name)


@one_a_cell
def trainer(data, num_epochs=5):
    """The training lab (chapter 4); data: an `ImageData`; num_epochs: the initial length of a run."""
    return Trainer(data, num_epochs)
