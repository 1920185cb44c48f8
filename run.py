#!/usr/bin/env python3
"""The menu of commands. It needs Python 3.11 or newer and nothing else: it makes the environment of the commands."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Older Pythons reach this message: they can parse everything in this file.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        "flask-tasks needs Python 3.11 or newer, but {} is {}.{}. Run it with a newer one: python3.13 {}".format(
            sys.executable, *sys.version_info[:2], " ".join(sys.argv)
        )
    )
if os.name == "nt":
    sys.exit("On Windows, flask-tasks runs in WSL. Install it with wsl --install, and run this command there.")

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "made-of.json"
# The interpreter that .venv is made with, also where this one is in .venv: .venv may have to be removed.
BASE_PYTHON = getattr(sys, "_base_executable", sys.executable)
PIP_URL = "https://bootstrap.pypa.io/pip/pip.pyz"

LOCK_FILES = {"deploy/requirements.lock": ("service",), "deploy/traces.lock": ("service", "traces")}
"""The lock files of the images, with the dependency groups whose packages each has."""
LOCKING = (
    *("--upgrade", "--generate-hashes", "--quiet"),
    # One file for all machines, and for the oldest Python of the service and newer ones.
    *("--universal", "--python-version", "3.11", "--no-python-downloads"),
    *("--custom-compile-command", "python3 run.py lock"),
)
AUDITING = (
    "--requirement",
    "deploy/traces.lock",
    "--disable-pip",
    "--require-hashes",
    "--format",
    "json",
    "--desc",
    "off",
)

Command = Sequence[str | Path]


def up(*arguments: str) -> None:
    """run PostgreSQL, API, handler and janitor until Ctrl-C; --reload loads functions that change"""
    if arguments not in ((), ("--reload",)):
        sys.exit("up takes no arguments but --reload.")
    environment("service", "embedded", *(["traces"] if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") else []))
    exec_python("-m", "entrypoints.up", *arguments)


def admin(*arguments: str) -> None:
    """operate a service: look, cancel, retry, drain, find what is wrong; --help lists its commands"""
    environment("service")
    exec_python("-m", "entrypoints.admin", *arguments)


def test(*arguments: str) -> None:
    """run the whole suite that this machine allows; arguments are pytest's"""
    environment("dev")
    exec_python("-m", "pytest", *arguments)


def lint() -> None:
    """check style, formatting, types and layers"""
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
    """fix style and formatting where that can be done automatically"""
    environment("dev")
    run("ruff check", [PYTHON, "-m", "ruff", "check", "--fix"])
    run("ruff format", [PYTHON, "-m", "ruff", "format"])


def bench(*arguments: str) -> None:
    """run the benchmarks; arguments are theirs"""
    environment("dev")
    exec_python("-m", "benchmarks", *arguments)


def chaos(*arguments: str) -> None:
    """run the service under seeded faults and check every promise; arguments are seconds and seed"""
    environment("dev")
    exec_python("-m", "tests.chaos", *arguments)


def env() -> None:
    """make .venv with everything that the commands need, and print its Python for an editor"""
    environment("dev")
    print(PYTHON)


def lock() -> None:
    """write deploy/*.lock, the packages of the images, anew: the newest that pyproject.toml allows"""
    environment("dev", "lock")
    for file, groups in LOCK_FILES.items():
        wanted = [option for group in groups for option in ("--group", group)]
        command: Command = [PYTHON, "-m", "uv", "pip", "compile", *wanted, "--output-file", file, *LOCKING]
        if not run(f"uv pip compile for {file}", command):
            sys.exit(f"{file} could not be written: the lines above say why.")


def audit() -> None:
    """look for known vulnerabilities of the packages of the images, which needs a network"""
    environment("dev", "lock")
    print("-- pip-audit", flush=True)
    done = subprocess.run(
        [PYTHON, "-m", "pip_audit", *AUDITING], cwd=ROOT, env=process_environment(), capture_output=True, text=True
    )
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except ValueError:
        # Without a network it ends with a traceback, whose last line is the error.
        sys.exit("The packages could not be audited: " + "".join(done.stderr.splitlines()[-1:]))
    found = findings(packages)
    if found:
        sys.exit("\n".join(found))
    print(f"No vulnerability of the {len(packages)} packages is known.")


