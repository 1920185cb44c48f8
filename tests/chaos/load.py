"""The load: clients that submit all the time, and cancel, retry, delete and view what they or others have submitted."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from threading import Event, Lock, Thread
from typing import Any

import httpx

from tests.chaos.history import Request

PATIENCE = 8.0
"""Seconds until an answer counts as none."""
PAUSE = 0.12
"""Seconds between two requests of a client, on the average."""
CLIENTS = 3


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of task: how often it is submitted, and what its arguments are."""

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
    Kind(3, "raises"),
    Kind(3, "asks_again", lambda random: {"delay": random.uniform(0, 1)}),
    Kind(1, "crashes"),
    Kind(1, "overruns"),
    Kind(1, "prints", lambda random: {"lines": random.randrange(300)}),
    Kind(1, "bulky"),
)
CHANGES = {"cancel": 3, "retry": 3, "delete": 1, "view": 6}


def options(random: Random) -> dict[str, Any]:
    """Of a submission: most have none, some are urgent or not, late, or soon forgotten."""
    chosen: dict[str, Any] = {}
    if random.random() < 0.3:
        chosen["priority"] = random.choice((-50, -1, 1, 50))
    if random.random() < 0.1:
        chosen["delay"] = random.uniform(0, 5)
    if random.random() < 0.05:
        chosen["ttl"] = random.randint(2, 10)
    return chosen


class Record:
    """What the clients asked and were answered; theirs together."""

    def __init__(self) -> None:
        self._mutex = Lock()
        self.requests: list[tuple[int | None, Request]] = []
        self.ids: list[int] = []

    def add(self, id: int | None, request: Request) -> None:
        """One more; a new task is there for everybody."""
        with self._mutex:
            self.requests.append((id, request))
            if id is not None and request.verb == "submit":
                self.ids.append(id)

    def some_id(self, random: Random) -> int | None:
        """A task that was submitted, lately more likely than long ago."""
        with self._mutex:
            return self.ids[-1 - int(len(self.ids) * random.random() ** 4)] if self.ids else None


class Client:
    """One of several, on a thread of its own; what it does next depends on its seed alone."""

    def __init__(self, address: str, seed: int, record: Record) -> None:
        self._random = Random(seed)
        self._record = record
        self._http = httpx.Client(base_url=address, timeout=PATIENCE)

    def work(self, stopped: Event, is_full: Event) -> None:
        """Until stopped. It submits nothing while the service has enough to do."""
        with self._http:
            while not stopped.wait(self._random.expovariate(1 / PAUSE)):
                if self._random.random() < 0.65:
                    if not is_full.is_set():
                        self.submit()
                else:
                    self.change()

    def submit(self) -> None:
        """A task of a kind by chance."""
        [kind] = self._random.choices(KINDS, [kind.weight for kind in KINDS])
        args, query = kind.args(self._random), options(self._random)
        self._ask("submit", None, "POST", f"/task/new/{kind.type}", json=args, params=query)

    def change(self) -> None:
        """Something that may be done to a task that is there."""
        [verb] = self._random.choices(list(CHANGES), list(CHANGES.values()))
        id = self._record.some_id(self._random)
        if id is not None:
            method, path = {
                "view": ("GET", f"/task/{id}/view"),
                "delete": ("DELETE", f"/task/{id}"),
            }.get(verb, ("POST", f"/task/{id}/{verb}"))
            self._ask(verb, id, method, path)

    def _ask(self, verb: str, id: int | None, method: str, path: str, **more: Any) -> None:
        asked = time.time()
        try:
            answer = self._http.request(method, path, **more)
        except httpx.TransportError:
            self._record.add(id, Request(verb, asked, time.time(), None))
            return
        task = answer.json() if answer.status_code in (200, 201) else {}
        request = Request(verb, asked, time.time(), answer.status_code, task.get("status"))
        self._record.add(task.get("id", id), request)


class Load:
    """Several clients at once, while the block lasts."""

    def __init__(self, address: str, seed: int, record: Record) -> None:
        self._stopped, self.is_full = Event(), Event()
        clients = [Client(address, seed * CLIENTS + number, record) for number in range(CLIENTS)]
        self._threads = [Thread(target=client.work, args=(self._stopped, self.is_full)) for client in clients]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()
