"""The class experiment: everyone's result lines in one picture."""

import html
import inspect

import ipywidgets as widgets

from helpers import plotting
from helpers.labs.cells import Whole, one_a_cell
from helpers.labs.controls import Message, choice, rows_of
from helpers.labs.lab import Picture

MOST = 500  # lines; two hundred students with two runs each
NUMBERS = {"lr": "learning rate", "channels": "first channels", "kernel": "kernel size", "parameters": "parameters"}


def result_line(run):
    """The line that a student hands in; run: a `runs.Run` that has trained. "" before its first epoch has ended."""
    if run.val_acc is None:
        return ""
    words = dict(pair.split("=") for pair in run.line.split()[1:])
    always = {name: f"{run.settings[name]:g}" for name in ("lr", "channels", "kernel")}
    words = {**always, **words, "parameters": run.parameters, "accuracy": f"{run.val_acc:.4f}"}
    return " ".join(["result", *(f"{name}={word}" for name, word in words.items())])


def read_results(text):
    """The results in pasted lines, and what is wrong with the other lines.

    Returns a list of {name: number}, the names those in NUMBERS and "accuracy", and a list of texts. Nothing in the
    lines is ever evaluated.
    """
    results, troubles = [], []
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    for number, line in lines[:MOST]:
        try:
            results.append(_read(line))
        except ValueError as error:
            troubles.append(f"line {number}: {error}")
    if len(lines) > MOST:
        troubles.append(f"only the first {MOST} lines were read")
    return results, troubles


def _read(line):
    first, *pairs = line[:1000].split() or [""]
    if first != "result":
        raise ValueError(f"it begins with “{first[:20]}”, not with “result”")
    words = dict(pair.partition("=")[::2] for pair in pairs)
    result = {}
    for name in (*NUMBERS, "accuracy"):
        try:
            result[name] = float(words.get(name, "nan"))
        except ValueError:
            raise ValueError(f"{name}={words[name][:20]} is not a number") from None
        if not 0 < result[name] < 1e9:
            raise ValueError(f"{name} is missing" if name not in words else f"{name}={words[name][:20]} cannot be")
    if result["accuracy"] > 1:
        raise ValueError(f"an accuracy of {words['accuracy'][:20]} is more than 1")
    return result


@one_a_cell
def class_experiment(text=""):
    """A box for everyone's result lines, and their picture; text: lines to begin with."""
    lines = widgets.Textarea(
        inspect.cleandoc(text),
        placeholder="result lr=0.1 … accuracy=0.8430\nresult lr=0.3 …",
        layout={"width": "98%", "height": "130px"},
    )
    against = choice("accuracy against", {label: name for name, label in NUMBERS.items()})
    picture, message = Picture(), Message()

    def draw(change=None):
        results, troubles = read_results(lines.value)
        number = "1 result" if len(results) == 1 else f"{len(results)} results"
        message.say(f"{number}. {html.escape('; '.join(troubles[:5]))}", trouble=bool(troubles))
        x, y = [result[against.value] for result in results], [result["accuracy"] for result in results]
        picture.show(plotting.scatter(x, y, NUMBERS[against.value], "validation accuracy"))

    for control in (lines, against):
        control.observe(draw, names="value")
    draw()
    return Whole([lines, rows_of([against]), message, picture])
