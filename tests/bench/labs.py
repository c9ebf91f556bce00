"""How fast the labs answer, in JupyterLab in a real browser: `make bench PART=labs`."""

import contextlib
import json
import os
import statistics
import sys

from playwright.sync_api import Error

from helpers.reproduce_all import machine
from tests import every_lab
from tests.browser import jupyterlab
from tests.browser.far import BYTES_PER_SECOND, DELAY, slow_line

# With as many epochs as in the chapter; and one network in three cells.
LABS = {**every_lab.LABS, "trainer": "labs.trainer(data)", "bench": "labs.bench(data, nets['LeNet'])"}
OF_A_BENCH = ["lab.shapes()", "lab.microscope()", "lab.drawing()"]
# Both clocks are the page's: from the key, or the end of a stroke, to the moment when the answer has been drawn ...
WATCH_DRAWN = """(lab, begin) => {
    window.waits = [];
    document.addEventListener(begin, () => { window.began = performance.now() }, true);
    new MutationObserver(() => window.waits.push(performance.now() - window.began))
        .observe(lab, {attributes: true, attributeFilter: ['data-version']});
}"""
# ... and from a move of the pointer to the end of the frame that shows the window there.
WATCH_HOVER = """canvas => {
    window.frames_after = [];
    canvas.addEventListener('pointermove', event => requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = () => window.frames_after.push(performance.now() - event.timeStamp);
        channel.port2.postMessage(0);
    }));
}"""
# Milliseconds from a key or a click until a run has begun to draw, or has stopped.
UNTIL = """([phase, since]) => new Promise(done => {
    const lab = document.querySelector('.lab');
    const look = () => {
        const drawn = phase !== 'training' || Number(lab.dataset.points) > 0;
        if (lab.dataset.phase === phase && drawn) done(performance.now() - window[since]);
        else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
})"""
MAP = ".lab canvas[role=slider]:visible"
TRAINING = """
import statistics, time
from helpers import Batches, train
from helpers.labs import past
lab = labs.trainer(data)
settings = lab.begun_with

def without_lab():
    net, (train_iter, val_iter) = lab._network(settings), lab.supply.batches(settings)
    started = time.perf_counter()
    for _ in train(net, train_iter, settings["epochs"], settings["lr"], val_iter, lab.device):
        pass
    return time.perf_counter() - started

def in_lab():
    started = time.perf_counter()
    lab.start()
    lab.runner.wait()
    return time.perf_counter() - started

def without_a_past():
    keep, past.steps_to_keep = past.steps_to_keep, lambda total, most: []
    try:
        return in_lab()
    finally:
        past.steps_to_keep = keep

without_lab(), in_lab()  # warm
lab
"""
RATIO = """
rounds = [(without_lab(), without_a_past(), in_lab()) for _ in range(5)]
print([statistics.median(times) for times in zip(*rounds)])
"""


def notebooks():
    """A notebook for each lab, and one that trains with and without one."""
    cells = {f"bench-{name}.ipynb": every_lab.cells(code) for name, code in LABS.items()}
    cells["bench-bench.ipynb"] += OF_A_BENCH
    return cells | {"bench-training.ipynb": [every_lab.BEGIN, TRAINING, RATIO]}


@contextlib.contextmanager
def opened(browser, address, name):
    """The page of a notebook, run to its end."""
    page = jupyterlab.open_notebook(browser, address, f"bench-{name}.ipynb")
    jupyterlab.run_all(page)
    page.locator(".lab").first.scroll_into_view_if_needed()
    page.wait_for_timeout(2000)
    try:
        yield page
    finally:
        for problem in jupyterlab.problems(page):
            print(f"{name}: {problem}", file=sys.stderr)
        jupyterlab.end(page)


def key_to_picture(page, presses, of=0):
    """Milliseconds from each press of an arrow key in the page's first lab to the new picture in lab number `of`.

    The key is on its first slider or, if it has none, on its first list.
    """
    lab = page.locator(".lab")
    lab.nth(of).evaluate(WATCH_DRAWN, "keydown")
    hand, keys = lab.first.get_by_role("slider").first, ["ArrowRight", "ArrowLeft"]
    if not hand.count():
        hand, keys = lab.first.get_by_role("combobox").first, ["ArrowDown", "ArrowUp"]
    elif hand.input_value() == hand.get_attribute("max"):
        keys.reverse()
    for i in range(presses):
        page.evaluate("() => { window.waits.length = 0 }")
        hand.press(keys[i % 2])
        page.wait_for_function("() => window.waits.length > 0")
        yield page.evaluate("() => window.waits[0]")
        page.wait_for_timeout(300)


def hover_to_frame(page, moves=60):
    """Milliseconds from each move of the pointer over the lab's first map to the frame with the window there."""
    canvas = page.locator(MAP).first
    canvas.scroll_into_view_if_needed()
    canvas.evaluate(WATCH_HOVER)
    box = canvas.bounding_box()
    for i in range(moves):
        page.mouse.move(box["x"] + 20 + 2 * i, box["y"] + 40 + 2 * i)
        page.wait_for_function("count => window.frames_after.length > count", arg=i)
    return page.evaluate("() => window.frames_after")


def ink_to_frame(page, moves=60):
    """Milliseconds from each move of the mouse on the drawing pad to the end of the frame that has its ink."""
    pad = page.locator(".lab-pad canvas")
    pad.scroll_into_view_if_needed()
    pad.evaluate(WATCH_HOVER)
    box = pad.bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    for i in range(moves):
        page.mouse.move(box["x"] + 20 + 4 * i, box["y"] + (40 if i % 2 else 240))
        page.wait_for_timeout(30)
    page.mouse.up()
    return page.evaluate("() => window.frames_after")


