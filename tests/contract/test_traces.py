"""The place of a task in a trace: stored with it, and known to whoever claims, views, calls back or deletes it."""

import pytest

from domain.traceparent import Traceparent
from tests.steps import add, at, claim, stored, submission
from tests.storage import Storage

TRACE = Traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")


@pytest.mark.parametrize("key", [None, "once"])
def test_a_task_keeps_its_trace(storage: Storage, key: str | None):
    tasks = add(storage, submission(key=key, traceparent=TRACE), submission())
    assert [each.traceparent for each in tasks] == [TRACE, None]
    assert [stored(storage, each.id).task.traceparent for each in tasks] == [TRACE, None]
    assert [each.task.traceparent for each in claim(storage)] == [TRACE, None]


def test_an_expired_task_that_has_not_run_is_named_with_its_trace(storage: Storage):
    add(storage, submission(ttl=10), submission(ttl=10, traceparent=TRACE))
    with storage.begin() as work:
        deleted = work.cleaning.delete_expired(at(10), 100)
        work.commit()
    assert (list(deleted.unrun), deleted.traces) == ([1, 2], {2: TRACE})