COMMANDS: dict[str, Callable[..., None]] = {
    each.__name__: each for each in (up, admin, test, lint, tidy, bench, chaos, env, lock, audit)
}
TAKE_ARGUMENTS = (up, admin, test, bench, chaos)
if not (ROOT / "benchmarks").is_dir():
    del COMMANDS["bench"]


def main(name: str = "help", *arguments: str) -> None:
    """Run the command that the command line names; without one, print the menu."""
    if name in ("help", "-h", "--help"):
        print(menu())
    elif name not in COMMANDS:
        sys.exit(f"There is no command {name}. The commands are:\n{menu()}")
    elif arguments and COMMANDS[name] not in TAKE_ARGUMENTS:
        sys.exit(f"{name} takes no arguments.")
    else:
        COMMANDS[name](*arguments)


def menu() -> str:
    """The commands, one a line."""
    return "\n".join(f"python3 run.py {name:<6} {command.__doc__}" for name, command in COMMANDS.items())


def exec_python(*arguments: str) -> None:
    """Replace this process by the Python of .venv: signals reach it directly, and its exit status is passed on."""
    os.chdir(ROOT)
    os.execve(PYTHON, [str(PYTHON), *arguments], process_environment())


def run(name: str, command: Command) -> bool:
    """Run one command of several. Whether it succeeded."""
    print(f"-- {name}", flush=True)
    return subprocess.run(command, cwd=ROOT, env=process_environment()).returncode == 0


def findings(packages: Sequence[Mapping[str, Any]]) -> list[str]:
    """Sentences about what a report of pip-audit has found: packages that are vulnerable, and unknown ones."""
    found = [
        f"{package['name']} {package['version']} is vulnerable: {each['id']}, {cure(each['fix_versions'])}."
        for package in packages
        for each in package.get("vulns", ())
    ]
    # pip-audit calls it a success where it was told nothing about any package.
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    if unknown:
        which = "any package" if len(unknown) == len(packages) else ", ".join(unknown)
        found.append(f"The database of vulnerabilities, which needs a network, told nothing about {which}.")
    return found


def cure(versions: Sequence[str]) -> str:
    """What to do about a vulnerability that these versions do not have."""
    return f"mended in {', '.join(versions)}" if versions else "mended in no version yet"


def process_environment() -> dict[str, str]:
    """The environment variables of the commands, which import from the checkout."""
    path = filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


# The environment: updated when its requirements have changed, and otherwise left alone.


def environment(*groups: str) -> None:
    """Install the dependency groups of pyproject.toml and the requirements of the user's tasks into .venv."""
    wanted = {**requirements(*groups), **task_requirements()}
    if meets(wanted):
        return
    try:
        with locked() as descriptor:
            if not meets(wanted):
                update(wanted, descriptor)
    except OSError as error:
        sys.exit(f"The environment could not be made: {error}")


def requirements(*groups: str) -> dict[str, list[str]]:
    """The requirements of the groups: the name of each, and pip's arguments for it."""
    import tomllib

    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    found: dict[str, list[str]] = {}
    for group in groups:
        for item in table[group]:
            found.update(requirements(item["include-group"]) if isinstance(item, dict) else {item: [item]})
    return found


def task_requirements() -> dict[str, list[str]]:
    """The same for the requirements.txt beside each file of tasks; its name has a hash, so that a change is noticed."""
    tasks = os.environ.get("TASKS") or "tasks/tasks.py"
    beside = {(ROOT / task.strip()).with_name("requirements.txt") for task in tasks.split(",") if ".py" in task}
    files = sorted(file for file in beside if file.is_file())
    return {f"{file} {hashlib.sha256(file.read_bytes()).hexdigest()}": ["-r", str(file)] for file in files}


def interpreter() -> list[str]:
    """The path, Python and machine that .venv works with: it is of no use in another folder, or to another Python."""
    return [str(VENV), str(sys.implementation.cache_tag), sys.platform, os.uname().machine]


def meets(wanted: Collection[str]) -> bool:
    """Whether .venv meets these requirements."""
    met = met_requirements()
    return met is not None and met.issuperset(wanted)


def met_requirements() -> set[str] | None:
    """The requirements that .venv meets; None where it is unfinished, was made elsewhere or has lost its Python."""
    try:
        stamp = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return None
    is_usable = stamp["interpreter"] == interpreter() and os.access(PYTHON, os.X_OK)
    return set(stamp["requirements"]) if is_usable else None


