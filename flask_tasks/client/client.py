"""The client of the service: submit tasks, wait for them, view them and change them."""

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from math import inf
from typing import TYPE_CHECKING, Any, Self, Unpack, cast, overload
from urllib.parse import quote

from flask_tasks.client.address import address, authorization
from flask_tasks.client.attempt import Attempt
from flask_tasks.client.backoff import Clock
from flask_tasks.client.batch import Batch, Batches
from flask_tasks.client.batch_summary import BatchId, BatchSummary, batch_id_of
from flask_tasks.client.errors import EMPTY, Gone, NotFound
from flask_tasks.client.events import follow, follow_many
from flask_tasks.client.from_json import from_json
from flask_tasks.client.handler import Handler, Janitor
from flask_tasks.client.json_text import dump
from flask_tasks.client.many import PIECE, bodies, in_order, pages, read
from flask_tasks.client.options import (
    KEY,
    Item,
    Moment,
    SubmitOptions,
    argument_filters,
    item_to_json,
    item_with_key,
    label_parameters,
    submit_parameters,
    to_json,
    valid_or_new_key,
)
from flask_tasks.client.request import waiting
from flask_tasks.client.task import Id, Status, Summary, Task, TaskState, id_of
from flask_tasks.client.task_type import Type
from flask_tasks.client.waiting import result_of, until_final

if TYPE_CHECKING:
    import httpx

    from flask_tasks.client.transport import Response

NO_HTTPX = (
    "the client needs httpx, which this Python does not have: in the checkout run .venv/bin/python, "
    "elsewhere install flask-tasks with pip"
)
MIN_POLL_SECONDS, MAX_QUIET_SECONDS = 0.1, 2.0
"""Seconds between two looks for tasks that have finished, and the longest time between two that find none."""
MAX_POLLED_PER_SECOND = 10_000  # tasks that one client looks at


