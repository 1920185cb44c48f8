"""The search for what waits in the end: it finds what nothing holds back, and nothing else."""

from adapters.clocks import ManualClock
from adapters.memory import MemoryWakeUp
from adapters.postgres import Database
from application.ports.batches import NewBatch
from application.use_cases.finish_batches import FinishBatches
from application.use_cases.unblock_tasks import UnblockTasks
from domain.dependencies import Dependencies
from domain.ids import BatchId, TaskId
from tests.chaos.server import STUCK, UNFINISHED_BATCHES
from tests.concurrency import asked
from tests.steps import NOW, add_one, claim_one, fail
from tests.storage import in_postgres


def test_tasks_and_batches_are_stuck_until_they_are_looked_at(database: Database):
    storage = in_postgres(database)
    waits = Dependencies(parents=frozenset({TaskId(1)}))
    add_one(storage, batch=1)
    with storage.begin() as work:
        assert work.batches.add(NewBatch(now=NOW, ttl=600))
        work.commit()
    child, follower = (
        add_one(storage, dependencies=waits),
        add_one(storage, dependencies=Dependencies(parents=frozenset())),
    )
    with storage.begin() as work:
        work.dependencies.add({child.id: waits})
        work.batches.remember(BatchId(1), [], follower.id)
        work.commit()
    assert (asked(database, STUCK), asked(database, UNFINISHED_BATCHES)) == ([], [])
    fail(storage, claim_one(storage))
    assert sorted(asked(database, STUCK)) == [(child.id,), (follower.id,)]
    assert asked(database, UNFINISHED_BATCHES) == [(1,)]
    UnblockTasks(storage.begin, storage.pending, ManualClock(NOW), MemoryWakeUp())()
    FinishBatches(storage.begin, storage.pending, ManualClock(NOW), MemoryWakeUp())([BatchId(1)])
    assert (asked(database, STUCK), asked(database, UNFINISHED_BATCHES)) == ([], [])
