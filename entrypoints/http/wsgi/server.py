"""The WSGI server: some workers on one port, each with some threads."""

import errno
import logging
import socket
import time
from threading import Thread
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from entrypoints import parent_pipes
from entrypoints.settings import Settings

log = logging.getLogger(__name__)
MAX_READY_SECONDS = 5.0
"""Seconds that a port may be taken."""
MAX_HEAD_BYTES = 128 * 1024
"""Bytes of a request before its body."""
QUIET: dict[str, Any] = {"loggers": {"_granian": {}, "granian.access": {}}}
"""What the server has to say goes where everything goes."""


class CannotListen(Exception):
    """The address is taken, or none of this machine."""


def serve(settings: Settings) -> None:
    """Answers until SIGTERM or SIGINT, and then what is in flight. CannotListen where the port is taken."""
    address = free_address(settings.host, settings.port)
    server = Granian(
        "entrypoints.http",
        address=address,
        port=settings.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(max_buffer_size=MAX_HEAD_BYTES),
        workers=settings.http_workers,
        # Threads are made when they are needed, and end when they are not. ConcurrencyLimit lets HTTP_THREADS work; as
        # many may wait for what clients send.
        blocking_threads=2 * settings.http_threads + settings.http_waiters,
        respawn_failed_workers=True,
        workers_kill_timeout=max(1, round(settings.grace)),
        log_level=LogLevels.error,
        log_dictconfig=QUIET,
    )
    server.on_startup(Thread(target=tell_when_ready, args=(address, settings.port), daemon=True).start)
    server.serve(target_loader=load, wrap_loader=False)


def load() -> Any:
    """The app, in the process of a worker: the one that watches over the workers stays small without it."""
    from entrypoints.http.wsgi.worker import app

    return app()


def free_address(host: str, port: int) -> str:
    """The IP address of the host. CannotListen where it is not ours or the port is taken, and stays so.

    The server would share the port with another of its kind without a word. Workers of one that was killed keep it for
    a moment.
    """
    end = time.monotonic() + MAX_READY_SECONDS
    while True:
        try:
            family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
            return str(address[0])
        except (OSError, UnicodeError) as error:
            if getattr(error, "errno", None) != errno.EADDRINUSE or time.monotonic() > end:
                raise CannotListen(f"cannot listen on {host}:{port}: {getattr(error, 'strerror', error)}") from None
            time.sleep(0.1)


def tell_when_ready(address: str, port: int) -> None:
    """Waits until a worker listens, and tells whoever waits for this process."""
    while not answers(address, port):
        time.sleep(0.01)
    shown = f"[{address}]" if ":" in address else address
    log.info("ready on http://%s:%d", shown, port)
    parent_pipes.report_ready(f"http://{shown}:{port}")


def answers(address: str, port: int) -> bool:
    """Whether somebody listens there."""
    # Workers are forked meanwhile: nothing that takes a lock of the C library, such as looking names up.
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        return probe.connect_ex((address, port)) == 0
