"""The course as a website to read before anything is installed: `make book`.

Sphinx with myst-nb and its book theme: search, light and dark, next and previous. Chapters are executed once and kept
until they or `helpers` change. If BOOK_REPOSITORY names the project's address on GitHub, each page can be opened on
Binder. Nothing on the pages comes from the network.
"""

import hashlib
import io
import os
import re
import shutil
import tempfile
from pathlib import Path

import nbformat

from helpers.files import new_file
from helpers.teacher.handout import BEFORE, LAB, ROOT, executed

# After the chapters, in this order, with their entries in the table of contents.
TEXTS = {
    "for-students.md": "For students <for-students>",
    "glossary.md": "glossary",
    "README.md": "README",
    "hubs.md": "hubs",
}
INDEX = """# LeNet Lab

A hands-on course on convolutional networks, to read. The pictures of labs move as soon as you open the notebooks.

![A lab in JupyterLab: sliders beside curves of loss and accuracy](training.png)

```{{toctree}}
:maxdepth: 1
{pages}
```
"""
# Pictures have their own white background; without !important the theme's grey one would win.
CSS = (
    "html[data-theme=dark] .cell_output :is(.text_html, img)"
    " { background: none !important; color: inherit !important; padding: 0 !important }\n"
)
OPENED = "import os; os.environ['LENET_LAB_REVEAL'] = '1'"  # answers are there, folded by the page
CODE_OR_LINK = re.compile(r"(```.*?```|`[^`]*`|\[[^\]]*\]\([^)]*\)|<[^>]*>|^[#|][^\n]*)", re.DOTALL | re.MULTILINE)


def write(project=ROOT, repository=""):
    """Build the website of a project into build/book/html; returns that folder and Sphinx's warnings, a text.

    project: the folder with notebooks/ and helpers/; repository: its address on GitHub, or "".
    """
    from sphinx.application import Sphinx  # only here: students do not need it

    book = project / "build" / "book"
    terms = glossary_terms((project / "notebooks" / "glossary.md").read_text(encoding="utf-8"))
    warnings = io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder)
        (source / "static").mkdir()
        (source / "static" / "book.css").write_text(CSS)
        pages = []
        for path in sorted((project / "notebooks").glob("[0-9]*.ipynb")):
            notebook = kept(path, book / "executed", project)
            dress(notebook, path.name, terms, repository)
            nbformat.write(notebook, source / path.name)
            pages.append(path.stem)
        for name, entry in TEXTS.items():
            text = (project / "notebooks" / name).read_text(encoding="utf-8")
            text = with_anchors(text, terms) if name == "glossary.md" else text
            (source / name).write_text(within_the_book(text, repository), encoding="utf-8")
            pages.append(entry)
        shutil.copy(project / ".github" / "screenshots" / "training.png", source)
        (source / "index.md").write_text(INDEX.format(pages="\n".join(pages)), encoding="utf-8")
        html = book / "html"
        shutil.rmtree(html, ignore_errors=True)  # pages that have gone
        Sphinx(
            source, None, html, book / "doctrees", "html", settings(repository), status=None, warning=warnings
        ).build(force_all=True)
    return html, warnings.getvalue()


def settings(repository):
    """Sphinx's configuration."""
    theme = {"use_download_button": False, "use_fullscreen_button": False, "navbar_persistent": []}
    if repository:
        theme |= {"repository_url": repository, "path_to_docs": "notebooks", "use_repository_button": True}
        theme["launch_buttons"] = {"binderhub_url": "https://mybinder.org", "notebook_interface": "jupyterlab"}
    return {
        "project": "LeNet Lab",
        "language": "en",
        "extensions": ["myst_nb"],
        "html_theme": "sphinx_book_theme",
        "html_title": "LeNet Lab",
        "html_theme_options": theme,
        "html_copy_source": False,
        "html_static_path": ["static"],
        "html_css_files": ["book.css"],
        "nb_execution_mode": "off",
        "nb_merge_streams": True,
        "nb_code_prompt_show": "Show the {type}",
        "nb_code_prompt_hide": "Hide the {type}",
        "nb_ipywidgets_js": {},  # no widget is left on the pages
        "myst_heading_anchors": 3,
    }


