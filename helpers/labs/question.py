"""Guess first: a question to commit to before a cell shows the truth."""

import html
import os
import random
import re

import anywidget
import ipywidgets as widgets
import traitlets as t
from IPython.display import HTML, display

from helpers.labs.cells import Whole, this_cell
from helpers.labs.living import CSS, display_with, script
from helpers.sentences import VERDICT


def predict(question, *options):
    """A question and its possible answers, in random order; show it as a cell's last line, answer it in a later cell.

    All chapters. question, options: texts. Write `guess = predict("How wide is it?", "24", "28")` in one cell and
    `guess.answer("24")` in the cell that shows it; the answer opens as soon as a guess has been made. The environment
    variable LENET_LAB_REVEAL=1 opens all answers at once, for tests and printed pages.

    When its cell is run again, a question keeps its guess: a click on an option makes this cell the active one, so the
    next Shift+Enter runs it a second time.
    """
    return this_cell().once(Prediction, question, options)


class Guess(Whole):
    """A question, the widget `choices` for answering it, and a line that notes the guess.

    noted_by: the trait of `choices` that changes with a guess. A kind of question has `chosen`, the guess or None;
    `_words(value)`, a guess or an answer as text; and `_verdict_on(right)`, a mark and a sentence, both perhaps "".
    """

    def __init__(self, question, choices, noted_by="is_noted"):
        self.question, self.choices, self.opened = question, choices, None
        self.noted, self.focus = widgets.HTML(_line("&nbsp;")), Focus()
        asked = widgets.HTML(_line(f"<b>Guess first.</b> {html.escape(question)}"))
        super().__init__([asked, choices, self.noted, self.focus])
        choices.observe(lambda change: self._note(), noted_by)

    def _show_answer(self, right, reason, shown):
        """Show the answer beside the guess, as soon as there is one or the student asks for it."""
        if self.opened:
            self.opened.close()
        if self.chosen is not None or os.environ.get("LENET_LAB_REVEAL") == "1":
            display(HTML(self._verdict(right, reason)), *shown)
        else:
            self.opened = Reveal(self.question, lambda: self._verdict(right, reason), shown)
            display(self.opened)

    def _verdict(self, right, reason):
        self.choices.disabled = True
        self.focus.losses += 1
        mark, how = self._verdict_on(right) if self.chosen is not None else ("", "")
        guess = "You made no guess."
        if self.chosen is not None:
            guess = f"Your guess: <b>{html.escape(self._words(self.chosen))}</b>{mark and f' {mark}'}"
        reason = f"{how} {reason}".strip()
        more = "<br>{}" if reason.endswith(".") else " ({})"
        more = more.format(_with_code(reason)) if reason else ""
        return _line(f"{guess} &nbsp; Answer: <b>{html.escape(self._words(right))}</b>{more}")

    def _note(self):
        if self.chosen is None:  # a guess that is being changed
            self.noted.value = _line("&nbsp;")
            return
        self.noted.value = _line(f"Your guess is noted: <b>{html.escape(self._words(self.chosen))}</b>")
        if self.opened:
            self.opened.reveal()

    def _ipython_display_(self):
        options = " &nbsp;·&nbsp; ".join(map(html.escape, self.options))
        text = _line(f"<b>Guess first.</b> {html.escape(self.question)} &nbsp; {options}")
        self.add_class("lab-alive")
        display_with(f"{text}<p>Run this cell again to guess.</p>", self, "a question to guess")


class Focus(anywidget.AnyWidget):
    """Sees to it that the notebook has the keyboard after a click on an option or a button that takes itself away."""

    _esm = f"{script('focus.js')}\nexport default {{ render: giveKeyboardBack }};"
    losses = t.Int().tag(sync=True)  # how often something was taken away

    def __init__(self):
        super().__init__(layout={"display": "none"})


class Choices(anywidget.AnyWidget):
    """What answers a question, drawn by the browser; `right` is the right answer, once it may be seen."""

    _css = CSS
    right = t.List().tag(sync=True)
    is_noted, disabled = t.Bool(False).tag(sync=True, echo_update=False), t.Bool(False).tag(sync=True)


class Prediction(Guess):
    """What `predict` returns (all chapters); `chosen` is the option that the student chose, or None."""

    def __init__(self, question, options):
        self.options = options
        shuffled = random.Random().sample(options, len(options))  # leaves the seed of a chapter alone
        buttons = widgets.RadioButtons(options=shuffled, value=None, layout={"width": "auto"})
        super().__init__(question, buttons, "value")

    @property
    def chosen(self):
        """The option that was chosen, or None."""
        return self.choices.value

    def answer(self, right, reason="", *shown):
        """Show the answer beside the guess, as soon as there is one or the student asks for it.

        right: one of the options; reason: why, or what was measured, a few words or whole sentences; shown: pictures
        and values that would give the answer away. The guess can then no longer be changed. Raises ValueError if
        `right` is not one of the options.
        """
        if right not in self.options:
            raise ValueError(f"{right!r} is not one of the options {', '.join(self.options)}")
        self._show_answer(right, reason, shown)

    def _words(self, value):
        return value

    def _verdict_on(self, right):
        return ("✅" if self.chosen == right else "❌"), ""


class Reveal(Whole):
    """An answer that stays closed until its question has a guess, or until the student asks to be shown."""

    def __init__(self, question, verdict, shown):
        # The question's text, not its widget: a box closes everything that it holds.
        self.question, self.verdict, self.shown = question, verdict, shown
        self.show_me = widgets.Button(description="Show me", tooltip="Show the answer without a guess")
        self.show_me.on_click(lambda button: self.reveal())
        self.focus = Focus()
        super().__init__([widgets.HTML(_line(f"Guess first: {html.escape(question)}")), self.show_me, self.focus])

    def _ipython_display_(self):
        text = f"<p>{html.escape(self.question)} Run the question's cell and this one again to see the answer.</p>"
        self.add_class("lab-alive")
        display_with(text, self, "an answer that waits for a guess")

    def reveal(self):
        """Show the answer and everything that was held back."""
        output = widgets.Output()
        for thing in self.shown:
            # A figure displays itself, which leaves an output widget with nothing: give it the figure's HTML.
            output.append_display_data(HTML(thing._repr_html_()) if hasattr(thing, "_ipython_display_") else thing)
        self.children = [widgets.HTML(self.verdict()), output, self.focus]
        self.focus.losses += 1


def _with_code(text):
    return re.sub("`([^`]+)`", r"<code>\1</code>", html.escape(text))


def _line(text):
    return f'<div style="{VERDICT}">{text}</div>'
