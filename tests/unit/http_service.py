"""The API over memory, composed by its container, with the clock and the store at hand."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property, partial
from types import CodeType
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket

from adapters.clocks.manual import ManualClock
from adapters.memory import MemoryAutocommitStore, MemoryPendingWork, MemoryStore
from adapters.memory.unit_of_work import MemoryUnitOfWork
from application.errors import Outage, StorageUnavailable
from domain.ids import HandlerId, TypeName
from domain.limits import NO_LIMITS, Limits
from domain.options import Options
from domain.task import Task
from domain.task_type import ANY_OBJECT, TaskType
from entrypoints.containers.api import ApiContainer
from entrypoints.containers.memory_storage import MemoryStorage
from entrypoints.http.app import create_app
from entrypoints.http.pages import rendering
from entrypoints.settings import Settings
from tests import steps
from tests.storage import Storage, in_memory
from tests.unit.lent_apps import LENT_APPS


class CompiledTemplates(BytecodeCache):
    """The templates that the app of an earlier test has compiled."""

    def __init__(self) -> None:
        self._compiled: dict[str, CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._compiled.get(bucket.key)

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code
        self._compiled[bucket.key] = bucket.code


# Each app has an environment of its own, and compiling templates takes longer than most tests of pages.
vars(rendering)["Environment"] = partial(Environment, bytecode_cache=CompiledTemplates())


@dataclass
class Service:
    """A whole service in one process.

    - `away`, `outage`: whether the storage is unavailable, and why.
    - `has_own_app`: whether no other service gets its app: several tests use it, or it remembers what it has shown.
    - `storage`: the storage as another process reaches it, which is always available.
    """

    given: Settings = field(default_factory=Settings)
    clock: ManualClock = field(default_factory=ManualClock)
    store: MemoryStore = field(default_factory=MemoryStore)
    away: bool = False
    outage: Outage = Outage.UNKNOWN
    has_own_app: bool = False

    def __post_init__(self) -> None:
        storage = MemoryStorage(store=self.store, begin=self.begin, clock=self.clock)
        self.storage = in_memory(self.store)
        self.container = ApiContainer(settings=self.given, storage=storage)
        self.wake_up = storage.wake_up()
        self.change_feed = self.container.change_feed()
        self.batch_feed = self.container.batch_feed()

    @cached_property
    def client(self) -> FlaskClient:
        return (self.app() if self.has_own_app else LENT_APPS.lend(self.container)).test_client()

    def app(self) -> Flask:
        """An app that serves nothing else."""
        return create_app(self.container)

    def begin(self) -> Any:
        if self.away:
            raise StorageUnavailable(self.outage)
        return self.store.begin()

    def publish(
        self,
        name: str,
        schema: str = ANY_OBJECT,
        description: str = "",
        limits: Limits = NO_LIMITS,
        result: str | None = None,
        **options: Any,
    ) -> None:
        """Publish a type of a handler of its own that lives for an hour, and let the API read it."""
        type = TaskType(
            name=TypeName(name),
            schema=schema,
            result_schema=result,
            description=description,
            options=Options(**options),
            limits=limits,
        )
        with self.store.begin() as work:
            work.types.publish(HandlerId(f"handler of {name}"), [type], self.clock.now() + timedelta(hours=1))
            work.commit()
        self.clock.move(2)

    def withdraw(self, name: str) -> None:
        """Withdraw the handler of a type, and let the API read it."""
        with self.store.begin() as work:
            work.types.withdraw(HandlerId(f"handler of {name}"))
            work.commit()
        self.clock.move(2)

    def submit(self, args: Any, path: str = "/task/new") -> dict[str, Any]:
        """Submit a task, and return it from the answer."""
        answer = self.client.post(path, data=json.dumps(args), content_type="application/json")
        assert answer.status_code == 201, answer.text
        return answer.get_json()

    def document(self) -> dict[str, Any]:
        """The OpenAPI document, with parameters, responses and their parts in place of references to them."""
        document = self.client.get("/openapi.json").get_json()
        return document | {"paths": inlined(document["paths"], document["components"])}

    def view(self, id: int = 1) -> dict[str, Any]:
        answer = self.client.get(f"/task/{id}/view")
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def claim(self, type: str = "default") -> Task:
        """Claim the next task of a type."""
        return self._claim(self.storage, type)

    def succeed(self, result: str, type: str = "default") -> None:
        """Claim the next task and finish it with a result, in one transaction."""
        with self._one_transaction() as storage:
            steps.succeed(storage, self._claim(storage, type), self.clock.now(), result)

    def fail(self, type: str = "default") -> None:
        """Claim the next task and fail it, in one transaction."""
        with self._one_transaction() as storage:
            steps.fail(storage, self._claim(storage, type), self.clock.now())

    @contextmanager
    def _one_transaction(self) -> Iterator[Storage]:
        """A storage whose steps become visible when the block ends."""
        with self.store.begin() as work:

            def begin() -> AbstractContextManager[MemoryUnitOfWork]:
                return nullcontext(work)

            yield Storage(begin, MemoryAutocommitStore(begin), MemoryPendingWork(begin))

    def _claim(self, storage: Storage, type: str) -> Task:
        return steps.claim_one(storage, wanted={type: 1}, now=self.clock.now())


def configured(**settings: Any) -> Service:
    """Make a service with these settings."""
    return Service(Settings(**settings))


def inlined(part: Any, components: dict[str, Any]) -> Any:
    """Copy a part of a document, with components in place of references to them; schemas stay where they are."""
    if isinstance(part, list):
        return [inlined(each, components) for each in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part and "/schemas/" not in part["$ref"]:
        kind, name = part["$ref"].split("/")[2:]
        return inlined(components[kind][name], components)
    return {key: inlined(value, components) for key, value in part.items()}
