"""The board line: the state of a lab in one short line, which a teacher writes on the board and a class types in."""

import html
import re

import ipywidgets as widgets

from helpers.labs.controls import FULL_LABEL, Matrix, Message

LONGEST = 500  # characters; more than this, nobody wrote on a board


class BoardError(ValueError):
    """A line that no lab wrote; the message says what is wrong with it."""


def write(lab, controls, defaults):
    """The line for a lab: its name, and the word of every control that does not stand where it began.

    lab: name; controls: {name: widget}; defaults: {name: the word it began with}.
    """
    words = {name: word(control) for name, control in controls.items()}
    return " ".join([lab, *(f"{name}={words[name]}" for name in controls if words[name] != defaults[name])])


def read(line, lab, controls, defaults):
    """The values that a line asks for, {name: value}; what it does not name goes back to where it began.

    Raises BoardError. Nothing in the line is ever evaluated.
    """
    if len(line) > LONGEST:
        raise BoardError(f"this line has {len(line)} characters: a board line has at most {LONGEST}")
    first, *pairs = re.sub(r"\s*=\s*", "=", line.strip()).split() or [""]
    if first.lower() != lab:
        raise BoardError(f"a line for this lab begins with “{lab}”, this one with “{first[:40]}”")
    asked = dict(defaults)
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or name.lower() not in controls:
            raise BoardError(f"“{pair[:40]}” is not a setting of this lab: those are {', '.join(controls)}")
        asked[name.lower()] = value
    return {name: meaning(controls[name], name, value) for name, value in asked.items()}


def slug(label):
    """A label as one word: "blur (mean)" as blur-mean; numbers stay as they are."""
    return re.sub(r"[^\w.]+", "-", label.lower()).strip("-")


def word(control):
    """The value of a control as one word."""
    if isinstance(control, Matrix):
        return ";".join(",".join(f"{number:g}" for number in row) for row in control.value)
    if hasattr(control, "options"):
        # Not control.label, which some of the widgets leave empty until they are moved.
        return next(slug(label) for label, value in control.options if value == control.value)
    if isinstance(control.value, bool):
        return "on" if control.value else "off"
    return str(control.value)


def meaning(control, name, said):
    """The value that a word means for a control; raises BoardError where it means none."""
    if isinstance(control, Matrix):
        return _numbers(said, name)
    if hasattr(control, "options"):
        options = {slug(label): value for label, value in control.options}
    elif isinstance(control.value, bool):
        options = {"on": True, "off": False}
    else:
        options = {str(number): number for number in range(control.lowest, control.highest + 1, control.step)}
        if said not in options:
            raise BoardError(
                f"{name}={said[:40]} is not possible: a whole number from {control.lowest} to {control.highest}"
                + (f" in steps of {control.step}" if control.step > 1 else "")
            )
    if said.lower() not in options:
        raise BoardError(f"{name}={said[:40]} is not possible: choose from {', '.join(options)}")
    return options[said.lower()]


def _numbers(said, name):
    if not said:
        return ()
    try:
        rows = tuple(tuple(float(number) for number in row.split(",")) for row in said.split(";"))
    except ValueError:
        raise BoardError(f"{name}={said[:40]}: write numbers with commas between them and ; between rows") from None
    if any(len(row) != len(rows) for row in rows) or len(rows) > Matrix.LARGEST:
        raise BoardError(f"{name}: give a square of at most {Matrix.LARGEST} rows, each as long as there are rows")
    if not all(abs(number) <= Matrix.HIGHEST for row in rows for number in row):
        raise BoardError(f"{name}: every number must be from −{Matrix.HIGHEST} to {Matrix.HIGHEST}")
    return rows


class BoardLine(widgets.VBox):
    """The line of a lab, to read and to type; `moved()` is called once after a hand or a line moved its controls."""

    def __init__(self, lab, controls, moved):
        self.lab, self.controls, self.moved = lab, controls, moved
        self.defaults = {name: word(control) for name, control in controls.items()}
        self._quiet = False
        self.text = widgets.Text(
            lab, description="board line", continuous_update=False, style=FULL_LABEL, layout={"width": "98%"}
        )
        self.trouble = Message(lines=0)
        super().__init__([self.text, self.trouble])
        for control in controls.values():
            if hasattr(control, "max"):
                # A lab may narrow a slider to what the picture has room for; a line may ask for the whole range.
                control.lowest, control.highest = control.min, control.max
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
        self._quiet = True  # what `moved` moves in its turn is part of the same move
        try:
            for name, value in values.items():
                control = self.controls[name]
                if hasattr(control, "max"):
                    control.max = control.highest
                control.value = value
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
            values = read(self.text.value, self.lab, self.controls, self.defaults)
        except BoardError as error:
            self.trouble.say(html.escape(str(error)), trouble=True)
            return
        self.move(values)
