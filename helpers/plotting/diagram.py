"""Diagrams as vector graphics: sharp on a projector, dark on a light page and light on a dark one."""

import base64
import html
import io

from matplotlib.colors import to_rgba
from matplotlib.patches import FancyArrowPatch
from matplotlib.path import Path
from PIL import Image

from helpers.plotting.style import BLUE, DPI, TROUBLE, Sheet, drawn

ANCHORS = {"left": "start", "center": "middle", "right": "end"}
LETTERS = {Path.MOVETO: "M", Path.LINETO: "L", Path.CURVE3: "Q", Path.CURVE4: "C", Path.CLOSEPOLY: "Z"}
# Coloured type that could not be read on both kinds of page, in a colour of the page's own.
TYPE = {BLUE: f"var(--jp-brand-color1, {BLUE})", TROUBLE: f"var(--jp-error-color1, {TROUBLE})"}
PAPER = "var(--jp-layout-color0, #fff)"
STYLE = "max-width:100%;height:auto;color:var(--jp-ui-font-color1,currentColor);font-family:inherit"


class Diagram(Sheet):
    """A `Sheet` of frames, lines, arrows, tiny images and words that a page shows as SVG, its words as words.

    Greys become the page's own ink, so much of it as they are dark, and white lines the page's own ground.
    """

    @drawn
    def svg(self):
        """The diagram as SVG text."""
        width, height = (round(inches * DPI, 1) for inches in (self.get_figwidth(), self.get_figheight()))
        kinds = ((self.ax.images, _image), (self.ax.collections, _collection), (self.ax.patches, _patch))
        things = [(thing, put) for several, put in (*kinds, (self.ax.lines, _line)) for thing in several]
        parts = [put(thing) for thing, put in sorted(things, key=lambda pair: pair[0].get_zorder())]
        images = [image.get_extent() for image in self.ax.images]
        parts += [_text(word, images) for word in self.words.words]
        head = f'<svg role="img" aria-label="{html.escape(self.alt)}" viewBox="0 0 {width:g} {height:g}"'
        return "\n".join([f'{head} style="width:{width:g}px;{STYLE}">', *parts, "</svg>"])

    def _repr_html_(self):
        return self.svg()


def _ink(colour, property="fill"):
    """The attributes of a colour: of a grey, the page's ink with an opacity."""
    red, green, blue, opacity = to_rgba(colour)
    if opacity == 0:
        return f'{property}="none"'
    name = f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}"
    if red == green == blue < 1:
        name, opacity = "currentColor", opacity * (1 - red)
    elif red == green == blue and property == "stroke":
        name = PAPER
    return f'{property}="{name}"' + (f' {property}-opacity="{opacity:.3g}"' if opacity < 1 else "")


def _shape(path, face, edge, width):
    """A path in the sheet's pixels; width: of its edge, in points."""
    steps = [
        LETTERS[code] + " ".join(f"{number:.5g}" for number in ([] if code == Path.CLOSEPOLY else ends))
        for ends, code in path.iter_segments(simplify=False)
    ]
    stroke = f' {_ink(edge, "stroke")} stroke-width="{width * DPI / 72:.3g}"' if width and to_rgba(edge)[3] else ""
    return f'<path d="{"".join(steps)}" {_ink(face)}{stroke}/>'


def _patch(patch):
    path = patch.get_patch_transform().transform_path(patch.get_path())
    face, edge, width = patch.get_facecolor(), patch.get_edgecolor(), patch.get_linewidth()
    if not isinstance(patch, FancyArrowPatch):
        return _shape(path, face, edge, width)
    # Its line, which is not filled, and its head begin with a move each.
    second = [i for i, code in enumerate(path.codes) if code == Path.MOVETO][1]
    line, head = (Path(path.vertices[part], path.codes[part]) for part in (slice(second), slice(second, None)))
    return _shape(line, "none", edge, width) + _shape(head, face, edge, width)


def _collection(several):
    faces, edges, widths = several.get_facecolor(), several.get_edgecolor(), several.get_linewidth()
    return "".join(
        _shape(path, *(every[i % len(every)] if len(every) else empty for every, empty in
                       ((faces, "none"), (edges, "none"), (widths, 0))))
        for i, path in enumerate(several.get_paths())
    )  # fmt: skip


def _line(line):
    return _shape(Path(line.get_xydata()), "none", line.get_color(), line.get_linewidth())


def _image(image):
    """A pixel of the image is a pixel of a PNG, which the page enlarges without a blur."""
    left, right, bottom, top = image.get_extent()
    file = io.BytesIO()
    Image.fromarray(image.to_rgba(image.get_array(), bytes=True)).save(file, "png")
    data = base64.b64encode(file.getvalue()).decode()
    place = f'x="{left:.5g}" y="{top:.5g}" width="{right - left:.5g}" height="{bottom - top:.5g}"'
    return (
        f'<image {place} preserveAspectRatio="none" style="image-rendering:pixelated" '
        f'href="data:image/png;base64,{data}"/>'
    )


def _text(word, images):
    """A word; on an image it keeps its own colour."""
    on_image = any(left < word.x < right and top < word.y < bottom for left, right, bottom, top in images)
    ink = f'fill="{word.colour}"' if on_image else f'fill="{TYPE[word.colour]}"' if word.colour in TYPE else ""
    look = f'{ink or _ink(word.colour)} font-size="{word.size * DPI / 72:.3g}" text-anchor="{ANCHORS[word.ha]}"'
    bold = ' font-weight="bold"' if word.weight == "bold" else ""
    place = f'x="{word.x:.5g}" y="{word.y:.5g}" dominant-baseline="central"'
    return f'<text {place} {look}{bold} style="white-space:pre">{html.escape(word.text)}</text>'
