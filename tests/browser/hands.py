"""Labs under a hand, the same in JupyterLab and in Notebook 7: where things lie on the page, and what they show."""

import base64
import io
import json
import re

import pytest
import torch
from PIL import Image
from playwright.sync_api import expect

from tests.browser import jupyterlab

EDGE = 3  # pixels around each map: see window.js
SEVEN = [(80, 60), (200, 60), (160, 140), (120, 220)]  # a stroke on the pad
LOST = "The kernel behind this lab has stopped: run this cell again."


def known(page, expression):
    """What the kernel says."""
    return json.loads(jupyterlab.run_python(page, f"import json; print(json.dumps({expression}, default=str))"))


class Lab:
    """A lab in the page; name: what its board lines begin with; called: its name in the kernel, if another."""

    def __init__(self, page, name, called=None):
        self.page, self.called = page, called or name
        self.root = page.get_by_role("group", name=f"{name} lab", exact=True)
        self.root.wait_for()
        self.root.scroll_into_view_if_needed()

    @property
    def line(self):
        return self.root.get_by_label("board line")

    def type_line(self, line):
        """Type a board line, and wait until the lab has drawn what it asks for."""
        before = self.root.get_attribute("data-version")
        jupyterlab.type_line(self.root, line)
        expect(self.root).not_to_have_attribute("data-version", before)

    def known(self, *path):
        """What the kernel says that the lab shows."""
        found = known(self.page, f"{self.called}.state()")
        for key in path:
            found = found[key]
        return found

    def map(self, name):
        return self.root.get_by_role("slider", name=name, exact=True)

    def place(self, canvas, shape, row, column):
        """The middle of a cell of a map of that shape, on the page."""
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        cell = (box["width"] - 2 * EDGE) / max(shape)
        return box["x"] + EDGE + (column + 0.5) * cell, box["y"] + EDGE + (row + 0.5) * cell

    def total(self):
        return number(self.root.locator(".lab-total").inner_text())

    def table(self, place):
        """The numbers of a table, by its place among those of the lab."""
        cells = self.root.locator(".lab-table").nth(place).locator("> *")
        return cells.evaluate_all("cells => cells.map(cell => cell.value ?? cell.textContent)")


def number(text):
    return float(text.replace("−", "-"))


def shown(x):
    """A number as a lab writes it."""
    return f"{round(x, 2) + 0.0:.3g}".replace("-", "−")


def flat(rows):
    return [number for row in rows for number in row]


def near(number):
    """About the same: three digits are written, and at most two after the point."""
    return pytest.approx(number, abs=0.0051, rel=0.0051)


def size_of(array):
    return len(array), len(array[0])


def check_cells_under_the_pointer(lab, *cells):
    """The convolution lab shows the window, the products and the sum of each cell, and its own when nothing is there.

    cells: (row, column) of each; a negative one counts from the end.
    """
    known = lab.known()
    output, facts = known["arrays"]["output"], known["facts"]
    canvas = lab.map("cell of the output")
    for cell in cells:
        row, column = (place % len(output) for place in cell)
        lab.page.mouse.move(*lab.place(canvas, size_of(output), row, column))
        assert lab.total() == near(output[row][column])
        expect(canvas).to_have_attribute("aria-valuetext", f"row {row}, column {column}: {shown(output[row][column])}")
        step, dilation = facts["axes"][0]["stride"], facts["axes"][0]["dilation"]
        window = [
            known["arrays"]["image"][row * step + dilation * i][column * step + dilation * j]
            for i in range(facts["axes"][0]["size"])
            for j in range(facts["axes"][1]["size"])
        ]
        assert [number(text) for text in lab.table(0)] == near(window)
        products = [x * w for x, w in zip(window, flat(known["arrays"]["kernel"]), strict=True)]
        assert [number(text) for text in lab.table(2)] == near(products)
    lab.page.mouse.move(5, 5)
    row, column = facts["cell"]
    assert lab.total() == near(output[row][column])
    assert lab.known("line") == known["line"]  # the pointer alone pins nothing


def check_window_is_dragged(lab):
    """The convolution lab's window follows the mouse over the input, and stays where it is let go."""
    canvas, mouse = lab.map("pixel of the input"), lab.page.mouse
    mouse.move(*lab.place(canvas, (28, 28), 10, 10))
    mouse.down()
    mouse.move(*lab.place(canvas, (28, 28), 20, 6), steps=5)
    output = lab.known("arrays", "output")
    assert lab.total() == near(output[19][5])
    mouse.up()
    mouse.move(5, 5)
    expect(lab.line).to_have_value("convolution row=19 column=5")
    assert lab.total() == near(output[19][5])


def check_finger_moves_the_window(lab):
    """A finger on the convolution lab's output takes the window along."""
    canvas = lab.map("cell of the output")
    jupyterlab.touch(lab.page, *(lab.place(canvas, (26, 26), *cell) for cell in ((2, 2), (4, 9), (7, 20))))
    expect(lab.line).to_have_value("convolution row=7 column=20")


