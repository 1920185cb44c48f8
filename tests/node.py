"""Node.js and its packages, for tests that need them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

NODE, NPM = shutil.which("node"), shutil.which("npm")


def run(*command: str | Path, folder: Path) -> str:
    """Run a command in a folder. Its output; the test fails with it."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def installed_packages(folder: Path) -> Path:
    """The packages of the folder's package-lock.json, installed beside it unless they are there."""
    if not NODE or not NPM:
        reason = "needs Node.js and npm: apt-get install nodejs npm"
        assert os.environ.get("TEST_NODE") != "required", reason
        pytest.skip(reason)
    packages = folder / "node_modules"
    stamp, wanted = packages / "made-of.json", (folder / "package-lock.json").read_text()
    if not stamp.is_file() or stamp.read_text() != wanted:
        run(NPM, "ci", "--ignore-scripts", folder=folder)
        stamp.write_text(wanted)
    return packages
