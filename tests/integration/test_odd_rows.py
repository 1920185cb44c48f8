"""Rows that an administrator or a newer version wrote: they are read as far as they can be."""

import pytest

from application.errors import UnreadableTask
from application.ports.listing import End, Filter
from domain.ids import TaskId
from domain.status import Status
from tests.administrator import Administrator
from tests.steps import add, at, claim, claim_one, ids, rescue, submission, succeed, task
from tests.storage import Storage


def listed(storage: Storage, filter: Filter | None = None, limit: int = 10) -> list[int]:
    with storage.begin() as work:
        return [task.id for task in work.listing.search(filter or Filter(), None, limit).tasks]


UNKNOWN_STATUS = (
    "ALTER TABLE tasks DROP CONSTRAINT status_is_known; UPDATE tasks SET status = 'paused' WHERE id = 2",
    "DELETE FROM tasks WHERE status = 'paused'; ALTER TABLE tasks ADD CONSTRAINT status_is_known "
    "CHECK (status IN ('waiting', 'running', 'done', 'failed', 'cancelled'))",
)

READABLE = {
    "an error of a newer version": """error = '["ValueError", "boom", 1, {"code": 7}]'""",
    "an error that is an object": """error = '{"type": "ValueError"}'""",
    "an error that is no JSON": "error = 'boom'",
    "an error with other types": "error = '[1, null, null]'",
    "an error that is nested deeply": "error = repeat('[', 100000)",
    "an infinite expiry": "expire = 'infinity'",
    "an expiry in the year 20000": "expire = '20000-01-01'",
    "a creation before Christ": "created = '0044-03-15 BC'",
    "a creation that is infinitely long ago": "created = '-infinity'",
    "a run_at that is infinitely long ago": "run_at = '-infinity'",
    "a timeout that is no number": "timeout = 'NaN'",
    "an infinite timeout": "timeout = 'infinity'",
    "a negative timeout": "timeout = -1",
    "a strange callback": "callback = 'nowhere'",
    "a progress of a newer version": "progress = '[0.5, \"half\", 3]'",
    "a progress that is no JSON": "progress = 'half'",
    "a progress that is an object": "progress = '{}'",
    "an output of an infinite time": "printed = 'infinity'",
}


@pytest.mark.parametrize("change", READABLE.values(), ids=READABLE)
class TestReading:
    def test_an_odd_row_is_listed_and_viewed(self, storage: Storage, administrator: Administrator, change: str):
        add(storage, *[submission()] * 3)
        administrator.sets(change)
        assert listed(storage) == [3, 2, 1]
        assert task(storage, 2).status is Status.WAITING

    def test_an_odd_row_is_claimed_with_its_neighbours(
        self, storage: Storage, administrator: Administrator, change: str
    ):
        add(storage, *[submission()] * 3)
        administrator.sets(change)
        assert sorted(ids(claim(storage))) == [1, 2, 3]

    def test_an_odd_row_is_rescued_with_its_neighbours(
        self, storage: Storage, administrator: Administrator, change: str
    ):
        add(storage, *[submission()] * 3)
        claim(storage)
        administrator.sets(change)
        assert sorted(each.id for each in rescue(storage, at(31))) == [1, 2, 3]


@pytest.mark.parametrize("finished", ["infinity", "20000-01-01", "0044-03-15 BC", "-infinity"])
def test_pages_by_ends_go_on_behind_an_odd_end(storage: Storage, administrator: Administrator, finished: str):
    for _ in range(3):
        add(storage, submission())
        succeed(storage, claim_one(storage), at(1))
    administrator.sets(f"finished = '{finished}'")
    found: list[int] = []
    after: End | None = None
    while len(found) < 4:
        with storage.begin() as work:
            page = work.listing.search_by_end(Filter(ids=frozenset(map(TaskId, (1, 2, 3)))), after, 1)
        if not page:
            break
        found.append(page[0].id)
        after = End.of(page[0])
    assert found == ([1, 3, 2] if finished[0] in "i2" else [2, 1, 3])


def test_an_error_of_a_newer_version_is_read_as_far_as_it_is_known(storage: Storage, administrator: Administrator):
    add(storage, *[submission()] * 2)
    administrator.sets("""error = '["ValueError", "boom", 1, "more"]'""")
    error = task(storage, 2).error
    assert error
    assert (error.type, error.message, error.attempt) == ("ValueError", "boom", 1)


@pytest.mark.parametrize("share", ["NaN", "Infinity", "-1", "1.5"])
def test_a_progress_that_is_no_share_is_none(storage: Storage, administrator: Administrator, share: str):
    add(storage, *[submission()] * 2)
    administrator.sets(f"progress = '[{share}, \"half\"]'")
    assert task(storage, 2).progress is None


def test_an_error_that_cannot_be_read_says_so(storage: Storage, administrator: Administrator):
    add(storage, *[submission()] * 2)
    administrator.sets("error = 'boom'")
    error = task(storage, 2).error
    assert error
    assert error.message == "the stored error cannot be read"


def test_a_task_of_an_unknown_status_is_left_out_of_lists_and_logged_once(
    storage: Storage, administrator: Administrator, process_log: pytest.LogCaptureFixture
):
    add(storage, *[submission()] * 3)
    administrator.writes(*UNKNOWN_STATUS)
    for _ in range(3):
        assert listed(storage) == [3, 1]
        assert listed(storage, limit=2) == [3, 1]
        assert ids(claim(storage, limit=1, wanted={"none": 1})) == []
    assert sum("task 2 cannot be read" in record.getMessage() for record in process_log.records) == 1
    with storage.begin() as work:
        work.listing.counts()


def test_a_view_of_a_task_of_an_unknown_status_says_that_it_cannot_be_read(
    storage: Storage, administrator: Administrator
):
    add(storage, *[submission()] * 3)
    administrator.writes(*UNKNOWN_STATUS)
    with pytest.raises(UnreadableTask, match="task 2 cannot be read by this version of the service: its status is"):
        task(storage, 2)
    assert task(storage, 3).id == 3


def test_a_change_to_an_unknown_status_is_left_out_until_it_can_be_read(storage: Storage, administrator: Administrator):
    known = storage.autocommit.versions([task.id for task in add(storage, *[submission()] * 3)])
    administrator.writes(*UNKNOWN_STATUS)
    assert storage.autocommit.changed(known) == {}


ODD_ATTEMPTS = ["outcome = 'paused'", "error = 'boom'", "traceback = '{'", "log = 'printed'", "log = '[]'"]


@pytest.mark.parametrize("change", ODD_ATTEMPTS)
def test_an_odd_record_of_a_start_is_shown(storage: Storage, administrator: Administrator, change: str):
    add(storage, submission())
    claim(storage)
    rescue(storage, at(31))
    administrator.writes(
        "ALTER TABLE attempts DROP CONSTRAINT outcome_is_known",
        undo="DELETE FROM attempts; "
        "ALTER TABLE attempts ADD CONSTRAINT outcome_is_known "
        "CHECK (outcome IN ('running', 'done', 'failed', 'lost', 'cancelled'))",
    )
    administrator.writes(f"UPDATE attempts SET {change}")
    with storage.begin() as work:
        assert len(work.tasks.attempts(TaskId(1))) == 1
