"""Unblock the dependents of tasks that have ended here."""

from math import inf

from application.ports.background import BackgroundRunner
from application.ports.wake_up import Topic
from application.supervisor.operations.operation import Context
from application.use_cases.unblock_tasks import Unblocked, UnblockTasks


class Unblock:
    """Due once the settlement of a task with dependents is written. A janitor does what this one misses."""

    def __init__(self, context: Context, unblock: UnblockTasks) -> None:
        self._state = context.state
        self._unblock = unblock

    def due_in(self) -> float:
        return 0 if self._state.parents_ended else inf

    def send(self, runner: BackgroundRunner) -> None:
        self._state.parents_ended = False
        runner.submit(self._unblock.batch, self._on_answer)

    def _on_answer(self, unblocked: Unblocked) -> None:
        state = self._state
        state.parents_ended = state.parents_ended or unblocked.has_more
        ended = (task for task in unblocked.tasks if task.status.is_final)
        state.ended_batches.update(task.batch for task in ended if task.batch is not None)
        if due := [task for task in unblocked.tasks if task.is_due(state.now)]:
            state.step_back(due)
            # Others are notified by way of the storage, which takes longer.
            state.notify(Topic.WAITING)
