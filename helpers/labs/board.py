"""The board line: the state of a lab in one short line, which a teacher writes on the board and a class types in."""

import contextlib
import difflib
import re

import torch

from helpers.labs.settings import Matrix
from helpers.labs.typed import first_number, plain, readings

LONGEST = 500  # characters; more than this does not fit on a board
SWITCH = {"on": True, "true": True, "yes": True, "1": True, "off": False, "false": False, "no": False, "0": False}


class BoardError(ValueError):
    """A line that this lab cannot follow; the message says what is wrong with it and what to write instead."""


def write(lab, controls, defaults):
    """The line for a lab: its name, and the word of every control that is not at its initial value.

    lab: name; controls: {name: Setting}; defaults: {name: the word it began with}.
    """
    words = {name: word(control) for name, control in controls.items()}
    return " ".join([lab, *(f"{name}={words[name]}" for name in controls if words[name] != defaults[name])])


def read(line, lab, controls, defaults):
    """The values that a line asks for, {name: value}; settings that it leaves out return to their initial values.

    Raises BoardError. Nothing in the line is ever evaluated.
    """
    began = {name: meaning(controls[name], name, said) for name, said in defaults.items()}
    return {**began, **named(line, lab, controls)}


def named(line, lab, controls):
    """Only the values that a line contains, {name: value}, however it was typed or copied. Raises BoardError."""
    if len(line) > LONGEST:
        raise BoardError(f"this line has {len(line)} characters: a board line has at most {LONGEST}")
    line = plain(line)
    # A copied message may begin with "[28.11., 10:15] Ms Smith: ".
    found = re.fullmatch(rf"(?:[^=]*[:.>\])])?[\W\d_]*{lab}(?![^\W_])[\W_]*(.*)", line, re.IGNORECASE)
    if not found:
        first = re.match(r"[\W\d_]*(\w*)", line)[1]
        raise BoardError(f"a line for this lab begins with “{lab}”, this one with “{first[:40]}”")
    rest = found[1]
    aliases = _aliases(controls)
    longest_first = sorted(aliases, key=len, reverse=True)
    known = "|".join(r"[\s_-]+".join(map(re.escape, alias.split("-"))) for alias in longest_first)
    before, *parts = re.split(rf"({known}|[^\W\d][\w-]*)\s*[=:]+\s*", rest, flags=re.IGNORECASE)
    if before.strip():
        raise BoardError(f"“{before.strip()[:40]}” has no =: write name=value. The settings are {', '.join(controls)}")
    asked = {}
    for typed, said in zip(parts[::2], parts[1::2], strict=True):
        name = aliases.get(_alias(typed))
        if name is None:
            raise BoardError(f"“{typed[:40]}” is not a setting of this lab: {_instead(typed, aliases)}")
        if lab in said.lower().split():
            raise BoardError(f"there are two lines here: type one, up to the second “{lab}”")
        # Drop what separates two settings, or ends a line: "0.3, kernel=3", "0.3 | kernel=3", "0.3 (kernel=3)", "0.3!".
        said = re.sub(r"(?:[^\w%°∞×]|_|\band)+$", "", said)
        value = meaning(controls[name], name, said)
        if asked.setdefault(name, value) != value:
            raise BoardError(f"{name} is given twice, with two values: keep one of them")
    return asked


def _alias(text):
    """A name in the form in which names are compared: lower case, with hyphens only."""
    return slug(text).replace("_", "-")


def _aliases(controls):
    """The names that a line may use for each control, {alias: name}: its own, and its label without the unit."""
    labelled = {name: control for name, control in controls.items() if not isinstance(control, Matrix)}
    labels = {_alias(re.sub(r"\(.*", "", control.description)): name for name, control in labelled.items()}
    return {**labels, **{_alias(name): name for name in controls}}


def _instead(typed, aliases):
    """The end of an error message: the closest name, then all of them."""
    near = difflib.get_close_matches(_alias(typed), aliases, 1)
    question = f"did you mean {aliases[near[0]]}? The" if near else "the"
    return f"{question} settings are {', '.join(dict.fromkeys(aliases.values()))}"


def slug(label):
    """A label as one word: "blur (mean)" becomes blur-mean; numbers do not change."""
    return re.sub(r"[^\w.]+", "-", label.lower()).strip("-")


def words_of(options):
    """A list's options under different words, {word: value}: “A” after “a” becomes a_2, a mere sign becomes option."""
    words = {}
    for label, value in options:
        began = slug(label) or "option"
        taken = sum(1 for known in words if known == began or known.startswith(f"{began}_"))
        words[f"{began}_{taken + 1}" if began in words else began] = value
    return words


def word(control):
    """The value of a control as one word."""
    if hasattr(control, "word"):  # a control with words of its own
        return control.word()
    if isinstance(control, Matrix):
        return ";".join(",".join(f"{number:g}" for number in row) for row in control.value)
    if hasattr(control, "options"):
        return next(name for name, value in words_of(control.options).items() if value == control.value)
    if isinstance(control.value, bool):
        return "on" if control.value else "off"
    return str(control.value)


def meaning(control, name, said):
    """The value that a text means for a control; raises BoardError if it means none."""
    if isinstance(control, Matrix):
        return _matrix(name, said)
    if not said:
        raise BoardError(f"{name}= has no value: write one after it, such as {name}={word(control)}")
    if hasattr(control, "meaning"):
        return control.meaning(name, said)
    if hasattr(control, "options"):
        return _option(control, name, said)
    if isinstance(control.value, bool):
        if said.lower() not in SWITCH:
            raise _refusal(name, said, "choose from on, off")
        return SWITCH[said.lower()]
    return _whole_number(control, name, said)


