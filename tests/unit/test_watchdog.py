"""The watchdog, over a connection that is a pair of sockets. The suites of a real database cut real ones."""

import socket
import time
from threading import Event

import pytest

from adapters.postgres import watchdog
from adapters.postgres.watchdog import Watchdog


def test_a_transaction_that_ends_before_the_first_check_is_not_looked_at(monkeypatch: pytest.MonkeyPatch):
    sleeps, may_wake, looked_at = Event(), Event(), Event()

    def sleep(_: float) -> None:
        sleeps.set()
        may_wake.wait(10)

    with monkeypatch.context() as held:
        held.setattr(time, "sleep", sleep)
        held.setattr(watchdog, "moved_bytes", lambda _: looked_at.set())
        ours, theirs = socket.socketpair()
        with ours, theirs, Watchdog().watch(ours):
            assert sleeps.wait(10)
            assert not looked_at.is_set()
        may_wake.set()
