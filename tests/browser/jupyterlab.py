"""JupyterLab, or Notebook 7, on a copy of the notebooks, and a page of Chromium that looks at it."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import nbformat
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "t"
# Where each application shows the notebooks.
SHOWN_AT = {"jupyterlab": "lab/workspaces/{}/tree/notebooks", "notebook": "notebooks/notebooks"}


def chromium():
    """The path of a Chromium or Chrome on this machine, or None."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    return None


ERRORS = """window.jupyterapp.shell.currentWidget.content.widgets
    .filter(cell => cell.model.type === 'code')
    .filter(cell => (cell.model.getMetadata('tags') || []).includes('raises-exception') === %s)
    .flatMap(cell => cell.model.outputs.toJSON())
    .filter(output => output.output_type === 'error')
    .map(output => `${output.ename}: ${output.evalue}`)"""
ASKED_ERRORS, UNASKED_ERRORS = ERRORS % "true", ERRORS % "false"  # a tag asks a cell to end with an error

# Whether every cell has run, or one has failed unasked. Cells know their state since JupyterLab 4.3; a cell that runs
# has no count.
ALL_HAVE_RUN = f"""() => {{
    const cells = window.jupyterapp.shell.currentWidget.content.widgets.filter(cell => cell.model.type === 'code');
    return cells.every(cell => cell.model.executionCount && (cell.model.executionState ?? 'idle') === 'idle')
        || {UNASKED_ERRORS}.length > 0;
}}"""


