"""The API over memory: what its container would give, with the clock and the store at hand."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from adapters.clocks.manual import ManualClock
from adapters.json_schema import SchemaChecker
from adapters.memory import MemoryAutocommitStore, MemoryStore, MemoryWakeUp
from application.change_feed import ChangeFeed
from application.errors import StorageUnavailable
from application.known_types import KnownTypes
from application.submissions import SubmissionBuilder
from application.use_cases.await_task import AwaitTask
from application.use_cases.cancel_task import CancelTask
from application.use_cases.cancel_tasks import CancelTasks
from application.use_cases.count_tasks import CountTasks
from application.use_cases.delete_task import DeleteTask
from application.use_cases.follow_task import FollowTask
from application.use_cases.list_tasks import ListTasks
from application.use_cases.retry_task import RetryTask
from application.use_cases.retry_tasks import RetryTasks
from application.use_cases.submit_task import SubmitTask
from application.use_cases.submit_tasks import SubmitTasks
from application.use_cases.view_log import ViewLog
from application.use_cases.view_task import ViewTask
from application.view import Viewer
from domain.ids import TypeName
from domain.options import Options
from domain.task import Task
from domain.task_type import ANY_OBJECT, TaskType
from entrypoints.http.app import create_app
from entrypoints.settings import Settings
from tests import steps
from tests.storage import Storage, in_memory


@dataclass
class Service:
    """A whole service in one process.

    - `away`: whether the storage is away.
    - `storage`: the storage as another process reaches it, which is never away.
    """

    given: Settings = field(default_factory=Settings)
    clock: ManualClock = field(default_factory=ManualClock)
    store: MemoryStore = field(default_factory=MemoryStore)
    away: bool = False

    def __post_init__(self) -> None:
        self.autocommit = MemoryAutocommitStore(self.begin)
        self.storage = in_memory(self.store)
        self.types = KnownTypes(self.begin, self.clock)
        self.viewer = Viewer(self.types, self.clock)
        self.wake_up = MemoryWakeUp()
        self.change_feed = ChangeFeed(self.autocommit, self.clock, self.wake_up, self.viewer, self.given.http_waiters)
        self.client: FlaskClient = self.app().test_client()

    def app(self) -> Flask:
        return create_app(self)

    def begin(self) -> Any:
        if self.away:
            raise StorageUnavailable
        return self.store.begin()

    def settings(self) -> Settings:
        return self.given

    def known_types(self) -> KnownTypes:
        return self.types

    def submission_builder(self) -> SubmissionBuilder:
        return SubmissionBuilder(self.clock, self.types, self.checker(), self.given.max_task_time, self.given.signs)

    def checker(self) -> SchemaChecker:
        return SchemaChecker()

    def submit_task(self) -> SubmitTask:
        return SubmitTask(self.begin, self.autocommit, self.submission_builder(), self.wake_up, self.viewer)

    def submit_tasks(self) -> SubmitTasks:
        return SubmitTasks(self.begin, self.submission_builder(), self.wake_up)

    def view_task(self) -> ViewTask:
        return ViewTask(self.autocommit, self.viewer)

    def await_task(self) -> AwaitTask:
        return AwaitTask(self.change_feed, self.viewer, self.clock)

    def follow_task(self) -> FollowTask:
        return FollowTask(self.view_task(), self.change_feed, self.viewer)

    def view_log(self) -> ViewLog:
        return ViewLog(self.begin)

    def list_tasks(self) -> ListTasks:
        return ListTasks(self.begin, self.viewer)

    def count_tasks(self) -> CountTasks:
        return CountTasks(self.begin)

    def cancel_tasks(self) -> CancelTasks:
        return CancelTasks(self.begin, self.clock, self.wake_up)

    def retry_tasks(self) -> RetryTasks:
        return RetryTasks(self.begin, self.clock, self.types, self.wake_up)

    def cancel_task(self) -> CancelTask:
        return CancelTask(self.begin, self.clock, self.wake_up, self.viewer)

    def retry_task(self) -> RetryTask:
        return RetryTask(self.begin, self.clock, self.types, self.wake_up, self.viewer)

    def delete_task(self) -> DeleteTask:
        return DeleteTask(self.begin, self.wake_up)

    def ping(self) -> Callable[[], None]:
        return lambda: self.begin() and None

    def publish(self, name: str, schema: str = ANY_OBJECT, description: str = "", **options: Any) -> None:
        """A handler appears that can run this type for an hour; the API knows soon."""
        type = TaskType(name=TypeName(name), schema=schema, description=description, options=Options(**options))
        with self.store.begin() as work:
            work.types.publish(steps.HANDLER, [type], self.clock.now() + timedelta(hours=1))
            work.commit()
        self.clock.move(2)

    def submit(self, args: Any, path: str = "/task/new") -> dict[str, Any]:
        """The task as the answer shows it."""
        answer = self.client.post(path, data=json.dumps(args), content_type="application/json")
        assert answer.status_code == 201, answer.text
        return answer.get_json()

    def view(self, id: int = 1) -> dict[str, Any]:
        answer = self.client.get(f"/task/{id}/view")
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def claim(self, type: str = "default") -> Task:
        """A handler takes the next task of that type."""
        return self._claim(self.storage, type)

    def succeed(self, result: str, type: str = "default") -> None:
        """A handler takes the next task, and finishes it with that result before anybody sees it run."""
        with self._at_one_moment() as storage:
            steps.succeed(storage, self._claim(storage, type), self.clock.now(), result)

    def fail(self, type: str = "default") -> None:
        """A handler takes the next task, and it fails before anybody sees it run."""
        with self._at_one_moment() as storage:
            steps.fail(storage, self._claim(storage, type), self.clock.now())

    @contextmanager
    def _at_one_moment(self) -> Iterator[Storage]:
        """A storage whose steps are seen when the block ends."""
        with self.store.begin() as work:
            begin = partial(nullcontext, work)
            yield Storage(begin, MemoryAutocommitStore(begin))

    def _claim(self, storage: Storage, type: str) -> Task:
        return steps.claim_one(storage, wanted={type: 1}, now=self.clock.now())


def configured(**settings: Any) -> Service:
    """A service with these settings."""
    return Service(Settings(**settings))
