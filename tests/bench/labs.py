"""How fast the labs answer, in JupyterLab in a real browser: `make bench PART=labs`."""

import contextlib
import json
import os
import statistics
import sys

from helpers.reproduce_all import machine
from tests import every_lab
from tests.browser import jupyterlab

# Not learn_kernel: before its first step, its picture is the same at every learning rate. The class experiment has no
# slider.
LABS = {name: code for name, code in every_lab.LABS.items() if name not in ("learn_kernel", "class_experiment")}
LABS["trainer"] = "labs.trainer(data)"  # with as many epochs as in the chapter
# All clocks are the page's: from the key to the moment when the answer has been drawn ...
WATCH_DRAWN = """lab => {
    window.waits = [];
    document.addEventListener('keydown', () => { window.pressed = performance.now() }, true);
    new MutationObserver(() => window.waits.push(performance.now() - window.pressed))
        .observe(lab, {attributes: true, attributeFilter: ['data-version']});
}"""
# ... and from a move of the pointer to the end of the frame that shows the window there.
WATCH_HOVER = """canvas => {
    window.waits = [];
    canvas.addEventListener('pointermove', event => requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = () => window.waits.push(performance.now() - event.timeStamp);
        channel.port2.postMessage(0);
    }));
}"""
MAP = ".lab canvas[role=slider]:visible"
TRAINING = """
import statistics, time
from helpers import Batches, train
lab = labs.trainer(data)
settings = lab.begun_with

def without_lab():
    net, (train_iter, val_iter) = lab._network(settings), lab._batches(settings)
    started = time.perf_counter()
    for _ in train(net, train_iter, settings["epochs"], settings["lr"], val_iter, lab.device):
        pass
    return time.perf_counter() - started

def in_lab():
    started = time.perf_counter()
    lab.start()
    lab.runner.wait()
    return time.perf_counter() - started

without_lab(), in_lab()  # warm
lab
"""
RATIO = """
pairs = [(without_lab(), in_lab()) for _ in range(3)]
print([statistics.median(times) for times in zip(*pairs)])
"""


def notebooks():
    """A notebook for each lab, and one that trains with and without one."""
    cells = {f"bench-{name}.ipynb": every_lab.cells(code) for name, code in LABS.items()}
    return cells | {"bench-training.ipynb": [every_lab.BEGIN, TRAINING, RATIO]}


@contextlib.contextmanager
def opened(browser, address, name):
    """The page of a notebook, run to its end."""
    page = jupyterlab.open_notebook(browser, address, f"bench-{name}.ipynb")
    jupyterlab.run_all(page)
    page.locator(".lab").first.scroll_into_view_if_needed()
    page.wait_for_timeout(2000)
    yield page
    for problem in jupyterlab.problems(page):
        print(f"{name}: {problem}", file=sys.stderr)
    page.close()


def key_to_picture(page, presses=60):
    """Milliseconds from each press of an arrow key on the lab's first slider to the new picture."""
    page.locator(".lab-alive").evaluate(WATCH_DRAWN)
    slider = page.get_by_role("slider").first
    for i in range(presses):
        slider.press("ArrowRight" if i % 2 == 0 else "ArrowLeft")
        page.wait_for_function("count => window.waits.length > count", arg=i)
        page.wait_for_timeout(100)
    return page.evaluate("() => window.waits")


def hover_to_frame(page, moves=60):
    """Milliseconds from each move of the pointer over the lab's first map to the frame with the window there."""
    canvas = page.locator(MAP).first
    canvas.scroll_into_view_if_needed()
    canvas.evaluate(WATCH_HOVER)
    box = canvas.bounding_box()
    for i in range(moves):
        page.mouse.move(box["x"] + 20 + 2 * i, box["y"] + 40 + 2 * i)
        page.wait_for_function("count => window.waits.length > count", arg=i)
    return page.evaluate("() => window.waits")


