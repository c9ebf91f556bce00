"""A scripted student goes through a chapter in JupyterLab, with mouse and keyboard: `make lesson`.

python -m tests.lesson.rehearse [chapters] [runs]: rehearses them, writes build/lesson/index.html, and fails if
something was noticed (see notice.py) that a student should not meet. Without arguments: all chapters, each from top to
bottom and with every detour (detours.py).
"""

import contextlib
import itertools
import re
import signal
import sys
import time

from matplotlib.cbook import get_sample_data
from playwright.sync_api import Error, TimeoutError

from tests.browser import jupyterlab
from tests.lesson import guesses, notice, report
from tests.lesson.detours import DETOURS, PANEL
from tests.lesson.script import CHAPTERS, script_of

PATIENCE = 240  # seconds for a wait while something goes on; on a busy machine a training may take half of it
QUIET = 60  # seconds for a wait while nothing goes on any more, neither in the kernel nor in the page
LIMIT = 25 * 60  # seconds for one way through a chapter
# So anywidget says on the console that a lab's module took more than two seconds, on a busy machine. The lab lives, by
# helpers/labs/hearing.js; one that did not would be noticed as dead.
LATE = "[anywidget] Failed to initialize model"


class Stuck(Exception):
    """A wait that comes to no end: says what was awaited, and how things stood."""


