"""One service with awkward functions, and the document from which the clients are made."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.examples import blocks
from tests.e2e.service import Service

FOLDER = Path(__file__).parent


def example(language: str, service: Service) -> str:
    """The program in a language on the page of the docs, with the address of the service in it."""
    (program,) = blocks("docs/generated-clients.md", language)
    return program.replace("http://localhost:5000", str(service.client.base_url))


@pytest.fixture(scope="package")
def service(new_migrated_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """API and handler over the functions of functions.py and those that ship."""
    tasks = f"tasks/tasks.py,{FOLDER / 'functions.py'}"
    service = Service(new_migrated_database(), tmp_path_factory.mktemp("service"), TASKS=tasks)
    try:
        for name in ("http", "handler"):
            service.start(name)
        service.await_ready("default", "add", "measure")
        yield service
    finally:
        service.stop()


@pytest.fixture(scope="package")
def document(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The OpenAPI document of the service, in a folder of its own."""
    file = tmp_path_factory.mktemp("generated") / "openapi.json"
    file.write_text(service.client.get("/openapi.json").text)
    return file
