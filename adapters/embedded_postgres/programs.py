"""Run PostgreSQL's own programs as a user that they accept, and read their errors from the log."""

import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from adapters.embedded_postgres import binaries, identity
from adapters.embedded_postgres.data_folder import DataFolder
from adapters.embedded_postgres.guarded_process import GuardedProcess


class Programs:
    """initdb and postgres for one data folder. They write to its log."""

    def __init__(self, folder: DataFolder, lock: int) -> None:
        self.folder, self._lock = folder, lock
        self._bin = binaries.find()
        self.identity = identity.choose(self.postgres, folder.path, folder.cluster)

    def __enter__(self) -> Self:
        self._log = open(self.folder.log, "ab")
        self._log_offset = self._log.tell()
        for file in (self.folder.log, self.folder.lock):
            self.identity.own(file)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._log.close()

    @property
    def postgres(self) -> Path:
        """The path of the server program."""
        return self._bin / "postgres"

    def run(self, program: str, *arguments: str) -> GuardedProcess:
        """Start one of the programs. It ends together with this process."""
        self._log_offset = self._log.seek(0, os.SEEK_END)
        command = (*self.identity.prefix, str(self._bin / program), *arguments)
        return GuardedProcess(
            command, cwd=self.folder.path, env=_environment(os.environ), log=self._log, lock=self._lock
        )

    def error_message(self) -> str:
        """The last error that the program started last has logged."""
        output = self.folder.log.read_bytes()[self._log_offset :].decode(errors="replace")
        lines = [line.strip() for line in output.splitlines() if line.strip()]
        fatal = [line.partition("FATAL:")[2].strip() for line in lines if "FATAL:" in line]
        return (fatal or lines or ["it logged nothing"])[-1]


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without PostgreSQL's variables. The fixed zone spares initdb a search for it."""
    return {**{name: value for name, value in own.items() if not name.startswith("PG")}, "LC_ALL": "C", "TZ": "UTC"}
