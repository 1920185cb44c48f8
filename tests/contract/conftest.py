"""The storages of the contract suite: every test of a storage runs on every adapter."""

from collections.abc import Callable, Sequence

import pytest

from adapters.memory import MemoryStore
from application.ports.autocommit import AutocommitStore
from application.ports.unit_of_work import Begin
from domain.submission import Submission
from domain.task import Task
from tests.storage import Storage, in_memory, in_postgres

Add = Callable[..., Sequence[Task | None]]


@pytest.fixture(params=["memory", "postgres"])
def storage(request: pytest.FixtureRequest) -> Storage:
    """An empty storage."""
    storages: dict[str, Callable[[], Storage]] = {
        "memory": lambda: in_memory(MemoryStore()),
        "postgres": lambda: in_postgres(request.getfixturevalue("database")),
    }
    return storages[request.param]()


@pytest.fixture
def begin(storage: Storage) -> Begin:
    """The units of work of the storage."""
    return storage.begin


@pytest.fixture
def autocommit(storage: Storage) -> AutocommitStore:
    """The operations of the storage that commit themselves."""
    return storage.autocommit


@pytest.fixture(params=["committing itself", "in a unit of work"])
def add_once(request: pytest.FixtureRequest, storage: Storage) -> Add:
    """Add tasks, by either way of adding; None for each whose key is taken."""

    def add_in_unit_of_work(*submissions: Submission) -> Sequence[Task | None]:
        with storage.begin() as work:
            added = work.tasks.add(submissions)
            work.commit()
        return added

    def add_by_itself(*submissions: Submission) -> Sequence[Task | None]:
        return storage.autocommit.add(submissions)

    return add_by_itself if request.param == "committing itself" else add_in_unit_of_work
