"""A database that is far away: a handler keeps its leases over a line with a long round trip."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import psycopg2
import pytest

from tests.chaos.proxies import Proxies
from tests.conftest import ROOT
from tests.e2e.service import Service, eventually

FUNCTIONS = str(ROOT / "tests" / "e2e" / "functions.py")
ROUND_TRIP_SECONDS, LEASE_SECONDS = 0.6, 5
TASKS, CHILDREN = 50, 10
ENDED = "SELECT count(*) FILTER (WHERE finished IS NOT NULL), sum(losses), max(attempt) FROM tasks"


@pytest.fixture
def proxies() -> Iterator[list[Proxies]]:
    proxies: list[Proxies] = []
    yield proxies
    for each in proxies:
        each.close()


def test_a_handler_far_from_the_database_loses_no_lease(new_service: Callable[..., Service], proxies: list[Proxies]):
    service = new_service(TASKS=FUNCTIONS, LEASE=str(LEASE_SECONDS), HANDLER_CONCURRENCY=str(CHILDREN))
    url = service.environment["DATABASE_URL"]
    address = urlsplit(url)
    proxies.append(Proxies(address.port or 5432, address.hostname or "127.0.0.1"))
    line = proxies[0].new()
    far = address._replace(netloc=f"{address.netloc.rpartition('@')[0]}@127.0.0.1:{line.port}").geturl()
    for name in ("http", "janitor"):
        service.start(name)
    service.start("handler", DATABASE_URL=far)
    service.await_ready("slow")
    line.slow_down(float("inf"), ROUND_TRIP_SECONDS)
    long = [{"type": "slow", "args": {"seconds": 3 * LEASE_SECONDS}} for _ in range(2)]
    short = [{"type": "slow", "args": {"seconds": 1.5}} for _ in range(TASKS - len(long))]
    assert service.client.post("/tasks", json=long + short).status_code == 201
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:

        def counts() -> tuple[int, int, int]:
            cursor.execute(ENDED)
            [found] = cursor.fetchall()
            connection.rollback()
            return found

        eventually(lambda: counts()[0] == TASKS, within=90)
        assert counts() == (TASKS, 0, 1)
