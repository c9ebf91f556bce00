"""How fast the labs answer, in JupyterLab in a real browser: `make bench PART=labs`.

ONLY="convolution training" measures that lab and what a training in a lab costs, and nothing else.
"""

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

# The training lab with as many epochs as in the chapter, and the class's labs with what a class sends.
LABS = {
    **every_lab.LABS,
    "trainer": "labs.trainer(data)",
    "bench": "labs.bench(data, nets['LeNet'])",
    "class_experiment": "labs.class_experiment(results)",
}
OF_A_BENCH = ["lab.shapes()", "lab.microscope()", "lab.drawing()"]  # one network in three cells
A_CLASS = """
import os, tempfile
from pathlib import Path
from helpers.labs.class_drawings import as_file
from helpers.simulated_writers import simulated_writers
os.environ["LENET_LAB_CLASS"] = folder = tempfile.mkdtemp()
for mark, drawn in simulated_writers(30).items():
    Path(folder, f"{mark}.drawings.png").write_bytes(as_file(*drawn))
rates = [0.01, 0.03, 0.1, 0.3, 1, 3]
results = chr(10).join(
    f"result lr={rates[i % 6]} channels=6 kernel=5 parameters=61706 accuracy={0.7 + i / 300:.4f}" for i in range(60)
)
"""
# Both clocks are the page's: from the key, or the end of a stroke, to the moment when the answer has been drawn ...
WATCH_DRAWN = """(lab, begin) => {
    window.waits = [];
    document.addEventListener(begin, () => { window.began = performance.now() }, true);
    new MutationObserver(() => window.waits.push(performance.now() - window.began))
        .observe(lab, {attributes: true, attributeFilter: ['data-version']});
}"""
# ... and from a move of the pointer to the end of the frame that shows what it did; of that, `work` begins when the
# browser hands the move to the page, just before a frame: until then the move waits, half a frame on average.
WATCH_POINTER = """() => {
    Object.assign(window, { whole: [], work: [] });
    let began = 0;
    window.addEventListener('pointermove', () => { began = performance.now() }, true);
    window.addEventListener('pointermove', event => requestAnimationFrame(() => {
        const [handed, channel] = [began, new MessageChannel()];
        channel.port1.onmessage = () => {
            window.whole.push(performance.now() - event.timeStamp);
            window.work.push(performance.now() - handed);
        };
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
# Moves of a pointer, as shares of a canvas's width and height.
DIAGONAL = [(0.1 + 0.8 * i / 60, 0.1 + 0.8 * i / 60) for i in range(60)]
STROKE = [(0.1 + 0.8 * i / 60, 0.9 if i % 2 else 0.1) for i in range(60)]
SLIDER, LIST = "input[type=range]:visible", "select:visible"  # beside the picture, or in it
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
    while lab.runner.running:  # not until the still picture is drawn, for which nobody waits
        time.sleep(0.01)
    taken = time.perf_counter() - started
    lab.runner.wait()
    return taken

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
    for name in ("class_experiment", "class_data"):
        cells[f"bench-{name}.ipynb"].insert(1, A_CLASS)
    return cells | {"bench-training.ipynb": [every_lab.BEGIN, TRAINING, RATIO]}


@contextlib.contextmanager
def opened(context, address, name):
    """The page of a notebook, run to its end, in a browser's context, which keeps JupyterLab's files for the next."""
    page = context.new_page()
    page.set_default_timeout(90_000)
    jupyterlab.show_notebook(page, address, f"bench-{name}.ipynb")
    page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    jupyterlab.run_all(page)
    page.locator(".lab").first.scroll_into_view_if_needed()
    page.wait_for_timeout(1000)
    try:
        yield page
    finally:
        for problem in jupyterlab.problems(page):
            print(f"{name}: {problem}", file=sys.stderr)
        jupyterlab.end(page)


def key_to_picture(page, presses, of=0):
    """Milliseconds from each press of an arrow key in the page's first lab to the new picture in lab number `of`.

    The key is on its first slider or, if it has none, on its first list; if the picture is another lab's, on the slider
    of the first lab that gives the other a network which fits its images.
    """
    lab = page.locator(".lab")
    lab.nth(of).evaluate(WATCH_DRAWN, "keydown")
    hand, keys = lab.first.locator(SLIDER).first, ["ArrowRight", "ArrowLeft"]
    if of:
        hand = lab.first.get_by_role("slider", name="channels 1")
    elif not hand.count():
        hand, keys = lab.first.locator(LIST).first, ["ArrowDown", "ArrowUp"]
    elif hand.input_value() == hand.get_attribute("max"):
        keys.reverse()
    for i in range(presses):
        page.evaluate("() => { window.waits.length = 0 }")
        hand.press(keys[i % 2])
        page.wait_for_function("() => window.waits.length > 0")
        yield page.evaluate("() => window.waits[0]")
        page.wait_for_timeout(200)


def moved(page, canvas, places, held):
    """Milliseconds from each move of the pointer over a canvas to the end of its frame, and of that the work.

    held: whether the button is down.
    """
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    if held:
        page.mouse.down()
    page.wait_for_timeout(500)
    page.evaluate("() => { window.whole.length = window.work.length = 0 }")
    for i, (across, down) in enumerate(places):
        page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
        page.wait_for_timeout(25 + 7 * i % 17)  # not in step with the frames
    page.mouse.up()
    return page.evaluate("() => [window.whole, window.work]")


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
        page.wait_for_timeout(200)
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


def middle_and_most(milliseconds):
    """The median and the 95th percentile."""
    return statistics.median(milliseconds), statistics.quantiles(milliseconds, n=20, method="inclusive")[-1]


def say(name, milliseconds, kilobytes=None, work=None):
    """One line: median and 95th percentile; what came over the line for each; and how much of it was work."""
    median, percentile_95 = middle_and_most(milliseconds)
    more = "" if kilobytes is None else f"   {kilobytes:6.1f} kB"
    if work:
        more = "   of which work {:.1f} ms, {:.1f} ms".format(*middle_and_most(work))
    print(f"{name:<50}{median:6.0f} ms {percentile_95:6.0f} ms{more}", flush=True)


def measure(context, address, name, where, times, line=None):
    """All that can be measured of a lab, a line each."""
    with opened(context, address, name) as page:
        if name == "trainer":
            first_points, stops = first_point_and_stop(page, max(3, times // 6))
            say(f"{name}, {where}: key to the first point", first_points)
            say(f"{name}, {where}: Stop to the run's end", stops)
            say(f"{name}, {where}: key to a moment of the past", list(moment_to_picture(page)))
        else:
            before, of = line.received if line else 0, 1 if name == "bench" else 0
            waits = list(key_to_picture(page, times, of))
            what = "key to the microscope below" if of else "key to picture"
            say(f"{name}, {where}: {what}", waits, (line.received - before) / 1000 / times if line else None)
        if name in ("drawing", "collect", "bench"):
            say(f"{name}, {where}: end of a stroke to the answer", stroke_to_answer(page, times // 2))
        if name in ("drawing", "collect"):  # last: it fills the pad, and then a stroke changes nothing
            page.evaluate(WATCH_POINTER)
            whole, work = moved(page, page.locator(".lab-pad canvas"), STROKE, held=True)
            say(f"{name}, {where}: move of the pen to its ink", whole, work=work)
        if name == "explorer":
            jupyterlab.type_line(page, "explorer view=numbers")
        if name in ("convolution", "pooling", "microscope", "explorer"):
            page.evaluate(WATCH_POINTER)
            maps = page.locator(MAP)
            for what, canvas, held in (("hover", maps.last, False), ("drag", maps.first, True)):
                whole, work = moved(page, canvas, DIAGONAL, held)
                say(f"{name}, {where}: {what} to the window there", whole, work=work)


def compare_trainings(context, address):
    """Two lines: what a training in the lab costs, and what keeping its moments costs."""
    with opened(context, address, "training") as page:
        bare, without, within = json.loads(page.locator(".jp-OutputArea-output pre").last.inner_text())
    print(f"the default run: {bare:.2f} s without the lab, {within:.2f} s in it: {within / bare:.2f} times")
    print(f"in the lab: {without:.2f} s if no moments are kept, {within:.2f} s with them: {within / without:.2f} times")


def main():
    chosen = sys.argv[1:] or [*LABS, "training"]
    os.environ["LENET_LAB_OFFLINE"] = "1"
    print(f"{machine()}, Chromium; far: {1000 * DELAY:.0f} ms each way, {8 * BYTES_PER_SECOND / 1e6:.0f} Mbit/s")
    print(f"{'':<53}median   95th percentile")
    with jupyterlab.server(notebooks()) as address, jupyterlab.browser() as browser, slow_line(address) as (far, line):
        silent, context = [], browser.new_context(viewport={"width": 1280, "height": 800})
        for name in [name for name in chosen if name != "training"]:
            for where, at, times, counted in (("near", address, 30, None), ("far", far, 15, line)):
                try:
                    measure(context, at, name, where, times, counted)
                except Error as error:  # the other labs have their lines
                    silent.append(f"{name}, {where}: {error.message.splitlines()[0]}")
        if "training" in chosen:
            compare_trainings(context, address)
    sys.exit("\n".join(silent) or None)


if __name__ == "__main__":
    main()
