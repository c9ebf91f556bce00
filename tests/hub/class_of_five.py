"""A class on a JupyterHub of this machine: five scripted students (tests/lesson) take chapter 2 at once: `make class`.

One goes through the chapter alone, and so does the teacher's plan at the projector: each lab with its board lines,
after the cells above it. Then five students begin within a minute, and the teacher with them. At the chapter's end
each student trains a run for the class experiment, which the teacher has opened.

Each has a server, a kernel and a copy of the notebooks, and a Chromium here, which in a class runs on the student's own
machine and takes nothing from the others' kernels. What counts is therefore how long the kernel works while someone
waits, by its own clock; what the page makes of it is printed beside it. Fails where someone waits more than three times
as long as alone, meets what a student should not, or lacks an answer in the saved notebook, and where a student's run
does not reach the class experiment.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat

from tests.browser import jupyterlab
from tests.hub.two_users import PROJECTOR, PROXY, ROOT, SECONDS, TRAINS, running
from tests.lesson import notice
from tests.lesson.detours import open_in_tab, run_above, save
from tests.lesson.rehearse import Student, straight
from tests.lesson.script import script_of

CHAPTER = 2
EXPERIMENT = 4  # the chapter with the class experiment
CLASS = ("ada", "bo", "cleo", "dan", "eve")
ALONE = ("alone", f"{PROJECTOR}-alone")
MOST = 3  # times as long as alone
WITHIN = 60  # seconds, in which all begin
MINUTES = 20  # until the last run is at the projector


def learn(student, name):
    """A student's lesson: the chapter, then a run for the class."""
    straight(student)
    save(student)
    student.begin("A run for the class")
    clock = student.clock()
    said = jupyterlab.run_python(student.page, TRAINS.format(student=name))
    student.waited("the run", clock)
    if not said.startswith("Shared with the class"):
        student.part.note("red", "the run", said)


def teach(student, runs):
    """The teacher's: each lab, its board lines, and the class experiment with that many runs of students."""
    for cell in student.script.data.LABS:
        student.begin(f"At the projector: {cell}")
        run_above(student, cell)
        student.do(cell)
    student.begin("The class experiment")
    teacher = student.companion(script=script_of(EXPERIMENT))
    open_in_tab(teacher, f"notebooks/{teacher.script.name}")
    for cell in ("start", "imports", "class-experiment"):
        teacher.run(cell)
    results = runs + 1  # the cell brings one
    said = teacher.node("class-experiment").get_by_text(f"{results} result{'s' * (results > 1)}.")
    said.filter(visible=True).first.wait_for(timeout=MINUTES * 60_000)


def take_part(address, name, runs):
    """One account: log in, learn or teach, save; prints seconds of waiting and faults as JSON.

    runs: the students' at the projector.
    """
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
        if name.startswith(PROJECTOR):
            teach(student, int(runs))
        else:
            learn(student, name)
        student.note_problems(page)
        jupyterlab.end(page)
    faults = [f"{part.title}: {fault}" for part in student.parts for fault in part.faults]
    kinds = {kind: sum(getattr(part, kind) for part in student.parts) for kind in ("worked", "seconds", "actions")}
    print(json.dumps({**kinds, "faults": faults}))


def lesson(hub, home, names):
    """Let accounts with these names begin within a minute; what each printed, as {name: dictionary}."""
    begun = {}
    runs = sum(not name.startswith(PROJECTOR) for name in names)
    for name in names:
        shutil.copytree(ROOT / "notebooks", home / name / "notebooks")
        command = [sys.executable, "-m", "tests.hub.class_of_five", hub.address, name, str(runs)]
        begun[name] = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        time.sleep(WITHIN / len(names) if len(names) > 1 else 0)
    return {name: json.loads(process.communicate()[0]) for name, process in begun.items()}


def lost(path):
    """The cells of a saved notebook in which the student's answer is missing."""
    script, saved = script_of(CHAPTER), {cell.id: cell.source for cell in nbformat.read(path, as_version=4).cells}
    answers = script.blanks | {cell: script.right_answer(cell) for cell in script.data.EXERCISES}
    return [cell for cell, answer in answers.items() if saved.get(cell) != answer]


def main(number):
    """One and the teacher alone, then `number` and the teacher at once; what a teacher would not want, in words."""
    found = []
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), (*ALONE, *CLASS)) as hub:
        home, alone = Path(folder), {}
        for names in (ALONE[:1], ALONE[1:], (PROJECTOR, *CLASS[:number])):
            began, load = time.monotonic(), os.getloadavg()[0]
            for shared in (home / "class").iterdir():
                shared.unlink()
            for name, ours in lesson(hub, home, names).items():
                teaches = name.startswith(PROJECTOR)
                first = alone.setdefault(teaches, ours)
                times, in_page = (ours[kind] / first[kind] for kind in ("worked", "seconds"))
                print(
                    f"{name}: {ours['actions']} actions; waited {ours['worked']:.0f} s for the kernel, "
                    f"{times:.1f} times as long as alone; {ours['seconds']:.0f} s in the page, {in_page:.1f} times",
                    flush=True,
                )
                found += [f"{name}: {fault}" for fault in ours["faults"]]
                if not teaches:
                    missing = lost(home / name / "notebooks" / script_of(CHAPTER).name)
                    found += [f"{name}: the answer in {cell} is lost" for cell in missing]
                if times > MOST:
                    found.append(f"{name} waited more than {MOST} times as long as alone")
            print(f"{(time.monotonic() - began) / 60:.1f} minutes; load before them: {load:.1f}", flush=True)
    return found


if __name__ == "__main__":
    if len(sys.argv) == 4:
        take_part(*sys.argv[1:])
    elif not PROXY.exists():
        sys.exit(f"{PROXY} is missing: run `make class`")
    else:
        sys.exit("\n".join(main(int(sys.argv[1]) if len(sys.argv) == 2 else len(CLASS))) or 0)
