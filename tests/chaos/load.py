"""The load: clients that submit all the time, and cancel, retry, delete and view each other's tasks."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from threading import Event, Lock, Thread
from typing import Any

import httpx

from tests.chaos.history import Request

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
    Kind(3, "raises"),
    Kind(3, "asks_again", lambda random: {"delay": random.uniform(0, 1)}),
    Kind(1, "crashes"),
    Kind(1, "overruns"),
    Kind(1, "prints", lambda random: {"lines": random.randrange(300)}),
    Kind(1, "bulky"),
)
REQUEST_WEIGHTS = {"cancel": 3, "retry": 3, "delete": 1, "view": 6}


def options(random: Random) -> dict[str, Any]:
    """Options of a submission: mostly none, sometimes a priority, a delay or a short ttl."""
    chosen: dict[str, Any] = {}
    if random.random() < 0.3:
        chosen["priority"] = random.choice((-50, -1, 1, 50))
    if random.random() < 0.1:
        chosen["delay"] = random.uniform(0, 5)
    if random.random() < 0.05:
        chosen["ttl"] = random.randint(2, 10)
    return chosen


class RequestLog:
    """The requests of all clients with their answers."""

    def __init__(self) -> None:
        self._mutex = Lock()
        self.requests: list[tuple[int | None, Request]] = []
        self.ids: list[int] = []

    def add(self, id: int | None, request: Request) -> None:
        """Add a request; a new task becomes a target of all clients."""
        with self._mutex:
            self.requests.append((id, request))
            if id is not None and request.verb == "submit":
                self.ids.append(id)

    def random_id(self, random: Random) -> int | None:
        """The id of a random submitted task, more likely a recent one."""
        with self._mutex:
            return self.ids[-1 - int(len(self.ids) * random.random() ** 4)] if self.ids else None


class Client:
    """A client on a thread of its own, whose choices depend on its seed alone."""

    def __init__(self, address: str, seed: int, log: RequestLog) -> None:
        self._random = Random(seed)
        self._log = log
        self._http = httpx.Client(base_url=address, timeout=REQUEST_TIMEOUT_SECONDS)

    def work(self, stopped: Event, submissions_paused: Event) -> None:
        """Send requests until stopped. Submits nothing while submissions are paused."""
        with self._http:
            while not stopped.wait(self._random.expovariate(1 / MEAN_PAUSE_SECONDS)):
                if self._random.random() < 0.65:
                    if not submissions_paused.is_set():
                        self.submit()
                else:
                    self.send_random_request()

    def submit(self) -> None:
        """Submit a task of a random kind."""
        [kind] = self._random.choices(KINDS, [kind.weight for kind in KINDS])
        args, query = kind.args(self._random), options(self._random)
        self._request("submit", None, "POST", f"/task/new/{kind.type}", json=args, params=query)

    def send_random_request(self) -> None:
        """View, cancel, retry or delete a random task."""
        [verb] = self._random.choices(list(REQUEST_WEIGHTS), list(REQUEST_WEIGHTS.values()))
        id = self._log.random_id(self._random)
        if id is not None:
            method, path = {
                "view": ("GET", f"/task/{id}/view"),
                "delete": ("DELETE", f"/task/{id}"),
            }.get(verb, ("POST", f"/task/{id}/{verb}"))
            self._request(verb, id, method, path)

    def _request(self, verb: str, id: int | None, method: str, path: str, **more: Any) -> None:
        sent = time.time()
        try:
            answer = self._http.request(method, path, **more)
        except httpx.TransportError:
            self._log.add(id, Request(verb, sent, time.time(), None))
            return
        task = answer.json() if answer.status_code in (200, 201) else {}
        request = Request(verb, sent, time.time(), answer.status_code, task.get("status"))
        self._log.add(task.get("id", id), request)


class Load:
    """Several clients at once, during the block. `submissions_paused` is for its user to set."""

    def __init__(self, address: str, seed: int, log: RequestLog) -> None:
        self._stopped, self.submissions_paused = Event(), Event()
        clients = [Client(address, seed * CLIENTS + number, log) for number in range(CLIENTS)]
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