class Client:
    """A client of the service. Threads may share it.

    - `url`: address of the service; by default that in the environment.
    - `timeout`: seconds that an answer may take.
    - `retries`: number of times that a request is sent again if it was not answered or the service was unavailable,
      within about two minutes. A repeated submission never makes a second task.
    - `api_key`: the API key; without it, that of the variable `FLASK_TASKS_API_KEY`, if there is one.
    - `headers`: headers of each request.
    - `transport`: transport of httpx that replaces the network.
    - `clock`: clock that replaces the module `time`.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        timeout: float = 30.0,
        retries: int = 10,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        transport: "httpx.BaseTransport | None" = None,
        clock: Clock = time,
    ) -> None:
        # Imported here, so that only programs that make a client import httpx.
        try:
            from flask_tasks.client.transport import Transport
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(NO_HTTPX, name=error.name) if error.name == "httpx" else error from None

        self.url = address(url, os.environ)
        self._clock = clock
        self._transport = Transport(
            self.url,
            timeout=timeout,
            retries=retries,
            headers={**authorization(api_key, os.environ), **(headers or {})},
            transport=transport,
            clock=clock,
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
        labels: Mapping[str, str] | None = None,
        wait: float = 0.0,
        **options: Unpack[SubmitOptions],
    ) -> Task:
        """Submit a task, or find the task with this idempotency key. Wait up to `wait` seconds until it has finished.

        With `after` it starts once those tasks have ended; if one of them fails, it fails too, or runs with
        `if_failed="run"`.

        - Raises NotFound: the type is not published.
        - Raises Invalid: an argument, an option or the key is not valid, or a task in `after` does not exist.
        """
        deadline = self._clock.monotonic() + wait
        answer = self._request(
            "POST",
            f"/task/new/{_type_segment(type)}",
            query=submit_parameters(options, labels),
            body=dump(dict(args or {})),
            headers={KEY: valid_or_new_key(key)},
            wait=wait,
        )
        return self._wait_for_task(answer, deadline)

    def submit_many(self, items: Iterable[Item]) -> list[int]:
        """Submit up to 10,000 tasks, all or none. Returns their ids in the order of the items."""
        return self._submit_body(dump([item_with_key(item) for item in items]))

    def run(
        self,
        type: str = "default",
        args: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        labels: Mapping[str, str] | None = None,
        seconds: float | None = None,
        **options: Unpack[SubmitOptions],
    ) -> Any:
        """Submit a task, wait for it, and return its result.

        - Raises TaskFailed: the task failed or was cancelled.
        - Raises NotFinished: the task has not finished within `seconds`.
        """
        return result_of(self.submit(type, args, key=key, labels=labels, wait=_seconds_or_inf(seconds), **options))

    def result(self, task: Id, seconds: float | None = None) -> Any:
        """Wait for a task, and return its result.

        - Raises TaskFailed: the task failed or was cancelled.
        - Raises NotFinished: the task has not finished within `seconds`.
        """
        return result_of(self.wait(task, seconds))

    def results(self, tasks: Iterable[Id]) -> Iterator[Task]:
        """Yield these tasks as they are now, with arguments and results, the newest first. Unknown ids are left out."""
        return read(self._transport, {id_of(task) for task in tasks})

    def as_completed(self, tasks: Iterable[Id]) -> Iterator[Task]:
        """Yield these tasks as they finish, those that failed or were cancelled too.

        Raises NotFound: a task that has not finished does not exist.
        """
        left = {id_of(task): task for task in tasks}
        quiet = MIN_POLL_SECONDS
        while left:
            before = len(left)
            for task in read(self._transport, left, order="finished"):
                del left[task.id]
                yield task
            if left:
                self._clock.sleep(MIN_POLL_SECONDS + len(left) / MAX_POLLED_PER_SECOND)
                quiet = MIN_POLL_SECONDS if len(left) < before else min(2 * quiet, MAX_QUIET_SECONDS)
                if quiet > MIN_POLL_SECONDS:
                    # The next task to finish may be the first one; if it was deleted, this is an error.
                    self.view(next(iter(left.values())), quiet)

    def map(
        self,
        type: str,
        rows: Iterable[Mapping[str, Any]],
        *,
        labels: Mapping[str, str] | None = None,
        **options: Unpack[SubmitOptions],
    ) -> Iterator[Any]:
        """Submit a task for the arguments in each row, and yield their results in the order of the rows.

        All tasks are submitted before this returns, up to 1,000 in a request.

        - Raises Invalid: arguments of a row are not valid. The tasks of earlier requests are submitted.
        - Raises TaskFailed, in its turn: a task failed or was cancelled.
        """
        shared = to_json(options) | {"labels": labels, "type": type}
        items = (cast("Item", {**shared, "args": row}) for row in rows)
        texts = (dump(item_with_key(item)) for item in items)
        ids = [id for body in bodies(texts, PIECE) for id in self._submit_body(body)]
        return map(result_of, in_order(self.as_completed(ids), ids))

    def _submit_body(self, body: bytes) -> "list[int]":
        return self._request("POST", "/tasks", body=body).read(lambda answer: [int(id) for id in answer["ids"]])

    def batch(
        self,
        items: Iterable[Item] = (),
        *,
        name: str | None = None,
        labels: Mapping[str, str] | None = None,
        then: Item | None = None,
        callback: str | None = None,
        open: bool = False,
        key: str | None = None,
    ) -> Batch:
        """Create a batch of tasks, or find the batch with this idempotency key.

        Up to 10,000 tasks of 30 MiB are created by one request, all or none. More are added by further requests,
        before the batch is closed; the names of items (`ref`) hold within a request.

        - `labels`: labels of the batch itself.
        - `then`: the task that starts when the batch has finished.
        - `open`: whether more tasks can be added, until the batch is closed.
        - Raises Invalid: an item or a member is not valid. If it is of a further request, the batch remains, and open.
        """
        follower = None if then is None else item_to_json(then)
        members = {"name": name, "labels": labels, "then": follower, "callback": callback, "open": open}
        return Batches(self, self._transport).create(items, members, key)

    def view_batch(self, batch: BatchId, wait: float = 0.0) -> Batch:
        """Return a batch. Wait up to `wait` seconds until it has finished. Raises NotFound: it does not exist."""
        return Batches(self, self._transport).view(batch_id_of(batch), wait)

    def batches(self, limit: int | None = None) -> Iterator[BatchSummary]:
        """Yield the batches, newest first. Pages of `limit` batches are requested on demand."""
        query = {} if limit is None else {"limit": limit}
        return pages(self._transport, "/batches", query, "batches", BatchSummary.of)

    def wait(self, task: Id, seconds: float | None = None) -> Task:
        """Wait until a task has finished, or for `seconds`, and return the task."""
        return self.view(task, _seconds_or_inf(seconds))

    def view(self, task: Id, wait: float = 0.0) -> Task:
        """Return a task. Wait up to `wait` seconds until it has finished."""
        deadline = self._clock.monotonic() + wait
        return self._wait_for_task(self._get_task(task, wait), deadline)

    @overload
    def events(self, task: Id) -> Iterator[Task]: ...

    @overload
    def events(self, task: Iterable[Id]) -> Iterator[TaskState]: ...

    def events(self, task: Id | Iterable[Id]) -> Iterator[Task] | Iterator[TaskState]:
        """Yield the current task, then the task after each change of status or progress, until it has finished.

        Of several tasks, whose ids have 64 KiB together at most, yield the states, over one connection.

        Changes in quick succession may be merged. After a broken connection the events continue, and none is repeated.
        """
        if isinstance(task, int | Summary):
            return self._events_of_one(task)
        return follow_many(self._transport, map(id_of, task))

    def _events_of_one(self, task: Id) -> Iterator[Task]:
        seen = task if isinstance(task, Summary) else None
        try:
            for seen in follow(self._transport, f"/task/{id_of(task)}/events", Task.of):
                yield seen
        except NotFound:
            if seen is None:
                raise
            raise Gone(seen) from None

    def log(self, task: Id) -> list[Attempt]:
        """Return the log of a task: its starts that failed, were lost or printed something."""
        answer = self._request_task("GET", task, "/log")
        return answer.read(lambda body: [from_json(Attempt, each) for each in body["attempts"]])

    def cancel(self, task: Id) -> Task:
        """Cancel a task, and return it. Raises Conflict: the task is done or failed."""
        return self._request_task("POST", task, "/cancel").read(Task.of)

    def retry(self, task: Id) -> Task:
        """Let a task wait again, and return it.

        - Raises Conflict: the task is neither failed nor cancelled.
        - Raises Unavailable: there was no answer. The request may have been carried out, so it is not repeated.
        """
        return self._request_task("POST", task, "/retry", is_safe=False).read(Task.of)

    def delete(self, task: Id) -> None:
        """Delete a task, with its result and its log. Raises Conflict: the task is running."""
        self._request_task("DELETE", task, repeat_code=404)

    def types(self) -> dict[str, Type]:
        """Return the types of tasks, by name."""
        answer = self._request("GET", "/types")
        return answer.read(lambda body: {each["name"]: Type.of(each) for each in body["types"]})

    def handlers(self) -> "list[Handler]":
        """Return the handlers, with the tasks that they run. Those that live come first."""
        return self._request("GET", "/handlers").read(lambda body: [Handler.of(each) for each in body["handlers"]])

    def janitors(self) -> "list[Janitor]":
        """Return the janitors. Those that live come first."""
        answer = self._request("GET", "/handlers")
        return answer.read(lambda body: [from_json(Janitor, each) for each in body["janitors"]])

    def list(
        self,
        *,
        status: Status | None = None,
        type: str | None = None,
        created_after: Moment | None = None,
        created_before: Moment | None = None,
        args: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        batch: BatchId | None = None,
        limit: int | None = None,
    ) -> Iterator[Summary]:
        """Yield the tasks that match every filter, newest first. Pages of `limit` tasks are requested on demand."""
        query = (
            dict(argument_filters(args or {}))
            | label_parameters(labels)
            | to_json(
                {
                    "status": status,
                    "type": type,
                    "created_after": created_after,
                    "created_before": created_before,
                    "batch": None if batch is None else batch_id_of(batch),
                    "limit": limit,
                }
            )
        )
        return pages(self._transport, "/tasks", query, "tasks", Summary.of)

    def _get_task(self, task: Id, wait: float) -> "Response":
        return self._request_task("GET", task, wait=wait)

    def _request_task(self, method: str, task: Id, action: str = "", **more: Any) -> "Response":
        try:
            return self._request(method, f"/task/{id_of(task)}{action}", **more)
        except NotFound:
            # An id may be a mistake; a task that the service has shown was there.
            if isinstance(task, Summary):
                raise Gone(task) from None
            raise

    def _wait_for_task(self, answer: "Response", deadline: float) -> Task:
        return until_final(answer, Task.of, self._get_task, deadline, self._clock)

    def _request(
        self, method: str, path: str, *, query: Mapping[str, Any] = EMPTY, wait: float = 0.0, **more: Any
    ) -> "Response":
        return self._transport.send(waiting(method, path, wait, query=query, **more))


def _seconds_or_inf(seconds: float | None) -> float:
    return inf if seconds is None else seconds


def _type_segment(type: str) -> str:
    """Quote a type as a path segment. Raises NotFound: it is empty or has dots only, which would change the path."""
    if not type.strip("."):
        raise NotFound(f"type {type!r} is not published")
    return quote(type, safe="")
