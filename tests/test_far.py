"""The slow line of the bench: what passes is whole, late, and counted."""

import http.server
import threading
import time
import urllib.request

import pytest

from tests.browser.far import DELAY, slow_line


@pytest.fixture
def address():
    """A server on this machine that gives 100,000 bytes."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(bytes(100_000))

        def log_message(self, *args):
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_all_comes_late_and_is_counted(address):
    with slow_line(address) as (far, line):
        started = time.monotonic()
        body = urllib.request.urlopen(far).read()
        took = time.monotonic() - started
    assert body == bytes(100_000)
    assert took >= 2 * DELAY  # there and back
    assert 100_000 < line.received < 101_000
