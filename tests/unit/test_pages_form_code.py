"""Code that submits the same task as a form: a shell and Python read it as it was meant."""

import json
import subprocess
import sys
from types import ModuleType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.json.text import dump
from domain.ids import TypeName
from entrypoints.http.pages.forms.code import MAX_CODE_CHARACTERS, curl, python
from tests.unit.test_pages_form_roundtrip import NAMES, VALUES

URL = "http://localhost:5000"
HOSTILE = 'it\'s "$(rm -rf /)" `x` \\ \n\t\u202e\U0001f600 !'


def words(line: str) -> list[str]:
    """The words that a shell makes of the line, in place of curl."""
    script = f'curl() {{ printf "%s\\0" "$@"; }}\n{line}'
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=True, timeout=10)
    return done.stdout.decode().split("\0")[:-1]


def submitted(program: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, Any, dict[str, Any]]:
    """What the program hands to the client."""
    seen: list[Any] = []

    class Client:
        def __init__(self, url: str) -> None:
            self.url = url

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None: ...

        def submit(self, type: str, args: Any, **options: Any) -> Any:
            seen.append((self.url, type, args, options))
            return ModuleType("task", "")

    module = ModuleType("flask_tasks")
    module.Client = Client  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "flask_tasks", module)
    exec(compile(program.split("    print(")[0], "program", "exec"), {})
    return seen[0]


@given(args=st.dictionaries(NAMES, VALUES, max_size=3))
@settings(max_examples=60, deadline=None)
def test_a_shell_sends_the_arguments_as_they_are(args: dict[str, Any]):
    *_, flag, data = words(curl(URL, TypeName("f"), dump(args), {}, None))
    assert (flag, json.loads(data)) == ("-d", args)


@given(args=st.dictionaries(NAMES, VALUES, max_size=3))
@settings(max_examples=60, deadline=None)
def test_python_submits_the_arguments_as_they_are(args: dict[str, Any]):
    with pytest.MonkeyPatch.context() as monkeypatch:
        found = submitted(python(URL, TypeName("f"), dump(args), {}, None), monkeypatch)
    assert (found[:2], dump(found[2])) == ((URL, "f"), dump(args))


def test_numbers_stand_as_they_were_typed():
    typed = '{"a": 1.10, "b": [1E5, -0.0, 9223372036854775809, 1e-320]}'
    for code in (curl, python):
        assert all(number in code(URL, TypeName("f"), typed, {}, None) for number in ("1.10", "1E5", "-0.0", "1e-320"))


def test_types_options_and_keys_are_quoted(monkeypatch: pytest.MonkeyPatch):
    options = {"priority": "5", "callback": HOSTILE}
    line = words(curl(URL, TypeName(HOSTILE), "{}", options, "it's"))
    address = urlsplit(line[2])
    assert address.path.startswith("/task/new/it%27s%20%22%24%28rm%20-rf%20%2F%29")
    assert parse_qs(address.query) == {"priority": ["5"], "callback": [HOSTILE]}
    assert "Idempotency-Key: it's" in line
    found = submitted(python(URL, TypeName(HOSTILE), "{}", options, "it's"), monkeypatch)
    assert found == (URL, HOSTILE, {}, {"priority": 5, "callback": HOSTILE, "key": "it's"})


def test_characters_that_hide_others_are_escaped():
    for code in (curl, python):
        assert "\u202e" not in code(URL, TypeName("f"), dump({"a": HOSTILE}), {}, None)


def test_the_type_default_has_the_short_path():
    assert f"{URL}/task/new " in curl(URL, TypeName("default"), "{}", {}, None)


def test_long_arguments_are_read_from_a_file():
    long = dump({"a": "x" * MAX_CODE_CHARACTERS})
    for code in (curl, python):
        shown = code(URL, TypeName("f"), long, {}, None)
        assert "arguments.json" in shown
        assert len(shown) < 500
