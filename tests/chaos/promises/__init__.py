"""The promises of the contract: each is a function named after it, which yields how the history of a task breaks it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from tests.chaos.circumstances import Circumstances
from tests.chaos.history import TaskHistory
from tests.chaos.promises import (
    answers,
    batches,
    callbacks,
    dependencies,
    durability,
    leases,
    limits,
    outcomes,
    starts,
    submissions,
)

Promise = Callable[[TaskHistory, Circumstances], Iterator[str]]

PROMISES: Sequence[Promise] = (
    *durability.PROMISES,
    *starts.PROMISES,
    *outcomes.PROMISES,
    *leases.PROMISES,
    *answers.PROMISES,
    *submissions.PROMISES,
    *callbacks.PROMISES,
    *limits.PROMISES,
    *dependencies.PROMISES,
    *batches.PROMISES,
)
HOLD_FOR_ADMINISTERED = frozenset(
    {
        durability.a_task_that_was_answered_with_201_is_in_the_database,
        durability.no_running_task_is_deleted,
        outcomes.no_task_has_the_outcome_of_another_one,
        answers.every_answer_has_a_status_of_the_contract,
        *submissions.PROMISES,
    }
)
"""The promises that hold for a task whose row an administrator wrote."""
HOLD_FOR_REWOUND = HOLD_FOR_ADMINISTERED | {
    durability.every_task_is_finished_in_the_end,
    durability.every_write_is_recorded,
    starts.attempts_and_losses_stay_within_their_limits,
    starts.no_task_is_claimed_before_its_run_at,
    outcomes.a_task_is_done_at_most_once,
    outcomes.the_claim_rises_by_one_with_each_claim_and_is_never_reset,
}
"""The promises that hold for a task some of whose commits were lost with a primary."""


class Violation(NamedTuple):
    """A broken promise, the task, and a sentence that says how it was broken."""

    promise: str
    task: TaskHistory
    how: str

    def __str__(self) -> str:
        return f"task {self.task.id}: {self.promise.replace('_', ' ')}; but {self.how}"


def violations(tasks: Iterable[TaskHistory], circumstances: Circumstances) -> list[Violation]:
    """Every violation of a promise by the history of one of these tasks."""
    return [
        Violation(promise.__name__, task, how)
        for task in tasks
        for promise in PROMISES
        if _holds_for(promise, task)
        for how in promise(task, circumstances)
    ]


def _holds_for(promise: Promise, task: TaskHistory) -> bool:
    """Whether the promise holds for a task of this history, which may have been interfered with."""
    return (not task.is_administered or promise in HOLD_FOR_ADMINISTERED) and (
        not task.is_rewound or promise in HOLD_FOR_REWOUND
    )
