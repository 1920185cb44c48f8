"""Random graphs of tasks and batches, on both storages: they agree, and each task runs as the rule says.

`GRAPHS=10000` makes a search of its own of it; `GRAPH_SEED` begins with another graph; `GRAPH_STORAGES=memory` leaves
the database out, which is a hundred times as fast.
"""

import os

from adapters.memory import MemoryStore
from adapters.postgres import Database
from tests.emptying import empty
from tests.graph import Graph
from tests.storage import in_memory, in_postgres

GRAPHS, FIRST_SEED = int(os.environ.get("GRAPHS", "20")), int(os.environ.get("GRAPH_SEED", "1"))
IN_MEMORY = os.environ.get("GRAPH_STORAGES") == "memory"


def test_both_storages_let_the_tasks_of_any_graph_run_as_the_rule_says(database: Database):
    for seed in range(FIRST_SEED, FIRST_SEED + GRAPHS):
        empty(database)
        graph = Graph([in_memory(MemoryStore()), in_postgres(database)][: 1 if IN_MEMORY else 2], seed)
        try:
            graph.play()
        except Exception as error:
            raise AssertionError(f"graph {seed}: {error!r}") from error
