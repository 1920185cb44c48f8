"""Every test here runs on every adapter."""

from collections.abc import Callable

import pytest

from adapters.memory import MemoryAutocommitStore, MemoryStore
from adapters.postgres import PostgresAutocommitStore, PostgresStore
from application.ports.autocommit import AutocommitStore
from application.ports.unit_of_work import Begin


@pytest.fixture(params=["memory", "postgres"])
def begin(request: pytest.FixtureRequest) -> Begin:
    stores: dict[str, Callable[[], Begin]] = {
        "memory": lambda: MemoryStore().begin,
        "postgres": lambda: PostgresStore(request.getfixturevalue("database")).begin,
    }
    return stores[request.param]()


@pytest.fixture
def autocommit(request: pytest.FixtureRequest, begin: Begin) -> AutocommitStore:
    """Over the same storage as `begin`."""
    if "memory" in request.node.callspec.id:
        return MemoryAutocommitStore(begin)
    return PostgresAutocommitStore(request.getfixturevalue("database"))
