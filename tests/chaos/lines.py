"""The lines between the processes and the database: each can be broken, or swallow what is said for a while."""

import asyncio
from threading import Thread

PIECE = 64 * 1024


class Line:
    """A port that leads to the database. Its methods may be called from any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, target: int) -> None:
        self._loop, self._target = loop, target
        self._is_open = asyncio.Event()
        self._is_open.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    def swallow(self) -> None:
        """From now on nothing arrives, in either direction, and nobody is told."""
        self._loop.call_soon_threadsafe(self._is_open.clear)

    def restore(self) -> None:
        """What was said in the meantime arrives."""
        self._loop.call_soon_threadsafe(self._is_open.set)

    def cut(self) -> None:
        """Every connection breaks."""
        self._loop.call_soon_threadsafe(self._abort)

    async def serve(self) -> None:
        """Take connections from now on."""
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Break what is connected, and take no more. From the loop's own thread."""
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
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(far_writer)
            try:
                await asyncio.wait(
                    [
                        asyncio.ensure_future(self._pass_on(reader, far_writer)),
                        asyncio.ensure_future(self._pass_on(far_reader, writer)),
                    ]
                )
            finally:
                self._hang_up(far_writer)
        except OSError:
            pass
        finally:
            self._hang_up(writer)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(PIECE):
                await self._is_open.wait()
                writer.write(piece)
                await writer.drain()
            await self._is_open.wait()
        except OSError:
            pass
        finally:
            writer.close()

    def _hang_up(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        writer.close()


class Lines:
    """All lines to one database, served by a thread of their own."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._lines: list[Line] = []
        self._thread = Thread(target=self._loop.run_forever, name="lines", daemon=True)
        self._thread.start()

    def new(self) -> Line:
        """A line more."""
        line = Line(self._loop, self._target)
        asyncio.run_coroutine_threadsafe(line.serve(), self._loop).result()
        self._lines.append(line)
        return line

    def close(self) -> None:
        """Hang up."""
        asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _hang_up(self) -> None:
        for line in self._lines:
            line.close()
        await asyncio.sleep(0)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for each in others:
            each.cancel()
        await asyncio.gather(*others, return_exceptions=True)
