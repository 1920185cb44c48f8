"""The container, which composes the adapters and the application."""

import subprocess
import sys

from entrypoints.container import Container, new_handler_id
from entrypoints.settings import Settings
from tests.conftest import ROOT


def test_no_two_processes_have_the_same_handler_id():
    assert len({new_handler_id() for _ in range(1000)}) == 1000


def test_a_new_container_opens_no_connection():
    container = Container(settings=Settings(database_url="postgresql://nobody@192.0.2.1:1/nothing"))
    assert container.submit_task() is container.submit_task()
    container.database().close()


def test_deliver_is_a_singleton_made_of_the_settings():
    container = Container(settings=Settings(database_url="postgresql://nobody@192.0.2.1:1/nothing"))
    assert container.deliver() is container.deliver()
    container.database().close()


def test_two_containers_share_nothing():
    one, two = (Container(settings=Settings(database_url="postgresql://localhost/x")) for _ in range(2))
    assert one.known_types() is not two.known_types()


def test_a_handler_does_not_import_unused_frameworks():
    """Frameworks for wiring, and packages of children, the API and migrations, would cost memory and start time."""
    code = "import sys, entrypoints.handler.__main__; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    unwanted = {"alembic", "flask", "granian", "httpx", "jsonschema_rs", "pydantic", "werkzeug", "yaml"}
    assert unwanted & set(modules.split()) == set()
