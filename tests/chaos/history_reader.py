"""A reader of the records: it tells tasks apart that had the same id, one of which was lost with a primary."""

from collections import defaultdict
from collections.abc import Collection

from tests.chaos.change_log import LogEntry
from tests.chaos.history import Call, Request, Run, TaskHistory


class HistoryReader:
    """The histories so far. Changes come first, those that were not lost before the others.

    `existing`: the ids of the tasks that are in the database at the end.
    """

    def __init__(self, existing: Collection[int]) -> None:
        self._existing = existing
        self._by_id: dict[int, list[TaskHistory]] = defaultdict(list)
        self._by_event: dict[str, TaskHistory] = {}

    @property
    def tasks(self) -> list[TaskHistory]:
        """The histories of all tasks."""
        return [task for tasks in self._by_id.values() for task in tasks]

    def add_change(self, entry: LogEntry) -> None:
        """Add a change that was not lost."""
        task = self._of_change(entry)
        task.changes.append(entry.change)
        self._expect_call(entry, task)

    def add_lost_change(self, entry: LogEntry) -> None:
        """Add a change that was lost with a primary."""
        task = self._of_change(entry)
        task.lost.append(entry.change)
        self._expect_call(entry, task)

    def add_run(self, id: int, run: Run) -> None:
        """Add a run of the task with this id and the mark of the run."""
        self._of(id, run.mark)[0].runs.append(run)

    def add_request(self, id: int, request: Request) -> None:
        """Add a request to the task with this id and the mark of the answer; without one, to all with this id."""
        for task in self._of(id, request.mark):
            task.requests.append(request)

    def add_call(self, call: Call) -> None:
        """Add a call of the callback for that event."""
        if call.event in self._by_event:
            self._by_event[call.event].calls.append(call)

    def _of_change(self, entry: LogEntry) -> TaskHistory:
        row = entry.change.old or entry.change.new
        created = row.created if row else None
        for task in self._by_id[entry.task]:
            if any(each.new and each.new.created == created for each in (*task.changes, *task.lost)):
                return task
        if entry.change.verb == "submit" or not self._by_id[entry.task]:
            return self._new(entry.task)
        return self._by_id[entry.task][-1]

    def _of(self, id: int, mark: str | None) -> list[TaskHistory]:
        tasks = self._by_id[id] or [self._new(id)]
        return [task for task in tasks if mark is not None and task.mark == mark] or tasks

    def _new(self, id: int) -> TaskHistory:
        tasks = self._by_id[id]
        tasks.append(TaskHistory(id, is_there=id in self._existing))
        for task in tasks:
            task.shares_id = len(tasks) > 1
        return tasks[-1]

    def _expect_call(self, entry: LogEntry, task: TaskHistory) -> None:
        if entry.change.new and (event := entry.change.new.event(task.id)):
            self._by_event[event] = task
