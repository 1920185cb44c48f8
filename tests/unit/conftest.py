"""Fixtures of the unit tests."""

from collections.abc import Iterator

import pytest

from tests.unit.lent_apps import LENT_APPS


@pytest.fixture(autouse=True)
def lent_apps() -> Iterator[None]:
    """Take the apps back that a test has borrowed."""
    yield
    LENT_APPS.take_back()
