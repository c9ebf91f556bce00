"""Sentences below a cell wrap between words in a notebook, and are printed elsewhere."""

import nbformat
import pytest
from nbclient import NotebookClient

from helpers.checks.verdict import wrong
from helpers.sentences import VERDICT, in_html, say
from tests.lesson.script import ROOT

LONG = "a <b> & c " * 30


def test_a_sentence_is_printed_outside_a_notebook(capsys):
    say(LONG)
    assert capsys.readouterr().out == f"{LONG}\n"


def test_html_shows_the_text_itself_with_its_own_lines():
    assert ">1 &lt; 2\n  3 &amp; 4</div>" in in_html("1 < 2\n  3 & 4")
    assert "pre-wrap" in in_html("")


@pytest.mark.parametrize(
    ("code", "words", "style"),
    [
        ("from helpers.sentences import say\nsay('short')", "short", ""),
        ("from helpers.checks.verdict import wrong\nwrong('not so')", repr(wrong("not so")), VERDICT),
    ],
)
def test_a_notebook_gets_both_html_and_plain_text(code, words, style, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    NotebookClient(notebook).execute()
    (output,) = notebook.cells[0].outputs
    assert output.data == {"text/plain": words, "text/html": in_html(words, style)}
