"""The lock file of the images, deploy/requirements.lock: it fits pyproject.toml, and pip accepts nothing else by it."""

import re
import tomllib
from importlib.metadata import requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.conftest import ROOT

TEXT = (ROOT / "deploy/requirements.lock").read_text()
DIRECT = "flask-tasks (pyproject.toml:service)"
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
MAKE_ANEW = "`python3 run.py lock` writes the lock file anew"


def locked() -> dict[str, str]:
    """The lines of each package, by its name."""
    entries = re.split(r"^(?=[a-z0-9])", TEXT, flags=re.MULTILINE)[1:]
    return {re.split("[=[]", entry)[0]: entry for entry in entries}


def required() -> dict[str, Requirement]:
    """The requirements of the service in pyproject.toml, by their names."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    requirements = map(Requirement, groups["service"])
    return {canonicalize_name(each.name): each for each in requirements}


def version(entry: str) -> Version:
    (pin,) = Requirement(entry.partition(" \\\n")[0]).specifier
    assert pin.operator == "=="
    return Version(pin.version)


def test_the_lock_file_has_a_fitting_version_of_each_requirement_of_the_service() -> None:
    entries = locked()
    for name, requirement in required().items():
        assert name in entries, MAKE_ANEW
        assert version(entries[name]) in requirement.specifier, MAKE_ANEW


def test_the_lock_file_has_the_packages_of_extras() -> None:
    for name, requirement in required().items():
        for extra in requirement.extras:
            all_of_it = map(Requirement, requires(name) or ())
            added = [each.name for each in all_of_it if each.marker and each.marker.evaluate({"extra": extra})]
            assert locked().keys() >= {*map(canonicalize_name, added)}, MAKE_ANEW


def test_the_lock_file_has_no_requirement_that_the_service_has_no_more() -> None:
    assert {name for name, entry in locked().items() if DIRECT in entry} == required().keys(), MAKE_ANEW


def test_each_package_of_the_lock_file_has_hashes() -> None:
    for name, entry in locked().items():
        pin, *more = [line.strip(" \\") for line in entry.splitlines() if not line.strip().startswith("#")]
        assert pin.startswith(f"{name}==")
        assert more
        assert all(map(HASH.fullmatch, more))


def test_the_lock_file_names_no_index() -> None:
    assert "://" not in TEXT
    assert "--index" not in TEXT
