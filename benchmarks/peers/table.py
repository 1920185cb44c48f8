"""The peers, by the name that the command line takes."""

from collections.abc import Mapping

from benchmarks.peers.environment import NEW_PYTHON
from benchmarks.peers.peer import Peer

TABLE: Mapping[str, Peer] = {
    "pgqueuer": Peer(
        title="PgQueuer",
        program="pgqueuer",
        settings="batches of 100",
        note="keeps no results, runs functions in the worker's own event loop, does not fence",
        tasks=30_000,
        goals={1: (1.1, 1.5)},
    ),
    "graphile-worker": Peer(
        title="graphile-worker",
        program="graphile_worker",
        settings="local queue of 500",
        note="Node; keeps neither results nor finished tasks, runs functions in the worker's own event loop, "
        "does not fence",
        tasks=60_000,
        needs=("node", "npm"),
        goals={1: (None, 1.0)},
    ),
    "oban": Peer(
        title="Oban for Python",
        program="oban",
        settings="500 at a time",
        note="keeps only results that a function asks to be kept, runs functions in the worker's own event loop",
        tasks=8_000,
        needs=(NEW_PYTHON,),
    ),
    "celery": Peer(
        title="Celery",
        program="celery",
        settings="Redis, 2 processes",
        note="its broker forgets everything in a crash, a task is acknowledged before it runs, nothing is fenced",
        tasks=3_000,
        needs=("redis-server",),
    ),
    "procrastinate": Peer(
        title="Procrastinate",
        program="procrastinate",
        settings="10 at a time",
        note="keeps no results, runs functions in the worker's own event loop, does not fence",
        tasks=2_000,
    ),
}
