"""Pictures as vector graphics: sharp on a projector, dark on a light page and light on a dark one.

Greys become the page's own ink, so much of it as they are dark, and white lines the page's own ground.
"""

import base64
import hashlib
import html
import io
import re

from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import to_hex, to_rgba
from matplotlib.markers import MarkerStyle
from matplotlib.patches import FancyArrowPatch
from matplotlib.path import Path
from matplotlib.transforms import Affine2D
from PIL import Image

from helpers.plotting.colours import BLUE, DPI, GREY, INK, RED, TROUBLE

POINT = DPI / 72  # pixels
ANCHORS = {"left": "start", "center": "middle", "right": "end"}
LETTERS = {Path.MOVETO: "M", Path.LINETO: "L", Path.CURVE3: "Q", Path.CURVE4: "C", Path.CLOSEPOLY: "Z"}
DASHES = {"--": (3.7, 1.6), "dashed": (3.7, 1.6), ":": (1, 1.65), "dotted": (1, 1.65)}  # in widths of the line
# Coloured type that could not be read on both kinds of page, in a colour of the page's own.
TYPE = {
    BLUE: f"var(--jp-brand-color1, {BLUE})",
    TROUBLE: f"var(--jp-error-color1, {TROUBLE})",
    RED: f"var(--jp-error-color1, {RED})",
}
PAPER = "var(--jp-layout-color0, #fff)"
STYLE = (
    "max-width:100%;height:auto;color:var(--jp-ui-font-color1,currentColor);font-family:inherit;stroke-linejoin:round"
)


def head(figure, width, height):
    """The first tag of a figure's SVG; width, height: of what stands in it, in its own units."""
    said, look = html.escape(figure.alt), f"width:{round(figure.get_figwidth() * DPI, 1):g}px;{STYLE}"
    return f'<svg role="img" aria-label="{said}" viewBox="0 0 {width:g} {height:g}" style="{look}">'


