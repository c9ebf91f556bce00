"""Screenshots of every chapter and lab in JupyterLab, into build/screenshots: `make screenshots`. Look at each one.

Those that the README shows go to .github/screenshots.
"""

import sys

from tests.browser import jupyterlab

FOLDER = jupyterlab.ROOT / "build" / "screenshots"
README_FOLDER = jupyterlab.ROOT / ".github" / "screenshots"
CHAPTERS = [
    "01-data",
    "02-convolution-and-pooling",
    "03-lenet-shapes",
    "04-training-on-gpu",
    "05-lenet-vs-mlp",
]


def shoot(page, name):
    """Run a chapter, then take its top, each lab, and every screen of it from top to bottom."""
    page.screenshot(path=FOLDER / f"{name}-0-top.png")
    jupyterlab.run_all(page)
    for problem in jupyterlab.problems(page):
        print(f"{name}: {problem}", file=sys.stderr)
    for i, lab in enumerate(page.locator(".lab-alive").all()):
        lab.evaluate("lab => lab.scrollIntoView()")
        page.wait_for_timeout(300)
        page.screenshot(path=FOLDER / f"{name}-lab-{i}.png")
    panel = page.locator(".jp-WindowedPanel-outer").first
    height = panel.evaluate("panel => panel.scrollHeight")
    for i, top in enumerate(range(0, height, 700)):
        panel.evaluate("(panel, top) => panel.scrollTo(0, top)", top)
        page.wait_for_timeout(150)
        page.screenshot(path=FOLDER / f"{name}-page-{i:02}.png")


def compose(page, lab, whole_cell=True):
    """Bring a lab to the top of the page, with its cell's code unless that is long, and nothing else lit up."""
    page.evaluate("() => document.activeElement.blur()")  # a focus ring would draw the eye
    place = "lab.closest('.jp-Cell')" if whole_cell else "lab"
    lab.evaluate(f"lab => {place}.scrollIntoView()")
    page.mouse.move(5, 5)
    page.wait_for_timeout(500)


def shoot_training(page):
    """Two runs in chapter 4's lab, the second at another learning rate: the README's first picture."""
    lab = page.get_by_role("group", name="trainer lab").first  # the chapter ends with another
    lab.scroll_into_view_if_needed()
    lab.get_by_role("button", name="Train", exact=True).click()
    lab.get_by_text("Done: 5 epochs").wait_for(timeout=120_000)
    lab.get_by_role("slider").first.press("ArrowLeft")
    lab.get_by_text("lr=0.03", exact=True).wait_for(timeout=120_000)  # the table's row, once the run has ended
    compose(page, lab)
    page.screenshot(path=README_FOLDER / "training.png")


def shoot_convolution(page):
    """Chapter 2's lab after some moves of the hand."""
    lab = page.get_by_role("group", name="convolution lab").first
    jupyterlab.type_line(lab, "convolution padding=1 row=9 column=12")
    page.wait_for_timeout(1000)
    compose(page, lab)
    page.screenshot(path=README_FOLDER / "convolution.png")


def shoot_drawing(page):
    """Chapter 5's lab with a digit drawn by the mouse."""
    lab = page.get_by_role("group", name="drawing lab").first
    lab.scroll_into_view_if_needed()
    box = lab.locator(".lab-pad canvas").bounding_box()
    page.mouse.move(box["x"] + 80, box["y"] + 60)
    page.mouse.down()
    for x, y in ((200, 60), (170, 120), (120, 120), (190, 150), (180, 210), (90, 220)):
        page.mouse.move(box["x"] + x, box["y"] + y, steps=6)
        page.wait_for_timeout(100)
    page.mouse.up()
    page.wait_for_timeout(1000)
    compose(page, lab, whole_cell=False)  # the cell trains two networks first
    page.screenshot(path=README_FOLDER / "drawing.png")


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    README_FOLDER.mkdir(parents=True, exist_ok=True)
    chosen = [name for name in CHAPTERS if not sys.argv[1:] or name[:2] in sys.argv[1:]]
    with jupyterlab.server() as address, jupyterlab.browser() as browser:
        for name in chosen:
            page = jupyterlab.open_notebook(browser, address, f"{name}.ipynb")
            shoot(page, name)
            if name.startswith("02"):
                shoot_convolution(page)
            if name.startswith("04"):
                shoot_training(page)
            if name.startswith("05"):
                shoot_drawing(page)
            page.close()
    print(f"{len(list(FOLDER.iterdir()))} pictures in {FOLDER}")


if __name__ == "__main__":
    main()
