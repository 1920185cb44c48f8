"""Tasks that wait for others, under a supervisor: it unblocks what its own tasks have let run."""

from collections.abc import Iterator, Sequence

import pytest

from application.submissions import TaskRequest
from domain.dependencies import IfFailed
from domain.ids import TaskId, TypeName
from domain.status import Status
from tests.unit.supervised.test_supervisor import PATIENCE, Rig, eventually


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    rig.thread.start()
    eventually(rig.handlers)
    yield rig
    rig.supervisor.stop()
    rig.supervisor.stop()
    rig.thread.join(PATIENCE)
    rig.close()


def submit(rig: Rig, type: str, after: Sequence[int] = (), if_failed: IfFailed | None = None) -> int:
    parents = [TaskId(id) for id in after]
    request = TaskRequest(type=TypeName(type), args={}, after=parents, if_failed=if_failed)
    return rig.api.submit_task()(request).view.task.id


def test_a_chain_runs_to_its_end_without_a_janitor(rig: Rig):
    last = submit(rig, "quick")
    for _ in range(20):
        last = submit(rig, "quick", [last])
    rig.await_status(last, Status.DONE)


def test_what_waits_for_a_task_that_fails_fails_without_a_janitor(rig: Rig):
    first = submit(rig, "broken")
    second, third = submit(rig, "quick", [first]), submit(rig, "quick", [first], IfFailed.RUN)
    rig.await_status(second, Status.FAILED)
    rig.await_status(third, Status.DONE)
