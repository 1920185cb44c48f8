"""A chaos experiment: inject faults into the service under load, end them all, and collect the records."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2

from tests.chaos import change_log, machine, runs
from tests.chaos.actions import ACTIONS
from tests.chaos.circumstances import (
    Circumstances,
    all_claims,
    all_holds,
    batch_sizes,
    by_id,
    key_times,
    members,
    tick_counts,
)
from tests.chaos.disk import mounted
from tests.chaos.history import BatchHistory, TaskHistory
from tests.chaos.history_reader import HistoryReader
from tests.chaos.load import Load, RequestLog
from tests.chaos.schedule import WEIGHTS, Step, schedule
from tests.chaos.server import HURRY_TICKS
from tests.chaos.service import ServiceUnderTest

MAX_UNFINISHED_TASKS = 60
"""Tasks that wait or run; with more of them no new task is submitted."""
MAX_DRAIN_SECONDS = 120.0
"""Seconds after the last fault in which every task has to be finished."""
NO_TARGET = "nothing: it is away"
POLL_SECONDS = 0.05
POLLS_PER_COUNT = 20
COUNTED_LOG_TEXTS = {
    "late outcomes refused": "came late and was refused",
    "tasks rescued": "took back",
    "errors": " ERROR ",
    "tracebacks": "Traceback (most recent call last)",
}
"""Texts in the logs of the processes whose occurrences are counted."""

PrintLine = Callable[[str], None]


@dataclass
class ExperimentResult:
    """The records of an experiment. `actions` and `log_texts` count how often each occurred.

    `stuck`: a sentence for each task and batch that waits in the end for nothing that may still come.
    """

    tasks: list[TaskHistory]
    circumstances: Circumstances
    request_log: RequestLog
    unexpected_exits: set[str]
    stuck: Sequence[str] = ()
    actions: Counter[str] = field(default_factory=Counter)
    log_texts: Counter[str] = field(default_factory=Counter)


def run_experiment(
    folder: Path, seed: int, seconds: float, print_line: PrintLine, only: Collection[str] = WEIGHTS
) -> ExperimentResult:
    """Run the schedule of the seed, with `only` these actions, against a new service in the folder."""
    for limit in machine.limits():
        print_line(limit)
    weights = {name: weight for name, weight in WEIGHTS.items() if name in only}
    # Impossible steps are left out last: the others are the same on every machine.
    impossible = machine.impossible_actions()
    steps = [step for step in schedule(seed, seconds, weights) if step.action not in impossible]
    return run_steps(folder, seed, seconds, steps, print_line)


def run_steps(
    folder: Path, seed: int, seconds: float, steps: Sequence[Step], print_line: PrintLine
) -> ExperimentResult:
    """Take these steps against a new service in the folder, under the load of the seed."""
    request_log = RequestLog()
    with mounted(folder / "data") as disk:
        with closing(
            ServiceUnderTest(
                folder,
                disk=disk,
                namespaced_handlers=int(machine.has_namespaces()),
                can_set_clock=machine.can_set_clocks(),
            )
        ) as service:
            service.await_ready()
            with Load(service.address, seed, request_log, service.receiver.address) as load:
                actions = _run_schedule(steps, seconds, service, load, print_line)
                service.end_all_faults()
            service.load_ended = time.time()
            print_line("all faults have ended; the remaining tasks may finish")
            service.await_finished_tasks(MAX_DRAIN_SECONDS)
        return collect(service, request_log, actions)


def collect(
    service: ServiceUnderTest, request_log: RequestLog, actions: Counter[str] | None = None
) -> ExperimentResult:
    """Read the records of a service that has ended."""
    service.server.start()
    try:
        tasks = histories(service, request_log)
        with service.server.connection() as connection:
            parents, batches = change_log.read_parents(connection), change_log.read_batches(connection)
        stuck = service.server.stuck()
    finally:
        service.server.close()
    log_texts = _count_log_texts(service.logs)
    for call in service.receiver.calls:
        subject, _, rest = call.event.partition("-")
        if subject == "batch" and (batch := batches.get(int(rest.partition("-")[0]))):
            batch.calls.append(call)
    circumstances = _circumstances(service, tasks, parents, batches)
    return ExperimentResult(
        tasks, circumstances, request_log, service.unexpected_exits, stuck, actions or Counter(), log_texts
    )


def histories(service: ServiceUnderTest, request_log: RequestLog) -> list[TaskHistory]:
    """The history of every task, from the records of the database, the functions, the clients and the receiver."""
    builder = HistoryReader(service.server.ids())
    with service.server.connection() as connection:
        for entry in change_log.read(connection):
            builder.add_change(entry)
    for entry in service.server.lost_entries:
        builder.add_lost_change(entry)
    for id, run in runs.read(service.runs_file):
        builder.add_run(id, run)
    for requested_id, request in request_log.requests:
        if requested_id is not None:
            builder.add_request(requested_id, request)
    for call in service.receiver.calls:
        builder.add_call(call)
    return builder.tasks


def _circumstances(
    service: ServiceUnderTest,
    tasks: Sequence[TaskHistory],
    parents: Mapping[int, frozenset[int]],
    batches: Mapping[int, BatchHistory],
) -> Circumstances:
    return Circumstances(
        lease=service.lease,
        pids=service.pids,
        faults=[*service.faults, *runs.read_kills(service.runs_file)],
        claims=all_claims(tasks),
        ended=service.load_ended,
        marks={run.token: run.mark for _, run in runs.read(service.runs_file)},
        keys=key_times(tasks),
        batches=batch_sizes(tasks),
        ticks=tick_counts(tasks),
        holds=all_holds(tasks),
        tasks=by_id(tasks),
        parents=parents,
        batch_histories=batches,
        members=members(tasks),
    )


def _run_schedule(
    steps: Sequence[Step], seconds: float, service: ServiceUnderTest, load: Load, print_line: PrintLine
) -> Counter[str]:
    actions: Counter[str] = Counter()
    remaining = list(reversed(steps))
    start = time.monotonic()
    while (now := time.monotonic() - start) < seconds:
        service.maintain()
        if remaining and remaining[-1].moment <= now:
            step = remaining.pop()
            target = ACTIONS[step.action](service, step)
            actions[step.action] += target is not None
            what = NO_TARGET if target is None else target
            print_line(f"{now:7.2f} s  {step.action} {what} ({step.seconds:.1f} s)")
        elif not int(now / POLL_SECONDS) % POLLS_PER_COUNT:
            _limit_load(service, load)
            _hurry_ticks(service)
        time.sleep(POLL_SECONDS)
    return actions


def _limit_load(service: ServiceUnderTest, load: Load) -> None:
    """Pause submissions while too many tasks are unfinished."""
    if not service.is_server_available:
        return
    with suppress(psycopg2.Error):
        if service.server.count_unfinished() > MAX_UNFINISHED_TASKS:
            load.submissions_paused.set()
        else:
            load.submissions_paused.clear()


def _hurry_ticks(service: ServiceUnderTest) -> None:
    """Move the next tick of each schedule to now: a crontab has no ticks within a minute."""
    if service.is_server_available:
        with suppress(psycopg2.Error):
            service.server.execute("SET lock_timeout = '100ms'; " + HURRY_TICKS)


def _count_log_texts(logs: Path) -> Counter[str]:
    log = "\n".join(path.read_text(errors="replace") for path in logs.glob("*.log"))
    return Counter({name: log.count(text) for name, text in COUNTED_LOG_TEXTS.items()})
