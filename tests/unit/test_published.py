"""The published package is whole, and costs a process that runs functions no more than it uses."""

import subprocess
import sys
import tomllib

import flask_tasks
from tests.conftest import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
WHO_MAKES_NO_CLIENT = """
import sys
from flask_tasks import task
assert "flask_tasks.client" not in sys.modules
from flask_tasks import Client, ClientError, TaskFailed
from flask_tasks.client import Task
assert "httpx" not in sys.modules
Client("http://service")
assert "httpx" in sys.modules
"""


def test_the_wheel_holds_every_package() -> None:
    packages = {".".join(each.parent.relative_to(ROOT).parts) for each in (ROOT / "flask_tasks").rglob("__init__.py")}
    assert set(PYPROJECT["tool"]["setuptools"]["packages"]) == packages


def test_handlers_have_what_the_wheel_requires() -> None:
    assert set(PYPROJECT["project"]["dependencies"]) <= set(PYPROJECT["dependency-groups"]["service"])


def test_a_process_without_a_client_imports_nothing_for_one() -> None:
    subprocess.run([sys.executable, "-c", WHO_MAKES_NO_CLIENT], cwd=ROOT, check=True)


def test_every_name_is_there_and_no_other() -> None:
    for name in flask_tasks.__all__:
        assert getattr(flask_tasks, name).__name__ == name
    assert not hasattr(flask_tasks, "Cleint")
