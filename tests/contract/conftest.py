"""Every test here runs on every adapter."""

from collections.abc import Callable

import pytest

from adapters.memory import MemoryAtOnce, MemoryStore
from adapters.postgres import PostgresAtOnce, PostgresStore
from application.ports.autocommit import AtOnce
from application.ports.unit_of_work import Begin


@pytest.fixture(params=["memory", "postgres"])
def begin(request: pytest.FixtureRequest) -> Begin:
    stores: dict[str, Callable[[], Begin]] = {
        "memory": lambda: MemoryStore().begin,
        "postgres": lambda: PostgresStore(request.getfixturevalue("database")).begin,
    }
    return stores[request.param]()


@pytest.fixture
def at_once(request: pytest.FixtureRequest, begin: Begin) -> AtOnce:
    """Over the same storage as `begin`."""
    if "memory" in request.node.callspec.id:
        return MemoryAtOnce(begin)
    return PostgresAtOnce(request.getfixturevalue("database"))
