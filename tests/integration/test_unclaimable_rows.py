"""Tasks whose rows cannot be claimed: they fail with a sentence, and their neighbours are claimed."""

from contextlib import closing

import pytest

from adapters.postgres import Database
from application.errors import StatementRefused
from domain.status import Status
from tests.administrator import Administrator
from tests.concurrency import with_settings
from tests.steps import NOW, add, claim, ids, submission, task
from tests.storage import Storage, in_postgres

UNCLAIMABLE = {
    "lowered attempts": "claims = 1, attempt = 1, max_attempts = 1",
    "as many claims as an integer holds": "claims = 2147483647",
    "as many attempts as an integer holds": "claims = 2147483647, attempt = 2147483646, max_attempts = 2147483647",
}


@pytest.mark.parametrize("limit", [1, 2, 7])
@pytest.mark.parametrize("change", UNCLAIMABLE.values(), ids=UNCLAIMABLE)
def test_a_task_that_cannot_be_claimed_fails_with_a_sentence_and_its_neighbours_are_claimed(
    storage: Storage, administrator: Administrator, change: str, limit: int
):
    add(storage, *[submission(max_attempts=5)] * 7)
    for id in (1, 5):
        administrator.sets(change, id)
    claimed = [id for _ in range(8) for id in ids(claim(storage, limit))]
    assert claimed == [2, 3, 4, 6, 7]
    for id in (1, 5):
        odd = task(storage, id)
        assert (odd.status, odd.finished, odd.error and odd.error.type) == (Status.FAILED, NOW, "SetAside")
        assert odd.error
        assert odd.error.message in ("it has had as many attempts as it may have", "integer out of range")


def test_a_task_whose_claim_a_trigger_refuses_fails_with_its_message(storage: Storage, administrator: Administrator):
    add(storage, *[submission()] * 3)
    administrator.refuses("UPDATE", "tasks", "NEW.id = 2 AND NEW.status = 'running'")
    assert ids(claim(storage)) == [1, 3]
    assert (error := task(storage, 2).error)
    assert error.message == "the trigger refuses"


def test_a_task_that_cannot_even_be_set_aside_is_left_out_and_logged_once(
    storage: Storage, administrator: Administrator, process_log: pytest.LogCaptureFixture
):
    add(storage, *[submission()] * 3)
    administrator.refuses("UPDATE", "tasks", "NEW.id = 2")
    assert ids(claim(storage, 2)) == [1]
    assert ids(claim(storage, 2)) == [3]
    add(storage, submission())
    assert ids(claim(storage, 2)) == [4]
    assert task(storage, 2).status is Status.WAITING
    assert len(process_log.records) == 1


def test_an_error_that_no_row_is_to_blame_for_sets_no_task_aside(
    storage: Storage, administrator: Administrator, postgres_url: str
):
    add(storage, *[submission()] * 3)
    administrator.writes(
        "CREATE ROLE reader; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader",
        undo="DROP OWNED BY reader; DROP ROLE reader",
    )
    with (
        closing(Database(with_settings(postgres_url, role="reader"))) as database,
        pytest.raises(StatementRefused),
    ):
        claim(in_postgres(database))
    assert ids(claim(storage)) == [1, 2, 3]
