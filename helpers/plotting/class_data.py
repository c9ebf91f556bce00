"""Chapter 5: the class's drawings as a picture."""

from helpers.plotting.images import images as grid
from helpers.plotting.style import Sheet, drawn


@drawn
def drawings(images, names):
    """images: (N, 1, 28, 28) bytes, each shown below its word in `names`; a line of text if there are none."""
    if not len(images):
        sheet = Sheet(400, 40, "no drawings yet")
        sheet.write(4, 20, "no drawings yet", 14)
        return sheet
    return grid(images, names, alt=f"{len(images)} drawings of the class: {', '.join(names)}")
