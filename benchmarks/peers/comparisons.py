"""Our service beside a peer: draining with one worker and with two, and the delay from submit to start."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial

import click

from benchmarks import drain, latency
from benchmarks.comparison import Comparison, Side
from benchmarks.http import free_port
from benchmarks.peers.peer import Peer
from benchmarks.peers.program import Program, program
from benchmarks.peers.redis import redis
from benchmarks.peers.table import TABLE
from benchmarks.service import migrated, process, query


def comparisons(peer: Peer) -> Iterator[Comparison]:
    """Yield all with that peer, over one server; none where this machine lacks a command that the peer needs."""
    if peer.lacking:
        click.echo(f"{peer.title} is skipped: there is no {' and no '.join(peer.lacking)} here.", err=True)
        return
    with ExitStack() as stack:
        url = stack.enter_context(migrated())
        address = stack.enter_context(redis()) if "redis-server" in peer.needs else url
        lead = stack.enter_context(program(peer, "lead", address))
        for workers in (1, 2):
            yield from draining(peer, workers, url, address, lead)
        yield from starting(peer, url, address, lead)


def draining(peer: Peer, workers: int, url: str, address: str, lead: Program) -> Iterator[Comparison]:
    """Yield no-ops by that many of our handlers, beside as many workers of the peer. The other side is idle."""
    must, aim = peer.goals.get(workers, (None, None))
    with ExitStack() as stack:
        for _ in range(workers):
            stack.enter_context(process("handler", url, HANDLER_CONCURRENCY=str(drain.CHILDREN)))
            stack.enter_context(program(peer, "work", address))
        yield Comparison(
            name=f"{peer.title}, drain, {workers} worker{'s' if workers > 1 else ''}",
            unit="tasks/s",
            ours=Side(f"{workers} handlers, {drain.CHILDREN} children each", partial(drain.drained, url, drain.NOOPS)),
            reference=Side(named(peer, lead), lambda: peer.tasks / lead.ask(f"drain {peer.tasks}")),
            must=must,
            aim=aim,
            note=peer.note,
        )


def starting(peer: Peer, url: str, address: str, lead: Program) -> Iterator[Comparison]:
    """Yield the delay from storing a task to its start, on an idle service."""
    port = free_port()
    with ExitStack() as stack:
        stack.enter_context(process("http", url, PORT=str(port)))
        stack.enter_context(process("handler", url, HANDLER_CONCURRENCY=str(drain.CHILDREN)))
        worker = stack.enter_context(program(peer, "work", address))
        query(url, "ANALYZE")
        for name, (of, *_) in latency.PERCENTILES.items():
            yield Comparison(
                name=f"{peer.title}, start, {name}",
                unit="ms",
                ours=Side("POST to the function", partial(latency.percentile, partial(latency.service, port), of)),
                reference=Side(named(peer, lead), partial(latency.percentile, partial(delays, lead, worker), of)),
                more_is_better=False,
                note=peer.note,
            )


def delays(lead: Program, worker: Program) -> list[float]:
    """Seconds from storing a task to the first line of its function, for each task."""
    found = []
    for _ in range(latency.TASKS):
        time.sleep(latency.PAUSE_SECONDS)
        stored = lead.ask("submit")
        found.append(float(worker.says()) - stored)
    return found


def named(peer: Peer, lead: Program) -> str:
    """The title of the peer, with its version and settings."""
    return f"{peer.title} {lead.version}, {peer.settings}"


PEERS: Mapping[str, Callable[[], Iterator[Comparison]]] = {
    name: partial(comparisons, peer) for name, peer in TABLE.items()
}
