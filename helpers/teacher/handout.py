"""Each chapter executed, with its pictures, as HTML to be read without running it: `make handout`."""

import base64
import html
import io
import re
from pathlib import Path

import matplotlib
import nbformat
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import math_to_image

from helpers.files import new_file

ROOT = Path(__file__).resolve().parents[2]
# The bundled sample, even if this machine has more data: it needs no network, and everyone gets the same pages.
# Only the message of an error: a traceback would fill pages, and name folders of this machine.
BEFORE = """import helpers
helpers.fashion_mnist = lambda part=None, load=helpers.fashion_mnist: load("sample")
helpers.mnist = lambda part=None, load=helpers.mnist: load("sample")
%xmode Minimal"""
STYLE = "<style>main { max-width: 1000px; margin: auto } .jp-RenderedHTMLCommon { padding-right: 0 }</style>"
LAB = "<p><em>A lab before anyone has moved it. Open the notebook to move it.</em></p>"
STILL_SAYS = re.compile(r"<p>This is a picture of the .*</p>")
TO_GUESS = re.compile(r"<p>Run this cell again to guess\.</p>")
FORMULA = re.compile(r"\$\$(?P<block>.+?)\$\$|\$(?P<inline>[^$\n]+)\$", re.DOTALL)


def executed(path, before=BEFORE):
    """The notebook at `path`, executed, with labs and formulas as pictures, so that nothing in it needs a script.

    before: code to run first. An error in a cell is raised, unless the cell's tag allows it.
    """
    from nbclient import NotebookClient  # only here: students do not need it

    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(before))
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(path.parent)}}).execute()
    del notebook.cells[0]
    widgets = notebook.metadata.pop("widgets", {})
    states = widgets.get("application/vnd.jupyter.widget-state+json", {}).get("state", {})
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = FORMULA.sub(formula, cell.source)
        for output in cell.get("outputs", []):
            view = output.get("data", {}).get("application/vnd.jupyter.widget-view+json")
            page = output.get("data", {}).get("text/html", "")
            if 'class="lab-still"' in page:  # the picture of a lab, or a question's text, before its widget
                output.data = {"text/html": TO_GUESS.sub("", STILL_SAYS.sub(LAB, page))}
            elif view:
                output.data = {"text/html": still(view["model_id"], states)}
    return notebook


def page(path):
    """The notebook at `path`, executed, as one self-contained HTML page: no script, no network."""
    from nbconvert import HTMLExporter  # only here: students do not need it

    exporter = HTMLExporter(exclude_input_prompt=True, exclude_output_prompt=True)
    text, _ = exporter.from_notebook_node(executed(path), {"metadata": {"name": path.stem}})
    text = re.sub(r"<script\b.*?</script>", "", text, flags=re.DOTALL)  # they would fetch more from the network
    text = text.replace("No description has been provided for this image", "A picture that the code above draws")
    return text.replace(str(ROOT), ROOT.name).replace("</head>", f"{STYLE}</head>", 1)


def still(widget, states):
    """What remains of a widget on a page without a kernel: its pictures, as HTML.

    widget: its id; states: {id: the widget's state}.
    """
    kinds = [states[widget]["model_name"], *(states[child]["model_name"] for child in children_of(widget, states))]
    if "AnyModel" in kinds or "RadioButtonsModel" in kinds or is_picture(widget, states):
        return ""  # its picture, or its text, comes before it
    return "".join([*pictures_of(widget, states), LAB])


def pictures_of(widget, states):
    """The pictures in a widget, with their alternative text; folded parts are left out."""
    if is_picture(widget, states):
        return [states[child]["state"]["value"] for child in children_of(widget, states)]
    if states[widget]["model_name"] in ("TabModel", "AccordionModel"):
        return []
    return [picture for child in children_of(widget, states) for picture in pictures_of(child, states)]


def is_picture(widget, states):
    """True for a `labs.watch.Picture` whose run has ended: a single picture, as HTML."""
    return [states[child]["model_name"] for child in children_of(widget, states)] == ["HTMLModel"]


def children_of(widget, states):
    """The ids of the widgets in a widget."""
    return [child.removeprefix("IPY_MODEL_") for child in states[widget]["state"].get("children", [])]


def formula(match):
    """A formula as a picture, because the script that usually draws it comes from the network."""
    block = match["block"] is not None
    tex = (match["block"] or match["inline"]).strip()
    svg = io.BytesIO()
    with matplotlib.rc_context({"mathtext.fontset": "cm"}):
        large = tex.replace(r"\frac", r"\dfrac") if block else tex
        depth = math_to_image(f"${large}$", svg, FontProperties(size=12), dpi=72, format="svg")
    style = "display:block;margin:12px auto" if block else f"vertical-align:-{depth:.1f}pt"
    data = base64.b64encode(svg.getvalue()).decode()
    return f'<img alt="{html.escape(tex)}" style="{style}" src="data:image/svg+xml;base64,{data}">'


def main():
    """Write the pages of all chapters to build/handout."""
    folder = ROOT / "build" / "handout"
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        written = folder / f"{path.stem}.html"
        text = page(path)
        with new_file(written, overwrite=True) as file:
            file.write(text.encode())
        print(written.relative_to(ROOT), flush=True)


if __name__ == "__main__":
    main()
