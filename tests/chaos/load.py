"""The load: clients that submit all the time, and cancel, retry, delete, view and list each other's tasks."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from random import Random
from threading import Event, Lock, Thread
from typing import Any

import httpx

from tests.chaos.functions import MEGABYTE
from tests.chaos.history import BATCH_SEPARATOR, SUBMISSIONS, Request

REQUEST_TIMEOUT_SECONDS = 8.0
MEAN_PAUSE_SECONDS = 0.12
"""Seconds between two requests of a client, on average."""
CLIENTS = 3


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of task: how often it is submitted, its type and its arguments."""

    weight: int
    type: str
    args: Callable[[Random], dict[str, Any]] = lambda random: {}


KINDS: Sequence[Kind] = (
    Kind(10, "nothing"),
    Kind(8, "sleeps", lambda random: {"seconds": random.uniform(0.05, 2) ** 2 / 2}),
    Kind(2, "sleeps", lambda random: {"seconds": random.uniform(3, 6)}),
    Kind(2, "computes", lambda random: {"seconds": random.uniform(0.01, 0.3)}),
    Kind(3, "once", lambda random: {"seconds": random.uniform(0.01, 1)}),
    Kind(6, "once_at_once"),
    Kind(2, "one_at_once", lambda random: {"seconds": random.uniform(0, 0.2)}),
    Kind(4, "four_at_once", lambda random: {"seconds": random.uniform(0, 0.3)}),
    Kind(4, "one_per_user", lambda random: {"seconds": random.uniform(0, 0.2), "user": random.randrange(4)}),
    Kind(3, "five_a_second"),
    Kind(3, "raises"),
    Kind(3, "asks_again", lambda random: {"delay": random.uniform(0, 1)}),
    Kind(1, "crashes"),
    Kind(1, "overruns"),
    Kind(1, "prints", lambda random: {"lines": random.randrange(300)}),
    Kind(1, "bulky", lambda random: {"megabytes": 8 * random.random() ** 3}),
    Kind(1, "reads", lambda random: {"padding": "x" * int(3 * MEGABYTE * random.random() ** 3)}),
)
REQUEST_WEIGHTS = {"cancel": 3, "retry": 3, "delete": 1, "view": 6, "list": 1, "view_batch": 1, "close_batch": 1}
SUBMISSION_WEIGHTS = {"submit": 12, "submit_keyed": 4, "submit_many": 1, "create_batch": 2, "add_to_batch": 1}
RECENT_KEYS = 4
"""Idempotency keys that are in use at a time: clients submit with the same one at once, and repeat it after errors."""
MAX_MANY = 12
GRAPH_SHARE = 0.5
"""The share of requests for many tasks in which some wait for others."""
RECENT_PARENT_SHARE, OPEN_SHARE = 0.2, 0.4
FOLLOWER = " then"
"""The end of the mark of a task that follows a batch."""
MAX_CLOSING_SECONDS = 20.0
"""Seconds for which the load tries to close the batches that are open in the end."""
BAD_BATCH_SHARE = 0.1
UNKNOWN_TYPE = "not_published"


def options(random: Random, callback: str) -> dict[str, Any]:
    """Options of a submission: mostly none, sometimes a priority, a delay, a short ttl or a callback."""
    chosen: dict[str, Any] = {}
    if random.random() < 0.3:
        chosen["priority"] = random.choice((-50, -1, 1, 50))
    if random.random() < 0.1:
        chosen["delay"] = random.uniform(0, 5)
    if random.random() < 0.05:
        chosen["ttl"] = random.randint(2, 10)
    if random.random() < 0.15:
        chosen["callback"] = callback
    return chosen


class RequestLog:
    """The requests of all clients with their answers."""

    def __init__(self) -> None:
        self._mutex = Lock()
        self.requests: list[tuple[int | None, Request]] = []
        self.ids: list[int] = []
        self.batches: list[int] = []
        self.open_batches: set[int] = set()

    def add(self, id: int | None, request: Request) -> None:
        """Add a request; a new task becomes a target of all clients."""
        with self._mutex:
            self.requests.append((id, request))
            if id is not None and request.verb in SUBMISSIONS:
                self.ids.append(id)

    def random_id(self, random: Random) -> int | None:
        """The id of a random submitted task, more likely a recent one."""
        with self._mutex:
            return self.ids[-1 - int(len(self.ids) * random.random() ** 4)] if self.ids else None

    def add_batch(self, id: int, *, is_open: bool) -> None:
        """Add a new batch: from now on all clients know it."""
        with self._mutex:
            self.batches.append(id)
            if is_open:
                self.open_batches.add(id)

    def note_closed(self, id: int) -> None:
        """Note that a batch takes no more tasks."""
        with self._mutex:
            self.open_batches.discard(id)

    def random_batch(self, random: Random, *, is_open: bool = False) -> int | None:
        """A random batch, or a random open one."""
        with self._mutex:
            among = sorted(self.open_batches) if is_open else self.batches
            return random.choice(among[-5:]) if among else None


