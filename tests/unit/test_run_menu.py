"""The menu of commands, and the environment that it makes, in a small checkout with small packages."""

import ast
import importlib.util
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

RUN = Path(__file__).resolve().parents[2] / "run.py"


@pytest.fixture(scope="module")
def run() -> ModuleType:
    spec = importlib.util.spec_from_file_location("run", RUN)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Checkout:
    """A small checkout: its group `dev` requires the package `one`, and `embedded` requires nothing."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "tasks").mkdir(parents=True)
        shutil.copy(RUN, root)
        groups = f'service = ["{wheel(root, "one")}"]\nembedded = []\ndev = [{{ include-group = "service" }}]\n'
        (root / "pyproject.toml").write_text(f"[dependency-groups]\n{groups}")

    def require(self, *packages: str) -> None:
        """Make packages, and let the user's tasks require them."""
        lines = "\n".join(wheel(self.root, package) for package in packages)
        (self.root / "tasks" / "requirements.txt").write_text(lines)

    def env(self, **variables: str) -> subprocess.CompletedProcess[str]:
        command: list[str | Path] = [sys.executable, self.root / "run.py", "env"]
        return subprocess.run(command, cwd="/", env={**os.environ, **variables}, capture_output=True, text=True)

    def stamp(self) -> float:
        return (self.root / ".venv" / "made-of.json").stat().st_mtime

    def has(self, package: str) -> bool:
        python = self.root / ".venv" / "bin" / "python"
        return subprocess.run([python, "-c", f"import {package}"], capture_output=True).returncode == 0


def wheel(folder: Path, name: str) -> str:
    """Make a package. The requirement for it, which pip meets without a network."""
    path = folder.parent / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", "")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return f"{name} @ {path.as_uri()}"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    checkout = Checkout(tmp_path_factory.mktemp("a checkout") / "here")
    done = checkout.env()
    assert done.returncode == 0
    making, installing, _ = done.stdout.splitlines()
    assert making == f"Making {checkout.root}/.venv"
    assert installing.startswith("Installing, which may take minutes: one @ file://")
    return checkout


