"""A line to the database with long round trips: rescuers take back what dead handlers held, and nothing else."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from math import inf
from threading import Thread
from time import monotonic, sleep
from urllib.parse import urlsplit

import pytest

from adapters.background import ThreadRunner
from adapters.clocks import SystemClock
from adapters.memory import MemoryWakeUp
from adapters.postgres import Database
from application.ports.queue import ClaimedRecord
from application.supervisor.claimed_tasks import ClaimedTask
from application.supervisor.lane import Lane
from application.supervisor.operations.operation import Context, Identity, Operation
from application.supervisor.operations.renew_leases import RenewLeases
from application.supervisor.operations.rescue_tasks import rescue_lapsed
from application.supervisor.state import SupervisorState
from application.use_cases.rescue import Rescue
from domain.ids import HandlerId
from domain.status import Status
from domain.task_type import DEFAULT
from entrypoints.janitor import chores
from entrypoints.janitor.chore_loops import ChoreLoops
from tests.chaos.proxies import Proxies
from tests.concurrency import until
from tests.steps import add, claim, submission, task
from tests.storage import Storage, in_postgres

LEASE, ROUND_TRIP_SECONDS = 5.0, 0.6
LIVING, DEAD, RESCUER = map(HandlerId, ("living", "dead", "rescuer"))
Far = Callable[[], Storage]


@pytest.fixture
def far(database: Database, postgres_url: str) -> Iterator[Far]:
    """Opens the emptied database over the slow line, as each process does."""
    address = urlsplit(postgres_url)
    proxies = Proxies(address.port or 5432, address.hostname or "127.0.0.1")
    proxy = proxies.new()
    proxy.slow_down(inf, ROUND_TRIP_SECONDS)
    login = address.netloc.rpartition("@")[0]
    opened: list[Database] = []

    def open_storage() -> Storage:
        opened.append(Database(address._replace(netloc=f"{login}@127.0.0.1:{proxy.port}").geturl()))
        return in_postgres(opened[-1])

    yield open_storage
    for each in opened:
        each.close()
    proxies.close()


@contextmanager
def handler(
    storage: Storage, id: HandlerId, operation: Callable[[Context], Operation], *claimed: ClaimedRecord
) -> Iterator[None]:
    """A handler that holds these tasks, of which one operation is carried out."""
    state = SupervisorState(SystemClock())
    state.claimed_tasks.add([ClaimedTask.of(each, monotonic()) for each in claimed])
    state.set_types([DEFAULT])
    state.published = state.types
    context = Context(state, storage.begin, storage.autocommit, Identity(id, LEASE))
    is_open = True

    def run() -> None:
        with closing(ThreadRunner(lambda: None, LEASE)) as runner:
            lane = Lane(state, runner, [operation(context)])
            while is_open:
                lane.receive()
                lane.send()
                sleep(0.01)

    thread = Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        is_open = False
        thread.join()


def rescue(storage: Storage, own: HandlerId | None = None) -> Rescue:
    return Rescue(storage.begin, storage.autocommit, SystemClock(), MemoryWakeUp(), LEASE, own)


@contextmanager
def rescuing_handler(storage: Storage) -> Iterator[None]:
    with handler(storage, RESCUER, lambda context: rescue_lapsed(context, rescue(storage, RESCUER))):
        yield


@contextmanager
def janitor(storage: Storage) -> Iterator[None]:
    loops = ChoreLoops({"rescuing": chores.rescue_lapsed(rescue(storage), LEASE)})
    thread = Thread(target=loops.run)
    thread.start()
    try:
        yield
    finally:
        loops.stop()
        thread.join()


@pytest.mark.parametrize("rescuer", [janitor, rescuing_handler])
def test_a_rescuer_behind_a_slow_line_takes_the_task_of_a_dead_handler_and_none_of_a_living_one(
    database: Database, far: Far, rescuer: Callable[[Storage], AbstractContextManager[None]]
):
    near = in_postgres(database)
    lost, held = add(near, submission(), submission())
    claim(near, 1, handler=DEAD, lease=LEASE)
    with handler(far(), LIVING, RenewLeases, *claim(near, 1, handler=LIVING, lease=LEASE)), rescuer(far()):
        until(lambda: task(near, lost.id).status is Status.WAITING, 8 * LEASE)
        assert task(near, held.id).hold.handler == LIVING