def record(met: Collection[str]) -> None:
    """Write the requirements that .venv meets to its stamp."""
    STAMP.write_text(json.dumps({"interpreter": interpreter(), "requirements": sorted(met)}))


def update(wanted: Mapping[str, list[str]], descriptor: int) -> None:
    """Make or update .venv. It has no stamp meanwhile, so an interrupted update is done again."""
    before = met_requirements()
    print(f"{'Making' if before is None else 'Updating'} {VENV}", flush=True)
    STAMP.unlink(missing_ok=True)
    if before is None:
        make_venv()
    met = before or set()
    pip = installer()
    embedded = requirements("embedded").keys() & wanted.keys()
    needed = wanted.keys() - embedded
    if not needed <= met and not install(pip, needed, wanted, descriptor):
        record(met)
        sys.exit("The environment could not be made: the lines above say why.")
    # The embedded PostgreSQL is not available for every system, and an installed or remote server works too.
    if not embedded <= met and not install(pip, embedded, wanted, descriptor):
        print("The embedded PostgreSQL cannot be installed: `up` uses an installed one, or DATABASE_URL.", flush=True)
        embedded = set()
    record(needed | embedded)


def make_venv() -> None:
    """Make an empty .venv in place of the old one."""
    if VENV.is_symlink():
        VENV.unlink()
    elif VENV.exists():
        shutil.rmtree(VENV)
    if succeeds(BASE_PYTHON, "-m", "venv", "--without-pip", VENV):
        return
    if not succeeds("virtualenv", "-p", BASE_PYTHON, VENV):
        sys.exit(f"{BASE_PYTHON} cannot make environments: install its module venv (Debian: apt install python3-venv).")


def installer() -> Command:
    """The install command of a pip for .venv. Several are tried: Debian's Python has no pip of its own."""
    own, base = (PYTHON, "-m", "pip"), (BASE_PYTHON, "-m", "pip", "--python", PYTHON)
    if succeeds(*base, "--version"):
        return (*base, "install")
    if succeeds(*own, "--version") or succeeds(PYTHON, "-m", "ensurepip"):
        return (*own, "install")
    if succeeds("uv", "--version"):
        return ("uv", "pip", "install", "--python", PYTHON)
    return (PYTHON, fetch_pip(), "install")


def fetch_pip(source: str = PIP_URL) -> Path:
    """Download pip as one file from its project. The path of the file."""
    from urllib.request import urlopen

    print(f"This Python has no pip: fetching {source}", flush=True)
    try:
        with urlopen(source, timeout=60) as answer:
            (VENV / "pip.pyz").write_bytes(answer.read())
    except OSError as error:
        sys.exit(
            f"There is no pip here, and it cannot be fetched ({error}): install it (Debian: apt install python3-venv)."
        )
    return VENV / "pip.pyz"


def install(pip: Command, names: Collection[str], wanted: Mapping[str, list[str]], descriptor: int) -> bool:
    """Install the requirements of these names. Whether it succeeded. Pip inherits the lock, should this be killed."""
    arguments = [argument for name in sorted(names) for argument in wanted[name]]
    print(f"Installing, which may take minutes: {', '.join(each for each in arguments if each != '-r')}", flush=True)
    # The user's own settings of pip apply, except those that would install elsewhere.
    inherited = {name: value for name, value in os.environ.items() if name not in ("PIP_TARGET", "PIP_PREFIX")}
    settings = {
        "PIP_USER": "0",
        "PIP_NO_INPUT": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
    }
    done = subprocess.run(
        [*pip, *arguments],
        cwd=ROOT,
        env={**inherited, **settings},
        pass_fds=[descriptor],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode != 0:
        print(done.stdout.decode(errors="replace"), flush=True)
    return done.returncode == 0


def succeeds(*command: str | Path) -> bool:
    """Run a command silently. Whether it exists and succeeds."""
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


@contextmanager
def locked() -> Iterator[int]:
    """Let one process at a time change the environment. The lock is on the folder, and ends with its holder."""
    import fcntl

    descriptor = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another run.py is changing the environment: waiting for it", flush=True)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        # A path may have characters that the terminal lacks.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
