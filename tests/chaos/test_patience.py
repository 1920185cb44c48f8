"""A statement of the experiment waits for a lock for a bounded time, whatever the server's clock does."""

import time
from pathlib import Path

import psycopg2.errors
import pytest

from tests.chaos import patience
from tests.chaos.server import Server


def test_a_statement_that_waits_for_a_lock_is_cancelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(patience, "MAX_STATEMENT_SECONDS", 0.3)
    server = Server(tmp_path / "data")
    try:
        server.execute("CREATE TABLE held ()")
        with server.connection() as holder, holder.cursor() as cursor:
            cursor.execute("LOCK TABLE held")
            began = time.monotonic()
            with pytest.raises(psycopg2.errors.QueryCanceled):
                server.execute("DROP TABLE held")
            assert time.monotonic() - began < patience.MAX_STATEMENT_SECONDS + 2
    finally:
        server.close()
