"""What a hand can move: sliders, lists, switches and a matrix whose numbers are typed, all with labels in full."""

import ipywidgets as widgets
import traitlets

from helpers import plotting

FULL_LABEL = {"description_width": "initial"}


def slider(label, value, low, high, step=1):
    """A slider over whole numbers."""
    return widgets.IntSlider(value, low, high, step, description=label, style=FULL_LABEL, layout={"width": "270px"})


def steps(label, values, value):
    """A slider over a few numbers, such as learning rates; every label is the number itself."""
    options = [(f"{number:g}", number) for number in values]
    style = {"style": FULL_LABEL, "layout": {"width": "270px"}}  # four fit side by side on a projector
    return widgets.SelectionSlider(options=options, value=value, description=label, **style)


def choice(label, options):
    """A drop-down list that begins with the first option; options: names, or {name: value}."""
    pairs = list(options.items()) if isinstance(options, dict) else [(name, name) for name in options]
    layout = widgets.Layout(width="auto")
    return widgets.Dropdown(options=pairs, description=label, style=FULL_LABEL, layout=layout)


def switch(label, value=False):
    """A check box."""
    return widgets.Checkbox(value, description=label, indent=False, layout=widgets.Layout(width="auto"))


def button(label, action, **options):
    """A button; action: a function without arguments."""
    made = widgets.Button(description=label, **options)
    made.on_click(lambda _: action())
    return made


def rows_of(controls):
    """Controls side by side, in as many rows as they need."""
    return widgets.HBox(list(controls), layout=widgets.Layout(flex_flow="row wrap", grid_gap="4px 16px"))


class Message(widgets.HTML):
    """A line in words, `text`; it keeps its height when it is empty, so that nothing jumps.

    trouble: True if it is a warning.
    """

    text, trouble = "", False

    def __init__(self, lines=1):
        super().__init__(layout=widgets.Layout(min_height=f"{8 + 24 * lines}px"))

    def say(self, text, trouble=False):
        """Show `text`, which may be HTML, in red if there is `trouble`."""
        self.text, self.trouble = text, bool(trouble)
        colour = plotting.TROUBLE if trouble else "inherit"
        self.value = f'<div style="font-size:16px;line-height:24px;color:{colour}">{text}</div>'


class Matrix(widgets.GridBox):
    """A square of numbers to type in; `value` is a tuple of rows, each a tuple of floats."""

    LARGEST, HIGHEST = 5, 99  # rows; absolute value of a number
    value = traitlets.Tuple()

    def __init__(self, value):
        super().__init__(layout=widgets.Layout(grid_gap="2px"))
        # Made once: 25 new widgets at each change of size would take longer than all else.
        self.cells = [[self._cell(row, column) for column in range(self.LARGEST)] for row in range(self.LARGEST)]
        self.value = value

    @traitlets.observe("value")
    def _fill(self, change):
        size = len(self.value)
        if len(self.children) != size**2:
            self.children = [self.cells[row][column] for row in range(size) for column in range(size)]
            self.layout.grid_template_columns = f"repeat({size}, 64px)"
        self._filling = True
        for cell, number in zip(self.children, sum(self.value, ()), strict=True):
            cell.value = number
        self._filling = False

    def _cell(self, row, column):
        cell = widgets.BoundedFloatText(
            min=-self.HIGHEST,
            max=self.HIGHEST,
            step=0.1,
            layout=widgets.Layout(width="62px"),
            tooltip=f"row {row + 1}, column {column + 1}",
        )
        cell.observe(lambda change: self._typed(row, column, change.new), names="value")
        return cell

    def _typed(self, row, column, number):
        if not self._filling:
            rows = [list(numbers) for numbers in self.value]
            rows[row][column] = number
            self.value = tuple(map(tuple, rows))
