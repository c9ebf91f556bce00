"""A class on a JupyterHub of this machine: five scripted students (tests/lesson) take chapter 2 at once: `make class`.

One goes through the chapter alone; then all begin within a minute. Each logs in to the hub, has a server, a kernel and
a copy of the notebooks, and a Chromium here, which in a class runs on the student's own machine. Prints what each
waited for cells and trainings, and fails where someone waits more than three times as long as alone, meets what a
student should not, or lacks an answer in the saved notebook.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat

from tests.browser import jupyterlab
from tests.hub.two_users import PROXY, ROOT, SECONDS, running
from tests.lesson import notice
from tests.lesson.detours import save
from tests.lesson.rehearse import Student, straight
from tests.lesson.script import script_of

CHAPTER = 2
CLASS = ("ada", "bo", "cleo", "dan", "eve")
MOST = 3  # times as long as alone
WITHIN = 60  # seconds, in which all begin


def take_part(address, name):
    """One student: log in, go through the chapter, save; prints seconds waited and faults as JSON."""
    script = script_of(CHAPTER)
    with jupyterlab.browser() as browser:
        page = browser.new_page(viewport=notice.WINDOW)
        page.goto(f"{address}/hub/login")
        page.get_by_label("Username").fill(name)
        page.get_by_label("Password").fill("any")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"**/user/{name}/lab**", timeout=SECONDS * 1000)
        jupyterlab.show_notebook(page, f"{address}/user/{name}", script.name)
        student = Student(page, script)
        straight(student)
        student.note_problems(page)
        save(student)
        jupyterlab.end(page)
    faults = [str(fault) for part in student.parts for fault in part.faults]
    print(json.dumps({"seconds": sum(part.seconds for part in student.parts), "faults": faults}))


def lesson(hub, home, names):
    """Let students with these names go through the chapter; what each printed, as {name: dictionary}."""
    begun = {}
    for name in names:
        shutil.copytree(ROOT / "notebooks", home / name / "notebooks")
        command = [sys.executable, "-m", "tests.hub.class_of_five", hub.address, name]
        begun[name] = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        time.sleep(WITHIN / len(names) if len(names) > 1 else 0)
    return {name: json.loads(process.communicate()[0]) for name, process in begun.items()}


def lost(path):
    """The cells of a saved notebook in which the student's answer is missing."""
    script, saved = script_of(CHAPTER), {cell.id: cell.source for cell in nbformat.read(path, as_version=4).cells}
    answers = script.blanks | {cell: script.right_answer(cell) for cell in script.data.EXERCISES}
    return [cell for cell, answer in answers.items() if saved.get(cell) != answer]


def main(number):
    """One alone, then `number` at once; returns what a teacher would not want, in words."""
    found = []
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), ("alone", *CLASS)) as hub:
        home, alone = Path(folder), None
        for names in (("alone",), CLASS[:number]):
            for name, ours in lesson(hub, home, names).items():
                alone = alone or ours["seconds"]
                missing = lost(home / name / "notebooks" / script_of(CHAPTER).name)
                print(f"{name}: waited {ours['seconds']:.0f} s, {ours['seconds'] / alone:.1f} times as long as alone")
                found += [f"{name}: {fault}" for fault in ours["faults"]]
                found += [f"{name}: the answer in {cell} is lost" for cell in missing]
                if ours["seconds"] > MOST * alone:
                    found.append(f"{name} waited more than {MOST} times as long as alone")
    return found


if __name__ == "__main__":
    if len(sys.argv) == 3:
        take_part(*sys.argv[1:])
    elif not PROXY.exists():
        sys.exit(f"{PROXY} is missing: run `make class`")
    else:
        sys.exit("\n".join(main(int(sys.argv[1]) if len(sys.argv) == 2 else len(CLASS))) or 0)
