"""The class experiment: everyone's result lines in one picture."""

import inspect
import statistics
import threading

import torch
import traitlets as t

from helpers import plotting
from helpers.labs import class_folder, class_guesses
from helpers.labs.cells import one_a_cell
from helpers.labs.living import Living, script
from helpers.labs.settings import Choice

MOST = 500  # lines; two hundred students with two runs each
LOOKS_EVERY = 1  # seconds between two readings of the class's folder
NUMBERS = {"lr": "learning rate", "channels": "first channels", "kernel": "kernel size", "parameters": "parameters"}
OPTIONAL = {"seconds": "seconds of training"}  # a line may leave these out
AXES = NUMBERS | OPTIONAL
GUESS = "guess"  # not a number: the accuracy curve that a student expected, and the one that was reached
TOLD = 5  # unreadable lines that are listed one by one


def result_line(run):
    """The line that a student hands in, "" before the first epoch has ended; run: a `runs.Run` that has trained."""
    if run.val_acc is None:
        return ""
    words = dict(pair.split("=") for pair in run.line.split()[1:])
    always = {name: f"{run.settings[name]:g}" for name in ("lr", "channels", "kernel")}
    words = {**always, **words, "parameters": run.parameters, "accuracy": f"{run.val_acc:.4f}"}
    words |= class_guesses.words_of(run)
    if run.history:
        words["seconds"] = f"{run.history[-1].seconds:.1f}"
    return " ".join(["result", *(f"{name}={word}" for name, word in words.items())])


def read_lines(text):
    """The results in pasted lines, and what is wrong with the other lines.

    Returns a list of {name: number}, whose names are those in NUMBERS, "accuracy" and, if the line has them, those in
    OPTIONAL and "guess" (see `class_guesses`); and a list of messages. Nothing in the lines is ever evaluated.
    """
    results, troubles = [], []
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    for number, line in lines[:MOST]:
        try:
            results.append(_read(line, number))
        except ValueError as error:
            troubles.append(f"line {number}: {error}")
    if len(lines) > MOST:
        troubles.append(f"only the first {MOST} lines were read")
    return results, troubles


def _read(line, number):
    first, *pairs = line[:1000].split() or [""]
    if first != "result":
        raise ValueError(f"it begins with “{first[:20]}”, not with “result”")
    words = dict(pair.partition("=")[::2] for pair in pairs)
    result = {}
    for name in (*NUMBERS, *(OPTIONAL.keys() & words), "accuracy"):
        try:
            result[name] = float(words.get(name, "nan"))
        except ValueError:
            raise ValueError(f"{name}={words[name][:20]} is not a number") from None
        if not 0 < result[name] < 1e9:
            raise ValueError(f"{name} is missing" if name not in words else f"{name}={words[name][:20]} is impossible")
    if result["accuracy"] > 1:
        raise ValueError(f"an accuracy of {words['accuracy'][:20]} is more than 1")
    if guess := class_guesses.guess_of(words, number, result["accuracy"]):
        result["guess"] = guess
    return result


def by_setting(results, name):
    """The results grouped by their value of `name`: a list of dicts, sorted by that value.

    Each has x, the value; count; mean; and spread, the standard deviation, 0 for a single result. Results without the
    number are left out.
    """
    groups = {}
    for result in results:
        if name in result:
            groups.setdefault(result[name], []).append(result["accuracy"])
    return [
        {
            "x": x,
            "count": len(accuracies),
            "mean": statistics.fmean(accuracies),
            "spread": statistics.stdev(accuracies) if len(accuracies) > 1 else 0.0,
        }
        for x, accuracies in sorted(groups.items())
    ]


class ClassExperiment(Living):
    """A box for everyone's result lines, `lines`, and above it their accuracies against one of their numbers.

    folder: a `ClassFolder`, whose lines count too as they arrive, or None.
    """

    NAME = "class_experiment"
    _esm = script("class_experiment.js")
    lines = t.Unicode().tag(sync=True)

    def __init__(self, lines, folder=None):
        self.folder, self._ended = folder, threading.Event()
        self._shared = folder.read() if folder else ({}, [])
        axes = {label: name for name, label in AXES.items()}
        super().__init__({"against": Choice("accuracy against", {**axes, "epoch, with guesses": GUESS})})
        self.observe(lambda change: self.board.move({}), names="lines")
        self.lines = lines
        if folder:
            threading.Thread(target=self._watch, name="lenet-lab class", daemon=True).start()

    def hear(self, message, buffers):
        """Take pasted lines; all other messages are handled as in every lab."""
        if "lines" in message:
            self.lines = message["lines"]
        else:
            super().hear(message, buffers)

    def close(self):
        """Close the lab and stop watching the folder."""
        self._ended.set()
        super().close()

    def _watch(self):
        while not self._ended.wait(LOOKS_EVERY):
            if (shared := self.folder.read()) != self._shared:
                self._shared = shared
                self.redraw()

    def read(self):
        """The results of all lines, pasted or shared, and what is wrong with the others, as `read_lines` gives them."""
        results, troubles = read_lines(self.lines)
        texts, others = self._shared
        for name, text in texts.items():
            found, wrong = read_lines(text)
            for guess in class_guesses.ranked(found):
                if guess["who"].startswith("line "):
                    guess["who"] = f"{name}, {guess['who']}"
            results += found
            troubles += [f"{name}, {what}" for what in wrong]
        return results, [*others, *troubles]

    def draw(self, against):
        """A dot for each result, and the mean and the spread of those with the same setting; or everyone's guesses."""
        results, troubles = self.read()
        shown = [result for result in results if against in result]
        text = ["1 result." if len(results) == 1 else f"{len(results)} results."]
        facts = {"label": AXES.get(against), "groups": [] if against == GUESS else by_setting(shown, against)}
        if against == GUESS:
            facts["guesses"] = class_guesses.ranked(results)
            text.append(class_guesses.nearest(facts["guesses"]))
        if self.folder:
            text.append(f"New ones appear on their own, from {self.folder.path}.")
        if len(shown) < len(results) and against != GUESS:
            count = len(results) - len(shown)
            text.append(f"{count} of them {'does' if count == 1 else 'do'} not give the {AXES[against]}.")
        if troubles:
            lines = "One line" if len(troubles) == 1 else f"{len(troubles)} lines"
            text.append(f"{lines} could not be read: see below.")
        more = [f"and {len(troubles) - TOLD} more"] if len(troubles) > TOLD else []
        facts["troubles"] = [*troubles[:TOLD], *more]
        dots = [[result[against], result["accuracy"]] for result in shown if against != GUESS]
        return {"dots": torch.tensor(dots).reshape(-1, 2)}, facts, " ".join(text)

    def still(self, against):
        """The same as a still picture; of each guess, only the accuracy at the end."""
        results = [result for result in self.read()[0] if against in result]
        x = [result[GUESS]["expected"][-1] if against == GUESS else result[against] for result in results]
        label = AXES.get(against, "accuracy expected at the end")
        return plotting.scatter(x, [result["accuracy"] for result in results], label, "validation accuracy")


@one_a_cell
def class_experiment(text=""):
    """A box for everyone's result lines, and their picture (chapter 4); text: lines to begin with.

    If LENET_LAB_CLASS names a folder, the lines that the class's runs leave there appear too, within two seconds.
    """
    return ClassExperiment(inspect.cleandoc(text), class_folder.named())
