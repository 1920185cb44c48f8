"""Reference for draining: loops of psycopg2 that claim a batch and settle it, and run no function."""

import multiprocessing
import time
from multiprocessing.synchronize import Barrier

import psycopg2

BATCH = 500

TABLE = """
CREATE TABLE bare (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, type text NOT NULL, status text NOT NULL DEFAULT 'waiting',
    priority smallint NOT NULL DEFAULT 0, run_at timestamptz NOT NULL, claims integer NOT NULL DEFAULT 0,
    handler text, lease_until timestamptz, started timestamptz, finished timestamptz, args text NOT NULL, result text
);
CREATE INDEX bare_waiting ON bare (priority DESC, run_at, id) WHERE status = 'waiting';
CREATE INDEX bare_leases ON bare (lease_until) WHERE status = 'running';
"""
FILL = "INSERT INTO bare (type, run_at, args) SELECT 'noop', now(), %s FROM generate_series(1, %s)"
CLAIM = """
WITH free AS MATERIALIZED (
    SELECT id FROM bare WHERE status = 'waiting' AND run_at <= now()
    ORDER BY priority DESC, run_at, id LIMIT %s FOR UPDATE SKIP LOCKED
)
UPDATE bare b
SET status = 'running', claims = claims + 1, handler = 'bare', lease_until = now() + interval '30 s', started = now()
FROM free WHERE b.id = free.id
RETURNING b.id, b.claims, b.type, b.args
"""
SETTLE = """
UPDATE bare b
SET status = 'done', handler = NULL, lease_until = NULL, finished = now(), result = o.result
FROM unnest(%s, %s, %s) AS o (id, claims, result)
WHERE b.id = o.id AND b.claims = o.claims AND b.status = 'running'
"""


def prepare(url: str) -> None:
    """Make the table."""
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(TABLE)
    connection.close()


def drained(url: str, number: int, processes: int = 1, args: str = "{}", batch: int = BATCH) -> float:
    """Drain `number` tasks with that many processes; answers tasks a second. The result of a task is its arguments."""
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute("TRUNCATE bare")
        cursor.execute(FILL, (args, number))
    connection.close()
    ready = multiprocessing.Barrier(processes + 1)
    loops = [multiprocessing.Process(target=drain, args=(url, ready, batch)) for _ in range(processes)]
    for each in loops:
        each.start()
    ready.wait()
    began = time.perf_counter()
    for each in loops:
        each.join()
    return number / (time.perf_counter() - began)


def drain(url: str, ready: Barrier, batch: int) -> None:
    """Claim and settle until no task is left."""
    connection = psycopg2.connect(url)
    cursor = connection.cursor()
    ready.wait()
    while True:
        cursor.execute(CLAIM, (batch,))
        claimed = cursor.fetchall()
        connection.commit()
        if not claimed:
            break
        ids, claims, _, args = map(list, zip(*claimed, strict=True))
        cursor.execute(SETTLE, (ids, claims, args))
        connection.commit()
    connection.close()
