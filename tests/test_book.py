"""The course as a website: what its pages hold, and that they need no network."""

import re

import nbformat
import pytest

from helpers.teacher import book, handout
from tests import every_lab

GLOSSARY = """# Glossary

| term | 中文 | meaning | chapter |
| --- | --- | --- | --- |
| kernel | 核 | A small table. | 2 |
| kernel size | 核大小 | Its width. | 2 |
"""
PROSE = """# Chapter 9: Small

See [chapter 10](10-large.ipynb), the `kernel` and *kernel size*, then a kernel, a kernel and $n = 28$.

## A kernel in a heading

[Solutions](solutions/09-small.ipynb) and [Start](../README.md#start).
"""
ASK = "guess = labs.predict('How wide?', '24', '28')\nguess"
ANSWER = "guess.answer('24', 'since 28 - 5 + 1 = 24', plotting.images(data.train_images[:1], alt='a tall boot'))"


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    """The folder of a book of two chapters."""
    project = tmp_path_factory.mktemp("project")
    notebooks = project / "notebooks"
    notebooks.mkdir()
    (project / "helpers").mkdir()
    (project / ".github" / "screenshots").mkdir(parents=True)
    (project / ".github" / "screenshots" / "training.png").write_bytes(b"a picture")
    cells = [nbformat.v4.new_markdown_cell(PROSE)]
    for source in (every_lab.BEGIN, "from helpers import plotting", every_lab.LABS["pooling"], ASK, ANSWER):
        cells.append(nbformat.v4.new_code_cell(source))
    nbformat.write(nbformat.v4.new_notebook(cells=cells), notebooks / "09-small.ipynb")
    last = nbformat.v4.new_markdown_cell("# Chapter 10: Large\n\nThe end, with a kernel.")
    nbformat.write(nbformat.v4.new_notebook(cells=[last]), notebooks / "10-large.ipynb")
    for name in book.TEXTS:
        (notebooks / name).write_text(GLOSSARY if name == "glossary.md" else f"# {name}\n", encoding="utf-8")
    folder, warnings = book.write(project, "https://github.com/ada/lenet-lab")
    assert warnings == ""
    return folder


@pytest.fixture(scope="module")
def page(html):
    """The first chapter's page."""
    return (html / "09-small.html").read_text(encoding="utf-8")


def test_nothing_comes_from_the_network(html):
    for path in html.glob("*.html"):
        loaded = re.findall(r'<(?:script|img|iframe)[^>]*src="([^"]*)|<link[^>]*href="([^"]*)', path.read_text("utf-8"))
        assert [name for pair in loaded for name in pair if re.match("(https?:)?//", name)] == []


def test_pages_lead_to_their_neighbours_and_can_be_searched(html, page):
    assert 'href="10-large.html"' in page
    assert "large" in (html / "searchindex.js").read_text()
    assert "09-small" in (html / "10-large.html").read_text()


def test_a_term_is_linked_once_a_page_and_only_in_prose(html, page):
    assert page.count('href="glossary.html#term-kernel-size"') == 1
    assert page.count('href="glossary.html#term-kernel"') == 1
    assert (html / "10-large.html").read_text().count('href="glossary.html#term-kernel"') == 1
    assert 'id="term-kernel-size"' in (html / "glossary.html").read_text()


def test_an_answer_is_folded_and_its_picture_keeps_its_words(page):
    before, _, answer = page.partition("<details")
    assert "How wide?" in before
    assert "since 28 - 5 + 1" not in before
    assert "Show the answer" in answer
    assert "since 28 - 5 + 1" in answer
    assert 'aria-label="a tall boot"' in answer


def test_a_lab_is_a_picture_with_a_way_to_binder(page):
    assert 'class="lab-still"' in page
    assert 'href="https://mybinder.org/v2/gh/ada/lenet-lab/HEAD?urlpath=lab/tree/notebooks/09-small.ipynb"' in page


def test_what_is_not_in_the_book_is_in_the_repository(page):
    assert 'href="https://github.com/ada/lenet-lab/blob/HEAD/notebooks/solutions/09-small.ipynb"' in page
    assert 'href="index.html"' in page


def test_without_a_repository_nothing_leads_to_binder():
    assert book.within_the_book("[a](../tests/hub.py) [b](x.md)", "") == "a [b](x.md)"
    assert "launch_buttons" not in book.settings("")["html_theme_options"]


def test_a_chapter_is_executed_again_only_if_it_or_the_package_has_changed(tmp_path, monkeypatch):
    runs = []
    monkeypatch.setattr(book, "executed", lambda path, before: runs.append(path) or nbformat.v4.new_notebook())
    (tmp_path / "helpers").mkdir()
    chapter, module = tmp_path / "09-small.ipynb", tmp_path / "helpers" / "lab.js"
    for text in ("one", "two"):
        for more in ("three", "four"):
            chapter.write_text(text)
            module.write_text(more)
            for _ in range(2):
                book.kept(chapter, tmp_path / "kept", tmp_path)
    assert len(runs) == 4
    assert len(list((tmp_path / "kept").iterdir())) == 1  # what has changed is no longer kept


def test_a_formula_is_a_picture_with_its_words():
    assert 'alt="n = 28"' in handout.FORMULA.sub(handout.formula, "$n = 28$")
