"""Submit a task: it is stored when the call has returned."""

from contextlib import suppress
from dataclasses import dataclass

from application.coalescing import Coalesced
from application.conflict_retry import retry_on_conflict
from application.errors import InvalidReferences, StorageConflict, StorageUnavailable, UnknownParents
from application.ports.autocommit import AutocommitStore
from application.ports.task_repository import LARGE_BYTES, TaskRecord
from application.ports.unit_of_work import Begin
from application.ports.wake_up import Notifier, Topic
from application.submissions import SubmissionBuilder, TaskRequest, add_or_find, add_parents, unknown_references
from application.use_cases.unblock_tasks import UnblockTasks
from application.view import View, Viewer
from domain.ids import TaskId
from domain.submission import Submission
from domain.task import Task


@dataclass(frozen=True, slots=True)
class Submitted:
    """The view of the task, and whether the task is new."""

    view: View
    is_new: bool


class SubmitTask:
    """Submits one task. Nothing is stored if it raises. Calls of the same moment add their tasks together.

    Raises UnknownType, TypeClosed, InvalidArguments, InvalidOption, CallbacksDisabled: as SubmissionBuilder.submission.
    Raises UnknownParents, InvalidReferences: it would wait for tasks that do not exist.
    Raises KeyTaken: the key has a task of another type or with other arguments.
    Raises TooManyWaiting: as many tasks of the sender wait as may.
    """

    def __init__(
        self,
        begin: Begin,
        storage: AutocommitStore,
        submission_builder: SubmissionBuilder,
        notifier: Notifier,
        viewer: Viewer,
        unblock: UnblockTasks,
    ) -> None:
        self._begin = begin
        self._storage = storage
        self._submission_builder = submission_builder
        self._notifier = notifier
        self._viewer = viewer
        self._unblock = unblock
        self._add = Coalesced(storage.add)

    def __call__(self, request: TaskRequest, origin: TaskId | None = None) -> Submitted:
        """The new task, or the present one if an earlier request with the same key made it.

        `origin`: the task that the new one runs again, to which it is linked.
        """
        submission = self._submission_builder.submission(request, self._submission_builder.now())
        is_plain = origin is None and submission.dependencies is None and submission.owner is None
        added = self._added(submission) if is_plain else None
        submitted = added or self._added_or_found(submission, origin)
        if submitted.is_new and submission.dependencies:
            return self._decided(submitted)
        if submitted.is_new:
            self._notifier.notify(Topic.WAITING)
        return submitted

    def _decided(self, blocked: Submitted) -> Submitted:
        """The task after its parents have decided on it, which may have ended already."""
        self._unblock.all()
        with suppress(StorageUnavailable):
            for record in self._storage.get_many([blocked.view.task.id]).values():
                return Submitted(self._viewer(record), is_new=True)
        return blocked

    @retry_on_conflict
    def _added(self, submission: Submission) -> Submitted | None:
        task = self._add_alone(submission) if len(submission.args) > LARGE_BYTES else self._add(submission)
        return Submitted(self._viewer(TaskRecord(task, submission.args)), is_new=True) if task else None

    def _add_alone(self, large: Submission) -> Task | None:
        """Add a task that takes long on a slow line, beside the others."""
        (task,) = self._storage.add([large])
        return task

    @retry_on_conflict
    def _added_or_found(self, submission: Submission, origin: TaskId | None) -> Submitted:
        with self._begin() as work:
            (found,) = add_or_find(work, [submission])
            if found.new and origin is not None:
                work.reruns.add(found.id, origin)
            try:
                add_parents(work, [found], [submission])
            except UnknownParents as error:
                if places := unknown_references(submission, error.parents):
                    raise InvalidReferences(places) from None
                raise
            stored = TaskRecord(found.new, submission.args) if found.new else work.tasks.get(found.id)
            work.commit()
        if stored is None:
            # The task was deleted in between, so the key is free by now.
            raise StorageConflict
        return Submitted(self._viewer(stored), found.new is not None)