class Keys:
    """The idempotency keys of all clients."""

    def __init__(self, seed: int) -> None:
        self._seed, self._mutex, self._numbers = seed, Lock(), count(RECENT_KEYS)
        self._last = RECENT_KEYS

    def choose(self, random: Random) -> str:
        """A recent key, or a new one."""
        with self._mutex:
            if random.random() < 1 / RECENT_KEYS:
                self._last = next(self._numbers)
            return f"key-{self._seed}-{self._last - random.randrange(RECENT_KEYS)}"


class Client:
    """A client on a thread of its own, whose choices depend on its seed alone."""

    def __init__(self, address: str, seed: int, log: RequestLog, callback: str, keys: Keys) -> None:
        self._random, self._seed = Random(seed), seed
        self._log, self._callback, self._keys = log, callback, keys
        self._numbers = count()
        self._http = httpx.Client(base_url=address, timeout=REQUEST_TIMEOUT_SECONDS)

    def work(self, stopped: Event, submissions_paused: Event) -> None:
        """Send requests until stopped. Submits nothing while submissions are paused."""
        with self._http:
            while not stopped.wait(self._random.expovariate(1 / MEAN_PAUSE_SECONDS)):
                if self._random.random() < 0.65:
                    if not submissions_paused.is_set():
                        self._submit_somehow()
                else:
                    self.send_random_request()

    def _submit_somehow(self) -> None:
        [verb] = self._random.choices(list(SUBMISSION_WEIGHTS), list(SUBMISSION_WEIGHTS.values()))
        getattr(self, verb)()

    def submit(self) -> None:
        """Submit a task of a random kind."""
        type, args = _submission(self._random, self._new_mark())
        query = options(self._random, self._callback)
        self._request("submit", None, "POST", f"/task/new/{type}", json=args, params=query, mark=args["mark"])

    def submit_keyed(self) -> None:
        """Submit a task with an idempotency key that other clients use as well, for the same task."""
        key = self._keys.choose(self._random)
        type, args = _submission(Random(key), key)
        headers = {"Idempotency-Key": key}
        path = f"/task/new/{type}"
        self._request("submit_keyed", None, "POST", path, json=args, headers=headers, mark=key, key=key)

    def submit_many(self) -> None:
        """Submit several tasks in one request. Some requests have a wrong item, and are refused as a whole."""
        body, mark = self._items()
        if self._random.random() < BAD_BATCH_SHARE:
            body[-1]["type"] = UNKNOWN_TYPE
        self._request("submit_many", None, "POST", "/tasks", json=body, mark=mark)

    def create_batch(self) -> None:
        """Create a batch, which may be open, with a task that follows it, or with a callback."""
        items, mark = self._items()
        body: dict[str, Any] = {"tasks": items, "open": self._random.random() < OPEN_SHARE}
        if self._random.random() < 0.7:
            type, args = _submission(self._random, f"{mark}{FOLLOWER}")
            body["then"] = {"type": type, "args": args}
        if self._random.random() < 0.5:
            body["callback"] = self._callback
        self._request("create_batch", None, "POST", "/batches", json=body, mark=mark)

    def add_to_batch(self) -> None:
        """Add tasks to an open batch."""
        if (id := self._log.random_batch(self._random, is_open=True)) is not None:
            body, mark = self._items()
            self._request("add_to_batch", None, "POST", f"/batches/{id}/tasks", json=body, mark=mark)

    def _items(self) -> tuple[list[dict[str, Any]], str]:
        """Several items, some of which wait for others of them or for recent tasks; and their mark."""
        number, mark = self._random.randint(2, MAX_MANY), self._new_mark()
        marked = [_submission(self._random, f"{mark}{BATCH_SEPARATOR}{number}/{each}") for each in range(number)]
        items: list[dict[str, Any]] = [{"type": type, "args": args} for type, args in marked]
        if self._random.random() < GRAPH_SHARE:
            for nth, item in enumerate(items):
                parents: list[str | int] = self._random.sample([f"item {each}" for each in range(nth)], min(nth, 2))
                if self._random.random() < RECENT_PARENT_SHARE and (id := self._log.random_id(self._random)):
                    parents.append(id)
                item |= {"ref": f"item {nth}"} | ({"after": parents} if self._random.random() < 0.8 and parents else {})
                if "after" in item and self._random.random() < 0.4:
                    item["if_failed"] = "run"
        self._random.shuffle(items)
        return items, mark

    def send_random_request(self) -> None:
        """View, cancel, retry or delete a random task, or list some."""
        [verb] = self._random.choices(list(REQUEST_WEIGHTS), list(REQUEST_WEIGHTS.values()))
        if verb == "list":
            self._request(verb, None, "GET", "/tasks", params={"limit": 50})
            return
        if verb.endswith("_batch"):
            self._send_about_batch(verb)
            return
        id = self._log.random_id(self._random)
        if id is not None:
            method, path = {
                "view": ("GET", f"/task/{id}/view"),
                "delete": ("DELETE", f"/task/{id}"),
            }.get(verb, ("POST", f"/task/{id}/{verb}"))
            self._request(verb, id, method, path)

    def _send_about_batch(self, verb: str) -> None:
        """View a random batch, or close an open one."""
        id = self._log.random_batch(self._random, is_open=verb == "close_batch")
        if id is not None:
            method, path = ("GET", f"/batches/{id}") if verb == "view_batch" else ("POST", f"/batches/{id}/close")
            self._request(verb, None, method, path)

    def _new_mark(self) -> str:
        return f"{self._seed}-{next(self._numbers)}"

    def _request(
        self,
        verb: str,
        id: int | None,
        method: str,
        path: str,
        *,
        mark: str | None = None,
        key: str | None = None,
        **more: Any,
    ) -> None:
        sent = time.time()
        try:
            answer = self._http.request(method, path, **more)
        except httpx.TransportError:
            self._log.add(id, Request(verb, sent, time.time(), None, None, mark, key))
            return
        content = _content(answer) if answer.status_code in (200, 201) else {}
        request = Request(verb, sent, time.time(), answer.status_code, content.get("status"), mark, key)
        if verb in ("submit_many", "create_batch", "add_to_batch"):
            items = more["json"]["tasks"] if verb == "create_batch" else more["json"]
            self._log_many(request, content.get("ids", []), items)
            if verb == "create_batch" and content:
                self._log.add_batch(content["id"], is_open=more["json"]["open"])
                if content["then"]:
                    self._log.add(content["then"], replace(request, mark=f"{mark}{FOLLOWER}"))
        elif verb.endswith("_batch"):
            self._log.add(None, replace(request, seen=None))
            if verb == "close_batch" and answer.status_code in (200, 404):
                self._log.note_closed(int(path.split("/")[2]))
        else:
            self._log.add(content.get("id", id), replace(request, mark=content.get("args", {}).get("mark", mark)))

    def _log_many(self, request: Request, ids: Sequence[int], items: Sequence[dict[str, Any]]) -> None:
        """Record the submission of each task; of none where there are no ids."""
        for id, item in zip(ids, items, strict=False):
            self._log.add(id, replace(request, mark=item["args"]["mark"]))
        if not ids:
            self._log.add(None, request)


