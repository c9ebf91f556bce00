"""What a hand can move: sliders, lists and switches, all with labels in full."""

import ipywidgets as widgets

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
