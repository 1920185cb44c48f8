"""The embedded PostgreSQL, as up sees it."""

from typing import Protocol


class Server(Protocol):
    """What the container gives. `start` and `stop` may be repeated; RuntimeError says why there is no server."""

    def owner(self) -> int | None:
        """The living process that runs it already."""
        ...

    def start(self) -> str:
        """Start it where it does not run; its URL, always the same."""
        ...

    def wait(self) -> None:
        """Block until it has ended."""
        ...

    def stop(self) -> None:
        """End it and wait until it has."""
        ...


class Database:
    """The server as one of the things that are kept running."""

    name = "PostgreSQL"

    def __init__(self, server: Server) -> None:
        self._server = server

    def start(self) -> None:
        """Start it where it does not run."""
        self._server.start()

    def wait(self) -> None:
        """Block until it has ended; its log says why."""
        self._server.wait()

    def end(self) -> None:
        """End it and wait until it has."""
        self._server.stop()

    def kill(self) -> None:
        """It ends fast enough, and in good order, when it is asked."""