def ink_to_frame(page, moves=60):
    """Milliseconds from each move of the mouse on the drawing pad to the end of the frame that has its ink."""
    pad = page.locator(".lab-pad canvas")
    pad.evaluate(WATCH_HOVER)
    box = pad.bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    for i in range(moves):
        page.mouse.move(box["x"] + 20 + 4 * i, box["y"] + (40 if i % 2 else 240))
        page.wait_for_timeout(30)
    page.mouse.up()
    return page.evaluate("() => window.waits")


def stroke_to_answer(page, strokes=30):
    """Milliseconds from the end of each stroke on the drawing pad to the networks' answer."""
    page.locator(".lab").first.evaluate(WATCH_DRAWN.replace("keydown", "pointerup"))
    box = page.locator(".lab-pad canvas").bounding_box()
    for i in range(strokes):
        page.mouse.move(box["x"] + 60 + 5 * i, box["y"] + 60)
        page.mouse.down()
        page.mouse.move(box["x"] + 60 + 5 * i, box["y"] + 200)
        page.mouse.up()
        page.wait_for_function("count => window.waits.length > count", arg=i)
        page.wait_for_timeout(300)
    return page.evaluate("() => window.waits")


def first_point_and_stop(page, times=10):
    """Milliseconds from a key on the learning rate to the curve's first point, and from Stop to the thread's end."""
    page.locator(".lab-alive").evaluate(WATCH_DRAWN.replace("data-version", "data-points"))
    slider, buttons = page.get_by_role("slider").first, {}
    for name in ("Stop", "Resume"):
        buttons[name] = page.get_by_role("button", name=name)
    # Resume can be pressed when the thread has come to its end and the lab has drawn what it left.
    buttons["Resume"].evaluate(
        """resume => {
            window.stops = [];
            document.addEventListener('click', () => { window.clicked = performance.now() }, true);
            new MutationObserver(() => {
                if (!resume.disabled) window.stops.push(performance.now() - window.clicked);
            }).observe(resume, {attributes: true, attributeFilter: ['disabled']});
        }"""
    )
    first_points = []
    for i in range(times):
        page.evaluate("() => { window.waits = [] }")
        slider.press("ArrowLeft" if i % 2 == 0 else "ArrowRight")
        page.wait_for_function("() => window.waits.length > 0")
        first_points.append(page.evaluate("() => window.waits[0]"))
        page.wait_for_timeout(500)
        buttons["Stop"].click()
        page.wait_for_function("count => window.stops.length > count", arg=i)
    return first_points, page.evaluate("() => window.stops")


def say(name, milliseconds):
    """One line: median and 95th percentile."""
    percentile_95 = statistics.quantiles(milliseconds, n=20)[-1]
    print(f"{name:<42}{statistics.median(milliseconds):6.0f} ms {percentile_95:6.0f} ms", flush=True)


def main():
    os.environ["LENET_LAB_OFFLINE"] = "1"
    print(f"{machine()}, Chromium\n{'':<45}median   95th percentile")
    with jupyterlab.server(notebooks()) as address, jupyterlab.browser() as browser:
        for name in sys.argv[1:] or LABS:
            with opened(browser, address, name) as page:
                if name == "trainer":
                    first_points, stops = first_point_and_stop(page)
                    say("trainer: key to the first point", first_points)
                    say("trainer: Stop to the end of the thread", stops)
                elif name == "drawing":
                    say("drawing: move of the pen to the ink", ink_to_frame(page))
                    say("drawing: end of a stroke to the answer", stroke_to_answer(page))
                else:
                    say(f"{name}: key to picture", key_to_picture(page))
                    if page.locator(MAP).count():
                        say(f"{name}: pointer to frame", hover_to_frame(page))
        with opened(browser, address, "training") as page:
            without, within = json.loads(page.locator(".jp-OutputArea-output pre").last.inner_text())
    print(f"the default run: {without:.2f} s without the lab, {within:.2f} s in it: {within / without:.2f} times")


if __name__ == "__main__":
    main()
