"""The report: the log texts that it counts are those that the service logs."""

from pathlib import Path

import pytest

from tests.chaos.experiment import COUNTED_LOG_TEXTS
from tests.conftest import ROOT


def logged_somewhere(text: str) -> bool:
    return any(text in path.read_text() for path in Path(ROOT, "application").rglob("*.py"))


@pytest.mark.parametrize("name", ["late outcomes refused", "tasks rescued"])
def test_a_counted_log_text_is_in_the_code_of_the_service(name: str):
    assert logged_somewhere(COUNTED_LOG_TEXTS[name])
