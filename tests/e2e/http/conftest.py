"""An API over a database of its own, started by the test."""

from collections.abc import Callable

import pytest

from tests.e2e.http.wire import code_of
from tests.e2e.service import Service, eventually


@pytest.fixture
def start(new_service: Callable[..., Service]) -> Callable[..., Service]:
    def start(**variables: str) -> Service:
        service = new_service(**variables)
        service.start("http")
        eventually(lambda: code_of(service, "/health/ready") == 200)
        return service

    return start
