"""docs/client.md: every example on it is typed, one after the other, and prints what stands there."""

from code import InteractiveConsole

import pytest

from tests.e2e.examples import blocks, is_printed, printed_lines
from tests.e2e.service import Service


def test_every_example_prints_what_the_page_says(
    service: Service, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("FLASK_TASKS_URL", f"http://127.0.0.1:{service.port}")
    names: dict[str, object] = {}
    prompt = InteractiveConsole(names)
    for example in blocks("docs/client.md", "python"):
        for line in (*example.replace("http://localhost:5000", f"http://127.0.0.1:{service.port}").splitlines(), ""):
            prompt.push(line)
        said, errors = capfd.readouterr()
        assert not errors, errors
        shown = "".join(f"{line}\n" for line in printed_lines(example, "print", "#"))
        assert is_printed(shown, said), (example, said)
    assert names["double"](4) == 8  # type: ignore[operator]
    names["client"].close()  # type: ignore[attr-defined]
