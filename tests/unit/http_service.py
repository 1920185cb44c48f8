"""The API over memory: a container of its services, with access to the clock and the store."""

import json
from collections.abc import Callable
from contextlib import nullcontext
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
from application.ports.unit_of_work import Begin
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


@dataclass
class Service:
    """A whole service in one process. With `away` its storage is unavailable."""

    given: Settings = field(default_factory=Settings)
    clock: ManualClock = field(default_factory=ManualClock)
    store: MemoryStore = field(default_factory=MemoryStore)
    away: bool = False

    def __post_init__(self) -> None:
        self.storage = MemoryAutocommitStore(self.begin)
        self.types = KnownTypes(self.begin, self.clock)
        self.viewer = Viewer(self.types, self.clock)
        self.wake_up = MemoryWakeUp()
        self.change_feed = ChangeFeed(self.storage, self.clock, self.wake_up, self.viewer, self.given.http_waiters)
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
        return SubmitTask(self.begin, self.storage, self.submission_builder(), self.wake_up, self.viewer)

    def submit_tasks(self) -> SubmitTasks:
        return SubmitTasks(self.begin, self.submission_builder(), self.wake_up)

    def view_task(self) -> ViewTask:
        return ViewTask(self.storage, self.viewer)

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
        """Publish a type of a handler that lives for an hour, and let the API read it."""
        type = TaskType(name=TypeName(name), schema=schema, description=description, options=Options(**options))
        with self.store.begin() as work:
            work.types.publish(steps.HANDLER, [type], self.clock.now() + timedelta(hours=1))
            work.commit()
        self.clock.move(2)

    def submit(self, args: Any, path: str = "/task/new") -> dict[str, Any]:
        """Submit a task, and return it from the answer."""
        answer = self.client.post(path, data=json.dumps(args), content_type="application/json")
        assert answer.status_code == 201, answer.text
        return answer.get_json()

    def view(self, id: int = 1) -> dict[str, Any]:
        answer = self.client.get(f"/task/{id}/view")
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def claim(self, type: str = "default") -> Task:
        """Claim the next task of a type."""
        return self._claim(self.store.begin, type)

    def succeed(self, result: str, type: str = "default") -> None:
        """Claim the next task and finish it with a result, in one transaction."""
        with self.store.begin() as work:
            begin = partial(nullcontext, work)
            steps.succeed(begin, self._claim(begin, type), self.clock.now(), result)

    def fail(self, type: str = "default") -> None:
        """Claim the next task and fail it, in one transaction."""
        with self.store.begin() as work:
            begin = partial(nullcontext, work)
            steps.fail(begin, self._claim(begin, type), self.clock.now())

    def _claim(self, begin: Begin, type: str) -> Task:
        return steps.claim_one(begin, wanted={type: 1}, now=self.clock.now())


def configured(**settings: Any) -> Service:
    """Make a service with these settings."""
    return Service(Settings(**settings))
