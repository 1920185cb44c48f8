"""Why there is no server. The docstring of an error is its message; its attributes are the data."""

from pathlib import Path


class EmbeddedPostgresError(RuntimeError):
    """The embedded PostgreSQL cannot be had."""

    def __str__(self) -> str:
        return (self.__doc__ or "").format(**vars(self))


class NoServerFound(EmbeddedPostgresError):
    """No PostgreSQL was found on this machine: install one (its initdb and postgres), or set DATABASE_URL"""


class AlreadyRunning(EmbeddedPostgresError):
    """It is already running with the data in {data}, as process {pid}"""

    def __init__(self, data: Path, pid: int | None) -> None:
        super().__init__()
        self.data, self.pid = data, pid or "unknown"


class WrongVersion(EmbeddedPostgresError):
    """The data in {data} were made by PostgreSQL {made}, and {postgres} is {found}: \
install PostgreSQL {made}, or move the folder away to start with an empty one"""

    def __init__(self, data: Path, made: str, postgres: Path, found: str) -> None:
        super().__init__()
        self.data, self.made, self.postgres, self.found = data, made, postgres, found


class NotOurs(EmbeddedPostgresError):
    """The data in {data} belong to {owner}, and this is {user}: run it as {owner}, or give them away with chown -R"""

    def __init__(self, data: Path, owner: str, user: str) -> None:
        super().__init__()
        self.data, self.owner, self.user = data, owner, user


class NobodyToRunAs(EmbeddedPostgresError):
    """PostgreSQL refuses to run as root, and root may not run it as somebody else here: \
use an ordinary user, or set DATABASE_URL"""


class Unusable(EmbeddedPostgresError):
    """The folder {data} cannot be used: {why}"""

    def __init__(self, data: Path, why: str) -> None:
        super().__init__()
        self.data, self.why = data, why


class DidNotStart(EmbeddedPostgresError):
    """PostgreSQL did not start: {why} (more in {log})"""

    def __init__(self, why: str, log: Path) -> None:
        super().__init__()
        self.why, self.log = why, log
