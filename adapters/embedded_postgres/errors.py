"""Errors of the embedded server. The docstring of an error is its message, with its attributes filled in."""

from pathlib import Path


class EmbeddedPostgresError(RuntimeError):
    """The embedded PostgreSQL is not available."""

    def __str__(self) -> str:
        return (self.__doc__ or "").format(**vars(self))


class NoServerFound(EmbeddedPostgresError):
    """No PostgreSQL was found on this machine: install one (its initdb and postgres), or set DATABASE_URL"""


class AlreadyRunning(EmbeddedPostgresError):
    """PostgreSQL is already running with the data in {data}, owned by process {pid}: stop that process first"""

    def __init__(self, data: Path, pid: int | None) -> None:
        super().__init__()
        self.data, self.pid = data, pid or "unknown"


class WrongVersion(EmbeddedPostgresError):
    """The data in {data} were made by PostgreSQL {made}, but {postgres} is version {found}: \
install PostgreSQL {made}, or move the folder away to start with an empty database"""

    def __init__(self, data: Path, made: str, postgres: Path, found: str) -> None:
        super().__init__()
        self.data, self.made, self.postgres, self.found = data, made, postgres, found


class WrongOwner(EmbeddedPostgresError):
    """The data in {data} belong to {owner}, but this process runs as {user}: \
run it as {owner}, or change the owner with chown -R"""

    def __init__(self, data: Path, owner: str, user: str) -> None:
        super().__init__()
        self.data, self.owner, self.user = data, owner, user


class NoUserToRunAs(EmbeddedPostgresError):
    """PostgreSQL refuses to run as root, and this machine does not let root run it as another user: \
run this as an ordinary user, or set DATABASE_URL"""


class Unusable(EmbeddedPostgresError):
    """The folder {data} cannot be used: {why}"""

    def __init__(self, data: Path, why: str) -> None:
        super().__init__()
        self.data, self.why = data, why


class DidNotStart(EmbeddedPostgresError):
    """PostgreSQL did not start: {why} (its log is {log})"""

    def __init__(self, why: str, log: Path) -> None:
        super().__init__()
        self.why, self.log = why, log
