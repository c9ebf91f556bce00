"""Data that cannot be had or cannot be trusted: the sample comes instead, soon, with one line that says what to do."""

import contextlib
import functools
import gzip
import http.server
import io
import itertools
import json
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
from pathlib import Path

import filelock
import pytest

from helpers import DataError, download, fashion_mnist, image_files, mnist

ROOT = Path(__file__).resolve().parents[2]
FILES = list(image_files.SHA256["MNIST"])


def files_in(folder):
    """The names of all files below a folder, but for the locks, which stay and are empty."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")


def one_line(capsys):
    """The one line that was printed."""
    (line,) = capsys.readouterr().out.splitlines()
    return line


# Servers.  Each is a function of the request and of the file that was asked for.


def send(request, body, length=None, status=200, kind="application/gzip"):
    request.send_response(status)
    request.send_header("Content-Type", kind)
    if length is not None:
        request.send_header("Content-Length", str(length))
    request.end_headers()
    request.wfile.write(body)


def trickle(request, piece):
    """A piece now and then, for as long as somebody listens or the test lasts."""
    while not request.server.over.wait(0.05):
        request.wfile.write(piece)


def silent(request, file):
    request.server.over.wait()


def trickling_headers(request, file):
    request.wfile.write(b"HTTP/1.1 200 OK\r\n")
    trickle(request, b"X-Patience: please\r\n")


def trickling(request, file):
    send(request, file[:10], len(file))
    trickle(request, b"\0")


def forbidden(request, file):
    request.send_error(403)


def out_of_order(request, file):
    request.send_error(503)


def web_page(request, file):
    page = b"<html><title>Log in to the school's network</title></html>"
    send(request, page, len(page), kind="text/html")


def to_itself(request, file):
    request.send_response(302)
    request.send_header("Location", request.path)
    request.end_headers()


def nothing(request, file):
    send(request, b"", 0)


def no_http(request, file):
    request.wfile.write(b"220 mail.example.org ready\r\n")


def hanging_up(request, file):
    request.connection.shutdown(socket.SHUT_RDWR)


def truncated(request, file):
    send(request, file[: len(file) // 2], len(file))


def truncated_without_a_length(request, file):
    send(request, file[: len(file) // 2])


def one_packed_bit_flipped(request, file):
    spoilt = bytearray(file)
    spoilt[len(file) // 2] ^= 1
    send(request, spoilt, len(file))


def one_pixel_bit_flipped(request, file):
    spoilt = gzip.compress(flipped_bit(gzip.decompress(file)), 1)
    send(request, spoilt, len(spoilt))


def another_file(request, file):
    spoilt = (image_files.SAMPLE / "FashionMNIST" / Path(request.path).name).read_bytes()
    send(request, spoilt, len(spoilt))


def bomb(request, file):
    send(request, BOMB, len(BOMB))


def endless(request, file):
    send(request, file)
    while not request.server.over.is_set():
        request.wfile.write(bytes(2**20))


def trickling_later(request, file):
    send(request, file[:100_000], len(file))
    trickle(request, bytes(1000))  # 20 kB/s; the rule asks for 32 in a quarter of the time


# 10 GB of zeros, packed into 10 MB.
BOMB = gzip.compress(bytes(10**7)) * 1000

USELESS_AT_ONCE = [  # (server, what the line says of it)
    (silent, "too slow"),
    (trickling_headers, "too slow"),
    (trickling, "too slow"),
    (forbidden, "403 Forbidden"),
    (out_of_order, "503 Service Unavailable"),
    (web_page, "does the network want a log-in?"),
    (to_itself, "TooManyRedirects"),
    (nothing, "sends something else"),
    (no_http, "no connection"),
    (hanging_up, "no connection"),
]
USELESS_IN_THE_END = [
    (truncated, "broke off"),
    (truncated_without_a_length, "cannot be read"),
    (one_packed_bit_flipped, "cannot be read|is damaged"),
    (one_pixel_bit_flipped, "is damaged"),
    (another_file, "is damaged"),
    (bomb, "is damaged"),
    (endless, "does not stop sending"),
    (trickling_later, "too slow"),
]


@pytest.fixture
def serve(bare_machine, sample_counts_as_whole, monkeypatch):
    """Starts servers that answer as they are told to, the only ones to have MNIST; returns the requests they see."""
    running = []

    def start(*answers):
        requests, addresses = [], []
        for answer in answers:

            class Handler(http.server.BaseHTTPRequestHandler):
                def do_GET(self, answer=answer):
                    requests.append((Path(self.path).name, "Range" in self.headers))
                    with contextlib.suppress(ConnectionError):  # who gives up hangs up
                        answer(self, (image_files.SAMPLE / "MNIST" / Path(self.path).name).read_bytes())

                def log_message(self, *args):
                    pass

            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            server.over = threading.Event()
            threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
            running.append(server)
            addresses.append(f"http://127.0.0.1:{server.server_port}/")
        monkeypatch.setattr(image_files, "MIRRORS", {"MNIST": addresses})
        monkeypatch.delenv("LENET_LAB_OFFLINE", raising=False)
        return requests

    yield start
    for server in running:
        server.over.set()
        server.shutdown()
        server.server_close()


def good(request, file):
    send(request, file, len(file))


@pytest.fixture
def impatient(monkeypatch):
    """The rules of speed as they are, but for a quarter of the time."""
    monkeypatch.setattr(download, "START_SECONDS", download.START_SECONDS / 4)
    monkeypatch.setattr(download, "MORE_SECONDS", download.MORE_SECONDS / 4)


@pytest.mark.parametrize(("answer", "words"), USELESS_AT_ONCE)
def test_a_useless_server_is_given_up_before_anything_is_made(answer, words, serve, impatient, bare_machine, capsys):
    serve(answer)
    assert "sample" in mnist().source
    line = one_line(capsys)
    assert words in line
    assert FILES[0] in line
    assert "check the network and run this again, or set LENET_LAB_DATA" in line
    assert not bare_machine.exists()


@pytest.mark.parametrize(("answer", "words"), USELESS_IN_THE_END)
def test_what_a_server_sends_wrong_is_not_kept(answer, words, serve, impatient, bare_machine, capsys):
    requests = serve(answer)
    assert "sample" in mnist().source
    line = one_line(capsys)
    assert any(word in line for word in words.split("|"))
    assert FILES[0] in line
    assert "check the network and run this again, or set LENET_LAB_DATA" in line
    assert files_in(bare_machine) == []
    assert requests == [(FILES[0], True), (FILES[0], False)]


def test_no_network_gives_the_sample(bare_machine, monkeypatch, capsys):
    monkeypatch.delenv("LENET_LAB_OFFLINE")
    # Nobody listens at port 9, and no name ends in .invalid.
    monkeypatch.setattr(image_files, "MIRRORS", {"MNIST": ["http://127.0.0.1:9/", "http://lenet-lab.invalid/"]})
    assert "sample" in mnist().source
    line = one_line(capsys)
    assert f"{FILES[0]} could not be downloaded (127.0.0.1:9: no connection; lenet-lab.invalid: no connection)" in line
    assert not bare_machine.exists()


def test_a_name_that_is_looked_up_for_ever_is_given_up(serve, impatient, monkeypatch, bare_machine, capsys):
    found = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found.wait() and [])
    serve(good)
    assert "sample" in mnist().source
    found.set()
    assert "too slow" in one_line(capsys)
    assert not bare_machine.exists()


def test_an_error_that_nobody_thought_of_gives_the_sample(serve, monkeypatch, bare_machine, capsys):
    def broken(*args, **kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr("requests.get", broken)
    serve(good)
    assert "sample" in mnist().source
    assert "ZeroDivisionError" in one_line(capsys)


def test_a_slow_but_honest_server_may_finish(serve, impatient, bare_machine, capsys):
    def slow(request, file):
        send(request, b"", len(file))
        for start in range(0, len(file), 20_000):
            request.server.over.wait(0.25)  # 80 kB/s; the rule asks for 32 in a quarter of the time
            request.wfile.write(file[start : start + 20_000])

    requests = serve(slow)
    (bare_machine / "MNIST").mkdir(parents=True)
    for file in set(FILES) - {image_files.TEST_IMAGES}:
        shutil.copy(image_files.SAMPLE / "MNIST" / file, bare_machine / "MNIST")
    started = time.monotonic()
    assert "127.0.0.1" in mnist().source
    assert time.monotonic() - started > download.START_SECONDS + download.MORE_SECONDS  # not given up meanwhile
    assert requests == [(image_files.TEST_IMAGES, True), (image_files.TEST_IMAGES, False)]
    assert capsys.readouterr().out == ""


def test_one_good_server_is_enough_and_nobody_waits_for_the_others(serve, bare_machine, capsys):
    serve(silent, forbidden, good, web_page)
    started = time.monotonic()
    assert "127.0.0.1" in mnist().source
    assert time.monotonic() - started < download.START_SECONDS
    assert files_in(bare_machine) == sorted(FILES)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("answer", [truncated, one_pixel_bit_flipped, web_page])
def test_the_next_server_is_asked_when_one_sends_a_damaged_file(answer, serve, monkeypatch, bare_machine):
    serve(answer, good)
    monkeypatch.setattr(image_files, "useful_first", lambda mirrors, file: mirrors)
    assert image_files.MIRRORS["MNIST"][1] in mnist().source
    assert files_in(bare_machine) == sorted(FILES)


def test_files_that_came_before_the_server_failed_are_kept(serve, bare_machine, capsys):
    def failing(request, file):
        (forbidden if image_files.TEST_IMAGES in request.path else good)(request, file)

    serve(failing)
    assert "sample" in mnist().source
    assert f"{image_files.TEST_IMAGES} could not be downloaded" in one_line(capsys)
    kept = files_in(bare_machine)
    assert set(kept) < set(FILES)
    requests = serve(good)
    mnist()
    assert not {name for name, _ in requests} & set(kept)


# Files.  Each fault spoils a good file in the place of which it then lies.


def flipped_bit(raw):
    return raw[:-1] + bytes([raw[-1] ^ 1])


def packed_with(change):
    """A fault: the decompressed bytes changed, in a proper gzip file."""
    return lambda path: path.write_bytes(gzip.compress(change(gzip.decompress(path.read_bytes())), 1))


def instead(content):
    """A fault: another content altogether."""
    return lambda path: path.write_bytes(content)


def a_folder(path):
    path.unlink()
    path.mkdir()


IMAGES, LABELS = image_files.TRAIN_IMAGES, image_files.TEST_LABELS
FAULTS = {
    "empty": (IMAGES, instead(b"")),
    "cut off": (IMAGES, lambda path: path.write_bytes(path.read_bytes()[:-1000])),
    "cut off in the header": (LABELS, lambda path: path.write_bytes(path.read_bytes()[:5])),
    "not gzip": (IMAGES, lambda path: path.write_bytes(gzip.decompress(path.read_bytes()))),
    "a web page": (LABELS, instead(b"<html>not found</html>")),
    "an empty gzip file": (LABELS, instead(gzip.compress(b""))),
    "bytes after the end": (LABELS, lambda path: path.write_bytes(path.read_bytes() + b"more")),
    "a folder": (LABELS, a_folder),
    "one bit flipped": (IMAGES, packed_with(flipped_bit)),
    "one byte short": (IMAGES, packed_with(lambda raw: raw[:-1])),
    "one byte long": (IMAGES, packed_with(lambda raw: raw + b"\0")),
    "wrong magic number": (IMAGES, packed_with(lambda raw: b"\0\0\x08\x01" + raw[4:])),
    "wrong count": (IMAGES, packed_with(lambda raw: raw[:4] + b"\0\0\0\x01" + raw[8:])),
    "a huge count": (IMAGES, packed_with(lambda raw: raw[:4] + b"\xff\xff\xff\xff" + raw[8:])),
    "a label that is no class": (LABELS, packed_with(lambda raw: raw[:-1] + b"\x0a")),
    "labels in the place of images": (IMAGES, instead((image_files.SAMPLE / "MNIST" / LABELS).read_bytes())),
    "a gzip bomb": (LABELS, instead(BOMB)),
}
every_fault = pytest.mark.parametrize(("file", "spoil"), FAULTS.values(), ids=FAULTS)


def content(path):
    return path.read_bytes() if path.is_file() else None


@every_fault
def test_a_damaged_file_in_the_cache_gives_the_sample_and_is_left_alone(file, spoil, serve, bare_machine, capsys):
    requests = serve(good)
    shutil.copytree(image_files.SAMPLE / "MNIST", bare_machine / "MNIST")
    spoilt = bare_machine / "MNIST" / file
    spoil(spoilt)
    before = content(spoilt)
    assert "sample" in mnist().source
    line = one_line(capsys)
    assert str(spoilt) in line
    assert "replace it or move it away" in line
    assert content(spoilt) == before
    assert len(list((bare_machine / "MNIST").iterdir())) == len(FILES)
    assert requests == []


@every_fault
def test_a_damaged_file_in_the_named_folder_is_an_error_that_names_it(
    file, spoil, serve, bare_machine, monkeypatch, tmp_path, capsys
):
    requests = serve(good)
    shutil.copytree(image_files.SAMPLE, tmp_path / "named")
    spoilt = tmp_path / "named" / "MNIST" / file
    spoil(spoilt)
    before = content(spoilt)
    monkeypatch.setenv("LENET_LAB_DATA", str(tmp_path / "named"))
    with pytest.raises(DataError) as refused:
        mnist()
    assert str(spoilt) in str(refused.value)
    assert "replace it or move it away" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert content(spoilt) == before
    assert capsys.readouterr().out == ""
    assert requests == []


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file_in_the_named_folder_is_an_error_that_names_it(
    file, bare_machine, sample_counts_as_whole, monkeypatch, tmp_path
):
    shutil.copytree(image_files.SAMPLE, tmp_path / "named")
    (tmp_path / "named" / "FashionMNIST" / file).unlink()
    monkeypatch.setenv("LENET_LAB_DATA", str(tmp_path / "named"))
    with pytest.raises(DataError, match=f"{file} is missing: put it there, or unset LENET_LAB_DATA"):
        fashion_mnist()


def test_a_gzip_bomb_takes_no_more_memory_than_a_good_file(tmp_path):
    (tmp_path / "bomb.gz").write_bytes(BOMB)
    tracemalloc.start()
    with pytest.raises(DataError, match=r"bomb\.gz is damaged"):
        image_files._verified_bytes(tmp_path / "bomb.gz", image_files.SHA256["MNIST"][IMAGES])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * image_files.LARGEST_FILE < 1000 * 10**7 / 50


# Disks.  The tests may run as root, who writes wherever permissions forbid it: only a file system can refuse.

DISKS = """
import json, subprocess, sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from helpers import image_files, mnist

