"""The composition."""

from entrypoints.container import Container, new_handler_id
from entrypoints.settings import Settings


def test_no_two_processes_have_the_same_handler_id():
    assert len({new_handler_id() for _ in range(1000)}) == 1000


def test_a_container_opens_nothing_before_it_is_asked():
    container = Container(settings=Settings(database_url="postgresql://nobody@192.0.2.1:1/nothing"))
    assert container.submit_task() is container.submit_task()
    container.database().close()


def test_what_signs_and_calls_addresses_is_made_of_the_settings():
    container = Container(settings=Settings(database_url="postgresql://nobody@192.0.2.1:1/nothing"))
    assert container.deliver() is container.deliver()
    container.database().close()


def test_two_containers_share_nothing():
    one, two = (Container(settings=Settings(database_url="postgresql://localhost/x")) for _ in range(2))
    assert one.known_types() is not two.known_types()
