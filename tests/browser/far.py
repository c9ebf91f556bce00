"""A slow line like Binder's in front of a server on this machine: bytes come late, and only so many a second."""

import asyncio
import contextlib
import queue
import threading
from urllib.parse import urlsplit

DELAY = 0.075  # seconds each way
BYTES_PER_SECOND = 20e6 / 8


class Line:
    """What lies between a page and its server; `received` counts the bytes that have reached the page."""

    def __init__(self, port):
        self.port, self.received = port, 0
        self._free = {"up": 0.0, "down": 0.0}  # when each direction has carried all that it was given

    async def serve(self, page_reader, page_writer):
        """Join a connection of the page to one of the server's until either ends."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        with contextlib.suppress(asyncio.CancelledError):  # at the end, of which Python 3.11 complains
            await asyncio.gather(self._carry(page_reader, writer, "up"), self._carry(reader, page_writer, "down"))

    async def _carry(self, reader, writer, way):
        late = asyncio.Queue()
        delivery = asyncio.create_task(self._deliver(late, writer, way))
        now = asyncio.get_running_loop().time
        with contextlib.suppress(ConnectionError):  # the page has gone
            while chunk := await reader.read(16384):
                self._free[way] = max(self._free[way], now()) + len(chunk) / BYTES_PER_SECOND
                late.put_nowait((self._free[way] + DELAY, chunk))
        late.put_nowait((now(), b""))
        await delivery

    async def _deliver(self, late, writer, way):
        now = asyncio.get_running_loop().time
        with contextlib.suppress(ConnectionError):
            while (item := await late.get())[1]:
                await asyncio.sleep(item[0] - now())
                writer.write(item[1])
                await writer.drain()
                self.received += len(item[1]) if way == "down" else 0
        writer.close()


@contextlib.contextmanager
def slow_line(address):
    """Yields the address at which the server at `address` answers slowly, and the `Line`."""
    line, opened, ended = Line(urlsplit(address).port), queue.Queue(), asyncio.Event()

    async def listen():
        server = await asyncio.start_server(line.serve, "127.0.0.1", 0)
        opened.put((server.sockets[0].getsockname()[1], asyncio.get_running_loop()))
        await ended.wait()
        server.close()

    thread = threading.Thread(target=asyncio.run, args=[listen()], name="slow line")
    thread.start()
    port, loop = opened.get()
    try:
        yield f"http://127.0.0.1:{port}", line
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
