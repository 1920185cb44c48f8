"""The metrics of real processes: the workers of an API together, a handler, a janitor, and an API on a hanging line."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from threading import Thread
from urllib.parse import urlsplit

import httpx
import pytest

from tests.chaos.proxies import Proxies, Proxy
from tests.e2e.service import Service, eventually
from tests.ports import free_port
from tests.promql import Vector, scrape

REQUESTS = 30


@pytest.fixture
def proxies(postgres_url: str) -> Iterator[Proxies]:
    target = urlsplit(postgres_url)
    assert target.hostname
    with closing(Proxies(target.port or 5432, target.hostname)) as found:
        yield found


def through(proxy: Proxy, url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{proxy.port}").geturl()


def samples(url: str) -> Vector:
    return scrape(0, httpx.get(f"{url}/metrics", timeout=30).text).samples


def of(found: Vector, name: str, **labels: str) -> float:
    return found[frozenset({"__name__": f"flask_tasks_{name}", **labels}.items())]


def test_every_process_exports_what_it_knows(new_service: Callable[..., Service]):
    service = new_service(HTTP_WORKERS="2")
    ports = {name: free_port() for name in ("handler", "janitor")}
    service.start("http")
    for name, port in ports.items():
        service.start(name, METRICS_PORT=str(port))
    service.await_ready("add")
    addresses = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    for name in ports:
        eventually(partial(is_ready, addresses[name]))
    assert service.run("add", {"a": 1, "b": 2})["status"] == "done"
    address = str(service.client.base_url)
    # Each connection may be another worker's.
    for _ in range(REQUESTS):
        httpx.get(f"{address}/ping").raise_for_status()
    api = eventually(lambda: found if of(found := samples(address), "janitors", status="live") else None)
    assert of(api, "http_requests_total", route="/ping", code="200") == REQUESTS
    assert of(api, "starts_total", type="add") == of(api, "outcomes_total", type="add", outcome="done") == 1
    assert of(api, "handlers", status="live") == 1
    handler, janitor = (samples(addresses[name]) for name in ports)
    for found in (api, handler, janitor):
        assert of(found, "database_up") == 1
        assert abs(of(found, "clock_offset_seconds")) < 1
    assert of(handler, "settle_lag_seconds_count") == 1
    assert of(janitor, "callbacks_total", outcome="given_up") == 0


def is_ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health/ready").status_code == 200
    except httpx.TransportError:
        return False


def test_a_scrape_is_answered_while_the_line_to_the_database_hangs(
    new_service: Callable[..., Service], proxies: Proxies
):
    service = new_service(HTTP_THREADS="1")
    proxy = proxies.new()
    service.start("http", DATABASE_URL=through(proxy, service.environment["DATABASE_URL"]))
    eventually(lambda: service.status("/health/ready") == 200)
    proxy.block()
    hanging = Thread(target=service.status, args=("/tasks",))
    hanging.start()
    began = time.monotonic()
    found = samples(str(service.client.base_url))
    # A request that hangs is given up after 15 seconds.
    assert time.monotonic() - began < 10
    assert hanging.is_alive()
    assert of(found, "database_up") == 0
    assert of(found, "http_requests_total", route="/health/ready", code="200") >= 1
    proxy.unblock()
    hanging.join()
