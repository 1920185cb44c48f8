"""The size of the first page: what a browser fetches before it shows everything, compressed as it is sent."""

import re
from datetime import UTC, datetime

import pytest

from tests.unit.http_service import Service
from tests.unit.pages_service import add, claim, publish, ran, renew_janitor, service_with_events

MAX_BYTES, MAX_SCRIPT_BYTES = 60_000, 45_000
MAX_REQUESTS = 8
PATHS = ["/", "/?period=day", "/dashboard/types", "/dashboard/type/type-1", "/dashboard/handlers"]


@pytest.fixture
def service() -> Service:
    """A busy service: twelve types that ran, failed and wait, and three handlers."""
    service = service_with_events(datetime(2026, 3, 4, 12, 0, 30, tzinfo=UTC))
    renew_janitor(service)
    types = [f"type-{number}" for number in range(12)]
    for number in range(3):
        publish(service, f"a-machine-{number}-4711-1f0c39a2", *types, concurrency=8)
    for minute in range(20):
        for nth, type in enumerate(types):
            ran(service, type, took=1 + 0.37 * nth * minute, fails=nth * minute % 5 == 1)
        service.clock.move(180)
    renew_janitor(service)
    for type in types:
        add(service, type, number=2)
        claim(service, "a-machine-1-4711-1f0c39a2", type)
    return service


def fetched(service: Service, path: str) -> dict[str, int]:
    """The number of bytes of a page and of each of its assets, by path, as a browser fetches them."""

    def size(path: str) -> tuple[int, str]:
        answer = service.client.get(path, headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200
        assert answer.headers["Content-Encoding"] == "gzip"
        return len(answer.data), service.client.get(path).text

    bytes, html = size(path)
    assets = re.findall(r'<(?:script|img|iframe)[^>]* src="([^"]+)"|<link[^>]* href="([^"]+)"', html)
    return {path: bytes} | {asset: size(asset)[0] for asset in map("".join, assets)}


@pytest.mark.parametrize("path", PATHS)
def test_a_first_page_is_small(service: Service, path: str):
    sizes = fetched(service, path)
    assert len(sizes) >= 4
    assert len(sizes) <= MAX_REQUESTS
    assert sum(sizes.values()) <= MAX_BYTES, sizes


@pytest.mark.parametrize("path", PATHS)
def test_the_scripts_of_a_page_are_small(service: Service, path: str):
    scripts = {name: bytes for name, bytes in fetched(service, path).items() if ".js?" in name}
    assert scripts
    assert sum(scripts.values()) <= MAX_SCRIPT_BYTES, scripts
