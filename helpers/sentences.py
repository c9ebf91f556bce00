"""Sentences in the output of a cell: JupyterLab breaks what is printed at its edge, in the middle of a word."""

import html

from IPython.display import display

VERDICT = "font-size:16px;line-height:24px;"  # larger than the prose around it: what a student looks for after a run


def in_html(text, style=""):
    """The text as HTML, whose lines break between words where the page ends, and where the text itself breaks them."""
    return f'<div style="{style}white-space:pre-wrap">{html.escape(text)}</div>'


def say(text):
    """Show a text below the cell; outside a notebook, print it."""
    display(Sentences(text))


class Sentences:
    """A text that wraps between words where it is shown as HTML."""

    def __init__(self, text):
        self.text = text

    def __repr__(self):
        return self.text

    def _repr_html_(self):
        return in_html(self.text)
