"""The WSGI server: worker processes on one port, each with threads."""

import errno
import logging
import socket
import time
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from application.open_streams import MAX_LISTS, MAX_PAGES
from entrypoints import parent_pipes, stop_signals
from entrypoints.http.wsgi.database_reports import DatabaseReports, Reports
from entrypoints.listening import listening_error, listens_on_loopback
from entrypoints.metrics import request_counts
from entrypoints.settings import Settings
from entrypoints.stop_signals import StopSignals

log = logging.getLogger(__name__)
OPEN = (
    "the API is open: whoever reaches %s may do everything, since there is no API key; `python -m entrypoints.admin "
    "keys create --name first --scope admin` makes one"
)
MAX_PORT_WAIT_SECONDS = 1.5  # for the workers of a killed server, which end after MAX_ORPHAN_SECONDS
MAX_HEAD_BYTES = 128 * 1024  # request line and headers
LOGGING: dict[str, Any] = {"loggers": {"_granian": {}, "granian.access": {}}}
"""Logging of the server, without handlers of its own: its lines go to the log of the process."""


class CannotServe(Exception):
    """The host is not an address of this machine, the port is in use, or the database cannot be used."""


def serve(settings: Settings, signals: StopSignals) -> None:
    """Serve until SIGTERM or SIGINT, and finish the requests in flight.

    Raises CannotServe: the message says why.
    """
    address = free_address(settings.host, settings.port)
    server = Granian(
        "entrypoints.http",
        address=address,
        port=settings.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(max_buffer_size=MAX_HEAD_BYTES),
        workers=settings.http_workers,
        # The server starts threads on demand. ConcurrencyLimit lets HTTP_THREADS requests run; as many more may receive
        # their bodies, HTTP_WAITERS wait for tasks or batches, MAX_PAGES keep pages up to date, MAX_LISTS stream lists.
        blocking_threads=2 * settings.http_threads + settings.http_waiters + MAX_PAGES + MAX_LISTS,
        respawn_failed_workers=True,
        workers_kill_timeout=max(1, round(settings.grace)),
        log_level=LogLevels.error,
        log_dictconfig=LOGGING,
    )
    server.on_startup(lambda: signals.handle(server.signal_handler_interrupt))
    # The workers have no handlers until they have loaded the app.
    stop_signals.end_forked_processes()
    database = DatabaseReports(on_unusable=server.signal_handler_interrupt)
    server.on_startup(database.start)
    server.on_startup(Thread(target=report_ready, args=(address, settings, database), daemon=True).start)
    counts = request_counts.new_file(settings.http_workers)
    try:
        server.serve(target_loader=partial(load, database.writer, counts), wrap_loader=False)
    except SystemExit:
        # Ctrl-C also reaches the workers, and one that ends before the server hears of it is no failure.
        if not server.interrupt_signal:
            raise
    finally:
        if counts:
            counts.unlink(missing_ok=True)
    if database.unusable:
        raise CannotServe(database.unusable)


def load(report: Reports, counts: Path | None) -> Any:
    """Build the app in a worker process. The parent of the workers stays small without it."""
    from entrypoints.http.wsgi.worker import app

    return app(report, counts)


def free_address(host: str, port: int) -> str:
    """Resolve the host to an IP address, and check that the port is free, since granian would share it silently.

    Raises CannotServe: the host is not an address of this machine, or the port is still in use after
    MAX_PORT_WAIT_SECONDS.
    """
    end = time.monotonic() + MAX_PORT_WAIT_SECONDS
    while True:
        try:
            family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
            return str(address[0])
        except (OSError, UnicodeError) as error:
            if getattr(error, "errno", None) != errno.EADDRINUSE or time.monotonic() > end:
                raise CannotServe(listening_error(host, port, error)) from None
            time.sleep(0.1)


def report_ready(address: str, settings: Settings, database: DatabaseReports) -> None:
    """Wait until a worker listens and has tried the database, then log it and report it to the parent process."""
    database.is_tried.wait()
    while not is_listening(address, settings.port):
        time.sleep(0.01)
    host = f"[{address}]" if ":" in address else address
    if database.is_open and not listens_on_loopback(settings.host):
        log.warning(OPEN, f"{host}:{settings.port}")
    log.info("ready on http://%s:%d", host, settings.port)
    parent_pipes.report_ready(f"http://{host}:{settings.port}")


def is_listening(address: str, port: int) -> bool:
    """Whether a process listens on the address."""
    # Workers are forked meanwhile, so nothing here may take a lock of the C library, as name resolution does.
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        return probe.connect_ex((address, port)) == 0
