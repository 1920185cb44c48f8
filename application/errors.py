"""Errors of the application. The docstring of an error is its message; its attributes are the data of the message."""

from collections.abc import Mapping, Sequence, Set
from enum import StrEnum

from domain.ids import BatchId, TaskId
from domain.status import Status
from domain.task import Task

MAX_NAME_CHARACTERS, MAX_NAMES_LISTED = 100, 50
"""Limits of a message: the characters of a name in it, and the number of names."""


class ApplicationError(Exception):
    """The request cannot be carried out."""

    def __str__(self) -> str:
        return (self.__doc__ or "").format(**vars(self))


class UnknownTask(ApplicationError):
    """task id {task} is not registered"""

    def __init__(self, task: object) -> None:
        super().__init__()
        self.task = task


class UnknownApiKey(ApplicationError):
    """API key {key} does not exist"""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


class Unauthenticated(ApplicationError):
    """{why}"""

    def __init__(self, why: str) -> None:
        super().__init__()
        self.why = why


class Forbidden(ApplicationError):
    """the API key {why}"""

    def __init__(self, why: str) -> None:
        super().__init__()
        self.why = why


class TooManyRequests(ApplicationError):
    """the API key allows no more requests for now: try again in {seconds} s"""

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.seconds = seconds


class TooManyWaiting(ApplicationError):
    """the API key allows {limit} tasks to wait at a time, and so many do: try again when some have run"""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit


class InvalidApiKey(ApplicationError):
    """the API key cannot be created"""

    def __init__(self, errors: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self.errors = errors
        """The mistakes: sentences by the path of the member, such as `$.scopes`."""


class NoResult(ApplicationError):
    """task {task} {why}"""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.task = task.id
        self.error = task.error if task.status is Status.FAILED else None
        """Why the task failed; None if it was cancelled."""
        self.why = f"failed with {self.error.type}: {self.error.message}" if self.error else "was cancelled"


class TooManyTasks(ApplicationError):
    """more than {limit} tasks that have not finished match: narrow the filter"""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit


class UnreadableTask(ApplicationError):
    """task {task} cannot be read by this version of the service: {why}"""

    def __init__(self, task: int, why: str) -> None:
        super().__init__()
        self.task, self.why = task, why


class UnknownType(ApplicationError):
    """type {type} is not published; the known types are {known}"""

    def __init__(self, type: str, known: Sequence[str]) -> None:
        super().__init__()
        self.type = _shortened(type)
        self.known = _listed(known)


class TypeInUse(ApplicationError):
    """type {type} cannot be forgotten: {why}"""

    def __init__(self, type: str, why: str) -> None:
        super().__init__()
        self.type, self.why = type, why


class UnknownHandler(ApplicationError):
    """no live handler is {handler}; those that live are {known}"""

    def __init__(self, handler: str, known: Sequence[str]) -> None:
        super().__init__()
        self.handler = _shortened(handler)
        self.known = _listed(known) or "none"


class UnknownParents(ApplicationError):
    """a task cannot wait for tasks that are not registered"""

    def __init__(self, parents: Set[TaskId]) -> None:
        super().__init__()
        self.parents = parents
        """The ids that no task has."""


class TypeClosed(ApplicationError):
    """type {type} accepts no tasks for now"""

    def __init__(self, type: str) -> None:
        super().__init__()
        self.type = type


class InvalidLimits(ApplicationError):
    """the limits cannot be set"""

    def __init__(self, errors: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self.errors = errors
        """The mistakes: sentences by the path of the limit, such as `$.at_once`."""


class InvalidArguments(ApplicationError):
    """the arguments do not match the schema of type {type}"""

    def __init__(self, type: str, errors: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self.type, self.errors = type, errors


class InvalidReferences(ApplicationError):
    """the arguments cannot refer to results like that"""

    def __init__(self, errors: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self.errors = errors
        """The mistakes: sentences by the path in the arguments."""


class CallbacksDisabled(ApplicationError):
    """callbacks are disabled: there is no secret to sign them with"""


class KeyTaken(ApplicationError):
    """the idempotency key belongs to a task with another type or other arguments"""

    def __init__(self, tasks: Mapping[int, TaskId]) -> None:
        super().__init__()
        self.tasks = tasks
        """Owner of the key of each refused request, by the index of the request."""


class BatchKeyTaken(ApplicationError):
    """the idempotency key belongs to another batch of tasks"""

    def __init__(self, task: TaskId) -> None:
        super().__init__()
        self.task = task
        """A task of that batch."""


class KeyTakenByBatch(ApplicationError):
    """the idempotency key belongs to batch {batch}, whose request was another one"""

    def __init__(self, batch: BatchId) -> None:
        super().__init__()
        self.batch = batch


class UnknownBatch(ApplicationError):
    """batch id {batch} is not registered"""

    def __init__(self, batch: object) -> None:
        super().__init__()
        self.batch = batch


class BatchClosed(ApplicationError):
    """batch {batch} is closed: no tasks can be added to it"""

    def __init__(self, batch: BatchId) -> None:
        super().__init__()
        self.batch = batch


class InvalidBatch(ApplicationError):
    """the batch cannot be created"""

    def __init__(self, errors: Mapping[str, Sequence[str | CallbacksDisabled]]) -> None:
        super().__init__()
        self.errors = errors
        """The mistakes: sentences by the path of the place, such as `$.name`."""


class InvalidItems(ApplicationError):
    """{number} of the tasks cannot be submitted, so no task was created"""

    def __init__(self, errors: Mapping[str, Sequence[str | CallbacksDisabled]], number: int) -> None:
        super().__init__()
        self.errors, self.number = errors, number

    def under(self, path: str) -> "InvalidItems":
        """The same of items that are below this path."""
        return InvalidItems({f"{path}{each[1:]}": sentences for each, sentences in self.errors.items()}, self.number)


class InvalidSchedule(ApplicationError):
    """every={every} with timezone={timezone} is not a schedule: {why}"""

    def __init__(self, every: str, timezone: str, why: str) -> None:
        super().__init__()
        self.every, self.timezone, self.why = repr(every), repr(timezone), why


class InvalidPeriod(ApplicationError):
    """{parameter} must be {expected}"""

    def __init__(self, parameter: str, expected: str) -> None:
        super().__init__()
        self.parameter, self.expected = parameter, expected


class StatementRefused(ApplicationError):
    """the database refuses the statement itself, whatever the row"""


class TriggerFailed(ApplicationError):
    """a trigger of the database fails: try again later"""


class OutcomeRefused(ApplicationError):
    """{why}"""

    def __init__(self, why: str) -> None:
        super().__init__()
        self.why = why


class Outage(StrEnum):
    """Why the storage is unavailable, as far as it is known."""

    UNKNOWN = "unknown"
    UNREACHABLE = "unreachable"
    STARTING = "starting"
    READ_ONLY = "read_only"
    FULL = "full"
    NO_CONNECTIONS = "no_connections"


class StorageUnavailable(ApplicationError):
    """the database is unavailable: try again later"""

    def __init__(self, outage: Outage = Outage.UNKNOWN) -> None:
        super().__init__()
        self.outage = outage


class StorageUnusable(ApplicationError):
    """{problem}: {cure}"""

    def __init__(self, problem: str, cure: str) -> None:
        super().__init__()
        self.problem, self.cure = problem, cure


class OutdatedTables(ApplicationError):
    """the tables of the database are older than this version of the service: migrate them first"""


class StorageConflict(StorageUnavailable):
    """another transaction changed the same rows at the same time: try again"""


def _shortened(name: str) -> str:
    return name if len(name) <= MAX_NAME_CHARACTERS else f"{name[:MAX_NAME_CHARACTERS]}…"


def _listed(names: Sequence[str]) -> str:
    more = [f"and {len(names) - MAX_NAMES_LISTED} more"] if len(names) > MAX_NAMES_LISTED else []
    return ", ".join([*names[:MAX_NAMES_LISTED], *more])


def driver_message(error: BaseException) -> str:
    """The first line of the driver's message behind an error."""
    cause = error.__cause__
    cause = getattr(cause, "orig", None) or cause or error
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0]
