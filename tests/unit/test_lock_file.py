"""The lock files of the images, deploy/*.lock: they fit pyproject.toml, and pip accepts nothing else by them."""

import re
import tomllib
from importlib.metadata import requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.conftest import ROOT

LOCK_FILES = {"requirements": ("service",), "traces": ("service", "traces")}
DIRECT = re.compile(r"flask-tasks \(pyproject\.toml:")
EACH_FILE = pytest.mark.parametrize("file", LOCK_FILES)
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
MAKE_ANEW = "`python3 run.py lock` writes the lock file anew"


def text(file: str) -> str:
    return (ROOT / f"deploy/{file}.lock").read_text()


def locked(file: str) -> dict[str, str]:
    """The lines of each package, by its name."""
    entries = re.split(r"^(?=[a-z0-9])", text(file), flags=re.MULTILINE)[1:]
    return {re.split("[=[]", entry)[0]: entry for entry in entries}


def required(file: str) -> dict[str, Requirement]:
    """The requirements of the groups in pyproject.toml, by their names."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    requirements = (Requirement(each) for group in LOCK_FILES[file] for each in groups[group])
    return {canonicalize_name(each.name): each for each in requirements}


def version(entry: str) -> Version:
    (pin,) = Requirement(entry.partition(" \\\n")[0]).specifier
    assert pin.operator == "=="
    return Version(pin.version)


@EACH_FILE
def test_the_lock_file_has_a_fitting_version_of_each_requirement_of_the_service(file: str) -> None:
    entries = locked(file)
    for name, requirement in required(file).items():
        assert name in entries, MAKE_ANEW
        assert version(entries[name]) in requirement.specifier, MAKE_ANEW


@EACH_FILE
def test_the_lock_file_has_the_packages_of_extras(file: str) -> None:
    for name, requirement in required(file).items():
        for extra in requirement.extras:
            all_of_it = map(Requirement, requires(name) or ())
            added = [each.name for each in all_of_it if each.marker and each.marker.evaluate({"extra": extra})]
            assert locked(file).keys() >= {*map(canonicalize_name, added)}, MAKE_ANEW


@EACH_FILE
def test_the_lock_file_has_no_requirement_that_the_service_has_no_more(file: str) -> None:
    assert {name for name, entry in locked(file).items() if DIRECT.search(entry)} == required(file).keys(), MAKE_ANEW


@EACH_FILE
def test_each_package_of_the_lock_file_has_hashes(file: str) -> None:
    for name, entry in locked(file).items():
        pin, *more = [line.strip(" \\") for line in entry.splitlines() if not line.strip().startswith("#")]
        assert pin.startswith(f"{name}==")
        assert more
        assert all(map(HASH.fullmatch, more))


@EACH_FILE
def test_the_lock_file_names_no_index(file: str) -> None:
    assert "://" not in text(file)
    assert "--index" not in text(file)
