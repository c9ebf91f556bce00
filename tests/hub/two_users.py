"""A JupyterHub on this machine, and two students who open chapter 1 at the same time: `make hub`.

Each has a server, a kernel and a copy of the notebooks of their own; the images (LENET_LAB_DATA, or else the bundled
sample) are shared, and so is a folder for the class: a third account, at the projector, sees there that both trained.
Everything is driven as a browser would, through the hub's proxy, and ends within some minutes.

The hub has an environment of its own, build/hub. The students' servers and kernels run in that of the course, which
finds JupyterHub's package there.
"""

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nbformat
import requests
import websocket

ROOT = Path(__file__).resolve().parents[2]
HUB = ROOT / "build" / "hub"
PROXY = HUB / "node_modules" / ".bin" / "configurable-http-proxy"
CHAPTER = "lenet-lab/notebooks/01-data.ipynb"
STUDENTS = ("ada", "bo")
CELLS = 8  # code cells of the chapter to run: the explorer and the first bytes
SECONDS = 120  # for any one step
PROJECTOR = "teacher-at-the-projector"
TRAINS = """from helpers import fashion_mnist, labs
lab = labs.trainer(fashion_mnist(), num_epochs=1)
lab.hear({{"student": "{student}"}}, [])
lab.start()
lab.runner.wait()
print(lab.below["shared"])"""
SEES = """from helpers import labs
lab = labs.class_experiment()
print(lab.message.value)"""

CONFIG = """
c.JupyterHub.bind_url = "http://127.0.0.1:{public}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{internal}"
c.JupyterHub.db_url = "sqlite://"
c.JupyterHub.cookie_secret_file = "{home}/cookie-secret"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.ConfigurableHTTPProxy.command = ["{proxy}"]
c.ConfigurableHTTPProxy.pid_file = "{home}/proxy.pid"

c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allowed_users = {students}
c.JupyterHub.services = [dict(name="teacher", api_token="{token}")]
c.JupyterHub.load_roles = [dict(
    name="teacher", services=["teacher"], scopes=["admin:users", "admin:servers", "tokens", "access:servers"]
)]

# Students without accounts on this machine: their servers run as the user who started the hub.
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{home}/{{username}}"
c.Spawner.notebook_dir = "{home}/{{username}}"
c.Spawner.cmd = ["{python}", "-m", "jupyterhub.singleuser"]
c.Spawner.args = ["--allow-root", "--LabApp.expose_app_in_browser=True"]
c.Spawner.default_url = "/lab/tree/{chapter}"
c.Spawner.start_timeout = c.Spawner.http_timeout = {seconds}
c.Spawner.environment = {environment}
"""


def free_ports(number):
    """Ports that nobody listens on at the moment."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def until(done, what, seconds=SECONDS):
    """Ask `done` five times a second; its first true answer. Raises TimeoutError with the name of what is late."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := done():
            return answer
        time.sleep(0.2)
    raise TimeoutError(f"{what}: not within {seconds} s")


@dataclass(frozen=True)
class Hub:
    """Where a hub is, and the teacher's token for it."""

    address: str
    token: str

    def ask(self, method, path, token=None, **content):
        """The answer to a request through the proxy, with the teacher's token where none is given."""
        headers = {"Authorization": f"token {token or self.token}"}
        return requests.request(method, f"{self.address}{path}", headers=headers, timeout=SECONDS, **content)

    def answers(self):
        """True once the hub answers through its proxy."""
        try:
            return requests.get(f"{self.address}/hub/api/", timeout=5).ok
        except requests.ConnectionError:
            return False


@contextlib.contextmanager
def running(home, students=STUDENTS):
    """A hub and its proxy with everything that they write in the folder `home`, until the end of the block."""
    public, internal, api = free_ports(3)
    hub = Hub(f"http://127.0.0.1:{public}", secrets.token_hex())
    (packages,) = HUB.glob("lib/python*/site-packages")
    shared = home / "class"
    shared.mkdir()
    environment = {"OMP_NUM_THREADS": "1", "PYTHONPATH": f"{ROOT}:{packages}", "LENET_LAB_CLASS": str(shared)}
    if data := os.environ.get("LENET_LAB_DATA"):
        environment["LENET_LAB_DATA"] = str(Path(data).resolve())
    else:
        environment["LENET_LAB_OFFLINE"] = "1"
    config = CONFIG.format(
        public=public, internal=internal, api=api, home=home, proxy=PROXY, students={*students, PROJECTOR},
        token=hub.token, python=sys.executable, chapter=CHAPTER, seconds=SECONDS, environment=environment,
    )  # fmt: skip
    (home / "jupyterhub_config.py").write_text(config, encoding="utf-8")
    command = [HUB / "bin" / "python", "-m", "jupyterhub", "--config", home / "jupyterhub_config.py"]
    with open(home / "log", "w", encoding="utf-8") as log:
        process = subprocess.Popen(command, cwd=home, stdout=log, stderr=log)
    try:
        until(hub.answers, "the hub's first answer")
        yield hub
    except BaseException:
        print((home / "log").read_text(encoding="utf-8"), file=sys.stderr)
        raise
    finally:
        process.terminate()  # ends the students' servers and the proxy too
        try:
            process.wait(60)
        finally:
            process.kill()


def answered(answer):
    """The JSON of an answer; raises where it is an error."""
    answer.raise_for_status()
    return answer.json() if answer.content else None


