"""A worker process: the app with its own database connections."""

import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable
from multiprocessing.connection import wait
from multiprocessing.util import Finalize
from pathlib import Path
from threading import Thread

from flask import Flask

from application.authentication import Authenticator
from application.errors import StorageUnavailable
from entrypoints import log_streams, startup, stop_signals
from entrypoints.containers.api import ApiContainer
from entrypoints.containers.postgres_storage import PostgresStorage
from entrypoints.http.app import create_app
from entrypoints.http.requests.request_id import add_request_to_lines
from entrypoints.http.wsgi.database_reports import DatabaseState, Reports
from entrypoints.http.wsgi.idle_connections import end_idle_connections
from entrypoints.metrics.request_counts import RequestCounts
from entrypoints.settings import Settings

NO_KEYS = (
    "REQUIRE_KEYS is 1, and there is no API key: make the first one with `python -m entrypoints.admin keys create "
    "--name first --scope admin`"
)
MAX_ORPHAN_SECONDS = 0.5
"""Seconds that a worker may take to stop after its parent has ended, since the next server needs the port."""


def app(report: Reports, counts: Path | None) -> Flask:
    """Build the app from the environment. It answers at once, with 503 until the database is ready.

    - `report`: is sent what each try to prepare the database has found.
    - `counts`: the file in which all workers count their requests.
    """
    log_streams.install()
    # A worker is a process of multiprocessing, which ends without the functions of atexit.
    Finalize(None, log_streams.drain, exitpriority=0)
    settings = Settings.from_environment(os.environ)
    startup.configure_logging("http", settings.log)
    add_request_to_lines()
    storage = PostgresStorage(settings=settings)
    container = ApiContainer(settings=settings, storage=storage, request_counts=RequestCounts(counts))
    run_in_background(end_with_parent)
    run_in_background(lambda: end_idle_connections(settings.port))
    # Requests under way still need the rest of the resources; those end with this process.
    on_stop_signal(lambda: end_waits(container))
    # Containers are not thread-safe: what both threads need is made before the second one starts.
    storage.migrate()
    storage.clock()
    if tracer := container.tracer():
        Finalize(None, tracer.close, exitpriority=1)
    container.open_pages()
    container.open_lists()
    container.batch_feed()
    authenticator = container.authenticator()
    run_in_background(lambda: prepare(storage, authenticator, report))
    flask_app = create_app(container)
    startup.freeze_garbage_collector()
    return flask_app


def prepare(storage: PostgresStorage, authenticator: Authenticator, report: Reports) -> None:
    """Wait for the database, then start the clock."""
    while True:
        startup.prepare_database(storage, report.send, lambda: report.send(DatabaseState.AWAY))
        state = _state(authenticator)
        report.send(state)
        if state in (DatabaseState.READY, DatabaseState.READY_AND_OPEN):
            break
        time.sleep(startup.MAX_PAUSE_SECONDS)
    storage.clock().open()


def _state(authenticator: Authenticator) -> DatabaseState | str:
    """What a try has found of a database that can be used, or could a moment ago."""
    try:
        if authenticator.lacks_keys():
            return NO_KEYS
        return DatabaseState.READY_AND_OPEN if authenticator.is_open() else DatabaseState.READY
    except StorageUnavailable:
        return DatabaseState.AWAY


def end_waits(container: ApiContainer) -> None:
    """End the requests that only wait, and the lists that are being streamed."""
    container.open_pages().close()
    container.open_lists().close()
    container.change_feed().close()
    container.batch_feed().close()


def on_stop_signal(work: Callable[[], None]) -> None:
    """Do the work on SIGTERM or SIGINT, whichever handler the signal has, so that no request waits any longer."""
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.fileno())

    def wait_for_signals() -> None:
        # Runs until the process ends: after the writer is closed, a signal would be written to a reused descriptor.
        with reader, writer:
            while received := reader.recv(100):
                if {*stop_signals.STOP_SIGNALS} & {*received}:
                    work()

    run_in_background(wait_for_signals)


def run_in_background(work: Callable[[], None]) -> None:
    """Do the work in a daemon thread."""
    Thread(target=work, daemon=True).start()


def end_with_parent() -> None:
    """Wait until the parent process has ended, for whatever reason, then end this process."""
    if parent := multiprocessing.parent_process():
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(MAX_ORPHAN_SECONDS)
        os._exit(1)
