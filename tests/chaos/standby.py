"""A standby of a cluster: a copy that has everything up to a moment, and misses the commits after it."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos import change_log

MAX_UNCOMMITTED_CHANGES = 1_000
"""A change takes its position before it is committed, so some with earlier positions may be committed later."""


@dataclass(frozen=True, slots=True)
class Standby:
    """A cluster in a folder. `position`: that of the last change that it surely has."""

    folder: Path
    position: int


def take(connection: Any, cluster: Path, folder: Path) -> Standby:
    """Copy the running cluster, and note how far its change log goes."""
    connection.autocommit = True
    position = max(change_log.last_position(connection) - MAX_UNCOMMITTED_CHANGES, 0)
    back_up(connection, cluster, folder)
    return Standby(folder, position)


def back_up(connection: Any, cluster: Path, folder: Path) -> None:
    """Copy the running cluster by the rules of a base backup."""
    connection.autocommit = True
    shutil.rmtree(folder, ignore_errors=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backup_start('standby', fast => true)")
        _copy(cluster, folder)
        cursor.execute("SELECT labelfile FROM pg_backup_stop(wait_for_archive => false)")
        [(label,)] = cursor.fetchall()
    shutil.rmtree(folder / "pg_wal")
    _copy(cluster / "pg_wal", folder / "pg_wal")
    _write_label(folder, label)


def _write_label(folder: Path, label: str) -> None:
    (folder / "backup_label").write_text(label)
    shutil.copystat(folder / "PG_VERSION", folder / "backup_label")
    owner = (folder / "PG_VERSION").stat()
    shutil.chown(folder / "backup_label", owner.st_uid, owner.st_gid)
    (folder / "postmaster.pid").unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    """Copy a folder. Files that vanish meanwhile are left out, as a base backup may."""
    subprocess.run(["cp", "-a", str(source), str(target)], capture_output=True)
