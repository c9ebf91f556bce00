"""What can be set in a lab: plain Python objects that the browser draws as sliders, lists, switches and buttons."""

import traitlets as t


class Setting(t.HasTraits):
    """The base of all settings: a `value`, and `description`, the full label, which a screen reader says too.

    `KIND` says how the browser draws it; group: the heading over neighbouring settings of one group; shown: False for
    what the picture itself sets, such as the place of a window.
    """

    KIND = ""
    description, group = t.Unicode(), t.Unicode()
    disabled, shown = t.Bool(False), t.Bool(True)
    patient = t.Bool(False)  # if True, a slider reports when the hand lets go, not at each place that it passes

    def drawn(self):
        """What the browser needs for drawing it, as a dict for JSON."""
        names = (name for name in self.trait_names() if name not in ("options", "shown"))
        return {"kind": self.KIND, **{name: getattr(self, name) for name in names}}

    def heard(self, said):
        """The value for what the browser has sent."""
        return said


class Slider(Setting):
    """Whole numbers from `min` to `max` in steps of `step`; other values are cut to that range.

    A lab may narrow `min` and `max` to what fits into its picture; `lowest` and `highest` are those of all pictures.
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
    """A place among many: a field for its number, and buttons that go `leap` places back or on."""

    KIND = "place"
    leap = t.Int(1)


class Choice(Setting):
    """One of several options, at first the first one; options: names, {name: value} or pairs."""

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
        """As a dict for JSON, with the names of the options and the number of the chosen one."""
        names, values = zip(*self.options, strict=True)
        return {**super().drawn(), "options": list(names), "value": values.index(self.value)}

    def heard(self, said):
        """The value of the option with that number."""
        return self.options[said][1]


class Steps(Choice):
    """A slider over a few numbers, such as learning rates, which are their own labels."""

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
    """A square of numbers that can be typed, drawn by the lab's picture; `value` is a tuple of rows of floats."""

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
    """A button; action: a function without arguments that is called at a press, or None if the picture acts itself."""

    KIND = "button"

    def __init__(self, label, action=None, **more):
        super().__init__(description=label, **more)
        self.action = action

    def click(self):
        """Do what a press does, which is nothing while the button is disabled."""
        if not self.disabled:
            self.action()


class Words(t.HasTraits):
    """A message: `value` is plain text; `trouble` is true if it says what is wrong."""

    value, trouble = t.Unicode(), t.Bool(False)

    def say(self, text, trouble=False):
        """Show `text`."""
        self.trouble, self.value = bool(trouble), text
