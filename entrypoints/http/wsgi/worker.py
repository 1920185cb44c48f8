"""One worker process: the app with connections of its own."""

import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable
from multiprocessing.connection import wait
from threading import Thread

from flask import Flask

from entrypoints import process
from entrypoints.container import Container
from entrypoints.http.app import create_app
from entrypoints.settings import Settings

ORPHAN_POLL_SECONDS = 2.0
"""Seconds that a worker may go on after the process that watched over it has ended: the next one needs its port."""


def app() -> Flask:
    """The app, made from the environment. It answers at once, with 503 until the database is there and ready."""
    process.configure_logging("http")
    settings = Settings.from_environment(os.environ)
    container = Container(settings=settings)
    aside(end_with_parent)
    aside(lambda: prepare(container))
    at_the_end(lambda: container.change_feed().close())
    made = create_app(container)
    process.freeze_garbage_collector()
    return made


def prepare(container: Container) -> None:
    """Wait for the database, and keep the clock from then on."""
    process.prepare_database(container)
    container.clock().open()


def at_the_end(work: Callable[[], None]) -> None:
    """Do it as soon as this process is asked to stop, whoever handles the signal: nobody is to wait any longer then."""
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.fileno())

    def wait_for_signals() -> None:
        # For ever: another signal must find the writer open, or it would write into what has its number by then.
        with reader, writer:
            while received := reader.recv(100):
                if {signal.SIGTERM, signal.SIGINT} & {*received}:
                    work()

    aside(wait_for_signals)


def aside(work: Callable[[], None]) -> None:
    """Do it in a thread that keeps nobody from leaving."""
    Thread(target=work, daemon=True).start()


def end_with_parent() -> None:
    """Waits until the process that started this one has ended, however it ended, and then ends this one too."""
    if parent := multiprocessing.parent_process():
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(ORPHAN_POLL_SECONDS)
        os._exit(1)
