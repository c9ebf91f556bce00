"""The colours of all pictures, and how large a figure is on a page.

The palette is Okabe and Ito's, jfly.uni-koeln.de/color.
"""

BLUE, ORANGE, GREEN, RED, PURPLE, SKY, GREY = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#666666",
)
TROUBLE = "#A33C00"  # the palette's red, dark enough for small type
COLOURS = [BLUE, ORANGE, GREEN, RED, PURPLE, SKY]
INK = "#010101"  # of axes and type; on a page it becomes the page's own, where a plain black stays black
DPI = 100  # a figure of 9 inches is 900 pixels wide on the page