@contextlib.contextmanager
def server(own=(), log=None, windowing="none", writable=True, application="jupyterlab"):
    """Start JupyterLab with settings of its own; yields the address. It saves by itself, so it gets copies.

    own: {name: sources of the code cells, or a notebook} to lay beside the chapters; log: where its log goes;
    windowing: "none" keeps all cells in the page, "full", the default of JupyterLab 4.2, only those in sight, and None
    what the application does by itself; writable: whether the folder of the notebooks may be written; application:
    "notebook" starts Notebook 7 instead.
    """
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        shutil.copytree(ROOT / "notebooks", home / "notebooks")
        for name, made in dict(own).items():
            notebook = made if isinstance(made, nbformat.NotebookNode) else notebook_of(made)
            nbformat.write(notebook, home / "notebooks" / name)
        settings = {
            "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
            "notebook-extension/tracker": {"windowingMode": windowing} if windowing else {},
        }
        for name, content in settings.items():
            path = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps(content), encoding="utf-8")
        variables = {
            "JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime",
            "IPYTHONDIR": "ipython", "JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        }  # fmt: skip
        environment = os.environ | {name: str(home / place) for name, place in variables.items()}
        # After a restart the debugger warns of frozen modules, in JupyterLab's log, which no student sees.
        environment |= {"LENET_LAB_OFFLINE": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        address = f"http://127.0.0.1:{port}"
        command = [
            sys.executable, "-m", application, "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
            "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={home}",
            "--expose-app-in-browser",
        ]  # fmt: skip
        if not writable:
            for path in [home / "notebooks", *(home / "notebooks").rglob("*")]:
                path.chmod(path.stat().st_mode & ~0o222)
            if os.geteuid() == 0:  # to whom a folder's mode means nothing otherwise
                command = ["setpriv", "--bounding-set=-dac_override", *command]
        log = log or home / "log"
        with open(log, "w", encoding="utf-8") as file:
            process = subprocess.Popen(command, env=environment, stdout=file, stderr=file)
        try:
            wait_until_it_answers(f"{address}/api/status?token={TOKEN}", process, log)
            yield address
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:  # it waits for a kernel that was ended while it started
                process.kill()
                process.wait()


def notebook_of(sources):
    """A notebook with these code cells."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    # Without a kernel's name JupyterLab asks for one, and waits.
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    return nbformat.v4.new_notebook(cells=cells, metadata=kernel)


def wait_until_it_answers(url, process, log):
    """Return when the server is up; raise with its log when it ends or stays silent for three minutes."""
    for _ in range(1800):
        with contextlib.suppress(urllib.error.URLError), urllib.request.urlopen(url, timeout=5):
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text(encoding='utf-8', errors='replace')}")


@contextlib.contextmanager
def browser():
    """A headless Chromium."""
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(
            executable_path=chromium(),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
        )


def open_notebook(chromium_browser, address, name, width=1280, height=800, application="jupyterlab"):
    """A page that shows notebooks/`name` with its kernel ready; `problems(page)` tells what went wrong in it."""
    page = chromium_browser.new_page(viewport={"width": width, "height": height})
    page.set_default_timeout(90_000)  # on a machine that does other things too, JupyterLab may take a minute to open
    show_notebook(page, address, name, application)
    # The file browser takes a quarter of a projector's width.
    page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    return page


def show_notebook(page, address, name, application="jupyterlab"):
    """Show notebooks/`name` in a page that is there already, as `open_notebook` does, but for the file browser."""
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("console", lambda message: page.problems.append(in_words(message)) if is_problem(message) else None)
    page.goto(f"{address}/{SHOWN_AT[application].format(uuid.uuid4())}/{name}?token={TOKEN}&reset")
    wait_for_notebook(page)


@contextlib.contextmanager
def page_of_labs(chromium_browser, address, name):
    """A page of the notebook, run to its end, the file browser open; at the end nothing may have gone wrong in it."""
    page = open_notebook(chromium_browser, address, name)
    page.evaluate("() => window.jupyterapp.shell.expandLeft()")
    run_all(page)
    yield page
    found = problems(page)
    end(page)
    assert found == []


def wait_for_notebook(page):
    """Wait until a page that has been loaded shows its notebook with a kernel; collect what is heard from this."""
    page.wait_for_function(
        "() => window.jupyterapp && window.jupyterapp.shell.currentWidget?.sessionContext", timeout=180_000
    )
    page.evaluate(
        """async () => {
            await window.jupyterapp.restored;
            await window.jupyterapp.shell.currentWidget.context.ready;
            const session = window.jupyterapp.shell.currentWidget.sessionContext;
            await session.ready;
            // What JupyterLab's log console shows: an error in a widget's callback goes nowhere else.
            window.unheard ??= [];
            session.iopubMessage.connect((_, {header, content}) => {
                if (header.msg_type === 'error') window.unheard.push(`${content.ename}: ${content.evalue}`);
                if (header.msg_type === 'stream' && content.name === 'stderr') window.unheard.push(content.text);
            });
        }"""
    )


def run_all(page, minutes=5):
    """Run All, as the menu does it, and wait until every cell has run or one has failed unasked."""
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
    page.wait_for_function(
        ALL_HAVE_RUN,
        polling=200,  # by itself it would read all outputs at each frame, and take a core from the kernel
        timeout=minutes * 60_000,
    )


def errors(page):
    """The error outputs of the notebook as texts, those asked for by a tag left out."""
    return page.evaluate(f"() => {UNASKED_ERRORS}")


def is_problem(message):
    """True for an error in the browser's console that a student's page would show too."""
    return message.type == "error" and "/favicon.ico" not in message.location["url"]


def in_words(message):
    """What an error in the browser's console says, with the address of what could not be loaded."""
    return f"{message.text} {message.location['url'] if 'Failed to load' in message.text else ''}".strip()


def end(page):
    """End the page and its kernel: a server waits for it."""
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    page.close()


def problems(page):
    """What went wrong in a page: errors in cells, in callbacks and in the browser's console, as texts."""
    asked = page.evaluate(f"() => {ASKED_ERRORS}")
    unheard = [text for text in page.evaluate("() => window.unheard") if text not in asked]
    # With these a kernel answers JupyterLab's search for widgets of an earlier session.
    unheard = [text for text in unheard if not text.startswith("No such comm")]
    return [*errors(page), *unheard, *page.problems]


def type_line(place, line):
    """Type a board line into a lab; place: its page, or the lab's own locator where the page has several."""
    box = place.get_by_label("board line")
    box.fill(line)
    box.press("Enter")


def run_python(page, code):
    """Run code in the page's kernel; what it prints."""
    return page.evaluate(
        """async code => {
            const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            const request = kernel.requestExecute({code, silent: false, store_history: false});
            let printed = '';
            request.onIOPub = ({header, content}) => { if (header.msg_type === 'stream') printed += content.text; };
            await request.done;
            return printed;
        }""",
        code,
    )


def come_and_go(page):
    """Do what another page of the notebook does that comes and goes: use a subshell of the kernel and delete it."""
    page.evaluate(
        """async () => {
            const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            const own = (await kernel.requestCreateSubshell({}).done).content.subshell_id;
            kernel.subshellId = own;
            await kernel.requestExecute({code: 'pass', store_history: false}).done;
            kernel.subshellId = null;
            await kernel.requestDeleteSubshell({subshell_id: own}).done;
        }"""
    )


def touch(page, place, *more):
    """A finger goes down at a place, over others, and up."""
    session = page.context.new_cdp_session(page)
    for kind, point in [("touchStart", place), *(("touchMove", point) for point in more), ("touchEnd", None)]:
        points = [{"x": point[0], "y": point[1]}] if point else []
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
