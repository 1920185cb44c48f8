"""The service as Python sees it: submit tasks, wait for them, look at them and change them."""

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from math import inf
from typing import TYPE_CHECKING, Any, Self, Unpack
from urllib.parse import quote

from flask_tasks.client.address import address
from flask_tasks.client.attempt import Attempt
from flask_tasks.client.backoff import Clock
from flask_tasks.client.errors import NOTHING, NotFinished, NotFound, TaskFailed
from flask_tasks.client.events import follow
from flask_tasks.client.from_json import made
from flask_tasks.client.json_text import dump
from flask_tasks.client.options import KEY, Item, Moment, Options, item, plain, terms, usable_key
from flask_tasks.client.request import ApiRequest
from flask_tasks.client.task import Status, Summary, Task
from flask_tasks.client.task_type import Type

if TYPE_CHECKING:
    import httpx

    from flask_tasks.client.transport import Response

MAX_WAIT_SECONDS = 50.0
"""Seconds that the service lets one request wait."""

Id = int | Summary
"""A task, or its number."""


class Client:
    """A client of the service at `url`, or where the environment says that it is. Threads may share it.

    An answer may take `timeout` seconds. A request that nobody answers, or that comes while the service is away, is
    sent again up to `retries` times, within some two minutes, and never makes a second task. `headers` go with each
    request. A `transport` of httpx takes the place of the network, a `clock` that of the module time.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        timeout: float = 30.0,
        retries: int = 10,
        headers: Mapping[str, str] | None = None,
        transport: "httpx.BaseTransport | None" = None,
        clock: Clock = time,
    ) -> None:
        # Here, because what it takes to import is for those who make a client.
        from flask_tasks.client.transport import Transport

        self.url = address(url, os.environ)
        self._clock = clock
        self._transport = Transport(
            self.url, timeout=timeout, retries=retries, headers=headers, transport=transport, clock=clock
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def submit(
        self,
        type: str = "default",
        args: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        wait: float = 0.0,
        **options: Unpack[Options],
    ) -> Task:
        """A new task, or the one that has this idempotency key; finished, if it has within `wait` seconds."""
        deadline = self._clock.monotonic() + wait
        answer = self._ask(
            "POST",
            f"/task/new/{_name(type)}",
            query=plain(options),
            body=dump(dict(args or {})),
            headers={KEY: usable_key(key)},
            wait=wait,
        )
        return self._awaited(answer, deadline)

    def submit_many(self, items: Iterable[Item]) -> list[int]:
        """New tasks, all or none, at most 10,000: their ids in the order of the items."""
        answer = self._ask("POST", "/tasks", body=dump([item(each) for each in items]))
        return answer.read(lambda body: list(map(int, body["ids"])))

    def run(
        self,
        type: str = "default",
        args: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        seconds: float | None = None,
        **options: Unpack[Options],
    ) -> Any:
        """Submit a task and wait: its result. TaskFailed where it has none, NotFinished after so many seconds."""
        return _result(self.submit(type, args, key=key, wait=_limit(seconds), **options))

    def result(self, task: Id, seconds: float | None = None) -> Any:
        """Wait for a task: its result. TaskFailed where it has none, NotFinished after so many seconds."""
        return _result(self.wait(task, seconds))

    def wait(self, task: Id, seconds: float | None = None) -> Task:
        """The task when it has finished, however long that takes; after so many seconds, as it stands then."""
        return self.view(task, _limit(seconds))

    def view(self, task: Id, wait: float = 0.0) -> Task:
        """The task as it stands; finished, if it has within `wait` seconds."""
        deadline = self._clock.monotonic() + wait
        return self._awaited(self._look(task, wait), deadline)

    def events(self, task: Id) -> Iterator[Task]:
        """The task as it stands, then again after each change of status or progress, at last as it has finished.

        States in between may merge. However often the connection is cut, none is shown again.
        """
        return follow(self._transport, _number(task))

    def log(self, task: Id) -> list[Attempt]:
        """The starts of a task that failed, were lost or printed something."""
        answer = self._ask("GET", f"/task/{_number(task)}/log")
        return answer.read(lambda body: [made(Attempt, each) for each in body["attempts"]])

    def cancel(self, task: Id) -> Task:
        """The task, cancelled from now on. Conflict if it is done or has failed."""
        return self._ask("POST", f"/task/{_number(task)}/cancel").read(Task.of)

    def retry(self, task: Id) -> Task:
        """The task, which waits again. Conflict unless it has failed or was cancelled.

        Unavailable may mean that it was retried and the answer was lost: once more could be once too often.
        """
        return self._ask("POST", f"/task/{_number(task)}/retry", is_safe=False).read(Task.of)

    def delete(self, task: Id) -> None:
        """Forget a task, and all that is kept of it. Conflict while it runs."""
        self._ask("DELETE", f"/task/{_number(task)}", done_before=404)

    def types(self) -> dict[str, Type]:
        """What can be run, by name."""
        answer = self._ask("GET", "/types")
        return answer.read(lambda body: {each["name"]: Type.of(each) for each in body["types"]})

    def list(
        self,
        *,
        status: Status | None = None,
        type: str | None = None,
        created_after: Moment | None = None,
        created_before: Moment | None = None,
        args: Mapping[str, Any] | None = None,
        limit: int | None = None,
    ) -> Iterator[Summary]:
        """The tasks that fit, newest first; they are asked for `limit` at a time, while they are read."""
        query = dict(terms(args or {})) | plain(
            {
                "status": status,
                "type": type,
                "created_after": created_after,
                "created_before": created_before,
                "limit": limit,
            }
        )
        while True:
            page, cursor = self._ask("GET", "/tasks", query=query).read(_page)
            yield from page
            if cursor is None:
                return
            query["cursor"] = cursor

    def _look(self, task: Id, wait: float) -> "Response":
        return self._ask("GET", f"/task/{_number(task)}", wait=wait)

    def _awaited(self, answer: "Response", deadline: float) -> Task:
        while not (task := answer.read(Task.of)).is_final:
            if (left := deadline - self._clock.monotonic()) <= 0:
                break
            self._clock.sleep(min(answer.retry_after, left))
            answer = self._look(task, deadline - self._clock.monotonic())
        return task

    def _ask(
        self, method: str, path: str, *, query: Mapping[str, Any] = NOTHING, wait: float = 0.0, **more: Any
    ) -> "Response":
        seconds = round(min(max(wait, 0.0), MAX_WAIT_SECONDS), 3)
        query = {**query, "wait": seconds} if seconds else query
        return self._transport.ask(ApiRequest(method=method, path=path, query=query, wait=seconds, **more))


def _limit(seconds: float | None) -> float:
    return inf if seconds is None else seconds


def _result(task: Task) -> Any:
    if task.status == "done":
        return task.result
    raise TaskFailed(task) if task.is_final else NotFinished(task)


def _number(task: Id) -> int:
    return task.id if isinstance(task, Summary) else int(task)


def _name(type: str) -> str:
    """A type as a part of a path. Of dots alone it would lead elsewhere."""
    if not type.strip("."):
        raise NotFound(f"there is no type {type!r}")
    return quote(type, safe="")


def _page(body: Any) -> tuple[list[Summary], str | None]:
    return [Summary.of(each) for each in body["tasks"]], body["next"]
