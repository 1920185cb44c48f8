"""Submit many tasks: all of them, or none."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from application.conflict_retry import retry_on_conflict
from application.errors import CallbacksDisabled, InvalidArguments, InvalidItems, KeyTaken, UnknownType
from application.ports.unit_of_work import Begin
from application.ports.wake_up import Notifier, Topic
from application.submissions import SubmissionBuilder, TaskRequest, add_or_find
from domain.errors import InvalidOption
from domain.ids import TaskId
from domain.submission import Submission

Errors = Mapping[str, Sequence[str | CallbacksDisabled]]
"""The mistakes in an item: sentences by the path of the place, such as `$.priority`."""

MAX_PLACES_NAMED = 10
"""The number of wrong places that are named of one item at most."""


@dataclass(frozen=True, slots=True)
class UnreadableItem:
    """An item that is not a valid request, and its mistakes."""

    errors: Errors


class SubmitTasks:
    """Submits many tasks: all of them, or none.

    Raises InvalidItems: some requests are invalid, each of which is named by its index.
    """

    def __init__(self, begin: Begin, submission_builder: SubmissionBuilder, notifier: Notifier) -> None:
        self._begin = begin
        self._submission_builder = submission_builder
        self._notifier = notifier

    def __call__(self, requests: Iterable[TaskRequest | UnreadableItem]) -> Sequence[TaskId]:
        """The ids in the order of the requests. Each request is read after the one before was checked."""
        now = self._submission_builder.now()
        checked = [self._submission(request, now) for request in requests]
        submissions = [each for each in checked if isinstance(each, Submission)]
        if len(submissions) < len(checked):
            raise _invalid({index: each for index, each in enumerate(checked) if isinstance(each, UnreadableItem)})
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
        except CallbacksDisabled as error:
            return UnreadableItem({"$.callback": [error]})
        except InvalidOption as error:
            return UnreadableItem({f"$.{error.option}": [f"it must be {error.expected}"]})

    @retry_on_conflict
    def _stored(self, submissions: Sequence[Submission]) -> Sequence[TaskId]:
        with self._begin() as work:
            try:
                found = add_or_find(work, submissions)
            except KeyTaken as error:
                raise _invalid(
                    {
                        index: UnreadableItem({"$.idempotency_key": [f"{error}: {id}"]})
                        for index, id in error.tasks.items()
                    }
                ) from None
            work.commit()
        return [each.id for each in found]


def _invalid(items: Mapping[int, UnreadableItem]) -> InvalidItems:
    return InvalidItems(
        {
            f"$.{index}{path[1:]}": sentences
            for index, item in items.items()
            for path, sentences in islice(item.errors.items(), MAX_PLACES_NAMED)
        },
        len(items),
    )