def start_server(hub, user):
    """Start the user's server; returns a token for it."""
    hub.ask("POST", f"/hub/api/users/{user}/server").raise_for_status()
    until(
        lambda: answered(hub.ask("GET", f"/hub/api/users/{user}"))["servers"].get("", {}).get("ready"),
        f"{user}'s server",
    )
    return answered(hub.ask("POST", f"/hub/api/users/{user}/tokens"))["token"]


def look(hub):
    """What the class experiment says at the projector."""
    token, mine = start_server(hub, PROJECTOR), f"/user/{PROJECTOR}"
    kernel = answered(hub.ask("POST", f"{mine}/api/kernels", token, json={"name": "python3"}))["id"]
    return run_cells(hub, f"{mine}/api/kernels/{kernel}/channels", token, [SEES])[-1].strip()


def open_chapter(hub, student):
    """Start the student's server, open the chapter, run its first cells; what happened, as a dictionary."""
    started = time.monotonic()
    token = start_server(hub, student)
    seconds = time.monotonic() - started
    mine = f"/user/{student}"
    page = hub.ask("GET", f"{mine}/lab/tree/{CHAPTER}", token)
    assert "jupyter-config-data" in page.text, f"{student} got no JupyterLab but: {page.status_code} {page.url}"

    opened = answered(hub.ask("GET", f"{mine}/api/contents/{CHAPTER}", token))
    notebook = nbformat.from_dict(opened["content"])
    session = {"path": CHAPTER, "name": "01-data.ipynb", "type": "notebook", "kernel": {"name": "python3"}}
    kernel = answered(hub.ask("POST", f"{mine}/api/sessions", token, json=session))["kernel"]["id"]
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"][:CELLS]
    sources.append("import resource\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, 'MB')")
    outputs = run_cells(hub, f"{mine}/api/kernels/{kernel}/channels", token, sources)
    seconds_of_cells = time.monotonic() - started
    shared = run_cells(hub, f"{mine}/api/kernels/{kernel}/channels", token, [TRAINS.format(student=student)])
    notebook.cells[0].source = f"# {student}'s own copy"
    saved = {"type": "notebook", "format": "json", "content": notebook}
    answered(hub.ask("PUT", f"{mine}/api/contents/{CHAPTER}", token, json=saved))
    hub.ask("DELETE", f"{mine}/api/kernels/{kernel}", token).raise_for_status()
    return {"token": token, "server": seconds, "all": seconds_of_cells, "outputs": outputs, "shared": shared[-1]}


def run_cells(hub, path, token, sources):
    """Run code cells in a kernel; the texts that they gave."""
    address = f"{hub.address}{path}".replace("http", "ws", 1)
    # Not in the address: a hub takes no token there.
    channel = websocket.create_connection(address, timeout=SECONDS, header={"Authorization": f"token {token}"})
    texts = []
    for number, source in enumerate(sources):
        header = {"msg_id": f"cell-{number}", "msg_type": "execute_request", "session": "s", "username": "student"}
        content = {"code": source, "silent": False, "allow_stdin": False, "stop_on_error": True}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        channel.send(json.dumps(message))
        while True:
            received = channel.recv()
            if isinstance(received, bytes):
                continue  # a widget's picture
            answer = json.loads(received)
            kind, given = answer["header"]["msg_type"], answer["content"]
            if answer["parent_header"].get("msg_id") != header["msg_id"]:
                continue
            if kind == "stream":
                texts.append(given["text"])
            elif kind in ("execute_result", "display_data"):
                texts.append(given["data"].get("text/plain", ""))
            elif kind == "error":
                raise RuntimeError(f"cell {number}: {given['ename']}: {given['evalue']}")
            elif kind == "status" and given["execution_state"] == "idle":
                break
    channel.close()
    return texts


def main():
    """Two students at once; prints what each saw, and fails where one disturbs the other."""
    if not PROXY.exists():
        sys.exit(f"{PROXY} is missing: run `make hub`")
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as hub:
        for student in STUDENTS:
            shutil.copytree(ROOT / "notebooks", Path(folder) / student / "lenet-lab" / "notebooks")
        with ThreadPoolExecutor(len(STUDENTS)) as pool:
            seen = dict(zip(STUDENTS, pool.map(lambda student: open_chapter(hub, student), STUDENTS), strict=True))
        for student, other in zip(STUDENTS, reversed(STUDENTS), strict=True):
            ours = seen[student]
            kept = answered(hub.ask("GET", f"/user/{student}/api/contents/{CHAPTER}", ours["token"]))["content"]
            assert kept["cells"][0]["source"] == f"# {student}'s own copy"
            refused = hub.ask("GET", f"/user/{other}/api/contents/{CHAPTER}", ours["token"]).status_code
            assert refused == 403, f"{student} may read {other}'s notebook ({refused})"
            source = next(line for text in ours["outputs"] for line in text.splitlines() if line.startswith("from "))
            times = f"server after {ours['server']:.1f} s, {CELLS} cells of chapter 1 after {ours['all']:.1f} s"
            print(f"{student}: {times}, kernel {ours['outputs'][-1].strip()}; images {source}")
            assert ours["shared"].startswith("Shared with the class"), ours["shared"]
        seen_there = look(hub)
        assert seen_there.startswith(f"{len(STUDENTS)} results."), seen_there
        print(f"At the projector, a third account, after one run of each: {seen_there}")
    print("Both at once, each with a copy of their own, neither allowed into the other's.")


if __name__ == "__main__":
    main()
