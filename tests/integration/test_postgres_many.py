"""Many at once on a real database: everything happens once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from adapters.postgres import Database
from application.conflict_retry import retry_on_conflict
from domain.ids import TaskId
from domain.settlement import Settlement
from tests.concurrency import asked
from tests.steps import NOW, add, claim, ids, rescue, settle, submission
from tests.storage import Storage

T = TypeVar("T")


def together(background: ThreadPoolExecutor, work: Callable[[int], T], number: int) -> list[T]:
    """Return the answers of `work(n)` for each n, all begun at the same moment."""
    ready = Barrier(number)

    def begun(n: int) -> T:
        ready.wait()
        return work(n)

    return list(background.map(begun, range(number)))


def test_eight_claim_two_thousand_tasks_and_each_task_is_claimed_once(storage: Storage, background: ThreadPoolExecutor):
    add(storage, *(submission("ab"[n % 2], priority=n % 3) for n in range(2000)))

    def drain(n: int) -> list[int]:
        mine: list[int] = []
        while taken := ids(claim(storage, 7 + 5 * n, wanted={"a": 50, "b": 50}, handler=f"handler-{n}")):
            mine += taken
        return mine

    claimed = [id for mine in together(background, drain, 8) for id in mine]
    left = ids(claim(storage, 2000, wanted={"a": 2000, "b": 2000}))
    assert sorted(claimed + left) == list(range(1, 2001))


def test_sixteen_add_at_once_and_every_task_is_there_under_an_id_of_its_own(
    storage: Storage, background: ThreadPoolExecutor
):
    def submit(n: int) -> list[tuple[int, str]]:
        batches = (add(storage, *(submission(args=f"[{n},{batch},{k}]") for k in range(3))) for batch in range(10))
        return [(task.id, f"[{n},{nth},{k}]") for nth, batch in enumerate(batches) for k, task in enumerate(batch)]

    added = dict(pair for mine in together(background, submit, 16) for pair in mine)
    assert sorted(added) == list(range(1, 481))
    with storage.begin() as work:
        found = {id: work.tasks.get(TaskId(id)) for id in added}
    assert {id: stored.args for id, stored in found.items() if stored} == added


def test_handlers_settle_while_rescuers_take_back_and_of_each_task_one_outcome_is_written(
    storage: Storage, database: Database, background: ThreadPoolExecutor
):
    add(storage, *[submission(max_losses=1000)] * 100)

    def handle(n: int) -> list[int]:
        """Settle the tasks that are claimed under a lapsed lease, and return the ids of those that were not refused."""
        mine: list[int] = []
        for _ in range(40):
            running = [claimed.task for claimed in claim(storage, 3, lease=-1, handler=f"handler-{n}")]
            refused = retry_on_conflict(settle)(storage, *[Settlement.succeeded(task, NOW, str(n)) for task in running])
            mine += [task.id for task in running if task.id not in refused]
        return mine

    def take_back(n: int) -> list[int]:
        for _ in range(60):
            rescue(storage, NOW, 2)
        return []

    written = [id for mine in together(background, lambda n: (take_back if n % 2 else handle)(n), 6) for id in mine]
    done = asked(database, "SELECT id FROM tasks WHERE status = 'done' ORDER BY id")
    assert done
    assert [(id,) for id in sorted(written)] == done