class Student:
    """Goes through a notebook, in a page of Chromium. parts: what was noticed, a `notice.Part` for each section.

    turn: the guesses that are wrong are the others at each other turn. shoot: takes (page, words) and keeps a picture.
    """

    def __init__(self, page, script, turn=0, shoot=None):
        self.page, self.script, self.turn, self.shoot = page, script, turn, shoot
        self.parts, self.guessed, self.open_answers = [notice.Part("Before the first section")], 0, {}
        self.end = time.monotonic() + LIMIT
        self.caused = []  # the errors that were to come
        self.left = {}  # for each cell the words of the red line that it was last to show
        self.reds = ()  # words of the red lines that are to come all through this run
        notice.open_eyes(page)

    @property
    def part(self):
        """The section at which the student is."""
        return self.parts[-1]

    def begin(self, title, minutes=None):
        """Begin a section."""
        self.parts.append(notice.Part(title, minutes))

    def companion(self, page=None, script=None):
        """A student who notes in the same parts: on another page, or in another chapter on the same one."""
        other = Student(page or self.page, script or self.script, not self.turn, self.shoot)
        other.parts, other.caused, other.end = self.parts, self.caused, self.end
        return other

    def do(self, cell):
        """Do what the script says of a cell."""
        data = self.script.data
        try:
            if cell in data.GUESSES:
                self.guess(cell)
            elif cell in data.BLANKS:
                self.answer(cell, *self.script.wrong_blank(cell), self.script.blanks[cell])
            elif cell in data.EXERCISES:
                self.answer(cell, *self.script.wrong_answer(cell), self.script.right_answer(cell))
            elif cell in data.LABS:
                self.run(cell)
                self.picture(cell)
                self.moves(cell, data.LABS[cell])
            elif cell in self.open_answers:
                self.open(cell)
            else:
                self.run(cell)
                if cell in self.script.sources:
                    self.picture(cell)
                for change in self.script.changes.get(cell, []):
                    self.change(cell, *change)
        except (Error, TimeoutError) as error:
            self.part.note("script", cell, str(error).splitlines()[0])

    # What a hand does.

    def run(self, cell, key="Shift+Enter", red="", stop=False):
        """Run a cell by the keyboard, wait until it has ended, and look at it; returns its state.

        red: words of an error that is to come; stop: press ■ while it runs.
        """
        before = self.reach(cell)
        self.part.actions += 1
        clock = self.clock()
        self.page.keyboard.press(key)
        if before["kind"] != "code":
            return before
        if stop:
            self.page.wait_for_timeout(1500)
            self.stop()
        self.wait("the cell's end", "([id, runs]) => lesson.done(id, runs)", [cell, before["runs"]])
        self.waited(cell, clock)
        return self.look(cell, red)

    def wait(self, what, condition, arg=None, goes_on="busy", patience=PATIENCE):
        """Wait for a condition, JavaScript, of the cell in hand; raises `Stuck` where it will surely not come.

        what: what is awaited, for the message; goes_on: "busy" if only a kernel that is at work can bring it, "moving"
        if something must move in the page meanwhile.
        """
        began = time.monotonic()
        while True:
            left = min(began + patience, self.end) - time.monotonic()
            try:
                self.page.wait_for_function(condition, arg=arg, polling=100, timeout=1000 * max(min(QUIET, left), 1))
                return
            except TimeoutError as error:
                now = self._standing()
                if left <= QUIET or not now[goes_on]:
                    waited = f"{time.monotonic() - began:.0f} s waited in vain for {what}"
                    over = f" ({LIMIT / 60:.0f} minutes are over)" if time.monotonic() > self.end else ""
                    raise Stuck(f"{waited}{over}; {now['words']}") from error

    def clock(self):
        """The moment at which a wait begins, for `waited`."""
        return self.page.evaluate("() => lesson.clock()"), time.monotonic()

    def waited(self, cell, clock):
        """Write down a wait that began at a moment and is over now."""
        began, started = clock
        self.part.seconds += time.monotonic() - started
        self.part.worked += self.page.evaluate("began => lesson.worked(began)", began)
        still = self.page.evaluate("began => lesson.still(began, lesson.now())", began)
        if still > notice.LONGEST_WAIT:
            self.part.note("wait", cell, f"{still:.1f} s")

    def _standing(self):
        """How things stand in the page; it may answer nothing at all."""
        try:
            found = self.page.wait_for_function("() => lesson.standing()", polling=100, timeout=10_000)
        except TimeoutError:
            return {"busy": False, "moving": False, "words": "the page itself answers nothing"}
        now = found.json_value()
        words = f"the kernel is {now['kernel']}, the keyboard is at {now['focus']}, {now['still']:.0f} s without a sign"
        if now["waiting"]:
            words += f", still to run: {', '.join(now['waiting'])}"
        # A kernel that starts says so until it has done something.
        return {
            "busy": now["kernel"] in ("busy", "starting", "restarting"),
            "moving": now["still"] < QUIET,
            "words": words,
        }

    def stop(self):
        """Press ■ in the notebook's toolbar."""
        stop = "[data-command='notebook:interrupt-kernel'], [title*='Interrupt the kernel']"
        self.page.locator(PANEL).locator(stop).first.click()
        self.part.actions += 1

    def reach(self, cell):
        """Make a cell the active one, by a click if it is not; returns its state."""
        self.part.at = cell
        if time.monotonic() > self.end:
            raise Stuck(f"{LIMIT / 60:.0f} minutes are over")
        state = self.state(cell)
        if not state["active"]:
            node = self.node(cell)
            place = node.locator(".jp-InputPrompt, .jp-InputPlaceholder .jp-InputArea-prompt, .jp-MarkdownOutput").first
            place.scroll_into_view_if_needed()
            place.click(position={"x": 5, "y": 5})
            self.part.actions += 1
        return state

    def write(self, cell, text):
        """Replace the code of a cell."""
        editor = self.node(cell).locator(".cm-content")
        editor.scroll_into_view_if_needed()
        self.hand(cell, editor, lambda: editor.click(position={"x": 5, "y": 5}))
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(text)

    def hand(self, cell, target, act):
        """Let a hand act on a locator; what is under the hand may not jump away."""
        target.scroll_into_view_if_needed()
        before = target.bounding_box()
        self.part.actions += 1
        act()
        self.page.wait_for_timeout(250)
        after = target.bounding_box() if target.count() else None  # a button may take itself away
        if before and after and abs(after["y"] - before["y"]) > notice.LONGEST_JUMP:
            self.part.note("jump", cell, f"by {after['y'] - before['y']:.0f} pixels")

    def note_problems(self, page):
        """Write down what went wrong in a page besides, but for the errors that were to come."""
        for problem in dict.fromkeys(jupyterlab.problems(page)):
            if problem.strip()[:300] not in self.caused:
                self.part.note("wait" if LATE in problem else "red", "the page", problem)

    # Guesses, blanks, exercises and labs.

    def guess(self, cell):
        """Ask a question and guess; every third time its answer has been run before the guess."""
        answer, wrong, right = self.script.data.GUESSES[cell]
        rights = (right,) if isinstance(right, str) else right
        self.guessed += 1
        choice = wrong if (self.guessed + self.turn) % 2 or self._has_bars(cell) else rights[0]
        self.run(cell)
        if not self.state(answer)["folded"]:
            self.part.note("answer", answer, "its code can be read before the guess")
        hasty = self.guessed % 3 == 0 and self.script.follows(cell, answer)
        if hasty:
            said = self.run(answer)["said"]
            if "Show me" not in said or "Answer:" in said:
                self.part.note("answer", answer, f"before the guess stands: {said}")
        before = _plain(self.page.evaluate("() => lesson.words()"))
        kind = re.search(r"labs\.predict(?:_(\w+))?\(", self.script.sources[cell])[1] or "option"
        guesses.HANDS[kind](self.page, self.node(cell), choice, lambda target: self.hand(cell, target, target.click))
        if not hasty:
            # The click has made the question the active cell: Shift+Enter runs it again, and the guess must stay.
            self.run(cell)
        self.open_answers[answer] = choice, rights, before, hasty

    def open(self, cell):
        """Run the answer of a question that has been guessed, and read it."""
        choice, rights, before, hasty = self.open_answers[cell]
        question = next(asked for asked, (answer, *_) in self.script.data.GUESSES.items() if answer == cell)
        if not hasty:
            self.run(cell)
        self.page.wait_for_function(
            "id => /Answer:/.test(lesson.state(id).said)", arg=cell, polling=100, timeout=10_000
        )
        said = _plain(self.look(cell)["said"])
        right = next((right for right in rights if f"Answer: {right}" in said), rights[0])
        mark = "" if self._has_bars(question) else "✅ " if choice == right else "❌ "  # bars are only near or far
        if f"Your guess: {choice} {mark}Answer: {right}" not in said:
            self.part.note("verdict", cell, f"{choice} was guessed, {' or '.join(rights)} is right; it says: {said}")
        reason = said.partition(f"Answer: {right}")[2].strip(" ()")[:60]
        if len(reason) > 20 and reason in before:
            self.part.note("answer", cell, f"stood there before the guess: {reason}")
        self.picture(cell)

    def _has_bars(self, cell):
        return "labs.predict_bars(" in self.script.sources[cell]

    def answer(self, cell, wrong, words, right):
        """Run a blank or an exercise as it is, then with a wrong answer and with the right one."""
        self.expect(cell, self.run(cell, "Control+Enter"), "✏️|❌", "")
        self.write(cell, wrong)
        self.expect(cell, self.run(cell, "Control+Enter"), "❌", words)
        self.picture(cell)
        self.write(cell, right)
        self.expect(cell, self.run(cell), "✅", "")
        self.picture(cell)

    def change(self, cell, *words):
        """Change words of a cell as the text asks, and run it; an error that it showed must be gone."""
        source = self.script.sources[cell]
        for old, new in zip(words[::2], words[1::2], strict=True):
            source = source.replace(old, new)
        self.write(cell, source)
        self.run(cell, "Control+Enter", red="no error, and one is promised")
        self.picture(cell, words[-1])

    def expect(self, cell, state, marks, words):
        """A cell must show the expected verdict."""
        said = _plain(state["said"])
        if not re.search(marks, said) or _plain(words) not in said:
            self.part.note("verdict", cell, f"expected {marks} {words}, and it says: {said}")

    def moves(self, cell, moves):
        """Moves of the script in a lab, one after another."""
        for *move, last in moves:
            # A move may end with the red words that it causes.
            how = {**last} if isinstance(last, dict) else {}
            self.move(cell, *move, *([] if how else [last]), **how)

    def move(self, cell, what, *how, red=""):
        """One move of a hand in a lab: see the verbs below. red: words of the red line that it is to cause."""
        began = self._now()
        version = self.page.evaluate("id => lesson.version(id)", cell)
        lab = self.node(cell).locator(".jp-Cell-outputWrapper")
        if getattr(self, f"_{what}")(cell, lab, *how):
            try:
                self.page.wait_for_function("began => lesson.moved(began)", arg=began, polling=50, timeout=20_000)
            except TimeoutError:
                self.part.note("dead", cell, f"no answer to: {what} {' '.join(map(str, how))}")
            self.page.evaluate("([id, version]) => lesson.answered(id, version)", [cell, version])
        self._wait_for_training(cell, lab)
        if red:
            lab.locator(".lab-trouble, .lab-refusal", has_text=red).first.wait_for(timeout=10_000)
        self.look(cell, red)
        self.picture(cell, " ".join([what, *(word for word in how if isinstance(word, str))]))  # not a stroke's points

    def _line(self, cell, lab, line):
        box = lab.get_by_label("board line")
        same = box.input_value() == line
        self.hand(cell, box, box.click)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(line)
        self.page.keyboard.press("Enter")
        return not same

    def _paste(self, cell, lab, name, line):
        """Put one more line at the end of a field of several lines."""
        field = lab.get_by_label(name)
        self.hand(cell, field, field.click)
        self.page.keyboard.press("Control+End")
        self.page.keyboard.insert_text(f"\n{line}")
        return True

    def _press(self, cell, lab, name):
        button, tab = (lab.get_by_role(role, name=name, exact=True) for role in ("button", "tab"))
        found = button.or_(tab).first
        self.hand(cell, found, found.click)
        return True

    def _key(self, cell, lab, name, key):
        slider = lab.get_by_role("slider", name=re.compile(f"^{re.escape(name)}")).first
        self.hand(cell, slider, slider.focus)
        self.page.keyboard.press(key)
        return True

    def _choose(self, cell, lab, name, option):
        choice = lab.get_by_role("combobox", name=name).first  # the still picture's words may hold the name, too
        self.hand(cell, choice, lambda: choice.select_option(label=option))
        return True

    def _point(self, cell, lab, what):
        picture = lab.locator(what).last
        picture.scroll_into_view_if_needed()
        box = picture.bounding_box()
        for share in (0.3, 0.5, 0.6):
            self.page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] * share, steps=3)
            self.page.wait_for_timeout(50)
        self.part.actions += 1
        return True

    def _upload(self, cell, lab, name):
        """Hand over one of Matplotlib's own pictures."""
        lab.locator("input[type=file]").first.set_input_files(get_sample_data(name, asfileobj=False))
        self.part.actions += 1
        return True

    def _draw(self, cell, lab, *points):
        """A stroke through points, in shares of the pad's width and height."""
        pad = lab.locator(".lab-pad canvas").first
        pad.scroll_into_view_if_needed()
        box = pad.bounding_box()
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place, steps=6)
        self.page.mouse.up()
        self.part.actions += 1
        return True

    def _wait_for_training(self, cell, lab):
        running = lab.locator(":is([data-phase=waiting], [data-phase=training])")
        self.page.wait_for_timeout(150)
        if running.count():
            clock = self.clock()
            ended = "id => !lesson.node(id).querySelector('[data-phase=waiting], [data-phase=training]')"
            self.wait("the training's end", ended, cell, goes_on="moving")
            self.waited(cell, clock)

    # What the student sees.

    def node(self, cell):
        """The locator of a cell."""
        self.page.evaluate("id => { lesson.node(id).dataset.lesson = id }", cell)
        return self.page.locator(f'{PANEL} [data-lesson="{cell}"]')

    def state(self, cell):
        """What is known of a cell, see notice.js."""
        return self.page.evaluate("id => lesson.state(id)", cell)

    def look(self, cell, red=""):
        """Look at a cell, write down what is wrong with it but for a red line with these words; returns its state."""
        self.left[cell] = red
        try:
            self.page.wait_for_function("id => !lesson.state(id).loads", arg=cell, polling=100, timeout=10_000)
        except TimeoutError:
            pass  # is noted by `look` itself
        self.page.wait_for_timeout(100)
        for kind, words in self.page.evaluate("id => lesson.look(id)", cell):
            if kind == "asked" or (kind == "red" and any(one and one in words for one in (red, *self.reds))):
                self.caused.append(words)
            else:
                self.part.note(kind, cell, words)
        return self.state(cell)

    def picture(self, cell, words=""):
        """Keep a small picture of the page as it is."""
        if self.shoot:
            self.part.pictures.append((self.shoot(self.page), f"{cell}: {words}" if words else cell))

    def _now(self):
        return self.page.evaluate("() => lesson.now()")


