"""The parts of the service as processes of their own, over an embedded PostgreSQL with its default settings."""

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
PATIENCE = 120.0


@contextmanager
def migrated(**settings: object) -> Iterator[str]:
    """The address of a database with our tables and nothing in them. Commits are durable."""
    with TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder) / "data", settings=settings) as url:
        database = Database(url)
        Migration(database)()
        database.close()
        yield url


@contextmanager
def process(name: str, url: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m entrypoints.{name}` over that database, from when it is ready until the end of the block."""
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


def asked(url: str, question: str, *values: Any) -> Any:
    """The first value that the database answers, from a transaction of its own; None where it answers none."""
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(question, values or None)
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None
    finally:
        connection.close()


def until(condition: Callable[[], bool], pause: float = 0.01) -> None:
    """Return as soon as it is so."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"it has not come to that within {PATIENCE:g} seconds")
        time.sleep(pause)


def until_answered(url: str, question: str) -> None:
    """Return as soon as the answer is yes. Asked over one connection, since a new one would cost the server more."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            until(lambda: _is_yes(cursor, question))
    finally:
        connection.close()


def _is_yes(cursor: Any, question: str) -> bool:
    cursor.execute(question)
    return bool(cursor.fetchone()[0])
