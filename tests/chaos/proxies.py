"""Proxies between the processes and the database: each can block or slow its traffic, or break its connections."""

import asyncio
import socket
from threading import Thread

CHUNK_BYTES = 64 * 1024
SLOW_BUFFER_BYTES = 64 * 1024
"""Bytes that the system takes in for a slow proxy before it forwards them."""


class Proxy:
    """A port that forwards to the database. Its methods may be called from any thread unless they say otherwise."""

    def __init__(self, loop: asyncio.AbstractEventLoop, target: int, bytes_per_second: float | None = None) -> None:
        self._loop, self._target, self.bytes_per_second = loop, target, bytes_per_second
        self._is_open = asyncio.Event()
        self._is_open.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    def block(self) -> None:
        """Deliver nothing in either direction from now on, without breaking a connection."""
        self._loop.call_soon_threadsafe(self._is_open.clear)

    def unblock(self) -> None:
        """Deliver what was sent in the meantime, and everything from now on."""
        self._loop.call_soon_threadsafe(self._is_open.set)

    def break_connections(self) -> None:
        """Break every connection."""
        self._loop.call_soon_threadsafe(self._abort)

    async def serve(self) -> None:
        """Accept connections from now on."""
        listener = socket.create_server(("127.0.0.1", 0))
        if self.bytes_per_second:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SLOW_BUFFER_BYTES)
        self._server = await asyncio.start_server(self._connect, sock=listener)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Break every connection and accept no more. Called on the loop's own thread."""
        self._server.close()
        self._is_open.set()
        self._abort()

    def _abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self._is_open.wait()
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(server_writer)
            try:
                await asyncio.wait(
                    [
                        asyncio.ensure_future(self._forward(reader, server_writer)),
                        asyncio.ensure_future(self._forward(server_reader, writer)),
                    ]
                )
            finally:
                self._close_writer(server_writer)
        except OSError:
            pass
        finally:
            self._close_writer(writer)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(CHUNK_BYTES):
                await self._is_open.wait()
                if self.bytes_per_second:
                    await asyncio.sleep(len(chunk) / self.bytes_per_second)
                writer.write(chunk)
                await writer.drain()
            await self._is_open.wait()
        except OSError:
            pass
        finally:
            writer.close()

    def _close_writer(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        writer.close()


class Proxies:
    """All proxies of one database, served by a thread of their own."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._proxies: list[Proxy] = []
        self._thread = Thread(target=self._loop.run_forever, name="proxies", daemon=True)
        self._thread.start()

    def new(self, bytes_per_second: float | None = None) -> Proxy:
        """Start another proxy, over which each direction of a connection moves so many bytes in a second at most."""
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