def check_pin(lab):
    """A click pins a cell of the convolution lab's output, and arrow keys move it."""
    canvas = lab.map("cell of the output")
    lab.page.mouse.click(*lab.place(canvas, (26, 26), 3, 4))
    expect(lab.line).to_have_value("convolution row=3 column=4")
    lab.page.mouse.move(5, 5)
    canvas.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "ArrowUp"):
        lab.page.keyboard.press(key)
    expect(lab.line).to_have_value("convolution row=2 column=5")
    assert lab.total() == near(lab.known("arrays", "output")[2][5])
    lab.page.keyboard.press("End")
    expect(lab.line).to_have_value("convolution row=2 column=25")


def check_microscope_under_the_pointer(lab, layer):
    """The microscope computes cells of a map of a layer as the network does, and says what they see of the image."""
    lab.type_line(f"microscope layer={layer} channel=2")
    known = lab.known()
    maps, (rows, columns) = known["arrays"]["maps"], known["facts"]["sees"]
    canvas = lab.map("cell of the map")
    for row, column in ((0, 0), (3, 8), (len(maps[2]) - 1, 4)):
        lab.page.mouse.move(*lab.place(canvas, size_of(maps[2]), row, column))
        sentence = lab.root.locator(".lab-formula").inner_text()
        result = number(sentence.replace(":", "=").split("=")[-1].split()[0])
        assert result == pytest.approx(maps[2][row][column], abs=1e-4)
        (top, bottom), (left, right) = rows[row], columns[column]
        span = f"{top}–{bottom}, columns {left}–{right}" if bottom > top else f"row {top}, column {left}"
        assert span in lab.root.locator(".lab-note").inner_text()


def check_explorer_under_the_pointer(lab):
    """The explorer says the number of the pixel under the pointer, and a click on an image shows all its numbers."""
    page, root = lab.page, lab.root
    image = root.get_by_role("button", name="#11 ")
    image.scroll_into_view_if_needed()
    box = image.locator("canvas").bounding_box()
    size = box["width"] / 28
    page.mouse.move(box["x"] + 14.5 * size, box["y"] + 12.5 * size)
    number = lab.known("arrays", "images")[11][0][12][14]
    expect(root.locator(".lab-note").first).to_have_text(re.compile(rf"^#11 .*, row 12, column 14: {number}$"))
    page.mouse.down()
    page.mouse.up()
    expect(lab.line).to_have_value("explorer view=numbers place=11")
    canvas = lab.map("pixel")
    expect(canvas).to_be_focused()
    box = canvas.bounding_box()
    wide, high = (box["width"] - 2 * EDGE) / 28, (box["height"] - 2 * EDGE) / 28
    page.mouse.move(box["x"] + EDGE + 14.5 * wide, box["y"] + EDGE + 12.5 * high)
    assert root.locator(".lab-change strong").inner_text() == str(number)
    root.get_by_role("button", name="all images").click()
    expect(lab.line).to_have_value("explorer place=11")


def pad_of(root):
    return root.locator(".lab-pad canvas")


def place_on_pad(root, x, y):
    """A place on the pad, in pixels of the page."""
    box = pad_of(root).bounding_box()
    return box["x"] + x, box["y"] + y


def draw(page, root, points):
    """A stroke by the mouse that stays down."""
    page.mouse.move(*place_on_pad(root, *points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*place_on_pad(root, *point), steps=5)


def ink(root):
    """The pad as the page shows it, (rows, columns), 0 to 255."""
    address = pad_of(root).evaluate("canvas => canvas.toDataURL()")
    picture = Image.open(io.BytesIO(base64.b64decode(address.split(",")[1]))).convert("L")
    return torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8).reshape(picture.size[::-1])


def clear(root):
    """Make the pad empty."""
    root.get_by_role("button", name="Clear").click()
    expect(root.locator(".lab-said")).to_contain_text("Draw with")


def check_ink_of_the_mouse(page, root, called):
    """Two strokes are answered, and are what the kernel has; called: the lab's name there."""
    draw(page, root, SEVEN)
    page.mouse.up()
    draw(page, root, [(100, 150), (180, 150)])
    page.mouse.up()
    expect(pad_of(root)).to_have_attribute("aria-label", "drawing pad, 2 strokes")
    expect(root.get_by_label("board line")).to_have_value("drawing example=none")
    expect(root.locator(".lab-said")).to_contain_text("LeNet says")
    shown = ink(root).float()
    sent = torch.tensor(known(page, f"{called}.pad.pixels().tolist()")).float().reshape(280, 2, 280, 2).mean(dim=(1, 3))
    assert shown.shape == sent.shape
    assert (shown - sent).abs().mean() < 2
    assert (sent > 127).sum() > 5000


def check_ink_of_a_finger(page, root, called):
    """A finger draws like the mouse, and the page stays where it is; called: the lab's name in the kernel."""
    before = pad_of(root).bounding_box()
    jupyterlab.touch(page, *(place_on_pad(root, 140, y) for y in range(220, 50, -20)))
    assert ink(root)[70:215, 140].eq(255).all()
    assert pad_of(root).bounding_box() == before
    expect(root.locator(".lab-said")).to_contain_text("LeNet says")
    assert known(page, f"len({called}.pad.ink['strokes'])") == 1
