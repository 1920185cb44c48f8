"""Submit a task: from here on it is in the storage, whatever happens next."""

from dataclasses import dataclass

from application.coalescing import Together
from application.conflict_retry import retried
from application.errors import StorageConflict
from application.ports.autocommit import AtOnce
from application.ports.task_repository import Stored
from application.ports.unit_of_work import Begin
from application.ports.wake_up import Notifier, Topic
from application.submissions import Intake, Request, take_in
from application.view import View, Viewer
from domain.submission import Submission


@dataclass(frozen=True, slots=True)
class Submitted:
    """The task, and whether it is a new one."""

    view: View
    is_new: bool


class SubmitTask:
    """UnknownType, InvalidArguments, InvalidOption, KeyTaken for what cannot be carried out; nothing is stored then."""

    def __init__(self, begin: Begin, storage: AtOnce, intake: Intake, notifier: Notifier, viewer: Viewer) -> None:
        self._begin = begin
        self._intake = intake
        self._notifier = notifier
        self._viewer = viewer
        self._added = Together(storage.add)

    def __call__(self, request: Request) -> Submitted:
        """The task, waiting; or as it stands, where the same was submitted before."""
        submission = self._intake.submission(request, self._intake.now())
        submitted = self._new(submission) or self._of_its_key(submission)
        if submitted.is_new:
            self._notifier.notify(Topic.WAITING)
        return submitted

    @retried
    def _new(self, submission: Submission) -> Submitted | None:
        task = self._added(submission)
        return Submitted(self._viewer(Stored(task, submission.args)), is_new=True) if task else None

    @retried
    def _of_its_key(self, submission: Submission) -> Submitted:
        with self._begin() as work:
            (taken,) = take_in(work, [submission])
            stored = Stored(taken.new, submission.args) if taken.new else work.tasks.get(taken.id)
            work.commit()
        if stored is None:
            # It was deleted in between: by now the key is free.
            raise StorageConflict
        return Submitted(self._viewer(stored), taken.new is not None)
