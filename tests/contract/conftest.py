"""Every test here runs on every adapter."""

from collections.abc import Callable

import pytest

from adapters.memory import MemoryStore
from adapters.postgres import PostgresStore
from application.ports.work import Begin


@pytest.fixture(params=["memory", "postgres"])
def begin(request: pytest.FixtureRequest) -> Begin:
    stores: dict[str, Callable[[], Begin]] = {
        "memory": lambda: MemoryStore().begin,
        "postgres": lambda: PostgresStore(request.getfixturevalue("database")).begin,
    }
    return stores[request.param]()
