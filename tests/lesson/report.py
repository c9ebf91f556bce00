"""The report of a rehearsal, for a person to look at: build/lesson/index.html."""

import html
import shutil

from tests.lesson.notice import KINDS
from tests.lesson.script import ROOT, script_of

FOLDER = ROOT / "build" / "lesson"
NOTEBOOK = {"x": 284, "y": 58, "width": 964, "height": 718}  # without the file browser and the margins of JupyterLab
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>A rehearsed lesson</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 100rem; padding: 0 1rem; color: #222 }}
h2 {{ margin-top: 3rem; border-top: 1px solid #ccc; padding-top: 1rem }}
h3 {{ margin: 1.5rem 0 .25rem }}
.strip {{ display: flex; flex-wrap: wrap; gap: .75rem }}
figure {{ margin: 0; flex: none; width: 20rem }} img {{ width: 100%; border: 1px solid #ccc; display: block }}
figcaption {{ font-size: 13px; color: #555; overflow-wrap: anywhere }}
li {{ color: #a00 }} li.wait {{ color: #850 }}
small {{ font-weight: normal; color: #555 }} table {{ border-collapse: collapse }}
td, th {{ padding: .2rem .8rem; text-align: right; border-bottom: 1px solid #ddd }}
td:nth-child(-n+2), th:nth-child(-n+2) {{ text-align: left }}
</style>
<h1>A rehearsed lesson</h1>
{body}
</html>
"""


class Pages:
    """The runs through chapters, and the pictures that were taken."""

    def __init__(self):
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
        self.rehearsed, self.taken = [], 0

    def shoot(self, page):
        """Take a picture of a page; returns its file's name."""
        self.taken += 1
        name = f"{self.taken:04}.jpg"
        page.screenshot(path=FOLDER / name, type="jpeg", quality=60, clip=NOTEBOOK)
        return name

    def add(self, chapter, run, parts, seconds):
        """Add one run through a chapter: its `notice.Part`s, and how long it took."""
        self.rehearsed.append((chapter, run, parts, seconds))

    @property
    def faults(self):
        """The number of faults that were noticed."""
        return sum(len(part.faults) for _, _, parts, _ in self.rehearsed for part in parts)

    def write(self):
        """Write the page; returns a line that says how much was done, and where the page is."""
        table = "".join(map(_row, self.rehearsed))
        names = ["chapter", "run", "sections", "actions", "s waited", "min in all", "faults"]
        head = "<tr>" + "".join(f"<th>{name}</th>" for name in names) + "</tr>"
        faults = "".join(map(_faults, self.rehearsed))
        told = f"<ul>{faults}</ul>" if faults else "<p>No fault was noticed.</p>"
        body = f"<p>{self.summary()}</p><table>{head}{table}</table>{told}"
        body += "".join(map(_chapter, self.rehearsed))
        (FOLDER / "index.html").write_text(PAGE.format(body=body), encoding="utf-8")
        return f"{self.summary()}: {FOLDER / 'index.html'}"

    def summary(self):
        """All that was done, in a line."""
        parts = [part for _, _, parts, _ in self.rehearsed for part in parts if part.actions]
        detours = sum(run != "straight" for _, run, _, _ in self.rehearsed)
        return (
            f"runs: {len(self.rehearsed)} (detours: {detours}), sections: {len(parts)}, "
            f"actions: {sum(part.actions for part in parts):,}, faults: {self.faults}, "
            f"waited: {sum(part.seconds for part in parts):,.0f} s, pictures: {self.taken}, "
            f"minutes: {sum(seconds for *_, seconds in self.rehearsed) / 60:.0f}"
        )


def _row(rehearsed):
    chapter, run, parts, seconds = rehearsed
    numbers = [
        sum(part.actions > 0 for part in parts),
        sum(part.actions for part in parts),
        f"{sum(part.seconds for part in parts):.0f}",
        f"{seconds / 60:.1f}",
        sum(len(part.faults) for part in parts),
    ]
    return f'<tr><td><a href="#{run}-{chapter}">{chapter}</a><td>{run}' + "".join(f"<td>{number}" for number in numbers)


def _faults(rehearsed):
    chapter, run, parts, _ = rehearsed
    return "".join(
        f'<li><a href="#{run}-{chapter}">chapter {chapter}, {run}</a>, {html.escape(f"{part.title}: {fault}")}'
        for part in parts
        for fault in part.faults
    )


def _chapter(rehearsed):
    chapter, run, parts, _ = rehearsed
    title = html.escape(script_of(chapter).notebook.cells[0].source.splitlines()[0].lstrip("# "))
    return f'<h2 id="{run}-{chapter}">{title} <small>{run}</small></h2>' + "".join(map(_part, parts))


def _part(part):
    if not (part.pictures or part.remarks):
        return ""
    promised = f"{part.minutes} min promised, " if part.minutes else ""
    remarks = "".join(
        f'<li class="{remark.kind}">{html.escape(f"{KINDS[remark.kind]} – {remark.cell}: {remark.words}")}</li>'
        for remark in part.remarks
    )
    pictures = "".join(
        f'<figure><a href="{name}"><img loading="lazy" src="{name}" alt="{html.escape(words)}"></a>'
        f"<figcaption>{html.escape(words)}</figcaption></figure>"
        for name, words in part.pictures
    )
    return (
        f"<h3>{html.escape(part.title)} "
        f"<small>{promised}{part.seconds:.1f} s waited, {part.actions} actions</small></h3>"
        f'<ul>{remarks}</ul><div class="strip">{pictures}</div>'
    )
