"""Detours of a rehearsed lesson, each on a page of its own: what students do besides going from top to bottom.

A detour is a function that takes a `Student` on a fresh page and writes what it notices into the student's parts.
"""

from tests.browser import jupyterlab
from tests.lesson import notice

TRAINS = ("Run", "Train")  # the buttons that start a training


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
        for cell in cells:
            said = student.run(cell.id, red="NameError")["said"]
            if "NameError" in said:
                if "run that cell first" not in said:
                    student.part.note("verdict", cell.id, f"the error does not say what to run first: {said}")
                student.picture(cell.id)
                break


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
    """■ in the middle of every training of a lab; then the training goes on."""
    student.begin("■ in mid-training")
    jupyterlab.run_all(student.page)
    for cell, moves in student.script.data.LABS.items():
        for name in dict.fromkeys(move[1] for move in moves if move[0] == "press" and move[1] in TRAINS):
            lab = student.node(cell)
            button = lab.get_by_role("button", name=name, exact=True).first
            student.hand(cell, button, button.click)
            lab.locator("[data-phase=training]").first.wait_for(timeout=20_000)
            student.page.locator(
                "[data-command='notebook:interrupt-kernel'], [title*='Interrupt the kernel']"
            ).first.click()
            lab.locator("[data-phase=training]").first.wait_for(state="detached", timeout=20_000)
            student.look(cell)
            student.picture(cell, "after ■")
            student.move(cell, "press", name)


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
    jupyterlab.run_all(student.page)
    save(student)
    student.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    student.page.reload()
    _wait_for_notebook(student)
    _look_at_all(student, student.script.sections())
    jupyterlab.run_python(student.page, "pass")  # a kernel that is ended while it starts keeps its server from ending
    # JupyterLab says this on its console for every widget of yesterday; what stands in the page has been looked at.
    student.page.problems[:] = [said for said in student.page.problems if "widget model not found" not in said]


DETOURS = {
    "wrong-order": wrong_order,
    "twice": twice,
    "restart": restart,
    "interrupt": interrupt,
    "reload": reload,
    "next-day": next_day,
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
    student.page.locator(".jp-Dialog").get_by_role("button", name="Restart").click()
    student.page.locator(".jp-Dialog").wait_for(state="detached")
    _wait_for_rest(student)


def run_above(student, cell):
    """Run, by the menu, all cells above one."""
    student.reach(cell)
    student.page.locator(".lm-MenuBar-itemLabel", has_text="Run").first.click()
    student.page.locator(".lm-Menu-itemLabel", has_text="Run All Above Selected Cell").click()
    _wait_for_rest(student)


def save(student):
    """Save the notebook by the keyboard, and wait until it is."""
    student.page.keyboard.press("Control+s")
    student.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty", timeout=30_000)


def _wait_for_rest(student):
    student.page.wait_for_timeout(1000)
    student.page.wait_for_function(
        """() => {
            const { content, sessionContext } = window.jupyterapp.shell.currentWidget;
            return sessionContext.session?.kernel?.status === 'idle'
                && content.widgets.every(({model}) => model.type !== 'code' || model.executionState === 'idle');
        }""",
        timeout=300_000,
    )


def _wait_for_notebook(student):
    jupyterlab.wait_for_notebook(student.page)
    notice.open_eyes(student.page)


def _look_at_all(student, sections):
    for _, _, cells in sections:
        for cell in cells:
            if cell.cell_type == "code" and student.state(cell.id)["outputs"]:
                student.node(cell.id).scroll_into_view_if_needed()
                student.look(cell.id)
                student.picture(cell.id)
