"""A batch: its value at one moment, and the requests about it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from math import inf
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_OID, uuid5

from flask_tasks.client.batch_summary import BatchFailure, BatchSummary
from flask_tasks.client.errors import EMPTY, NotFound
from flask_tasks.client.events import follow
from flask_tasks.client.json_text import dump
from flask_tasks.client.many import WHOLE, bodies, in_order
from flask_tasks.client.options import KEY, Item, item_to_json, to_json, valid_or_new_key
from flask_tasks.client.request import ApiRequest, waiting
from flask_tasks.client.task import Summary
from flask_tasks.client.waiting import result_of, until_final

if TYPE_CHECKING:
    from flask_tasks.client.client import Client
    from flask_tasks.client.transport import Response, Transport

PAGE_TASKS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch(BatchSummary):
    """A batch as it was at one moment, and the requests about it. Those that change it return the changed batch.

    - `failures`: the first of its tasks that have failed.
    - `ids`: ids of the tasks with which this program has created it and that it has added, in the order of the items.
    """

    failures: list[BatchFailure]
    ids: tuple[int, ...]
    _batches: "Batches" = field(repr=False, compare=False)

    def refresh(self) -> "Batch":
        """Return the batch as it is now."""
        return self.wait(0)

    def wait(self, seconds: float | None = None) -> "Batch":
        """Wait until the batch has finished, or for `seconds`, and return the batch."""
        return self._batches.view(self.id, inf if seconds is None else seconds, self.ids)

    def events(self) -> Iterator["Batch"]:
        """Yield the batch as it is now, then after each change of its counts, until it has finished.

        Changes in quick succession may be merged. After a broken connection the events continue, and none is repeated.
        """
        return follow(self._batches.transport, f"/batches/{self.id}/events", self._later)

    def tasks(self) -> Iterator[Summary]:
        """Yield its tasks, newest first, without arguments and results."""
        return self._batches.client.list(batch=self, limit=PAGE_TASKS)

    def results(self) -> Iterator[Any]:
        """Yield the results of the tasks that it has now, in the order in which they were added, as they come.

        - Raises TaskFailed, in its turn: a task failed or was cancelled.
        - Raises NotFound: a task was deleted.
        """
        ids = self._all_ids()
        return map(result_of, in_order(self._batches.client.as_completed(ids), ids))

    def add(self, items: Iterable[Item], *, key: str | None = None) -> "Batch":
        """Add tasks, up to 10,000 of 30 MiB in a request, each request all or none.

        - `key`: idempotency key of these tasks.
        - Raises Invalid: an item is not valid. The tasks of earlier requests are added.
        - Raises Conflict: the batch is closed.
        """
        added = self._batches.add(self.id, _bodies(items), valid_or_new_key(key))
        return self._batches.view(self.id, ids=(*self.ids, *added))

    def close(self) -> "Batch":
        """Close the batch: no task can be added, and it finishes when all of its tasks have."""
        return self._batches.post(f"/{self.id}/close").read(self._later)

    def cancel(self) -> "Batch":
        """Close the batch, and cancel its tasks that wait or run."""
        return self._change("cancel")

    def retry(self) -> "Batch":
        """Let its tasks that failed or were cancelled wait again.

        Raises Unavailable: there was no answer. The request may have been carried out, so it is not repeated.
        """
        return self._change("retry", is_safe=False)

    def _change(self, action: str, is_safe: bool = True) -> "Batch":
        path = f"/{self.id}/{action}"
        query = EMPTY
        # An answer changes as many tasks as the service can in ten seconds.
        while next := self._batches.post(path, query=query, is_safe=is_safe).read(lambda body: body["next"]):
            query = {"cursor": next}
        return self.refresh()

    def _all_ids(self) -> list[int]:
        """Return the ids of all tasks. The service lists them, unless this program has added all of them.

        Raises NotFound: a task was deleted.
        """
        if not self.open and len(self.ids) == self.total:
            return [*self.ids]
        ids = sorted(task.id for task in self.tasks())
        if len(ids) < self.total:
            raise NotFound(f"batch {self.id} has {len(ids)} of its {self.total} tasks: the others were deleted")
        return ids

    def _later(self, data: Mapping[str, Any]) -> "Batch":
        return self._batches.batch(data, self.ids)


@dataclass(frozen=True, slots=True)
class Batches:
    """The requests about batches."""

    client: "Client"
    transport: "Transport"

    def create(self, items: Iterable[Item], members: Mapping[str, Any], key: str | None) -> Batch:
        """Create a batch. One with more tasks than a request can have is open until all of them were added."""
        key, texts = valid_or_new_key(key), _bodies(items)
        first, second = next(texts, b"[]"), next(texts, None)
        is_large, is_open = second is not None, members["open"]
        body = b'{"tasks":' + first + b"," + dump(to_json(members) | {"open": is_open or is_large})[1:]
        id, ids = self.post("", body, key).read(lambda answer: (int(answer["id"]), answer["ids"]))
        if second is not None:
            ids += self.add(id, chain([second], texts), key)
        if is_large and not is_open:
            self.post(f"/{id}/close")
        return self.view(id, ids=tuple(ids))

    def view(self, id: int, wait: float = 0.0, ids: tuple[int, ...] = ()) -> Batch:
        """Return a batch. Wait up to `wait` seconds until it has finished."""

        def ask(seconds: float) -> "Response":
            return self.transport.send(waiting("GET", f"/batches/{id}", seconds, query=EMPTY))

        clock = self.transport.clock
        deadline = clock.monotonic() + wait
        return until_final(ask(wait), lambda data: self.batch(data, ids), lambda _, left: ask(left), deadline, clock)

    def add(self, id: int, texts: Iterable[bytes], key: str) -> Iterator[int]:
        """Add the tasks of several bodies, each under a key of its own, and yield their ids."""
        for nth, body in enumerate(texts):
            answer = self.post(f"/{id}/tasks", body, str(uuid5(NAMESPACE_OID, f"{key} {nth}")))
            yield from answer.read(lambda answer: answer["ids"])

    def post(
        self,
        path: str,
        body: bytes | None = None,
        key: str | None = None,
        query: Mapping[str, Any] = EMPTY,
        is_safe: bool = True,
    ) -> "Response":
        """Post a request, whose path begins behind that of all batches."""
        headers = {} if key is None else {KEY: key}
        return self.transport.send(
            ApiRequest(method="POST", path=f"/batches{path}", query=query, body=body, headers=headers, is_safe=is_safe)
        )

    def batch(self, data: Mapping[str, Any], ids: tuple[int, ...]) -> Batch:
        """Make a batch from the JSON object of an answer."""
        failures = [BatchFailure.of(each) for each in data["failures"]]
        return Batch.of(data, failures=failures, ids=ids, _batches=self)


def _bodies(items: Iterable[Item]) -> Iterator[bytes]:
    return bodies((dump(item_to_json(item)) for item in items), WHOLE)
