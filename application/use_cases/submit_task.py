"""Submit a task: from here on it is in the storage, whatever happens next."""

from collections.abc import Sequence
from dataclasses import dataclass

from application.errors import StorageConflict
from application.intake import Intake, Request, take_in
from application.ports.at_once import AtOnce
from application.ports.tasks import Stored
from application.ports.wake_up import Notifier, Topic
from application.ports.work import Begin
from application.retried import retried
from application.together import Together
from application.view import View, Viewer
from domain.submission import Submission
from domain.task import Task


@dataclass(frozen=True, slots=True)
class Submitted:
    """The task, and whether it is a new one."""

    view: View
    is_new: bool


class SubmitTask:
    """UnknownType, InvalidArguments, InvalidOption, KeyTaken for what cannot be carried out; nothing is stored then."""

    def __init__(self, begin: Begin, storage: AtOnce, intake: Intake, notifier: Notifier, viewer: Viewer) -> None:
        self._begin = begin
        self._storage = storage
        self._intake = intake
        self._notifier = notifier
        self._viewer = viewer
        self._added = Together(self._all_added)

    def __call__(self, request: Request) -> Submitted:
        """The task, waiting; or as it stands, where the same was submitted before."""
        submission = self._intake.submission(request, self._intake.now())
        # Who has a key may have to wait for somebody else who has it too: no others wait with it.
        submitted = self._new(submission) if submission.key is None else self._of_its_key(submission)
        if submitted.is_new:
            self._notifier.notify(Topic.WAITING)
        return submitted

    def _new(self, submission: Submission) -> Submitted:
        stored = Stored(self._added(submission), submission.args)
        return Submitted(self._viewer(stored), is_new=True)

    @retried
    def _all_added(self, submissions: Sequence[Submission]) -> Sequence[Task]:
        return self._storage.add(submissions)

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
