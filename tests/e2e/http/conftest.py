"""An API over a database of its own: one for each module of tests, and those that a test starts."""

from collections.abc import Callable, Iterator

import pytest

from tests.e2e.http.wire import code_of
from tests.e2e.service import Service, eventually


def started(service: Service) -> Service:
    service.start("http")
    eventually(lambda: code_of(service, "/health/ready") == 200)
    return service


@pytest.fixture(scope="module")
def service(new_migrated_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """An API that is ready."""
    service = Service(new_migrated_database(), tmp_path_factory.mktemp("http"))
    yield started(service)
    service.stop()


@pytest.fixture
def start(new_service: Callable[..., Service]) -> Callable[..., Service]:
    return lambda **variables: started(new_service(**variables))
