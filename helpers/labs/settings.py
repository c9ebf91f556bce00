"""What a hand can set in a lab: plain Python objects, drawn by the browser as sliders, lists, switches and buttons."""

import traitlets as t


class Setting(t.HasTraits):
    """What every setting has: `value`, and `description`, its label in full, which a screen reader says too.

    The browser draws it as its `KIND`.
    group: settings of one group that stand side by side have this heading; shown: False for what the picture itself
    sets, such as the place of a window.
    """

    KIND = ""
    description, group = t.Unicode(), t.Unicode()
    disabled, shown = t.Bool(False), t.Bool(True)
    patient = t.Bool(False)  # a slider is heard when the hand lets go, not at each place that it passes

    def drawn(self):
        """What the browser needs to draw it, as a dict for JSON."""
        names = (name for name in self.trait_names() if name not in ("options", "shown"))
        return {"kind": self.KIND, **{name: getattr(self, name) for name in names}}

    def heard(self, said):
        """The value that the browser means."""
        return said


class Slider(Setting):
    """Whole numbers from `min` to `max` in steps of `step`; what lies outside is cut.

    A lab may narrow `min` and `max` to what its picture has room for; `lowest` and `highest` are those of all pictures.
    """

    KIND = "slider"
    min, max, step, value = t.Int(), t.Int(), t.Int(1), t.Int()

    def __init__(self, label, value, low, high, step=1, **more):
        super().__init__(description=label, min=low, max=high, step=step, **more)
        self.value, self.lowest, self.highest = value, low, high

    @t.validate("value")
    def _cut(self, proposal):
        return min(max(proposal.value, self.min), self.max)

    @t.observe("min", "max")
    def _narrowed(self, _):
        self.value = self._trait_values.get("value", self.min)

    def heard(self, said):
        """A whole number."""
        return int(said)


class Place(Slider):
    """A place among many: its number to type, and buttons that lead `leap` places back and on."""

    KIND = "place"
    leap = t.Int(1)


class Choice(Setting):
    """One of some options, which begins with the first; options: names, {name: value} or pairs."""

    KIND = "choice"
    value = t.Any()

    def __init__(self, label, options, value=None, **more):
        super().__init__(description=label, **more)
        pairs = options.items() if isinstance(options, dict) else options
        self.options = tuple(pair if isinstance(pair, tuple) else (pair, pair) for pair in pairs)
        self.value = self.options[0][1] if value is None else value

    @t.validate("value")
    def _known(self, proposal):
        if proposal.value not in [value for _, value in self.options]:
            raise t.TraitError(f"{proposal.value!r} is not one of {[name for name, _ in self.options]}")
        return proposal.value

    def drawn(self):
        """The names of its options, and which of them is chosen."""
        names, values = zip(*self.options, strict=True)
        return {**super().drawn(), "options": list(names), "value": values.index(self.value)}

    def heard(self, said):
        """The value of the option with that number."""
        return self.options[said][1]


class Steps(Choice):
    """A slider over a few numbers, such as learning rates; every label is the number itself."""

    KIND = "steps"

    def __init__(self, label, values, value, **more):
        super().__init__(label, [(f"{number:g}", number) for number in values], value, **more)


class Switch(Setting):
    """On or off."""

    KIND = "switch"
    value = t.Bool()

    def __init__(self, label, value=False, **more):
        super().__init__(description=label, value=value, **more)


class Matrix(Setting):
    """A square of numbers to type in, which the lab's picture draws; `value` is a tuple of rows of floats."""

    KIND, LARGEST, HIGHEST = "matrix", 5, 99  # rows; absolute value of a number
    value = t.Tuple()

    def __init__(self, value):
        super().__init__(value=value, shown=False)

    @t.validate("value")
    def _cut(self, proposal):
        high = self.HIGHEST
        return tuple(tuple(min(max(float(number), -high), high) for number in row) for row in proposal.value)

    def heard(self, said):
        """Rows as tuples."""
        return tuple(map(tuple, said))


class Button(Setting):
    """A button; action: a function without arguments, called when it is pressed, or None if the picture does it."""

    KIND = "button"

    def __init__(self, label, action=None, **more):
        super().__init__(description=label, **more)
        self.action = action

    def click(self):
        """Do what a press does: nothing while it is disabled."""
        if not self.disabled:
            self.action()


class Words(t.HasTraits):
    """A line in words: `value` is plain text; `trouble` is true if it says what is wrong."""

    value, trouble = t.Unicode(), t.Bool(False)

    def say(self, text, trouble=False):
        """Show `text`."""
        self.trouble, self.value = bool(trouble), text
