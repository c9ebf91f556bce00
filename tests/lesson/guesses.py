"""How a hand makes a guess of each kind: {kind: function of (page, node of the cell, the guess in words, click)}."""

import re


def option(page, node, choice, click):
    """A click on one of the options."""
    click(node.get_by_role("radio", name=choice, exact=True))


def bars(page, node, choice, click):
    """Each bar, as in "a 0.90, b 0.15", by the keyboard; then the button."""
    for name, percent in re.findall(r"(\S.*?) 0\.(\d\d)(?:, |$)", choice):
        knob = node.get_by_role("slider", name=name, exact=True)
        knob.focus()
        for key in ["Home", *["PageUp"] * (int(percent) // 5), *["ArrowUp"] * (int(percent) % 5)]:
            page.keyboard.press(key)
    click(node.get_by_role("button", name="That is my guess"))


def place(page, node, choice, click):
    """A rectangle, as in "2×3 pixels, from row 0 and column 1", by one sweep of the mouse; then the button."""
    high, wide, row, column = map(int, re.findall(r"\d+", choice))
    cells = [
        node.get_by_role("gridcell", name=re.compile(f"^row {i}, column {j}(,|$)"))
        for i, j in ((row, column), (row + high - 1, column + wide - 1))
    ]
    # Both ends in sight: a sweep that began on the toolbar would mark its words.
    cells[0].evaluate("cell => cell.closest('[role=grid]').scrollIntoView({block: 'center'})")
    for cell, act in zip(cells, (page.mouse.down, page.mouse.up), strict=True):
        box = cell.bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=5)
        act()
    click(node.get_by_role("button", name="That is my guess"))


HANDS = {"option": option, "bars": bars, "place": place}
