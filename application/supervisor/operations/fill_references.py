"""Fill in the results to which the arguments of claimed tasks refer."""

from functools import partial
from math import inf

from application.ports.background import BackgroundRunner
from application.ports.executor import Executor
from application.supervisor.argument_filler import ArgumentFiller, Filled
from application.supervisor.executor_events import RETRY_POLICY
from application.supervisor.operations.operation import Context
from domain.settlement import Settlement


class FillReferences:
    """Due while a task is unfilled, unless as many filled ones as there are slots wait already: they may be large.

    Tasks without references start meanwhile. A task whose results are missing fails. While the database is away, the
    tasks stay with this handler.
    """

    def __init__(self, context: Context, executor: Executor, fill: ArgumentFiller) -> None:
        self._state = context.state
        self._executor = executor
        self._fill = fill

    def due_in(self) -> float:
        tasks = self._state.claimed_tasks
        # Asked only while no call is under way: the one for tasks that are being filled has had no answer.
        is_due = tasks.filling or (tasks.unfilled and tasks.filled() < self._executor.concurrency)
        return 0 if is_due else inf

    def send(self, runner: BackgroundRunner) -> None:
        batch = self._state.claimed_tasks.begin_filling()
        runner.submit(lambda: self._fill(batch), self._on_answer)

    def _on_answer(self, filled: Filled) -> None:
        tasks, now = self._state.claimed_tasks, self._state.clock.monotonic()
        for claimed in tasks.end_filling(filled.args, filled.failures.keys(), now):
            failure = filled.failures[claimed.hold]
            self._state.settle(
                claimed,
                partial(Settlement.failed, failure=failure, policy=RETRY_POLICY, jitter=0),
            )
