"""Proxies between the processes and the database: each can block or slow its traffic, or break its connections."""

import asyncio
import socket
from threading import Thread

CHUNK_BYTES = 64 * 1024
SLOW_BUFFER_BYTES = 64 * 1024
"""Bytes that the system takes in for a slow proxy before it forwards them."""
MAX_QUEUED_CHUNKS = 4


class Line:
    """One direction of all connections of a proxy, which share its rate. Used on the loop's thread alone.

    - `is_open`: whether anything is delivered.
    - `bytes_per_second`, `latency`: the rate, and the seconds that a byte is under way.
    - `delivered`: the bytes that it has delivered so far.
    """

    def __init__(self) -> None:
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.bytes_per_second = float("inf")
        self.latency = 0.0
        self.delivered = 0
        self._free_at = 0.0

    def pace(self, bytes_per_second: float, latency: float) -> None:
        """Deliver at this rate, and after this time, from now on."""
        self.bytes_per_second, self.latency = bytes_per_second, latency

    async def forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Deliver everything from one connection to the other until it ends, then close that."""
        chunks: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(MAX_QUEUED_CHUNKS)
        receiving = asyncio.ensure_future(self._receive(reader, chunks))
        try:
            while chunk := await self._next(chunks):
                writer.write(chunk)
                self.delivered += len(chunk)
                await writer.drain()
        except OSError:
            pass
        finally:
            receiving.cancel()
            writer.close()

    async def _receive(self, reader: asyncio.StreamReader, chunks: "asyncio.Queue[tuple[float, bytes]]") -> None:
        """Queue every chunk with the moment at which it arrives at the earliest; an empty one at the end."""
        chunk = b"."
        while chunk:
            try:
                chunk = await reader.read(CHUNK_BYTES)
            except OSError:
                chunk = b""
            await chunks.put((_now() + self.latency, chunk))

    async def _next(self, chunks: "asyncio.Queue[tuple[float, bytes]]") -> bytes:
        arrives, chunk = await chunks.get()
        self._free_at = max(self._free_at, _now()) + len(chunk) / self.bytes_per_second
        await asyncio.sleep(max(arrives, self._free_at) - _now())
        await self.is_open.wait()
        return chunk


def _now() -> float:
    return asyncio.get_running_loop().time()


class Proxy:
    """A port that forwards to the database. Its methods may be called from any thread unless they say otherwise."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, target: tuple[str, int], bytes_per_second: float | None = None
    ) -> None:
        self._loop, self._target, self._bytes_per_second = loop, target, bytes_per_second
        self._requests, self._answers = Line(), Line()
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    def block(self) -> None:
        """Deliver nothing in either direction from now on, without breaking a connection."""
        self.block_requests()
        self.block_answers()

    def block_requests(self) -> None:
        """Deliver nothing to the database from now on."""
        self._loop.call_soon_threadsafe(self._requests.is_open.clear)

    def block_answers(self) -> None:
        """Deliver nothing from the database from now on."""
        self._loop.call_soon_threadsafe(self._answers.is_open.clear)

    def unblock(self) -> None:
        """Deliver what was sent in the meantime, and everything from now on."""
        for line in (self._requests, self._answers):
            self._loop.call_soon_threadsafe(line.is_open.set)

    def slow_down(self, bytes_per_second: float, latency: float = 0.0) -> None:
        """Deliver at this rate in each direction, each byte after half of the round trip's latency."""
        for line in (self._requests, self._answers):
            self._loop.call_soon_threadsafe(line.pace, bytes_per_second, latency / 2)

    def speed_up(self) -> None:
        """Deliver at once from now on."""
        self.slow_down(float("inf"))

    @property
    def requested_bytes(self) -> int:
        """The bytes that the database was sent so far."""
        return self._requests.delivered

    @property
    def connections(self) -> int:
        """The ends of connections that are open, or not closed yet."""
        return len(self._writers)

    def break_connections(self) -> None:
        """Break every connection."""
        self._loop.call_soon_threadsafe(self._abort)

    async def serve(self) -> None:
        """Accept connections from now on."""
        listener = socket.create_server(("127.0.0.1", 0))
        if self._bytes_per_second:
            self.slow_down(self._bytes_per_second)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SLOW_BUFFER_BYTES)
        self._server = await asyncio.start_server(self._connect, sock=listener)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Break every connection and accept no more. Called on the loop's own thread."""
        self._server.close()
        self._requests.is_open.set()
        self._answers.is_open.set()
        self._abort()

    def _abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self._requests.is_open.wait()
            server_reader, server_writer = await asyncio.open_connection(*self._target)
            self._writers.add(server_writer)
            try:
                await asyncio.wait(
                    [
                        asyncio.ensure_future(self._requests.forward(reader, server_writer)),
                        asyncio.ensure_future(self._answers.forward(server_reader, writer)),
                    ]
                )
            finally:
                self._close_writer(server_writer)
        except OSError:
            pass
        finally:
            self._close_writer(writer)

    def _close_writer(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        writer.close()


class Proxies:
    """All proxies of one database, served by a thread of their own."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._target = host, port
        self._loop = asyncio.new_event_loop()
        self._proxies: list[Proxy] = []
        self._thread = Thread(target=self._loop.run_forever, name="proxies", daemon=True)
        self._thread.start()

    def new(self, bytes_per_second: float | None = None) -> Proxy:
        """Start another proxy. In each direction its connections move so many bytes in a second at most."""
        proxy = Proxy(self._loop, self._target, bytes_per_second)
        asyncio.run_coroutine_threadsafe(proxy.serve(), self._loop).result()
        self._proxies.append(proxy)
        return proxy

    def close(self) -> None:
        """Close all proxies and end the thread."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        for proxy in self._proxies:
            proxy.close()
        await asyncio.sleep(0)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for each in others:
            each.cancel()
        await asyncio.gather(*others, return_exceptions=True)