def stroke_to_answer(page, strokes):
    """Milliseconds from the end of each stroke on the drawing pad to what its lab, the page's last, makes of it."""
    page.locator(".lab").last.evaluate(WATCH_DRAWN, "pointerup")
    page.locator(".lab-pad canvas").scroll_into_view_if_needed()
    box = page.locator(".lab-pad canvas").bounding_box()
    for i in range(strokes):
        page.mouse.move(box["x"] + 60 + 5 * i, box["y"] + 60)
        page.mouse.down()
        page.mouse.move(box["x"] + 60 + 5 * i, box["y"] + 200)
        page.mouse.up()
        page.wait_for_function("count => window.waits.length > count", arg=i)
        page.wait_for_timeout(300)
    return page.evaluate("() => window.waits")


def first_point_and_stop(page, times):
    """Milliseconds from a key on the learning rate to the curve's first point, and from Stop to the run's end."""
    lab, first_points, stops = page.locator(".lab"), [], []
    page.evaluate(
        """() => {
            document.addEventListener('keydown', () => { window.pressed = performance.now() }, true);
            document.addEventListener('click', () => { window.clicked = performance.now() }, true);
        }"""
    )
    for i in range(times):
        lab.get_by_role("slider", name="learning rate").press("ArrowLeft" if i % 2 == 0 else "ArrowRight")
        first_points.append(page.evaluate(UNTIL, ["training", "pressed"]))
        page.wait_for_timeout(500)
        lab.get_by_role("button", name="Stop", exact=True).click()
        stops.append(page.evaluate(UNTIL, ["stopped", "clicked"]))
    return first_points, stops


def moment_to_picture(page):
    """Milliseconds from each press of a key on the time slider to the picture of a moment not looked at before."""
    lab = page.locator(".lab")
    lab.get_by_role("button", name="Train", exact=True).click()
    page.evaluate(UNTIL, ["done", "clicked"])
    lab.get_by_role("tab", name="Look back").click()
    page.wait_for_timeout(1000)
    lab.evaluate(WATCH_DRAWN, "keydown")
    slider = lab.get_by_role("slider", name="moment")
    for _ in range(int(slider.get_attribute("max"))):
        page.evaluate("() => { window.waits.length = 0 }")
        slider.press("ArrowLeft")
        page.wait_for_function("() => window.waits.length > 0")
        yield page.evaluate("() => window.waits[0]")
        page.wait_for_timeout(200)


def say(name, milliseconds, kilobytes=None):
    """One line: median and 95th percentile, and what came over the line for each."""
    percentile_95 = statistics.quantiles(milliseconds, n=20)[-1]
    travelled = "" if kilobytes is None else f"   {kilobytes:6.1f} kB"
    print(f"{name:<50}{statistics.median(milliseconds):6.0f} ms {percentile_95:6.0f} ms{travelled}", flush=True)


def measure(browser, address, name, where, times, line=None):
    """All that can be measured of a lab, a line each."""
    with opened(browser, address, name) as page:
        if name == "trainer":
            first_points, stops = first_point_and_stop(page, max(2, times // 6))
            say(f"{name}, {where}: key to the first point", first_points)
            say(f"{name}, {where}: Stop to the run's end", stops)
            say(f"{name}, {where}: key to a moment of the past", list(moment_to_picture(page)))
        else:
            before, of = line.received if line else 0, 1 if name == "bench" else 0
            waits = list(key_to_picture(page, times, of))
            what = "key to the microscope below" if of else "key to picture"
            say(f"{name}, {where}: {what}", waits, (line.received - before) / 1000 / times if line else None)
        if name in ("drawing", "collect"):
            say(f"{name}, {where}: move of the pen to its ink", ink_to_frame(page))
        if name in ("drawing", "collect", "bench"):
            say(f"{name}, {where}: end of a stroke to the answer", stroke_to_answer(page, times // 2))
        if name == "explorer":
            jupyterlab.type_line(page, "explorer view=numbers")
        if name in ("convolution", "pooling", "microscope", "explorer"):
            say(f"{name}, {where}: pointer to frame", hover_to_frame(page))


def main():
    os.environ["LENET_LAB_OFFLINE"] = "1"
    print(f"{machine()}, Chromium; far: {1000 * DELAY:.0f} ms each way, {8 * BYTES_PER_SECOND / 1e6:.0f} Mbit/s")
    print(f"{'':<53}median   95th percentile")
    with jupyterlab.server(notebooks()) as address, jupyterlab.browser() as browser, slow_line(address) as (far, line):
        silent = []
        for name in sys.argv[1:] or LABS:
            for where, at, times, counted in (("near", address, 60, None), ("far", far, 20, line)):
                try:
                    measure(browser, at, name, where, times, counted)
                except Error as error:  # the other labs have their lines
                    silent.append(f"{name}, {where}: {error.message.splitlines()[0]}")
        with opened(browser, address, "training") as page:
            bare, without, within = json.loads(page.locator(".jp-OutputArea-output pre").last.inner_text())
    print(f"the default run: {bare:.2f} s without the lab, {within:.2f} s in it: {within / bare:.2f} times")
    print(f"in the lab: {without:.2f} s if no moments are kept, {within:.2f} s with them: {within / without:.2f} times")
    sys.exit("\n".join(silent) or None)


if __name__ == "__main__":
    main()
