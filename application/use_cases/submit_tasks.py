"""Submit many tasks: all of them, or none."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from application.conflict_retry import retry_on_conflict
from application.errors import InvalidArguments, InvalidItems, KeyTaken, UnknownType
from application.ports.unit_of_work import Begin
from application.ports.wake_up import Notifier, Topic
from application.submissions import SubmissionBuilder, TaskRequest, add_or_find
from domain.errors import InvalidOption
from domain.ids import TaskId
from domain.submission import Submission

Errors = Mapping[str, Sequence[str]]

MAX_ITEMS_NAMED = 10
"""So many wrong places are named of one item."""


@dataclass(frozen=True, slots=True)
class UnreadableItem:
    """An item that is no request: sentences by the path of the place in it, `$.priority`."""

    errors: Errors


class SubmitTasks:
    """InvalidItems where any cannot be carried out, with each of them by its index; nothing is stored then."""

    def __init__(self, begin: Begin, submission_builder: SubmissionBuilder, notifier: Notifier) -> None:
        self._begin = begin
        self._submission_builder = submission_builder
        self._notifier = notifier

    def __call__(self, requests: Iterable[TaskRequest | UnreadableItem]) -> Sequence[TaskId]:
        """The ids in the order of the requests. Each is asked for when the one before has been looked at."""
        now = self._submission_builder.now()
        looked_at = [self._submission(request, now) for request in requests]
        submissions = [each for each in looked_at if isinstance(each, Submission)]
        if len(submissions) < len(looked_at):
            raise _invalid({nth: each for nth, each in enumerate(looked_at) if isinstance(each, UnreadableItem)})
        ids = self._stored(submissions)
        self._notifier.notify(Topic.WAITING)
        return ids

    def _submission(self, request: TaskRequest | UnreadableItem, now: datetime) -> Submission | UnreadableItem:
        if isinstance(request, UnreadableItem):
            return request
        try:
            return self._submission_builder.submission(request, now)
        except UnknownType as error:
            return UnreadableItem({"$.type": [f"{error.type} is not published"]})
        except InvalidArguments as error:
            return UnreadableItem({f"$.args{path[1:]}": sentences for path, sentences in error.errors.items()})
        except InvalidOption as error:
            return UnreadableItem({f"$.{error.option}": [f"it must be {error.expected}"]})

    @retry_on_conflict
    def _stored(self, submissions: Sequence[Submission]) -> Sequence[TaskId]:
        with self._begin() as work:
            try:
                taken = add_or_find(work, submissions)
            except KeyTaken as error:
                raise _invalid(
                    {nth: UnreadableItem({"$.idempotency_key": [f"{error}: {id}"]}) for nth, id in error.tasks.items()}
                ) from None
            work.commit()
        return [each.id for each in taken]


def _invalid(items: Mapping[int, UnreadableItem]) -> InvalidItems:
    return InvalidItems(
        {
            f"$.{nth}{path[1:]}": sentences
            for nth, item in items.items()
            for path, sentences in islice(item.errors.items(), MAX_ITEMS_NAMED)
        },
        len(items),
    )
