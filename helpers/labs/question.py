"""Guess first: a question to commit to before a cell shows the truth."""

import html

import ipywidgets as widgets
from IPython.display import HTML, display

STYLE = "font-size:16px;line-height:24px"


def predict(question, *options):
    """A question with a button for each answer; show it as a cell's last line, and answer it in a later cell.

    question, options: texts. `guess = predict("How wide is it?", "24", "28")` in one cell, `guess.answer("24")` in
    the cell that shows it.
    """
    return Prediction(question, options)


class Prediction(widgets.VBox):
    """What `predict` returns; `chosen` is the option on whose button somebody clicked, or None."""

    def __init__(self, question, options):
        self.question, self.options = question, options
        self.buttons = widgets.ToggleButtons(options=options, value=None, style={"button_width": "auto"})
        super().__init__([widgets.HTML(_line(f"<b>Guess first.</b> {html.escape(question)}")), self.buttons])

    @property
    def chosen(self):
        """The option that was chosen, or None."""
        return self.buttons.value

    def answer(self, right, detail=""):
        """Show the guess beside the answer; from now on it cannot be changed. right: one of the options.

        detail: more words, such as a measured number. Raises ValueError where `right` is none of the options.
        """
        if right not in self.options:
            raise ValueError(f"{right!r} is none of the options {', '.join(self.options)}")
        self.buttons.disabled = True
        guess = "You made no guess." if self.chosen is None else f"Your guess: <b>{html.escape(self.chosen)}</b>"
        mark = {right: " ✅", None: ""}.get(self.chosen, " ❌")
        more = f" ({html.escape(detail)})" if detail else ""
        display(HTML(_line(f"{guess}{mark} &nbsp; Answer: <b>{html.escape(right)}</b>{more}")))

    def _repr_mimebundle_(self, **kwargs):
        # On a page without a kernel, such as the handout, the question stands as text.
        options = " &nbsp;·&nbsp; ".join(map(html.escape, self.options))
        text = _line(f"<b>Guess first.</b> {html.escape(self.question)} &nbsp; {options}")
        return {**super()._repr_mimebundle_(**kwargs), "text/html": text}


def _line(text):
    return f'<div style="{STYLE}">{text}</div>'
