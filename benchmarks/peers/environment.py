"""The environments of the peers in the checkout's cache: made at first use, and again when the requirements change."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

HERE = Path(__file__).parent
FOLDER = HERE.parents[1] / ".cache" / "peers"
REQUIREMENTS = HERE / "requirements.txt"
PACKAGES = (HERE / "package.json", HERE / "package-lock.json")

NEW_PYTHON = "python3.12"
NEWER = ("python3.14", "python3.13", NEW_PYTHON)


def python() -> Path:
    """The interpreter of the environment with the Python peers."""
    folder, base = FOLDER / "python", interpreter()
    own = folder / "bin" / "python"
    commands = ((base, "-m", "venv", folder), (own, "-m", "pip", "install", "-qq", "--requirement", REQUIREMENTS))
    make(folder, f"{base}\n{REQUIREMENTS.read_text()}", commands)
    return own


def node_modules() -> Path:
    """The folder with the packages for Node."""
    folder = FOLDER / "node"
    commands = (("cp", *PACKAGES, folder), ("npm", "ci", "--silent", "--prefix", folder))
    make(folder, PACKAGES[1].read_text(), commands)
    return folder / "node_modules"


def make(folder: Path, of: str, commands: Sequence[Sequence[str | Path]]) -> None:
    """Run the commands that make the folder, unless its stamp equals `of`. The stamp is written last."""
    stamp = folder / "made-of"
    if stamp.is_file() and stamp.read_text() == of:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        for command in commands:
            subprocess.run(command, check=True, stdout=sys.stderr)
    except (OSError, subprocess.CalledProcessError) as error:
        raise click.ClickException(f"The peers could not be installed: {error}") from error
    stamp.write_text(of)


def has(command: str) -> bool:
    """Whether the command exists; for NEW_PYTHON, a newer Python counts too."""
    return is_new_enough(interpreter()) if command == NEW_PYTHON else shutil.which(command) is not None


def interpreter() -> str:
    """The first Python that is new enough for all peers; our own where there is none."""
    return next((each for each in candidates() if is_new_enough(each)), sys.executable)


def candidates() -> Iterator[str]:
    """Yield our own Python, those on PATH and those of pyenv."""
    yield sys.executable
    yield from filter(None, map(shutil.which, NEWER))
    for name in NEWER:
        yield from map(str, Path.home().glob(f".pyenv/versions/*/bin/{name}"))


def is_new_enough(interpreter: str) -> bool:
    """Whether all of the peers run under it."""
    question = "import sys, venv; sys.exit(sys.version_info < (3, 12))"
    return subprocess.run((interpreter, "-c", question), capture_output=True).returncode == 0