def chart(figure):
    """A Matplotlib figure as SVG text. Its type stays outlines; ink is `colours.INK`, second ink `colours.GREY`."""
    grounds = [figure.patch, *(ax.patch for ax in figure.axes)]
    shown = [ground.get_visible() for ground in grounds]
    file = io.StringIO()
    for ground in grounds:
        ground.set_visible(False)
    FigureCanvasSVG(figure).print_svg(file, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    for ground, visible in zip(grounds, shown, strict=True):
        ground.set_visible(visible)
    inside = re.search(r"<svg.*?>(.*)", file.getvalue(), re.DOTALL)[1]
    inside = re.sub(r"<style.*?</style>", "", inside, flags=re.DOTALL)  # it would hold for the whole page
    inside = inside.replace(INK, "currentColor").replace(GREY, f"var(--jp-ui-font-color2, {GREY})")
    inside = inside.replace("xlink:href", "href")  # as HTML has it
    width, height = (round(72 * inches, 1) for inches in figure.get_size_inches())
    return head(figure, width, height) + own_names(inside)


def own_names(svg):
    """SVG text whose parts have names that no other picture of the page has, the same whenever it is drawn."""
    places = {name: i for i, name in enumerate(dict.fromkeys(re.findall(r'\bid="([^"]+)"', svg)))}
    svg = re.sub(r'(\bid="|href="#|url\(#)([^")]+)', lambda found: f"{found[1]}picture-{places[found[2]]}", svg)
    return svg.replace("picture-", f"picture-{hashlib.sha256(svg.encode()).hexdigest()[:8]}-")


def sheet(sheet):
    """A `Sheet` as SVG text, its words as words."""
    kinds = ((sheet.ax.images, _image), (sheet.ax.collections, _collection), (sheet.ax.patches, _patch))
    things = [(thing, put) for several, put in (*kinds, (sheet.ax.lines, _line)) for thing in several]
    parts = [put(thing) for thing, put in sorted(things, key=lambda pair: pair[0].get_zorder())]
    images = [image.get_extent() for image in sheet.ax.images]
    parts += [_text(text, images) for text in sheet.ax.texts]
    size = (round(inches * DPI, 1) for inches in sheet.get_size_inches())
    return "\n".join([head(sheet, *size), *parts, "</svg>"])


def _ink(colour, property="fill"):
    """The attributes of a colour: of a grey, the page's ink with an opacity."""
    red, green, blue, opacity = to_rgba(colour)
    if opacity == 0:
        return f'{property}="none"'
    name = to_hex(colour)
    if red == green == blue < 1:
        name, opacity = "currentColor", opacity * (1 - red)
    elif red == green == blue and property == "stroke":
        name = PAPER
    return f'{property}="{name}"' + (f' {property}-opacity="{opacity:.3g}"' if opacity < 1 else "")


def _shape(path, face, edge, width, dashes=()):
    """A path in the sheet's pixels; width: of its edge, in points; dashes: of its edge, in widths."""
    steps = [
        LETTERS[code] + " ".join(f"{number:.5g}" for number in ([] if code == Path.CLOSEPOLY else ends))
        for ends, code in path.iter_segments(simplify=False)
    ]
    stroke = f' {_ink(edge, "stroke")} stroke-width="{width * POINT:.3g}"' if width and to_rgba(edge)[3] else ""
    if dashes:
        stroke += f' stroke-dasharray="{" ".join(f"{part * width * POINT:.3g}" for part in dashes)}"'
    return f'<path d="{"".join(steps)}" {_ink(face)}{stroke}/>'


def _patch(patch):
    path = patch.get_patch_transform().transform_path(patch.get_path())
    face, edge, width = patch.get_facecolor(), patch.get_edgecolor(), patch.get_linewidth()
    if not isinstance(patch, FancyArrowPatch):
        return _shape(path, face, edge, width, DASHES.get(patch.get_linestyle(), ()))
    # Its line, which is not filled, and its head begin with a move each.
    second = [i for i, code in enumerate(path.codes) if code == Path.MOVETO][1]
    line, tip = (Path(path.vertices[part], path.codes[part]) for part in (slice(second), slice(second, None)))
    return _shape(line, "none", edge, width) + _shape(tip, face, edge, width)


def _collection(several):
    faces, edges, widths = several.get_facecolor(), several.get_edgecolor(), several.get_linewidth()
    return "".join(
        _shape(path, *(every[i % len(every)] if len(every) else empty for every, empty in
                       ((faces, "none"), (edges, "none"), (widths, 0))))
        for i, path in enumerate(several.get_paths())
    )  # fmt: skip


def _line(line):
    points, way = line.get_xydata(), ""
    if line.get_linestyle() != "None":
        dashes = DASHES.get(line.get_linestyle(), ())
        way = _shape(Path(points), "none", line.get_color(), line.get_linewidth(), dashes)
    if line.get_marker() in (None, "None", ""):
        return way
    marker, size = MarkerStyle(line.get_marker()), line.get_markersize() * POINT
    outline = marker.get_path().transformed(Affine2D(marker.get_transform().get_matrix()).scale(size))
    look = line.get_markerfacecolor(), line.get_markeredgecolor(), line.get_markeredgewidth()
    return way + "".join(_shape(outline.transformed(Affine2D().translate(*point)), *look) for point in points)


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


def _text(text, images):
    """A word; on an image it keeps its own colour."""
    (x, y), colour = text.get_position(), text.get_color()
    on_image = any(left < x < right and top < y < bottom for left, right, bottom, top in images)
    ink = f'fill="{to_hex(colour)}"' if on_image else f'fill="{TYPE[colour]}"' if colour in TYPE else _ink(colour)
    look = f'{ink} font-size="{text.get_fontsize() * POINT:.3g}" text-anchor="{ANCHORS[text.get_ha()]}"'
    bold = ' font-weight="bold"' if text.get_weight() == "bold" else ""
    place = f'x="{x:.5g}" y="{y:.5g}" dominant-baseline="central"'
    return f'<text {place} {look}{bold} style="white-space:pre">{html.escape(text.get_text())}</text>'