def _option(control, name, said):
    """The value of one of the options, given its label or its number in any notation."""
    options = words_of(control.options)
    numbers = {readings(label)[0]: label for label in options if readings(label)}
    # As a label, a number would lose its sign: −0.3 is not 0.3.
    asked = [numbers.get(number) for number in readings(said)] or [slug(said), _alias(said)]
    for label in asked:
        if label in options:
            return options[label]
    why = f"choose from {', '.join(options)}"
    if numbers:
        raise _no_such_number(name, said, why, numbers)
    part_of = [label for label in options if _alias(said) and _alias(said) in label]
    near = part_of or difflib.get_close_matches(_alias(said), options, 1, 0.5)
    raise _refusal(name, said, why, near[0] if near else None)


def _whole_number(control, name, said):
    """A whole number within the slider's range; the slider's unit may follow it."""
    unit = re.search(r"\((.+)\)", control.description)
    if unit:
        said = re.sub(rf"\s*({re.escape(unit[1])}|px|°)$", "", said)
    possible = range(control.lowest, control.highest + 1, control.step)
    for number in readings(said)[:1]:
        if number in possible:
            return int(number)
    why = f"a whole number from {control.lowest} to {control.highest}"
    if control.step > 1:
        why += f" in steps of {control.step}"
    raise _no_such_number(name, said, why, {number: number for number in possible})


def _no_such_number(name, said, why, words):
    """The error for a number that is not among `words`, {number: how it is written}, or for text that is no number."""
    meant = readings(said)
    if not meant:
        why = f"“{said[:40]}” is not one number; {why}"
        meant = first_number(said)
    if not meant:
        return _refusal(name, said, why)
    inside = min(max(meant[0], min(words)), max(words))  # also if it is infinite
    return _refusal(name, said, why, words[min(words, key=lambda number: abs(number - inside))])


def _refusal(name, said, why, nearest=None):
    """The error to raise: it says why, and gives the nearest value if there is one."""
    near = "" if nearest is None else f". The nearest is {name}={nearest}"
    return BoardError(f"{name}={said[:40]} is not possible: {why}{near}")


def _matrix(name, said):
    """A square of numbers as the value of a `Matrix`; its rows end with a semicolon, or are in brackets."""
    if not said:
        return ()
    said = re.sub(r"\]\s*[,;]?\s*\[", ";", said.replace("(", "[").replace(")", "]")).strip("[] ")
    try:
        rows = tuple(tuple(float(number) for number in re.split(r"[,\s]+", row.strip())) for row in said.split(";"))
    except ValueError:
        raise BoardError(f"{name}={said[:40]}: write numbers with commas between them and ; between rows") from None
    if any(len(row) != len(rows) for row in rows) or len(rows) > Matrix.LARGEST:
        raise BoardError(
            f"{name}: give a square of at most {Matrix.LARGEST} rows, with as many numbers in each row as there are "
            "rows. A comma ends a number: write 0.5, not 0,5"
        )
    if not all(abs(number) <= Matrix.HIGHEST for row in rows for number in row):
        raise BoardError(f"{name}: every number must be from −{Matrix.HIGHEST} to {Matrix.HIGHEST}")
    return rows


class Board:
    """The line of a lab, to read and to type; `moved()` is called once whenever a hand or a line has moved controls.

    text: its `value` is the line; trouble: shows why a typed line is refused; together: makes a context in which
    everything that one move changes goes to the browser in one message.
    """

    def __init__(self, lab, controls, moved, text, trouble, together=contextlib.nullcontext):
        self.lab, self.controls, self.moved = lab, controls, moved
        self.text, self.trouble, self._together = text, trouble, together
        self.defaults = {name: word(control) for name, control in controls.items()}
        self._quiet = False
        for control in controls.values():
            control.observe(self._on_move, names="value")
        self.text.observe(self._on_type, names="value")

    def values(self):
        """The present values, {name: value}."""
        return {name: control.value for name, control in self.controls.items()}

    def line(self):
        """The present state as a line."""
        return write(self.lab, self.controls, self.defaults)

    def write(self):
        """Show the present state."""
        self.trouble.say("")
        self.text.value = self.line()

    def move(self, values, then=None):
        """Move controls to `values`, {name: value}, in one step; `then` is called in place of `moved`."""
        with self._together():
            self._quiet = True  # controls that `moved` itself moves are part of the same move
            try:
                for name, value in values.items():
                    control = self.controls[name]
                    if hasattr(control, "highest"):
                        control.max = control.highest  # a line may ask for more than the picture has room for
                    control.value = value
                with torch.device("cpu"):  # even if torch.set_default_device says otherwise
                    (then or self.moved)()
            finally:
                self._quiet = False
            self.write()

    def _on_move(self, change):
        if not self._quiet:
            self.move({})

    def _on_type(self, change):
        if self.text.value == self.line():
            return
        try:
            asked = named(self.text.value, self.lab, self.controls)
            values = read(self.text.value, self.lab, self.controls, self.defaults)
        except BoardError as error:
            self.trouble.say(str(error), trouble=True)
            return
        self.move(values)
        # The picture may be too small for the line: row=24 on a map of 10 rows. (An empty `numbers=` asks for nothing.)
        cut = [name for name, value in asked.items() if self.controls[name].value != value and value != ()]
        if cut:
            now = ", ".join(f"{name}={word(self.controls[name])}" for name in cut)
            self.trouble.say(f"This does not fit the other settings, so it is {now} now.", trouble=True)
