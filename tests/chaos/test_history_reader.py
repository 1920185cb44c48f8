"""The reader of the records: a task that was lost with a primary is not taken for the next one with its id."""

from tests.chaos.change_log import LogEntry
from tests.chaos.history import Change, Request, Row, Run
from tests.chaos.history_reader import HistoryReader


def submitted(mark: str) -> LogEntry:
    return LogEntry(1, 7, Change(1.0, "api", None, Row(mark=mark, created=mark)))


def test_a_run_and_a_request_belong_to_the_task_with_their_mark():
    reader = HistoryReader({7})
    reader.add_change(submitted("new"))
    reader.add_lost_change(submitted("lost"))
    reader.add_run(7, Run("t", 1, 99, 11, 2.0, mark="lost"))
    reader.add_request(7, Request("submit", 0.0, 1.0, 201, mark="lost"))
    new, lost = reader.tasks
    assert (len(new.runs), len(lost.runs), len(new.requests), len(lost.requests)) == (0, 1, 0, 1)
    assert new.is_rewound
    assert lost.is_rewound


def test_a_request_without_a_mark_may_be_of_each_task_with_its_id():
    reader = HistoryReader({7})
    reader.add_change(submitted("new"))
    reader.add_lost_change(submitted("lost"))
    reader.add_request(7, Request("delete", 0.0, 1.0, 204))
    assert [len(task.requests) for task in reader.tasks] == [1, 1]