def kept(path, folder, project=ROOT):
    """The notebook at `path`, executed; the result is kept in `folder` until the notebook or helpers change."""
    sources = [path, *sorted((project / "helpers").rglob("*.js"))]
    sources += sorted((project / "helpers").rglob("*.py"))
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources if source.is_file())).hexdigest()
    result = folder / f"{path.stem}-{digest[:16]}.ipynb"
    if not result.exists():
        folder.mkdir(parents=True, exist_ok=True)
        notebook = executed(path, f"{OPENED}\n{BEFORE}")
        for old in folder.glob(f"{path.stem}-*.ipynb"):
            old.unlink()
        with new_file(result) as file:
            file.write(nbformat.writes(notebook).encode())
    return nbformat.read(result, as_version=4)


def dress(notebook, name, terms, repository):
    """Fold the answers, hide the code of questions, link terms at their first use, and labs to Binder."""
    unseen = dict(terms)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = within_the_book(linked(cell.source, unseen), repository)
        elif ".answer(" in cell.source or "labs.predict" in cell.source:
            tags = ["remove-input", *(["hide-output"] if ".answer(" in cell.source else [])]
            words = {"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}
            cell.metadata = cell.metadata | {"tags": tags, "mystnb": words}
        for output in cell.get("outputs", []):
            if repository and LAB in output.get("data", {}).get("text/html", ""):
                output.data["text/html"] = output.data["text/html"].replace(LAB, to_binder(name, repository))


def to_binder(name, repository):
    """A line below a lab's picture with a link that opens its chapter on Binder."""
    owner_and_name = repository.removeprefix("https://github.com/")
    address = f"https://mybinder.org/v2/gh/{owner_and_name}/HEAD?urlpath=lab/tree/notebooks/{name}"
    return f'<p><em>A lab before anyone has moved it.</em> <a href="{address}">Move it on Binder</a></p>'


def glossary_terms(text):
    """The terms of the glossary and their anchors: {term: anchor}."""
    terms = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")][2:]
    return {term: f"term-{re.sub(r'[^a-z0-9]+', '-', term.lower()).strip('-')}" for term in terms}


def with_anchors(text, terms):
    """The glossary, with an anchor before each term."""
    for term, anchor in terms.items():
        text = text.replace(f"\n| {term} |", f'\n| <span id="{anchor}"></span>{term} |', 1)
    return text


def linked(text, terms):
    """`text` with a link to the glossary at the first place of each term; removes the terms found from `terms`."""

    def link(match):
        anchor = terms.pop(match[0].lower(), None)
        return f'<a href="glossary.html#{anchor}">{match[0]}</a>' if anchor else match[0]

    longest_first = sorted(terms, key=len, reverse=True)
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, longest_first))})\b", re.IGNORECASE)
    parts = CODE_OR_LINK.split(text)  # every second one is code, a link, a heading or a table
    return "".join(part if i % 2 else pattern.sub(link, part) for i, part in enumerate(parts)) if terms else text


def within_the_book(text, repository):
    """`text` with its links out of the book leading to the repository, or removed if there is none."""

    def lead(match):
        words, place = match.groups()
        if place.startswith("../README.md"):
            return f"[{words}](index.md)"
        path = place.removeprefix("../") if place.startswith("../") else f"notebooks/{place}"
        return f"[{words}]({repository}/blob/HEAD/{path})" if repository else words

    return re.sub(r"(?<!!)\[([^\]]*)\]\((\.\./[^)]*|solutions[^)]*)\)", lead, text)


def main():
    """Write the website, and what Sphinx found wrong."""
    html, warnings = write(repository=os.environ.get("BOOK_REPOSITORY", "").rstrip("/"))
    print(f"{warnings}The book begins at {html / 'index.html'}")


if __name__ == "__main__":
    main()