cache, mirror = Path(sys.argv[1]), sys.argv[2]
image_files.CACHE, image_files.SYSTEM, image_files.SHA256 = cache, cache / "none", image_files.SAMPLE_SHA256
image_files.MIRRORS = {"MNIST": [mirror]}

def mount(*options):
    subprocess.run(["mount", "-t", "tmpfs", *options, "none", cache], check=True)

def asked():
    with redirect_stdout(StringIO()) as printed:
        source = mnist().source
    files = sorted(str(path.relative_to(cache)) for path in cache.rglob("*") if path.is_file())
    return {"source": source, "printed": printed.getvalue().splitlines(), "files": files}

found, room = {}, image_files.LARGEST_DOWNLOAD
mount("-o", "size=1m")
found["full"] = asked()
image_files.LARGEST_DOWNLOAD = 0
found["full while it is written"] = asked()
image_files.LARGEST_DOWNLOAD = room
mount("-o", "ro")
found["read-only and empty"] = asked()
mount("-o", "size=40m")
found["writable"] = asked()
mount("-o", "remount,ro")
found["read-only with the data"] = asked()
subprocess.run(["mount", "-o", "remount,rw", cache], check=True)
for path in cache.rglob("t10k*"):
    path.unlink()
subprocess.run(["mount", "-o", "remount,ro", cache], check=True)
found["read-only with half of the data"] = asked()
print(json.dumps(found))
"""


def why_no_disk(folder):
    """Why this test may not mount a small disk at `folder`, as in most containers; or None."""
    if sys.platform != "linux":
        return "mounting a small disk needs Linux"
    try:
        command = ["unshare", "-m", "mount", "-t", "tmpfs", "none", folder]
        tried = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        return f"mounting a small disk needs unshare: {error}"
    return f"no small disk may be mounted here: {tried.stderr.strip()}" if tried.returncode else None


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no disk is mounted anyway")
@pytest.mark.parametrize("machine", ["nothing is there", "unshare is refused", "mount is refused"])
def test_it_is_known_that_no_disk_can_be_mounted(machine, tmp_path, monkeypatch):
    refused = "#!/bin/sh\necho Operation not permitted >&2\nexit 1\n"
    for name, text in {"unshare": refused, "mount": refused}.items():
        if machine == "mount is refused" and name == "unshare":
            text = '#!/bin/sh\nshift\nexec "$@"\n'
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing" if machine == "nothing is there" else tmp_path))
    words = "needs unshare" if machine == "nothing is there" else "Operation not permitted"
    assert words in why_no_disk(tmp_path)


@pytest.fixture(scope="module")
def disks(tmp_path_factory):
    """What comes of asking for MNIST with the cache on several disks: {disk: source, printed lines, files}."""
    cache = tmp_path_factory.mktemp("disks")
    if why := why_no_disk(cache):
        pytest.skip(why)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=image_files.SAMPLE / "MNIST")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LENET_LAB")}
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        # The mounts are seen by this process alone, and end with it.
        done = subprocess.run(
            ["unshare", "-m", sys.executable, "-c", DISKS, cache, f"http://127.0.0.1:{server.server_port}/"],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        server.shutdown()
    assert done.returncode == 0, done.stderr
    assert list(cache.iterdir()) == []
    return cache, json.loads(done.stdout)


@pytest.mark.parametrize(
    ("disk", "why"),
    [
        ("full", "No space left on device"),
        ("full while it is written", "No space left on device"),
        ("read-only and empty", "Read-only file system"),
        ("read-only with half of the data", "Read-only file system"),
    ],
)
def test_a_disk_that_takes_nothing_gives_the_sample(disk, why, disks):
    cache, found = disks
    assert "sample" in found[disk]["source"]
    (line,) = found[disk]["printed"]
    assert f"{cache / 'MNIST'} cannot be written ({why})" in line
    assert "make room there, or make it writable, or set LENET_LAB_DATA" in line
    half = [f"MNIST/{file}" for file in FILES if "train" in file]
    left = [file for file in found[disk]["files"] if not file.endswith(".lock")]  # which some filelocks take away
    assert left == (half if disk == "read-only with half of the data" else [])


def test_data_on_a_read_only_disk_is_read(disks):
    cache, found = disks
    assert "127.0.0.1" in found["writable"]["source"]
    assert found["read-only with the data"]["source"] == str(cache / "MNIST")
    assert found["read-only with the data"]["printed"] == []


# Several kernels at once in one folder.


def kernel(cache, mirrors, results, start=None):
    """In a process of its own: ask for MNIST, when all are ready to start, and put what came of it into a queue."""
    image_files.CACHE, image_files.SYSTEM, image_files.SHA256 = cache, cache / "none", image_files.SAMPLE_SHA256
    image_files.MIRRORS = {"MNIST": mirrors}
    os.environ.pop("LENET_LAB_OFFLINE", None)
    os.environ.pop("LENET_LAB_DATA", None)
    if start:
        start.wait()
    began = time.monotonic()
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        images = mnist()
    sums = [int(part.sum()) for part in (images.train_images, images.train_labels, images.test_images)]
    results.put((images.source, sums, printed.getvalue().splitlines(), time.monotonic() - began))


def hold(lock_file, held):
    """In a process of its own: hold the lock until killed."""
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(lock_file):
        held.set()
        time.sleep(600)


@pytest.fixture
def processes(monkeypatch):
    """Starts processes quickly: where the system can, from one that has imported the helpers already. Ends them."""
    context = multiprocessing.get_context("spawn" if sys.platform == "win32" else "forkserver")
    if sys.platform != "win32":
        context.set_forkserver_preload(["helpers"])
    running = []

    def start(target, *arguments):
        running.append(context.Process(target=target, args=arguments, daemon=True))
        running[-1].start()
        return running[-1]

    start.context = context
    yield start
    for process in running:
        process.kill()
        process.join()


def slowly(request, file):
    request.server.over.wait(0.3)
    good(request, file)


def test_of_many_kernels_one_downloads_and_the_others_wait_for_it(serve, bare_machine, processes):
    requests = serve(slowly)
    start, results = processes.context.Barrier(8), processes.context.Queue()
    for _ in range(8):
        processes(kernel, bare_machine, image_files.MIRRORS["MNIST"], results, start)
    found = [results.get(timeout=60) for _ in range(8)]
    fetched = [name for name, only_start in requests if not only_start]
    assert sorted(fetched) == sorted(FILES)  # each of them once
    assert files_in(bare_machine) == sorted(FILES)
    sources, sums, printed, _ = zip(*found, strict=True)
    assert sum("127.0.0.1" in source for source in sources) == 1
    assert sources.count(str(bare_machine / "MNIST")) == 7
    good_sums = [int(part.sum()) for part in (mnist().train_images, mnist().train_labels, mnist().test_images)]
    assert all(each == good_sums for each in sums)
    lines = list(itertools.chain(*printed))
    assert lines
    assert all(line.startswith("Waiting for another kernel to download MNIST into ") for line in lines)
    assert all(len(each) <= 1 for each in printed)


def test_who_waits_too_long_for_another_kernel_goes_on_with_the_sample(
    serve, bare_machine, processes, monkeypatch, capsys
):
    serve(good)
    monkeypatch.setattr(image_files, "LOCK_SECONDS", 0.3)
    held = processes.context.Event()
    processes(hold, bare_machine / "MNIST.lock", held)
    assert held.wait(60)
    assert "sample" in mnist().source
    waiting, line = capsys.readouterr().out.splitlines()
    assert waiting == f"Waiting for another kernel to download MNIST into {bare_machine / 'MNIST'}, 0.3 s at most."
    assert f"another kernel is still downloading, and holds {bare_machine / 'MNIST.lock'}" in line
    assert files_in(bare_machine) == []


def test_the_lock_of_a_kernel_that_died_blocks_nobody(serve, bare_machine, processes, capsys):
    serve(good)
    held = processes.context.Event()
    holder = processes(hold, bare_machine / "MNIST.lock", held)
    assert held.wait(60)
    holder.kill()
    holder.join()
    assert (bare_machine / "MNIST.lock").exists()
    assert "127.0.0.1" in mnist().source
    assert capsys.readouterr().out == ""


def test_a_kernel_killed_while_it_downloads_leaves_nothing_in_the_way(serve, bare_machine, processes, capsys):
    def never_ending(request, file):
        if "Range" in request.headers:
            return good(request, file)
        send(request, file[:1_000_000], len(file))
        request.server.over.wait()

    requests = serve(never_ending)
    results = processes.context.Queue()
    killed = processes(kernel, bare_machine, image_files.MIRRORS["MNIST"], results)
    waited = time.monotonic()
    while (FILES[0], False) not in requests:
        assert time.monotonic() < waited + 60
        time.sleep(0.05)
    killed.kill()
    killed.join()
    assert files_in(bare_machine) == []
    serve(good)
    assert "127.0.0.1" in mnist().source
    assert files_in(bare_machine) == sorted(FILES)
    assert capsys.readouterr().out == ""


def test_the_sample_is_there_5_seconds_after_asking_useless_servers(serve, bare_machine, processes):
    serve(silent, trickling_headers, trickling)  # with the real rules of speed
    results = processes.context.Queue()
    processes(kernel, bare_machine, image_files.MIRRORS["MNIST"], results)
    source, _, (line,), seconds = results.get(timeout=60)
    assert "sample" in source
    assert line.count("too slow") == 3
    assert download.START_SECONDS - 0.1 < seconds < 5
