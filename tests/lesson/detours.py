"""Detours of a rehearsed lesson, each on a page of its own: what students do besides going from top to bottom.

A detour is a function that takes a `Student` on a fresh page and writes what it notices into the student's parts.
"""

from itertools import zip_longest

from tests.browser import jupyterlab
from tests.lesson import notice
from tests.lesson.script import CHAPTERS, script_of

TRAINS = ("Run", "Train")  # the buttons that start a training
ALL = 400  # seconds for all cells of a chapter
PANEL = ".jp-NotebookPanel:not(.lm-mod-hidden)"  # the notebook in sight, where two are open


def restart(student):
    """The kernel restarts after each section; the student goes on with "Run All Above Selected Cell"."""
    for i, (title, _, cells) in enumerate(core(student)):
        student.begin(f"Restart, then {title}")
        if i:
            restart_kernel(student, cells[0].id)
            run_above(student, cells[0].id)
        for cell in cells:
            student.do(cell.id)


def wrong_order(student):
    """Each section is begun without those before it: an error says which cell to run first."""
    student.begin("The first cells")
    sections = core(student)
    for cell in ("start", "imports"):
        student.run(cell)
    for title, _, cells in sections[1:]:
        student.begin(f"Without the sections before it: {title}")
        _run_to_an_error(student, cells, "run that cell first")


def twice(student):
    """Every cell is run twice in a row."""
    for title, _, cells in core(student):
        student.begin(f"Twice: {title}")
        for cell in cells:
            if cell.cell_type == "code":
                student.run(cell.id, "Control+Enter")
                student.run(cell.id, "Control+Enter")
                labs = student.node(cell.id).locator(".lab-alive").count()
                if labs > 1:
                    student.part.note("dead", cell.id, f"{labs} labs stand in the cell")


def interrupt(student):
    """■ in the middle of a guess, of every training in a cell and of every one in a lab; then each is done again."""
    student.begin("■ in a guess")
    run_all(student)
    question, (answer, _, _) = next(iter(student.script.data.GUESSES.items()))
    student.guess(question)
    student.stop()
    student.open(answer)
    student.begin("■ in mid-training")
    for cell, source in student.script.sources.items():
        if "labs.watch(" in source and "def " not in source:  # with functions of its own it first trains unwatched
            student.run(cell, "Control+Enter", "KeyboardInterrupt", stop=True)
            student.picture(cell, "after ■")
            student.run(cell)
    for cell, moves in student.script.data.LABS.items():
        presses = [i for i, move in enumerate(moves) if move[0] == "press" and move[1] in TRAINS]
        before = moves[: presses[0]] if presses else moves  # without these there may be no such button, or no images
        student.reach(cell)
        student.moves(cell, before)
        for training in moves[len(before) :][:1]:
            lab = student.node(cell)
            button = lab.get_by_role("button", name=training[1], exact=True).first
            student.hand(cell, button, button.click)
            lab.locator("[data-phase=training]").first.wait_for(timeout=20_000)
            student.stop()
            lab.locator("[data-phase=training]").first.wait_for(state="detached", timeout=20_000)
            student.look(cell)
            student.picture(cell, "after ■")
            student.moves(cell, [training])


