"""Downloading a file, and what to do about an unresponsive server."""

import math
import queue
import threading
import time
from urllib.parse import urlsplit

# A server must send its first 16 kB within 4 s; if none does, a class gets the sample 5 s after it asked.
# Then it must send 80 kB every 10 s. At that speed, 8 kB/s, Fashion-MNIST takes an hour.
START_BYTES, START_SECONDS = 16_000, 4
MORE_BYTES, MORE_SECONDS = 80_000, 10
CHUNK_BYTES = 8_192
GZIP = b"\x1f\x8b"  # how every gzip file begins


class DownloadError(Exception):
    """A server cannot be used; the message says why in a few words."""


def received(url, most=math.inf, enough=math.inf):
    """The bytes of the file at `url`, or only its start, at least `enough` bytes.

    Raises DownloadError, with the reason, if they do not arrive in time or if there are more than `most`.
    """
    import requests  # only here: most people never download
    from tqdm import tqdm

    arrived, given_up = queue.SimpleQueue(), threading.Event()
    headers = {"Accept-Encoding": "identity"}  # the bytes as they are on the server
    if enough < math.inf:
        headers["Range"] = f"bytes=0-{enough - 1}"  # not every server heeds it

    def receive():
        try:
            with requests.get(url, headers=headers, timeout=MORE_SECONDS, stream=True) as answer:
                answer.raise_for_status()
                bar.total = int(answer.headers.get("Content-Length", 0)) or None
                for chunk in answer.iter_content(CHUNK_BYTES):
                    arrived.put(chunk)
                    if given_up.is_set():
                        return
            arrived.put(b"")
        except Exception as error:  # any error: raised in a thread, it would go unnoticed
            arrived.put(error)

    content, due, deadline = bytearray(), START_BYTES, time.monotonic() + START_SECONDS
    name = urlsplit(url).path.rpartition("/")[2]
    with tqdm(unit="B", unit_scale=True, leave=False, desc=name, disable=enough < math.inf) as bar:
        # In a thread: no library's time limit covers the look-up of a name, or a byte every now and then.
        threading.Thread(target=receive, daemon=True).start()
        try:
            while len(content) < enough and (chunk := arrived.get(timeout=max(0, deadline - time.monotonic()))):
                if isinstance(chunk, Exception):
                    raise DownloadError(_in_words(chunk))
                content += chunk
                bar.update(len(chunk))
                if len(content) > most:
                    raise DownloadError("does not stop sending")
                if len(content) >= due:
                    due, deadline = len(content) + MORE_BYTES, time.monotonic() + MORE_SECONDS
        except queue.Empty:
            raise DownloadError("too slow") from None
        finally:
            given_up.set()
    return bytes(content)


def _in_words(error):
    """What is wrong with a server, given the exception that was raised when reading from it."""
    from requests import exceptions

    if isinstance(error, exceptions.HTTPError):
        return f"{error.response.status_code} {error.response.reason}"
    if isinstance(error, exceptions.ChunkedEncodingError):
        return "broke off"
    if isinstance(error, exceptions.ConnectionError) and not isinstance(error, exceptions.SSLError):
        return "no connection"
    return type(error).__name__


def useful_first(mirrors, file):
    """The servers, with the first one to send the start of `file`, a gzip file, in front. Raises DownloadError."""
    answers = queue.SimpleQueue()

    def ask(mirror):
        try:
            is_file = received(mirror + file, enough=START_BYTES).startswith(GZIP)
            answers.put((mirror, "" if is_file else "sends something else: does the network want a log-in?"))
        except Exception as error:
            answers.put((mirror, str(error)))

    for mirror in mirrors:
        threading.Thread(target=ask, args=[mirror], daemon=True).start()
    wrong = dict.fromkeys(mirrors)  # in the mirrors' order
    for _ in mirrors:
        mirror, what = answers.get()  # each answers within START_SECONDS
        if not what:
            return [mirror, *(other for other in mirrors if other != mirror)]
        wrong[mirror] = what
    raise DownloadError(list_wrong(wrong))


def list_wrong(wrong):
    """What is wrong with each of several servers, {address: what}, in one line."""
    return "; ".join(f"{urlsplit(address).netloc}: {what}" for address, what in wrong.items())
