"""Trying again after conflicts."""

import pytest

from application import conflict_retry as module
from application.conflict_retry import MAX_TRIES, retry_on_conflict
from application.errors import StorageConflict


class Verb:
    """It conflicts so often, and then says how often it was tried."""

    def __init__(self, conflicts: int) -> None:
        self.conflicts, self.tries = conflicts, 0

    def __call__(self) -> int:
        self.tries += 1
        if self.tries <= self.conflicts:
            raise StorageConflict
        return self.tries


@pytest.mark.parametrize("conflicts", [0, 1, MAX_TRIES - 1])
def test_conflicts_that_end_are_not_seen(conflicts: int):
    assert retry_on_conflict(Verb(conflicts).__call__)() == conflicts + 1


def test_those_that_do_not_are_raised_in_the_end():
    verb = Verb(conflicts=1000)
    with pytest.raises(StorageConflict):
        retry_on_conflict(verb.__call__)()
    assert verb.tries == MAX_TRIES


def test_and_so_are_those_that_take_long(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MAX_SECONDS", -1)
    verb = Verb(conflicts=1000)
    with pytest.raises(StorageConflict):
        retry_on_conflict(verb.__call__)()
    assert verb.tries == 1