def reload(student):
    """The page is loaded anew after the first half of the chapter, and the student goes on."""
    sections = core(student)
    for i, (title, _, cells) in enumerate(sections):
        student.begin(title if i < len(sections) // 2 else f"After a reload: {title}")
        if i == len(sections) // 2:
            save(student)
            student.page.reload()
            _wait_for_notebook(student)
            _look_at_all(student, sections[:i])
        for cell in cells:
            student.do(cell.id)


def next_day(student):
    """Everything is run, saved, and opened the next day, without running anything."""
    student.begin("The next day")
    run_all(student)
    save(student)
    student.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    student.page.reload()
    _wait_for_notebook(student)
    _look_at_all(student, student.script.sections())
    jupyterlab.run_python(student.page, "pass")  # a kernel that is ended while it starts keeps its server from ending
    _excuse_old_widgets(student)


def two_chapters(student):
    """Two chapters in two tabs of a page, a section here and a section there, each as far as its first lab."""
    other = student.companion(script=script_of(student.script.chapter % len(CHAPTERS) + 1))
    open_in_tab(student, f"notebooks/{other.script.name}")
    both = (student, other)
    for sections in zip_longest(*map(_to_the_first_lab, both)):
        for who, section in zip(both, sections, strict=True):
            if section:
                _to_tab(who)
                _do(who, section, f"chapter {who.script.chapter}: ")
    for who in reversed(both):
        student.begin(f"At the end, in the tab of chapter {who.script.chapter}")
        _to_tab(who)
        _look_at_all(who, _to_the_first_lab(who))
        if who is other:
            student.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")


def moved(student):
    """The notebook is renamed after a section, and in the end copied into another folder and begun there."""
    first, second, *later = core(student)
    _do(student, first)
    student.begin("Renamed")
    _rename(student, "my own copy.ipynb")
    _run_to_an_error(student, [cell for _, _, cells in later for cell in cells], "Run All Above Selected Cell")
    _do(student, second, "Renamed: ")
    student.begin("In another folder")
    save(student)
    student.page.evaluate(
        """async () => {
            const { contents } = window.jupyterapp.serviceManager;
            await contents.save('elsewhere', { type: 'directory' });
            await contents.copy(window.jupyterapp.shell.currentWidget.context.path, 'elsewhere');
            await window.jupyterapp.shell.currentWidget.sessionContext.shutdown();
        }"""
    )
    open_in_tab(student, "elsewhere/my own copy.ipynb")
    _look_at_all(student, [first, second])
    _excuse_old_widgets(student)
    for cell in [*first[2], *second[2]]:
        student.run(cell.id, red=student.left.get(cell.id, ""))


def read_only(student):
    """The folder of the notebooks may not be written: what would be kept is not, and a line says so."""
    student.reds = ("cannot be written", "is closed to this account")
    for section in core(student):
        _do(student, section)
    for cell, source in student.script.sources.items():
        if "\nsave_own_net(" in source:
            student.expect(cell, student.state(cell), "❌", "cannot be written")
    student.begin("The labs of Deeper")
    done = [cell.id for _, _, cells in core(student) for cell in cells]
    for cell in student.script.data.LABS:
        if cell not in done:
            student.do(cell)


def second_student(student):
    """Another student in the same folder, with a copy of the chapter: a section each, turn by turn."""
    copy = f"second-{student.script.name}"
    student.page.evaluate(
        """async copy => {
            const { contents } = window.jupyterapp.serviceManager;
            const { type, format, content } = await contents.get(window.jupyterapp.shell.currentWidget.context.path);
            await contents.save(`notebooks/${copy}`, { type, format, content });
        }""",
        copy,
    )
    address = student.page.url.partition("/lab/")[0]
    page = student.page.context.browser.new_page(viewport=notice.WINDOW)
    jupyterlab.show_notebook(page, address, copy)
    second = student.companion(page=page)
    for section in _to_the_first_lab(student):
        _do(student, section, "The first student: ")
        _do(second, section, "The second student: ")
    second.note_problems(page)
    jupyterlab.end(page)


DETOURS = {
    "wrong-order": wrong_order,
    "twice": twice,
    "restart": restart,
    "interrupt": interrupt,
    "reload": reload,
    "next-day": next_day,
    "two-chapters": two_chapters,
    "moved": moved,
    "read-only": read_only,
    "second-student": second_student,
}


def core(student):
    """The sections of the chapter that promise minutes, Deeper and the exercises left out; all before them first."""
    sections = student.script.sections()
    numbered = [i for i, (title, _, _) in enumerate(sections) if title[:1].isdigit()]
    before = [cell for _, _, cells in sections[: numbered[0]] for cell in cells]
    title, minutes, cells = sections[numbered[0]]
    return [(title, minutes, before + cells), *(sections[i] for i in numbered[1:])]


def restart_kernel(student, cell):
    """Restart the kernel by the keyboard."""
    student.reach(cell)
    student.page.keyboard.press("Escape")
    student.page.keyboard.press("0")
    student.page.keyboard.press("0")
    # By their names "Confirm Kernel Restart" and "Cancel Kernel Restart" are both restarts.
    student.page.locator(".jp-Dialog .jp-mod-accept").click()
    student.page.locator(".jp-Dialog").wait_for(state="detached")
    _wait_for_rest(student)


def run_all(student):
    """Run All, as the menu does it, and wait until every cell has run or one has failed unasked."""
    student.part.at = "Run All"
    student.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
    student.wait("the end of Run All", jupyterlab.ALL_HAVE_RUN, patience=ALL)


def run_above(student, cell):
    """Run, by the menu, all cells above one."""
    student.reach(cell)
    student.page.locator(".lm-MenuBar-itemLabel", has_text="Run").first.click()
    clock = student.clock()
    student.page.locator(".lm-Menu-itemLabel", has_text="Run All Above Selected Cell").click()
    _wait_for_rest(student)
    student.waited(cell, clock)


def save(student):
    """Save the notebook by the keyboard, and wait until it is."""
    student.page.keyboard.press("Control+s")
    student.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty", timeout=30_000)


def _do(student, section, words=""):
    """Do all of a section; words: what its title begins with."""
    title, minutes, cells = section
    student.begin(f"{words}{title}", minutes)
    for cell in cells:
        student.do(cell.id)


def _to_the_first_lab(student):
    """The sections of the core from the first to that which holds the first lab."""
    sections = core(student)
    labs = [i for i, (_, _, cells) in enumerate(sections) if any(cell.id in student.script.data.LABS for cell in cells)]
    return sections[: labs[0] + 1]


def _run_to_an_error(student, cells, words):
    """Run cells until one lacks a name; words: what must be said below the error."""
    for cell in cells:
        said = student.run(cell.id, red="NameError")["said"]
        if "NameError" in said:
            if words not in said:
                student.part.note("verdict", cell.id, f"the error does not say what to run first: {said}")
            student.picture(cell.id)
            return


def open_in_tab(student, path):
    """Open a notebook in a tab of the page."""
    student.page.evaluate("path => { window.jupyterapp.commands.execute('docmanager:open', { path }) }", path)
    student.page.wait_for_function("path => window.jupyterapp.shell.currentWidget?.context?.path === path", arg=path)
    jupyterlab.wait_for_notebook(student.page)


def _to_tab(student):
    """Click on the tab of the student's chapter."""
    name = student.script.name
    student.page.locator("#jp-main-dock-panel .lm-TabBar-tabLabel", has_text=name).click()
    student.page.wait_for_function(
        "name => window.jupyterapp.shell.currentWidget.context.path.endsWith(name)", arg=name
    )


def _rename(student, name):
    """Rename the notebook by the menu."""
    student.page.locator(".lm-MenuBar-itemLabel", has_text="File").first.click()
    student.page.locator(".lm-Menu-itemLabel", has_text="Rename Notebook").click()
    dialog = student.page.locator(".jp-Dialog")
    dialog.locator("input").fill(name)
    dialog.get_by_role("button", name="Rename").click()
    dialog.wait_for(state="detached")


def _wait_for_rest(student):
    # Only a moment later does the kernel know that it has something to do.
    student.page.wait_for_timeout(1000)
    student.wait(
        "a kernel at rest",
        """() => {
            const { content, sessionContext } = window.jupyterapp.shell.currentWidget;
            return sessionContext.session?.kernel?.status === 'idle'
                && content.widgets.every(({model}) => model.type !== 'code' || model.executionState === 'idle');
        }""",
        patience=ALL,
    )


def _wait_for_notebook(student):
    jupyterlab.wait_for_notebook(student.page)
    notice.open_eyes(student.page)


def _excuse_old_widgets(student):
    """Leave out what JupyterLab says on its console for each widget of a kernel that has ended.

    What stands in the page in their place has been looked at.
    """
    student.page.problems[:] = [said for said in student.page.problems if "widget model not found" not in said]


def _look_at_all(student, sections):
    for _, _, cells in sections:
        for cell in cells:
            if cell.cell_type == "code" and student.state(cell.id)["outputs"]:
                student.node(cell.id).scroll_into_view_if_needed()
                student.look(cell.id, student.left.get(cell.id, ""))  # a change may have taken a promised error away
                student.picture(cell.id)
