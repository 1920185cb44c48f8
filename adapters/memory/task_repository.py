"""The task repository in memory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from adapters.memory.state import Row, State
from application.ports.task_repository import ANY_SIZE, MAX_ATTEMPTS_SHOWN, KeyOwner, TaskRecord
from domain.ids import IdempotencyKey, Owner, TaskId
from domain.settlement import Attempt, Outcome
from domain.status import Status
from domain.submission import Submission
from domain.task import Task


class MemoryTaskRepository:
    """Implements application.ports.task_repository.TaskRepository."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, submissions: Sequence[Submission]) -> Sequence[Task | None]:
        return [self._add(submission) for submission in submissions]

    def lock_owner(self, owner: Owner) -> None:
        """One unit of work is there at a time."""

    def waiting_of(self, owner: Owner, limit: int) -> int:
        rows = (row for row in self._state.rows.values() if row.owner == owner)
        return min(limit, sum(row.task.status is Status.WAITING for row in rows))

    def key_owners(self, keys: Collection[IdempotencyKey]) -> Mapping[IdempotencyKey, KeyOwner]:
        return {key: KeyOwner(row.task.id, row.fingerprint) for key, row in self._by_key().items() if key in keys}

    def get(self, id: TaskId, max_bytes: int = ANY_SIZE) -> TaskRecord | None:
        row = self._state.rows.get(id)
        return self._record(row, max_bytes) if row else None

    def attempts(self, id: TaskId) -> Sequence[Attempt]:
        of_it = (key for key in self._state.attempts if key[0] == id)
        return [self._seen(id, self._state.attempts[key]) for key in sorted(of_it)[-MAX_ATTEMPTS_SHOWN:]]

    def lock(self, *ids: TaskId) -> Sequence[Task]:
        return [self._state.rows[id].task for id in sorted({*ids}) if id in self._state.rows]

    def lock_free(self, *ids: TaskId) -> Sequence[Task]:
        return self.lock(*ids)

    def save(self, *tasks: Task) -> None:
        for task in tasks:
            self._state.put_task(task)

    def replace_args(self, args: Mapping[TaskId, str]) -> None:
        for id, text in args.items():
            self._state.put(replace(self._state.rows[id], args=text))

    def remove(self, *ids: TaskId) -> None:
        for id in ids:
            self._state.forget(id)

    def _add(self, submission: Submission) -> Task | None:
        self._state.last_id += 1
        if submission.key in self._by_key():
            return None
        task = submission.registered(TaskId(self._state.last_id))
        self._state.put(
            Row(
                task,
                submission.args,
                key=submission.key,
                fingerprint=submission.fingerprint,
                terms=submission.terms,
                owner=submission.owner,
            )
        )
        return task

    def _by_key(self) -> Mapping[IdempotencyKey, Row]:
        return {row.key: row for row in self._state.rows.values() if row.key is not None}

    def _seen(self, id: TaskId, attempt: Attempt) -> Attempt:
        task = self._state.rows[id].task
        if attempt.outcome is not Outcome.RUNNING:
            return attempt
        if task.claims != attempt.claim or task.status is Status.WAITING:
            return replace(attempt, outcome=Outcome.LOST)
        return replace(attempt, outcome=Outcome(task.status), ended=task.finished or attempt.ended)

    def _record(self, row: Row, max_bytes: int) -> TaskRecord:
        delivery = self._state.deliveries.get(row.task.id)
        is_summary = len(row.args.encode()) + len((row.result or "").encode()) > max_bytes
        args, result = ("{}", None) if is_summary else (row.args, row.result)
        known = self._state.dependencies.get(row.task.id)
        parents = tuple(sorted(known.parents)) if known else ()
        return TaskRecord(row.task, args, result, row.version, delivery, is_summary, row.printed, row.key, parents)
