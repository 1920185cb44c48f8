"""docs/client.md: every example on it is run, one after the other, and prints what stands there."""

import re

import pytest

from tests.conftest import ROOT
from tests.e2e.service import Service

PAGE = (ROOT / "docs" / "client.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
PRINTED = re.compile(r"^ *print\(.*\)  # (.*)$", re.MULTILINE)
REST = re.escape("…")
"""The mark on the page for a part that differs each time."""


def test_every_example_prints_what_the_page_says(
    service: Service, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("FLASK_TASKS_URL", f"http://127.0.0.1:{service.port}")
    names: dict[str, object] = {}
    for example in EXAMPLES:
        exec(example.replace("http://localhost:5000", f"http://127.0.0.1:{service.port}"), names)
        said = capfd.readouterr().out
        shown = "".join(f"{line}\n" for line in PRINTED.findall(example))
        assert re.fullmatch(re.escape(shown).replace(REST, ".*"), said, re.DOTALL), (example, said)
    assert names["double"](4) == 8  # type: ignore[operator]
    names["client"].close()  # type: ignore[attr-defined]
