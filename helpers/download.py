"""How a file comes from a server, and what to do with a server that is of no use."""

import contextlib
import queue
import threading
import time
from urllib.parse import urlsplit

# A server that does not send its first 16 kB within 4 s is given up: a class has the sample 5 s after it asked.
# From then on 80 kB must come every 10 s. At that speed, 8 kB/s, Fashion-MNIST takes an hour.
START_BYTES, START_SECONDS = 16_000, 4
MORE_BYTES, MORE_SECONDS = 80_000, 10
LOCK_SECONDS = 60  # how long a kernel waits for another one that downloads the same files
CHUNK_BYTES = 8_192
GZIP = b"\x1f\x8b"  # how every gzip file begins
TOO_SLOW = "too slow"


class DownloadError(Exception):
    """A server is of no use; the message says in a few words why."""


def received(url, most):
    """The bytes of the file at `url`; a `DownloadError` says why they did not come, or that there are over `most`."""
    from tqdm import tqdm

    arrived, given_up = queue.SimpleQueue(), threading.Event()

    def receive():
        try:
            with _request(url) as answer:
                bar.total = int(answer.headers.get("Content-Length", 0)) or None
                for chunk in answer.iter_content(CHUNK_BYTES):
                    arrived.put(chunk)
                    if given_up.is_set():
                        return
            arrived.put(b"")
        except Exception as error:  # whatever it is, it must not vanish in this thread
            arrived.put(error)

    chunks, since, due, deadline = [], 0, START_BYTES, time.monotonic() + START_SECONDS
    with tqdm(unit="B", unit_scale=True, leave=False, desc=urlsplit(url).path.rpartition("/")[2]) as bar:
        # In a thread: no time limit of a library covers the look-up of a name, or a byte now and then.
        threading.Thread(target=receive, daemon=True).start()
        try:
            while chunk := arrived.get(timeout=max(0, deadline - time.monotonic())):
                if isinstance(chunk, Exception):
                    raise DownloadError(_in_words(chunk))
                chunks.append(chunk)
                bar.update(len(chunk))
                if bar.n > most:
                    raise DownloadError("does not stop sending")
                since += len(chunk)
                if since >= due:
                    since, due, deadline = 0, MORE_BYTES, time.monotonic() + MORE_SECONDS
        except queue.Empty:
            raise DownloadError(TOO_SLOW) from None
        finally:
            given_up.set()
    return b"".join(chunks)


def useful_first(mirrors, file):
    """The servers, the first to send the start of `file`, a gzip file, in front; a `DownloadError` where none does."""
    deadline = time.monotonic() + START_SECONDS
    answers = queue.SimpleQueue()

    def ask(mirror):
        try:
            start = bytearray()
            with _request(mirror + file, Range=f"bytes=0-{START_BYTES - 1}") as answer:
                for chunk in answer.iter_content(CHUNK_BYTES):
                    start += chunk
                    if len(start) >= START_BYTES or time.monotonic() > deadline:  # not every server heeds Range
                        break
            is_file = start.startswith(GZIP)
            answers.put((mirror, "" if is_file else "sends something else: does the network want a log-in?"))
        except Exception as error:
            answers.put((mirror, _in_words(error)))

    for mirror in mirrors:
        threading.Thread(target=ask, args=[mirror], daemon=True).start()
    wrong = dict.fromkeys(mirrors, TOO_SLOW)
    with contextlib.suppress(queue.Empty):
        for _ in mirrors:
            mirror, wrong[mirror] = answers.get(timeout=max(0, deadline - time.monotonic()))
            if not wrong[mirror]:
                return [mirror, *(other for other in mirrors if other != mirror)]
    raise DownloadError(list_wrong(wrong))


def list_wrong(wrong):
    """What is wrong with each of several servers, {address: what}, in one line."""
    return "; ".join(f"{urlsplit(address).netloc}: {what}" for address, what in wrong.items())


@contextlib.contextmanager
def one_at_a_time(lock_file, what):
    """Let one kernel after another pass; `DownloadError` where the one that is at it takes too long.

    The lock is the operating system's, which takes it from a process that died.
    """
    import filelock

    lock = filelock.FileLock(lock_file)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        print(f"Waiting for another kernel to download {what}, {LOCK_SECONDS} s at most.")
        try:
            lock.acquire(timeout=LOCK_SECONDS)
        except filelock.Timeout:
            raise DownloadError(f"another kernel is still at it, and holds {lock_file}") from None
    try:
        yield
    finally:
        lock.release()


def _request(url, **headers):
    """A server's answer, its body still to be read: just the bytes that lie there, unpacked by nobody on the way."""
    import requests  # only here: most never download

    headers["Accept-Encoding"] = "identity"
    answer = requests.get(url, headers=headers, timeout=MORE_SECONDS, stream=True)
    answer.raise_for_status()
    return answer


def _in_words(error):
    """What is wrong with a server, from the exception that reading from it raised."""
    import requests

    if isinstance(error, requests.HTTPError):
        return f"{error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "broke off"
    if isinstance(error, requests.ConnectionError) and not isinstance(error, requests.exceptions.SSLError):
        return "no connection"
    return type(error).__name__