def _plain(text):
    return re.sub(r"\s+", " ", text).strip()


def straight(student):
    """Go through the whole chapter, from top to bottom."""
    for title, minutes, cells in student.script.sections():
        student.begin(title, minutes)
        for cell in cells:
            student.do(cell.id)


RUNS = {"straight": straight, **DETOURS}


def rehearse(page, address, script, run, shoot=None):
    """One run through a notebook in a new page of the server at `address`, see `RUNS`; returns its parts."""
    with _last_resort() as students:
        jupyterlab.show_notebook(page, address, script.name)
        student = Student(page, script, turn=run != "straight", shoot=shoot)
        students.append(student)
        try:
            RUNS[run](student)
        except Stuck as stuck:  # what follows would wait as long, cell by cell
            student.part.note("stuck", student.part.at, str(stuck))
        except Error as error:
            student.part.note("script", student.part.at, str(error).splitlines()[0])
        student.note_problems(page)
        jupyterlab.end(page)
    return student.parts


@contextlib.contextmanager
def _last_resort():
    """End the whole program, with words, if a page answers nothing any more: Playwright waits for it without limit.

    Yields a list for the student.
    """
    students = []

    def give_up(*_):
        where = f"{students[0].part.title}, {students[0].part.at}" if students else "JupyterLab, as it opens"
        raise SystemExit(f"{where}: the page has answered nothing for minutes")

    if signal.getsignal(signal.SIGALRM) != signal.SIG_DFL:  # a test's limit
        yield students
        return
    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(LIMIT + 2 * PATIENCE)
    try:
        yield students
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


def main(chapters, runs):
    """Rehearse chapters and write the report; returns the number of faults."""
    pages = report.Pages()
    with jupyterlab.browser() as browser:
        for chapter, run in itertools.product(chapters, runs):
            began = time.monotonic()
            writable = run != "read-only"
            with jupyterlab.server(
                windowing=None, writable=writable
            ) as address:  # each run begins with the notebook as it comes
                page = browser.new_page(viewport=notice.WINDOW)
                parts = rehearse(page, address, script_of(chapter), run, pages.shoot)
            pages.add(chapter, run, parts, time.monotonic() - began)
            for part in parts:
                for remark in part.remarks:
                    print(f"chapter {chapter}, {run}, {part.title}: {remark}", flush=True)
            print(pages.write(), flush=True)
    return pages.faults


if __name__ == "__main__":
    words = sys.argv[1:]
    chapters, runs = [int(word) for word in words if word.isdigit()], [word for word in words if word in RUNS]
    if len(chapters) + len(runs) < len(words):
        sys.exit(f"Name chapters, {CHAPTERS}, and runs: {', '.join(RUNS)}.")
    sys.exit(main(chapters or CHAPTERS, runs or RUNS) > 0)
