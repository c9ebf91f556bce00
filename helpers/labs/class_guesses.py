"""What a class expected of its runs: guesses in result lines, read as strictly as the rest, and the nearest ones."""

import re

from helpers.labs import expected
from helpers.labs.runs import points

NAMED = 3  # of the nearest guesses


def words_of(run):
    """The words of a run's guess for its result line, {name: word}; none without one, or if the run ended too early."""
    at, found = expected.handles(run.settings.get("epochs", 1)), expected.measured(points(run.history))
    if not run.expected or not {*at} <= {*found}:
        return {}
    reached = expected.written(round(found[epoch], 4) for epoch in at)
    return {"epochs": run.settings["epochs"], "expected": expected.written(run.expected), "reached": reached}


def guess_of(words, number, accuracy):
    """The guess in a result line, or None; raises ValueError, with the reason, for an impossible one.

    words: {name: word}; number: of the line; accuracy: the line's. Returns a dict: "who", a name or the number of the
    line; "at", epochs; "expected" and "reached", accuracies; "off", how far apart these are on average.
    """
    if not words.keys() & {"expected", "reached"}:
        return None
    epochs = words.get("epochs", "")
    if not re.fullmatch("[0-9]{1,2}", epochs) or int(epochs) == 0:
        raise ValueError(f"a guess needs the number of epochs, but this line has epochs={epochs[:20]}")
    at = expected.handles(int(epochs))
    guess = {"at": at, **{name: expected.read(name, words.get(name, "none"), 4) for name in ("expected", "reached")}}
    for name in ("expected", "reached"):
        if len(guess[name]) != len(at):
            raise ValueError(f"{name} has {len(guess[name])} numbers, but a run of {epochs} epochs needs {len(at)}")
    if abs(guess["reached"][-1] - accuracy) > 1e-4:
        raise ValueError(f"reached ends at {guess['reached'][-1]:g}, but the accuracy is {accuracy:g}")
    name = re.sub(r"[^\w.-]+", "_", words.get("name", ""))[:30]
    return {"who": name or f"line {number}", **guess, "off": expected.off(guess["expected"], guess["reached"])}


def ranked(results):
    """The guesses among results, the nearest first."""
    return sorted((result["guess"] for result in results if "guess" in result), key=lambda guess: guess["off"])


def nearest(guesses):
    """A line that names the nearest guesses; guesses: as `ranked` returns them."""
    if not guesses:
        return "No line has a guess: draw one in the training lab before you press Train."
    first, *others = [f"{guess['who']} ({guess['off']:.2f} off)" for guess in guesses[:NAMED]]
    after = f"; then {', '.join(others)}" if others else ""
    return f"{len(guesses)} guess{'es' if len(guesses) > 1 else ''}. Nearest: {first}{after}."
