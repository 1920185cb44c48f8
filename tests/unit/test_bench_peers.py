"""Benchmarks beside other systems, without measuring: skipped peers, printed sentences, installation of the peers."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from benchmarks.__main__ import main
from benchmarks.peers import environment
from benchmarks.peers.table import TABLE

PROGRAMS = Path(environment.__file__).parent / "programs"


def test_a_peer_that_this_machine_cannot_run_is_skipped_and_the_output_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = CliRunner().invoke(main, ["--peers", "celery", "graphile-worker"])
    assert result.exit_code == 0
    assert result.output.splitlines()[-2:] == [
        "Celery is skipped: there is no redis-server here.",
        "graphile-worker is skipped: there is no node and no npm here.",
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(["celery"], "Without --peers there is no celery."), (["--peers", "drain"], "With --peers there is no drain.")],
)
def test_a_name_of_the_other_table_is_refused(arguments: list[str], sentence: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert sentence in result.output


def test_each_peer_has_its_program_and_no_program_is_forgotten() -> None:
    shared = {"__init__", "program", "on_postgres"}
    assert {path.stem for path in PROGRAMS.glob("*.py")} - shared == {peer.program for peer in TABLE.values()}


def test_the_requirements_of_the_peers_are_pinned_and_name_no_registry() -> None:
    requirements = [line for line in environment.REQUIREMENTS.read_text().splitlines() if line and line[0] != "#"]
    assert all("==" in line for line in requirements)
    lock = json.loads(environment.PACKAGES[1].read_text())
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]


class Environment:
    """One that counts how often it was made."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.count = folder / "environment", folder / "count"

    def make(self, of: str, ends_with: str = "true") -> int:
        count = ("sh", "-c", f"echo >> {self.count}")
        environment.make(self.folder, of, (count, (ends_with,)))
        return self.count.read_text().count("\n")


def test_an_environment_is_made_once_and_anew_when_it_is_to_be_made_of_something_else(tmp_path: Path) -> None:
    made = Environment(tmp_path)
    assert made.make("one") == 1
    (made.folder / "left over").touch()
    assert made.make("one") == 1
    assert made.make("two") == 2
    assert not (made.folder / "left over").exists()


def test_an_environment_whose_making_failed_is_made_again(tmp_path: Path) -> None:
    made = Environment(tmp_path)
    with pytest.raises(click.ClickException, match="The peers could not be installed"):
        made.make("one", ends_with="false")
    assert made.make("one") == 2
