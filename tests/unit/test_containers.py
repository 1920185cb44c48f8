"""The composition."""

import subprocess
import sys

from dependency_injector.providers import Singleton

from entrypoints.containers.admin import AdminContainer
from entrypoints.containers.api import ApiContainer
from entrypoints.containers.handler import HandlerContainer, new_handler_id
from entrypoints.containers.janitor import JanitorContainer
from entrypoints.containers.memory_storage import MemoryStorage
from entrypoints.containers.postgres_storage import PostgresStorage
from entrypoints.containers.resource import resource
from entrypoints.settings import Settings
from tests.conftest import ROOT

UNREACHABLE = Settings(database_url="postgresql://nobody@192.0.2.1:1/nothing")
PROCESSES = {AdminContainer: {}, ApiContainer: {}, HandlerContainer: {"on_published": list}, JanitorContainer: {}}


def test_handler_ids_differ_between_processes():
    assert len({new_handler_id() for _ in range(1000)}) == 1000


def test_every_provider_of_a_process_can_be_made_over_both_storages_without_a_connection():
    for storage in (PostgresStorage(settings=UNREACHABLE), MemoryStorage()):
        for container, more in PROCESSES.items():
            made = container(settings=UNREACHABLE, storage=storage, **more)
            for name, provider in made.providers.items():
                if isinstance(provider, Singleton):
                    assert provider() is getattr(made, name)()
            made.shutdown_resources()


def test_both_storages_offer_the_same_names_to_processes():
    own = {"settings", "database", "migrate", "wake_up"}
    assert {*PostgresStorage.providers} - own == {*MemoryStorage.providers} - own


def test_two_containers_share_nothing():
    one, two = (ApiContainer(settings=UNREACHABLE, storage=PostgresStorage(settings=UNREACHABLE)) for _ in range(2))
    assert one.known_types() is not two.known_types()
    assert one.storage.database() is not two.storage.database()


def test_one_call_closes_the_resources_of_a_process_and_its_storage():
    class Opened:
        def __init__(self, *_: object) -> None:
            self.is_closed = False

        def close(self) -> None:
            self.is_closed = True

    clock, listener = resource(Opened), resource(Opened)
    container = ApiContainer(settings=Settings(), storage=MemoryStorage(clock=clock, listener=listener))
    container.change_feed.override(resource(Opened, container.storage.clock))
    opened = container.change_feed(), container.storage.clock()
    container.shutdown_resources()
    assert all(each.is_closed for each in opened)
    assert not listener.initialized


def test_a_handler_imports_nothing_that_it_has_no_use_for():
    """Frameworks to be wired, and modules of children, the API or migrations would cost memory and time."""
    look = "import sys, entrypoints.handler.handler; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", look], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    unwanted = {"alembic", "flask", "granian", "httpx", "jsonschema_rs", "pydantic", "werkzeug", "yaml", "zstandard"}
    assert unwanted & set(said.split()) == set()
