"""The processes of the service, over an embedded PostgreSQL with its default settings."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg2

from adapters.embedded_postgres import EmbeddedPostgres
from adapters.postgres import Database, Migration

ROOT = Path(__file__).parent.parent
FUNCTIONS = Path(__file__).with_name("functions.py")
MAX_WAIT_SECONDS = 120.0


@contextmanager
def migrated(**settings: object) -> Iterator[str]:
    """Start a server; yields the address of a database with our tables, all empty. Commits are durable."""
    with TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder) / "data", settings=settings) as url:
        database = Database(url)
        Migration(database)()
        database.close()
        yield url


@contextmanager
def process(name: str, url: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run `python -m entrypoints.{name}` over that database until the end of the block; yields once it is ready."""
    reader, writer = os.pipe()
    environment = os.environ | {
        "DATABASE_URL": url,
        "TASKS": str(FUNCTIONS),
        "PYTHONPATH": str(ROOT),
        "READY_FD": str(writer),
        **variables,
    }
    started = subprocess.Popen(
        [sys.executable, "-m", f"entrypoints.{name}"],
        cwd=ROOT,
        env=environment,
        pass_fds=[writer],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    try:
        if not os.read(reader, 1):
            raise RuntimeError(f"{name} has ended instead of becoming ready")
        yield started
    finally:
        os.close(reader)
        started.terminate()
        started.wait()


def query(url: str, question: str, *values: Any) -> Any:
    """Run a statement in its own transaction; answers the first value of the first row, or None."""
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(question, values or None)
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None
    finally:
        connection.close()


def wait_until(condition: Callable[[], bool], pause: float = 0.01) -> None:
    """Wait until the condition holds. RuntimeError after MAX_WAIT_SECONDS."""
    end = time.monotonic() + MAX_WAIT_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"the condition did not hold within {MAX_WAIT_SECONDS:g} seconds")
        time.sleep(pause)


def wait_until_true(url: str, question: str) -> None:
    """Wait until the query answers true. Uses one connection, since new ones would cost the server more."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            wait_until(lambda: _is_yes(cursor, question))
    finally:
        connection.close()


def _is_yes(cursor: Any, question: str) -> bool:
    cursor.execute(question)
    return bool(cursor.fetchone()[0])
