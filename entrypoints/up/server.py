"""The embedded PostgreSQL as a part of the service that `up` starts and restarts."""

from typing import Protocol


class Server(Protocol):
    """The embedded server. `start` and `stop` may be repeated."""

    def owner(self) -> int | None:
        """The pid of the living process that owns its data; None where there is none."""
        ...

    def start(self) -> str:
        """Start it unless it runs. Its URL, always the same. Raises RuntimeError: it cannot start."""
        ...

    def wait(self) -> None:
        """Block until it has ended."""
        ...

    def stop(self) -> None:
        """End it and wait until it has."""
        ...


class Database:
    """The server as a `Restartable`."""

    name = "PostgreSQL"
    has_been_ready = True

    def __init__(self, server: Server) -> None:
        self._server = server

    def start(self) -> None:
        """Start it unless it runs."""
        self._server.start()

    def wait(self) -> None:
        """Block until it has ended. No exit status: its log says why it ended."""
        self._server.wait()

    def end(self) -> None:
        """End it and wait until it has."""
        self._server.stop()

    def drain(self) -> None:
        """End it: what it does ends with its clients."""
        self.end()

    def kill(self) -> None:
        """Do nothing: `end` stops it in order, and fast enough."""
