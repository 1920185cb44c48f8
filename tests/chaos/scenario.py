"""A scenario: a service under test whose faults a test injects by itself, and the promises that were broken."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.chaos import change_log, runs
from tests.chaos.experiment import collect
from tests.chaos.history import Change, Request, Run
from tests.chaos.load import RequestLog
from tests.chaos.promises import violations
from tests.chaos.service import ServiceUnderTest

MAX_DRAIN_SECONDS = 60.0
"""Seconds after the scenario in which every task has to be finished."""
LATE_WRITE_SECONDS = 0.5
"""Seconds to wait for writes that come too late."""


class Scenario:
    """The steps that a test can take; `broken_promises` is filled after the end."""

    def __init__(self, service: ServiceUnderTest) -> None:
        self.service = service
        self.request_log = RequestLog()
        self.broken_promises: set[str] = set()
        self._submitted: set[int] = set()

    def submit(self, type: str, **args: Any) -> int:
        """Submit a task. Its id."""
        sent = time.time()
        answer = httpx.post(f"{self.service.address}/task/new/{type}", json=args)
        id: int = answer.json()["id"]
        self.request_log.add(id, Request("submit", sent, time.time(), answer.status_code))
        self._submitted.add(id)
        return id

    def runs(self) -> list[Run]:
        """The runs of the submitted tasks that have started so far. A tick that fell due in between is none of them."""
        return [run for task, run in runs.read(self.service.runs_file) if task in self._submitted]

    def changes(self) -> list[Change]:
        """The changes of the submitted tasks so far."""
        with self.service.server.connection() as connection:
            return [entry.change for entry in change_log.read(connection) if entry.task in self._submitted]


@contextmanager
def scenario(folder: Path, **options: Any) -> Iterator[Scenario]:
    """Run a scenario, which is the block. Afterwards wait until every task is finished, and check the promises."""
    with closing(ServiceUnderTest(folder, **options)) as service:
        service.await_ready()
        it = Scenario(service)
        yield it
        service.await_finished_tasks(MAX_DRAIN_SECONDS)
        time.sleep(LATE_WRITE_SECONDS)
    result = collect(service, it.request_log)
    it.broken_promises.update(each.promise for each in violations(result.tasks, result.circumstances))
