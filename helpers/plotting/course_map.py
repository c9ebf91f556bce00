"""The way through the course, and through one chapter of it."""

from matplotlib.patches import FancyBboxPatch, Polygon

from helpers.plotting.colours import BLUE, GREY
from helpers.plotting.style import Sheet, drawn

CHAPTERS = ("Data", "Convolution", "LeNet's shapes", "Training", "LeNet and an MLP")
# {chapter: {its sections: what happens there}}
WAYS = {
    1: {
        "1": "a network\nreads",
        "2": "look first",
        "3": "the file:\nbytes",
        "4": "bytes →\nfloats",
        "5": "ten classes",
        "6": "three sets",
        "7": "batches",
    },
    2: {
        "1": "a kernel\nslides",
        "2": "filters,\nalso learnt",
        "3": "channels",
        "4": "padding,\nstride",
        "5": "a kernel\nis learnt",
        "6": "pooling",
        "7": "what a\nshift does",
    },
    3: {
        "1": "LeNet\nat work",
        "2": "what flat-\ntening loses",
        "3, 4": "layers and\nshapes",
        "5": "parameters",
        "6": "work",
        "7": "a variant,\na bug",
        "8": "your own\nnetwork",
    },
    4: {
        "1, 2": "a step,\nan epoch",
        "3": "measuring",
        "4": "the device",
        "5, 6": "learning\nrate, lab",
        "7, 8": "bug or\nnot?",
        "9": "your own\nnetwork",
    },
    5: {
        "1, 2": "a fair\nrace",
        "3": "moved\nimages",
        "4": "shuffled\npixels",
        "5": "frozen\nhalves",
        "6": "few or\nmany",
        "7": "the test,\nonce",
    },
}
WIDTH, HIGH, NOTCH = 1000, 40, 14  # pixels: the picture, the arrows of the chapters, and their points


@drawn
def course_map(chapter):
    """The place of a chapter, 1 to 5, in the course, and below it the chapter section by section."""
    steps = WAYS[chapter]
    titles = [f"section{'s' * (',' in section)} {section}" for section in steps]
    way = "; ".join(f"{title}: {words}".replace("\n", " ") for title, words in zip(titles, steps.values(), strict=True))
    sheet = Sheet(WIDTH, 160, f"Chapter {chapter} of 5, {CHAPTERS[chapter - 1]}. Its way: {way}")
    wide = (WIDTH - NOTCH) / len(CHAPTERS)
    for i, name in enumerate(CHAPTERS):
        here, left = i + 1 == chapter, i * wide
        arrow = [(0, 0), (wide - 4, 0), (wide - 4 + NOTCH, HIGH / 2), (wide - 4, HIGH), (0, HIGH), (NOTCH, HIGH / 2)]
        sheet.ax.add_patch(Polygon([(left + x, 2 + y) for x, y in arrow], fc=BLUE if here else "#e4e4e4", ec="none"))
        sheet.write(
            left + wide / 2 + NOTCH / 2, 2 + HIGH / 2, f"{i + 1}  {name}", 11, "white" if here else GREY, "center"
        )
    wide = WIDTH / len(steps)
    for i, (title, words) in enumerate(zip(titles, steps.values(), strict=True)):
        left, lines = i * wide, words.split("\n")
        box = FancyBboxPatch(
            (left + 6, 72), wide - 26, 80, boxstyle="round,pad=0,rounding_size=8", fc=(BLUE, 0.08), ec=BLUE
        )
        sheet.ax.add_patch(box)
        sheet.write(left + wide / 2 - 7, 86, title, 10, GREY, "center")
        for j, line in enumerate(lines):
            sheet.write(left + wide / 2 - 7, 122 + 20 * (j - (len(lines) - 1) / 2), line, 12, ha="center")
        if i + 1 < len(steps):
            sheet.write(left + wide - 7, 112, "→", 16, BLUE, "center")
    return sheet
