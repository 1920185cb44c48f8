"""Fixtures of the unit tests."""

from collections.abc import Iterator

import pytest

from application.current_trace import current_trace
from tests.unit.lent_apps import LENT_APPS


@pytest.fixture(autouse=True)
def lent_apps() -> Iterator[None]:
    """Take the apps back that a test has borrowed."""
    yield
    LENT_APPS.take_back()


@pytest.fixture(autouse=True)
def _no_trace() -> Iterator[None]:
    """Forget the trace of the last request: a thread of the API has another one with its next request."""
    yield
    current_trace.set(None)
