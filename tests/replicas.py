"""A primary and a streaming standby, which can change places."""

import shutil
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2

from adapters.embedded_postgres import EmbeddedPostgres
from tests.chaos import standby
from tests.concurrency import until

SETTINGS = {"wal_keep_size": "64MB", "max_connections": 60}
OWN_SETTINGS = "-c default_transaction_read_only=off -c lock_timeout=0"


class Replica:
    """One server of the two, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        self.cluster = folder / "cluster"
        self._server = EmbeddedPostgres(folder, durable=False, settings=SETTINGS)
        self.url = ""

    def start(self) -> None:
        self.url = self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def asked(self, question: str) -> Sequence[tuple[Any, ...]]:
        """The rows of a statement, in a session that may write where the server lets any."""
        with closing(psycopg2.connect(self.url, application_name="test", options=OWN_SETTINGS)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(question)
                return cursor.fetchall() if cursor.description else []

    def promote(self) -> None:
        assert self.asked("SELECT pg_promote()") == [(True,)]

    def become_standby(self) -> None:
        """Follow the other server from the next start on."""
        signal_file = self.cluster / "standby.signal"
        signal_file.touch()
        owner = (self.cluster / "PG_VERSION").stat()
        shutil.chown(signal_file, owner.st_uid, owner.st_gid)


class Replicas:
    """`primary` and `standby`: by their roles at the beginning."""

    def __init__(self, folder: Path) -> None:
        self.primary, self.standby = Replica(folder / "one"), Replica(folder / "two")
        try:
            self.primary.start()
            _follow(self.primary, self.primary.url)
            with closing(psycopg2.connect(self.primary.url)) as connection:
                standby.back_up(connection, self.primary.cluster, self.standby.cluster)
            self.standby.become_standby()
            self.standby.start()
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        """One address for both."""
        one, two = urlsplit(self.primary.url), urlsplit(self.standby.url)
        return self.primary.url.replace(one.netloc, f"{one.netloc},{two.hostname}:{two.port}")

    def await_standby(self) -> None:
        """Wait until the standby has everything that the primary has committed."""
        [(position,)] = self.primary.asked("SELECT pg_current_wal_flush_lsn()")
        until(lambda: self.standby.asked(f"SELECT pg_last_wal_replay_lsn() >= '{position}'") == [(True,)])

    def demote_while_it_runs(self) -> None:
        """Have the primary refuse to write from now on, in sessions that are open too."""
        self.primary.asked("ALTER SYSTEM SET default_transaction_read_only = on")
        self.primary.asked("SELECT pg_reload_conf()")
        self.await_standby()

    def demote_by_restart(self) -> None:
        """Start the primary as a standby of the other server, which does not lead yet."""
        _follow(self.primary, self.standby.url)
        self.primary.stop()
        self.primary.become_standby()
        self.primary.start()

    def close(self) -> None:
        self.standby.stop()
        self.primary.stop()


def _follow(server: Replica, url: str) -> None:
    address = urlsplit(url)
    to = f"host={address.hostname} port={address.port} user={address.username} password={address.password}"
    server.asked(f"ALTER SYSTEM SET primary_conninfo = '{to}'")