def _content(answer: httpx.Response) -> dict[str, Any]:
    """The content of an answer; nothing where an administrator wrote arguments or a result that are no JSON."""
    try:
        found: dict[str, Any] = answer.json()
    except ValueError:
        return {}
    return found


def _submission(random: Random, mark: str) -> tuple[str, dict[str, Any]]:
    """A random type and its arguments. The mark comes first, where the change log looks for it."""
    [kind] = random.choices(KINDS, [kind.weight for kind in KINDS])
    return kind.type, {"mark": mark, **kind.args(random)}


class Load:
    """Several clients at once, during the block. `submissions_paused` is for its user to set."""

    def __init__(self, address: str, seed: int, log: RequestLog, callback: str) -> None:
        self._stopped, self.submissions_paused = Event(), Event()
        self._address, self._log = address, log
        keys = Keys(seed)
        clients = [Client(address, seed * CLIENTS + number, log, callback, keys) for number in range(CLIENTS)]
        self._threads = [
            Thread(target=client.work, args=(self._stopped, self.submissions_paused)) for client in clients
        ]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        self._close_batches()

    def _close_batches(self) -> None:
        """Close what is open, so that it can finish."""
        deadline = time.monotonic() + MAX_CLOSING_SECONDS
        with httpx.Client(base_url=self._address, timeout=REQUEST_TIMEOUT_SECONDS) as client:
            while self._log.open_batches and time.monotonic() < deadline:
                for id in sorted(self._log.open_batches):
                    with suppress(httpx.TransportError):
                        if client.post(f"/batches/{id}/close").status_code in (200, 404):
                            self._log.note_closed(id)
