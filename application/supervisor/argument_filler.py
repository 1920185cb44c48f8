"""Fills results into arguments that refer to them."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from application.errors import StatementRefused, StorageUnavailable
from application.json.limits import MAX_DEPTH, is_too_deep
from application.json.placeholders import cut, filled, parents_in_text, placeholders_in_text
from application.log_lines import keys, keys_of_hold
from application.ports.autocommit import AutocommitStore, StoredResult
from application.supervisor.claimed_tasks import ClaimedTask
from application.supervisor.result_cache import ResultCache
from domain.failure import MISSING_RESULT, TOO_LARGE, Failure
from domain.ids import Hold, TaskId
from domain.status import Status

MAX_READ_BYTES = 16 * 1024 * 1024
"""Bytes of the results that one statement reads, unless the first alone has more."""
MAX_FILLED_BYTES = 16 * 1024 * 1024
"""Bytes of the filled arguments of one task, as a result may have, and about as many of all tasks that are filled
together: the others are filled when these have started."""
WHY_MISSING = {
    Status.FAILED: "has failed",
    Status.CANCELLED: "was cancelled",
    Status.WAITING: "has not run yet",
    Status.RUNNING: "has not finished",
}
UNFILLABLE = Failure(
    MISSING_RESULT, "its arguments cannot be filled: they are not as they were stored", retriable=False
)
NO_PLACE, DELETED = "has a result without such a place", "was deleted or has expired"

log = logging.getLogger(__name__)


class _Unfilled(Exception):
    """Arguments cannot be filled, for good."""

    def __init__(self, failure: Failure) -> None:
        super().__init__()
        self.failure = failure


@dataclass(slots=True)
class Filled:
    """Arguments by the holds of their tasks, and the failures of those that can never be filled.

    Tasks that are in neither are to be filled later.
    """

    args: dict[Hold, str] = field(default_factory=dict)
    failures: dict[Hold, Failure] = field(default_factory=dict)


class ArgumentFiller:
    """Fills arguments, with one statement for all tasks of a call where the results have MAX_READ_BYTES together."""

    def __init__(self, storage: AutocommitStore, cache: ResultCache | None = None) -> None:
        self._storage = storage
        self._cache = cache or ResultCache()

    def __call__(self, tasks: Sequence[ClaimedTask]) -> Filled:
        """Fill the arguments of these tasks, or of the first of them.

        Raises StorageUnavailable, StatementRefused: the results cannot be read now.
        """
        results = _Results(self._storage, self._cache, _paths(tasks))
        answer, total = Filled(), 0
        for each in tasks:
            try:
                answer.args[each.hold] = args = self._filled(each.args, results)
            except _Unfilled as error:
                answer.failures[each.hold] = error.failure
            except (StorageUnavailable, StatementRefused):
                raise
            except Exception:
                # No request stores such arguments. Other tasks must not wait for them.
                extra = keys_of_hold(each.hold)
                log.exception("the arguments of task %d cannot be filled", each.hold.task, extra=extra)
                answer.failures[each.hold] = UNFILLABLE
            else:
                total += len(args)
            if total >= MAX_FILLED_BYTES:
                break
        return answer

    def _filled(self, args: str, results: "_Results") -> str:
        """Raises _Unfilled: a result is missing, or the arguments become too large or too deep."""
        nth = size = 0

        def part(parent: TaskId, path: str) -> str:
            nonlocal nth, size
            text, why = results.part(parent, path)
            if text is None:
                raise _Unfilled(_missing(args, nth, parent, path, why))
            nth, size = nth + 1, size + len(text.encode())
            _check_size(size)
            return text

        text = filled(args, part)
        _check_size(len(text.encode()))
        if is_too_deep(text):
            raise _Unfilled(_too_large(f"arrays and objects that are nested more than {MAX_DEPTH} deep"))
        return text


@dataclass(slots=True)
class _Results:
    """The results that tasks of one call need: by id, in the order in which they are needed, the paths in each."""

    storage: AutocommitStore
    cache: ResultCache
    paths: Mapping[TaskId, Sequence[str]]
    states: dict[TaskId, StoredResult] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._read([*self.paths])

    def part(self, parent: TaskId, path: str) -> tuple[str | None, str]:
        """The text at this path of the result of a task, or None and the reason why there is none."""
        state = self.states.get(parent)
        if state and state.finished and state.status is Status.DONE:
            if found := self.cache.get(parent, path, state.finished):
                return found[0], NO_PLACE
            # It was left out, or its place in the cache was needed for others.
            order = [*self.paths]
            state = self._read(order[order.index(parent) :]).get(parent)
            if state and state.text is not None:
                return _cut(state.text, path, parent), NO_PLACE
        return None, WHY_MISSING.get(state.status, DELETED) if state else DELETED

    def _read(self, ids: Sequence[TaskId]) -> Mapping[TaskId, StoredResult]:
        """Read the results that the cache lacks, or the first of them, and the states of all."""
        known = {id: self.cache.end_of(id, self.paths[id]) for id in ids}
        read = self.storage.results(known, MAX_READ_BYTES)
        for id in ids:
            self.states.pop(id, None)
        # The first ones last: they are needed first, and the cache drops those that were put first.
        for id, state in reversed([*read.items()]):
            self.states[id] = state._replace(text=None)
            if state.text is not None and state.finished is not None:
                self._keep(id, state.finished, state.text)
        return read

    def _keep(self, id: TaskId, end: datetime, result: str) -> None:
        for path in self.paths[id]:
            self.cache.put(id, path, end, _cut(result, path, id))


def _check_size(bytes: int) -> None:
    if bytes > MAX_FILLED_BYTES:
        raise _Unfilled(_too_large(f"more than {MAX_FILLED_BYTES // 2**20} MiB"))


def _cut(result: str, path: str, of: TaskId) -> str | None:
    try:
        return cut(result, path)
    except Exception:
        log.exception("the result of task %d cannot be taken apart", of, extra=keys(task=of))
        return None


def _paths(tasks: Sequence[ClaimedTask]) -> Mapping[TaskId, Sequence[str]]:
    """The paths in each result that these tasks need, in the order in which they need them."""
    paths: dict[TaskId, dict[str, None]] = {}
    for each in tasks:
        with suppress(ValueError):  # Filling these arguments meets the same mistake, and their task fails.
            for parent, path in parents_in_text(each.args):
                paths.setdefault(parent, {})[path] = None
    return {id: [*each] for id, each in paths.items()}


def _missing(args: str, nth: int, parent: TaskId, path: str, why: str) -> Failure:
    place = placeholders_in_text(args)[nth].shown_place
    message = f"the argument {place} refers to {path} of task {parent}, which {why}"
    return Failure(MISSING_RESULT, message, retriable=False)


def _too_large(what: str) -> Failure:
    return Failure(TOO_LARGE, f"with the results to which they refer, the arguments have {what}", retriable=False)