def test_run_without_arguments_prints_the_menu(run: ModuleType) -> None:
    shown = subprocess.run([sys.executable, RUN], capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(shown) == len(run.COMMANDS)
    assert {line.split()[2] for line in shown} >= {"up", "test", "lint", "env"}


def test_an_unknown_command_is_refused_with_the_menu() -> None:
    done = subprocess.run([sys.executable, RUN, "fly"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "There is no command fly" in done.stderr
    assert "run.py up" in done.stderr


def test_an_argument_of_a_command_without_arguments_is_refused() -> None:
    done = subprocess.run([sys.executable, RUN, "up", "--port=1"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "up takes no arguments but --reload.\n")


def test_an_old_python_is_refused_with_a_sentence() -> None:
    ast.parse(RUN.read_text(), feature_version=(3, 6))
    python = next(filter(None, map(shutil.which, ("python3.6", "python3.8", "python3.10"))), None)
    done = python and subprocess.run([python, RUN, "up"], capture_output=True, text=True)
    if not done or done.returncode == 127:
        pytest.skip("this machine has no old Python")
    assert done.returncode == 1
    assert done.stderr.startswith("flask-tasks needs Python 3.11 or newer")
    assert len(done.stderr.splitlines()) == 1


def test_the_requirements_of_a_group_include_those_of_included_groups(run: ModuleType) -> None:
    assert run.requirements("dev").keys() > run.requirements("service").keys() | run.requirements("embedded").keys()


SOUND: dict[str, Any] = {"name": "one", "version": "1.0", "vulns": []}


@pytest.mark.parametrize(
    ("package", "sentences"),
    [
        (SOUND, []),
        (
            {"name": "two", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1", "3.0"]}]},
            ["two 2.0 is vulnerable: PYSEC-1, mended in 2.1, 3.0."],
        ),
        (
            {"name": "two", "version": "2.0", "vulns": [{"id": "PYSEC-2", "fix_versions": []}]},
            ["two 2.0 is vulnerable: PYSEC-2, mended in no version yet."],
        ),
        (
            {"name": "two", "skip_reason": "not found"},
            ["The database of vulnerabilities, which needs a network, told nothing about two."],
        ),
    ],
)
def test_an_audit_names_what_it_finds(run: ModuleType, package: dict[str, Any], sentences: list[str]) -> None:
    assert run.findings([SOUND, package]) == sentences


def test_an_audit_without_a_network_is_no_success(run: ModuleType) -> None:
    (sentence,) = run.findings([{"name": "one", "skip_reason": "not found"}])
    assert sentence.endswith("told nothing about any package.")


def test_the_requirements_file_beside_a_file_of_tasks_is_required(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "requirements.txt").write_text("numpy")
    monkeypatch.setenv("TASKS", f"package.module, {tmp_path}/mine.py")
    assert list(run.task_requirements().values()) == [["-r", str(tmp_path / "requirements.txt")]]


def test_a_complete_environment_is_left_alone_and_starts_at_once(checkout: Checkout) -> None:
    made = checkout.stamp()
    start = time.monotonic()
    done = checkout.env()
    assert time.monotonic() - start < 1
    assert done.stdout == f"{checkout.root}/.venv/bin/python\n"
    assert checkout.stamp() == made
    assert checkout.has("one")


def test_a_changed_requirement_of_the_tasks_is_installed(checkout: Checkout) -> None:
    checkout.require("two")
    done = checkout.env()
    assert done.returncode == 0
    assert checkout.has("two")
    updating, installing, _ = done.stdout.splitlines()
    assert updating == f"Updating {checkout.root}/.venv"
    assert installing.startswith(f"Installing, which may take minutes: {checkout.root}/tasks/requirements.txt, one @ ")


ASCII = {"PYTHONIOENCODING": "ascii"}
TERMINALS: list[dict[str, str]] = [ASCII, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}]
"""Variables with which Python's output takes no UTF-8."""


@pytest.mark.parametrize("terminal", TERMINALS, ids=str)
def test_an_environment_is_made_whatever_the_terminal_can_show(tmp_path: Path, terminal: dict[str, str]) -> None:
    done = Checkout(tmp_path / "here").env(**terminal)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Installing, which may take minutes: " in done.stdout


@pytest.mark.parametrize("module", ["benchmarks", "tests.chaos"])
def test_developers_commands_are_explained_whatever_the_terminal_can_show(module: str) -> None:
    command = [sys.executable, "-m", module, "--help"]
    done = subprocess.run(command, cwd=RUN.parent, env={**os.environ, **ASCII}, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")


def test_an_environment_that_was_moved_is_remade(checkout: Checkout) -> None:
    moved = checkout.root.with_name("moved")
    checkout.root.rename(moved)
    done = subprocess.run([sys.executable, moved / "run.py", "env"], capture_output=True, text=True)
    moved.rename(checkout.root)
    assert done.returncode == 0
    assert f"Making {moved}/.venv\n" in done.stdout


def test_an_environment_that_lost_its_python_is_remade(checkout: Checkout) -> None:
    python = checkout.root / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    assert checkout.env().returncode == 0
    assert checkout.has("one")


def test_an_installation_that_was_interrupted_is_done_again(checkout: Checkout) -> None:
    (checkout.root / ".venv" / "made-of.json").unlink()
    assert checkout.env().returncode == 0
    assert checkout.has("one")


def test_a_failing_pip_is_shown_and_tried_again_the_next_time(checkout: Checkout) -> None:
    requirements = checkout.root / "tasks" / "requirements.txt"
    requirements.write_text("-r nowhere.txt")
    for _ in range(2):
        done = checkout.env()
        assert done.returncode == 1
        assert "nowhere.txt" in done.stdout
        assert done.stderr == "The environment could not be made: the lines above say why.\n"
    requirements.unlink()


def test_two_processes_at_once_make_one_environment(checkout: Checkout) -> None:
    checkout.require("three")
    command: list[str | Path] = [sys.executable, checkout.root / "run.py", "env"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("Updating" in text for text in outputs) == 1
    assert checkout.has("three")


def test_the_other_packages_are_installed_where_the_embedded_postgresql_cannot_be(checkout: Checkout) -> None:
    pyproject = checkout.root / "pyproject.toml"
    text = pyproject.read_text()
    absent = f"absent @ {(checkout.root / 'absent-1.0-py3-none-any.whl').as_uri()}"
    pyproject.write_text(
        text.replace("embedded = []", f'embedded = ["{absent}"]').replace(
            "dev = [", 'dev = [{ include-group = "embedded" }, '
        )
    )
    done = checkout.env()
    pyproject.write_text(text)
    assert done.returncode == 0
    assert "The embedded PostgreSQL cannot be installed" in done.stdout
    assert checkout.has("one")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_checkout_is_refused_with_a_sentence(checkout: Checkout) -> None:
    shutil.rmtree(checkout.root / ".venv", ignore_errors=True)
    checkout.root.chmod(0o555)
    done = checkout.env()
    checkout.root.chmod(0o755)
    assert done.returncode == 1
    assert "environment" in done.stderr
