"""Submit a task: from here on it is in the storage, whatever happens next."""

from dataclasses import dataclass

from application.coalescing import Coalesced
from application.conflict_retry import retry_on_conflict
from application.errors import StorageConflict
from application.ports.autocommit import AutocommitStore
from application.ports.task_repository import TaskRecord
from application.ports.unit_of_work import Begin
from application.ports.wake_up import Notifier, Topic
from application.submissions import SubmissionBuilder, TaskRequest, add_or_find
from application.view import View, Viewer
from domain.submission import Submission


@dataclass(frozen=True, slots=True)
class Submitted:
    """The task, and whether it is a new one."""

    view: View
    is_new: bool


class SubmitTask:
    """UnknownType, InvalidArguments, InvalidOption, KeyTaken for what cannot be carried out; nothing is stored then."""

    def __init__(
        self,
        begin: Begin,
        storage: AutocommitStore,
        submission_builder: SubmissionBuilder,
        notifier: Notifier,
        viewer: Viewer,
    ) -> None:
        self._begin = begin
        self._submission_builder = submission_builder
        self._notifier = notifier
        self._viewer = viewer
        self._added = Coalesced(storage.add)

    def __call__(self, request: TaskRequest) -> Submitted:
        """The task, waiting; or as it stands, where the same was submitted before."""
        submission = self._submission_builder.submission(request, self._submission_builder.now())
        submitted = self._new(submission) or self._of_its_key(submission)
        if submitted.is_new:
            self._notifier.notify(Topic.WAITING)
        return submitted

    @retry_on_conflict
    def _new(self, submission: Submission) -> Submitted | None:
        task = self._added(submission)
        return Submitted(self._viewer(TaskRecord(task, submission.args)), is_new=True) if task else None

    @retry_on_conflict
    def _of_its_key(self, submission: Submission) -> Submitted:
        with self._begin() as work:
            (taken,) = add_or_find(work, [submission])
            stored = TaskRecord(taken.new, submission.args) if taken.new else work.tasks.get(taken.id)
            work.commit()
        if stored is None:
            # It was deleted in between: by now the key is free.
            raise StorageConflict
        return Submitted(self._viewer(stored), taken.new is not None)
