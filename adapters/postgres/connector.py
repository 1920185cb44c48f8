"""The connector: opens connections to one address, and tries one at a time while the database is away."""

import time
from threading import Lock
from typing import Any

import psycopg2
from psycopg2.extensions import parse_dsn

from adapters.postgres.session import Session, open_session
from adapters.postgres.session_settings import CONNECTION_DEFAULTS
from adapters.postgres.watchdog import Watchdog

RECONNECT_SECONDS = 0.25
"""Seconds after a failed attempt to connect during which other attempts fail at once."""


class Connector:
    """Opens psycopg2 connections. Safe to use from several threads.

    `url`: the address, which is handed to libpq unchanged: several hosts, sslmode and all. A host that can write is
    preferred.
    `application_name`: the name that the server shows, unless the address has one.
    `watchdog`: watches the statements of each session outside of its loans.
    """

    def __init__(self, url: str, application_name: str, watchdog: Watchdog) -> None:
        self._url = url
        self._defaults: dict[str, Any] = CONNECTION_DEFAULTS | {"application_name": application_name}
        self._watchdog = watchdog
        self._trying = Lock()
        self._try_again_at: float | None = None
        self._last_error: psycopg2.Error | None = None

    def connect(self) -> Session:
        """Open a connection with the session settings; the caller owns it.

        Raises psycopg2.Error: the database is away, or was at the last attempt and another thread is trying.
        """
        try_again_at = self._try_again_at  # Read once: a thread that connects meanwhile sets it to None.
        if try_again_at is None:
            return self._connect()
        if time.monotonic() < try_again_at or not self._trying.acquire(blocking=False):
            raise psycopg2.OperationalError("the database was away a moment ago") from self._last_error
        try:
            return self._connect()
        finally:
            self._trying.release()

    def _connect(self) -> Session:
        # An address that libpq cannot read says nothing about the database.
        parse_dsn(self._url)
        try:
            connection = self._open()
        except psycopg2.Error as error:
            self._last_error = error
            self._try_again_at = time.monotonic() + RECONNECT_SECONDS
            raise
        self._try_again_at = self._last_error = None
        return connection

    def _open(self) -> Session:
        session = open_session(self._url, self._defaults)
        session.prepare(self._watchdog)
        return session
