"""The application over memory: a clock that is held, a store that can be taken away, and what was told to whom."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from adapters.clocks import ManualClock
from adapters.memory import MemoryStore
from adapters.memory.unit_of_work import MemoryUnitOfWork
from application.errors import StorageUnavailable
from application.json.places import Place
from application.ports.wake_up import Topic
from application.submissions import TaskRequest
from application.use_cases.submit_task import Submitted
from application.view import View
from domain.ids import HandlerId, TypeName
from domain.instants import after
from domain.task_type import TaskType
from entrypoints.containers.api import ApiContainer
from entrypoints.containers.janitor import JanitorContainer
from entrypoints.containers.memory_storage import MemoryStorage
from entrypoints.settings import Settings
from tests.storage import in_memory

HANDLER = HandlerId("handler-1")


@dataclass
class Service:
    """The dependencies of the use cases.

    - `errors`: errors that the next units of work raise, the first one first.
    - `away`: whether the storage is away.
    - `begun`: the number of units of work that were begun.
    - `storage`: the storage as another process reaches it, which is never away.
    """

    clock: ManualClock = field(default_factory=ManualClock)
    store: MemoryStore = field(default_factory=MemoryStore)
    told: list[Topic] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    away: bool = False
    begun: int = 0
    waiters: int = 500

    def __post_init__(self) -> None:
        settings = Settings(max_task_time=600, webhook_secret=(b"k" * 24,), http_waiters=self.waiters)
        storage = MemoryStorage(store=self.store, begin=self.begin, clock=self.clock, notifier=self)
        self.api = ApiContainer(settings=settings, storage=storage, checker=AnyButWrong())
        self.janitor = JanitorContainer(settings=settings, storage=storage)
        self.storage = in_memory(self.store)
        self.autocommit = storage.autocommit()
        self.wake_up = storage.wake_up()
        self.types = self.api.known_types()
        self.viewer = self.api.viewer()
        self.unblock = self.api.unblock_tasks()

    def begin(self) -> AbstractContextManager[MemoryUnitOfWork]:
        self.begun += 1
        if self.away:
            raise StorageUnavailable
        if self.errors:
            raise self.errors.pop(0)
        return self.store.begin()

    def notify(self, topic: Topic) -> None:
        self.told.append(topic)

    def publish(self, *types: TaskType, seconds: float = 30) -> None:
        """A handler lives for that long with these types, and everybody has heard of it."""
        with self.store.begin() as work:
            work.types.publish(HANDLER, types, after(self.clock.now(), seconds))
            work.commit()
        self.clock.move(1)

    def submit(self, type: str = "default", args: Mapping[str, Any] | None = None, **asked: Any) -> View:
        return self.submitted(type, args, **asked).view

    def submitted(self, type: str = "default", args: Mapping[str, Any] | None = None, **asked: Any) -> Submitted:
        return self.api.submit_task()(TaskRequest(type=TypeName(type), args=args or {}, **asked))


class AnyButWrong:
    """An ArgumentChecker that minds the name `wrong`."""

    def errors(self, schema: str, args: object, open_places: Collection[Place] = ()) -> Mapping[str, Sequence[str]]:
        return {"$.wrong": [f"is not in {schema}"]} if isinstance(args, dict) and "wrong" in args else {}
