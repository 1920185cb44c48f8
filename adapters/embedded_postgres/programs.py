"""PostgreSQL's own programs, run as whom they allow, and what they said."""

import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from adapters.embedded_postgres import binaries, identity
from adapters.embedded_postgres.data_folder import DataFolder
from adapters.embedded_postgres.guarded_process import GuardedProcess


class Programs:
    """initdb and postgres, at work in one data folder; what they say goes to its log."""

    def __init__(self, folder: DataFolder, lock: int) -> None:
        self.folder, self._lock = folder, lock
        self._bin = binaries.find()
        self.identity = identity.choose(self.postgres, folder.path, folder.cluster)

    def __enter__(self) -> Self:
        self._log = open(self.folder.log, "ab")
        self._spoken = self._log.tell()
        for file in (self.folder.log, self.folder.lock):
            self.identity.own(file)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._log.close()

    @property
    def postgres(self) -> Path:
        """The server's program."""
        return self._bin / "postgres"

    def run(self, program: str, *arguments: str) -> GuardedProcess:
        """Start one of them. It ends when we do."""
        self._spoken = self._log.seek(0, os.SEEK_END)
        command = (*self.identity.prefix, str(self._bin / program), *arguments)
        return GuardedProcess(
            command, cwd=self.folder.path, env=_environment(os.environ), log=self._log, lock=self._lock
        )

    def complaint(self) -> str:
        """The reason that the last one gave for its end."""
        said = self.folder.log.read_bytes()[self._spoken :].decode(errors="replace")
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        fatal = [line.partition("FATAL:")[2].strip() for line in lines if "FATAL:" in line]
        return (fatal or lines or ["it said nothing"])[-1]


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    """Ours without what PostgreSQL would take for settings; a fixed zone spares initdb the search for ours."""
    return {**{name: value for name, value in ours.items() if not name.startswith("PG")}, "LC_ALL": "C", "TZ": "UTC"}
