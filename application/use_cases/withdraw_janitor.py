"""Withdraw a janitor that stops."""

from contextlib import suppress

from application.errors import StorageConflict, StorageUnavailable
from application.ports.unit_of_work import Begin
from domain.ids import JanitorId


class WithdrawJanitor:
    """Withdraws one janitor. A record that cannot be reached is left behind, and forgotten later."""

    def __init__(self, begin: Begin, id: JanitorId) -> None:
        self._begin = begin
        self._id = id

    def __call__(self) -> None:
        """Delete the record of the janitor."""
        with suppress(StorageConflict, StorageUnavailable), self._begin() as work:
            work.monitoring.withdraw_janitor(self._id)
            work.commit()
