"""What the commands print: aligned tables, whatever the texts of users hold, and errors of one sentence."""

import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from application.errors import OutdatedTables
from entrypoints.admin import output
from entrypoints.admin.command_line import command_line
from entrypoints.admin.composition import Composition
from entrypoints.admin.output import table_lines
from tests.unit.admin_service import AdminService


def test_columns_are_aligned_by_the_width_of_characters():
    rows = [("日本", 1), ("e\u0301", 22), (None, "")]
    assert [*table_lines(("NAME", "N"), rows)] == ["NAME  N", "日本  1", "e\u0301     22", "-     -"]


def test_characters_that_a_terminal_would_act_on_are_escapes():
    assert [*table_lines(("A",), [("\x1b[2J\n\x9b\u202e",)])] == ["A", r"\x1b[2J\n\x9b\u202e"]


def test_a_line_ends_at_the_edge_of_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size((8, 24)))
    output.print_table(("NAME", "NOTE"), [("a", "日本語日本語"), ("b", "no")])
    assert capsys.readouterr().out.splitlines() == ["NAME  N…", "a     …", "b     no"]


@pytest.mark.parametrize(
    ("error", "stderr"),
    [(BrokenPipeError(32, "Broken pipe"), ""), (ValueError("two\nlines"), "Error: ValueError: two\n")],
)
def test_an_error_is_one_sentence_and_a_reader_that_has_left_none(error: Exception, stderr: str):
    service = AdminService()
    service.errors.append(error)
    said = service.admin("handlers")
    assert (said.exit_code, said.stderr, said.stdout) == (1, stderr, "")


def test_tables_of_an_older_version_are_refused_and_not_changed():
    service = AdminService()
    service.fails_to_open = OutdatedTables
    said = service.admin("tasks")
    assert said.exit_code == 1
    assert said.stderr.startswith("Error: the tables of the database are older than this version of the service")


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({}, "Error: DATABASE_URL is not set: it must be an address"),
        ({"DATABASE_URL": "mysql://x"}, "Error: DATABASE_URL is 'mysql://x': it must be an address"),
        ({"LEASE": "soon"}, "Error: LEASE is 'soon': it must be a number of seconds"),
    ],
)
def test_a_wrong_variable_has_the_exit_code_that_it_has_for_every_process(
    environment: dict[str, str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    for command in ("tasks", "doctor", "migrate"):
        said = CliRunner().invoke(command_line, [command], obj=Composition(environment))
        assert said.exit_code == 2
        assert said.stderr.startswith(sentence)
        assert len(said.stderr.splitlines()) == 1
