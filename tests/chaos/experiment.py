"""A chaos experiment: inject faults into the service under load, end them all, and collect the records."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2

from tests.chaos import change_log, runs
from tests.chaos.actions import ACTIONS
from tests.chaos.circumstances import Circumstances, all_claims
from tests.chaos.history import TaskHistory
from tests.chaos.load import Load, RequestLog
from tests.chaos.schedule import Step, schedule
from tests.chaos.service import ServiceUnderTest

MAX_UNFINISHED_TASKS = 60
"""Tasks that wait or run; with more of them no new task is submitted."""
MAX_DRAIN_SECONDS = 120.0
"""Seconds after the last fault in which every task has to be finished."""
POLL_SECONDS = 0.05
POLLS_PER_COUNT = 20
COUNTED_LOG_TEXTS = {
    "late outcomes refused": "came late and was refused",
    "tasks rescued": "took back task",
    "errors": " ERROR ",
    "tracebacks": "Traceback (most recent call last)",
}
"""Texts in the logs of the processes whose occurrences are counted."""

PrintLine = Callable[[str], None]


@dataclass
class ExperimentResult:
    """The records of an experiment. `actions` and `log_texts` count how often each occurred."""

    tasks: dict[int, TaskHistory]
    circumstances: Circumstances
    request_log: RequestLog
    unexpected_exits: set[str]
    actions: Counter[str] = field(default_factory=Counter)
    log_texts: Counter[str] = field(default_factory=Counter)


def run_experiment(folder: Path, seed: int, seconds: float, print_line: PrintLine) -> ExperimentResult:
    """Run the schedule of the seed against a new service in the folder."""
    request_log = RequestLog()
    with closing(ServiceUnderTest(folder)) as service:
        service.await_ready()
        with Load(service.address, seed, request_log) as load:
            actions = _run_schedule(schedule(seed, seconds), seconds, service, load, print_line)
            service.end_all_faults()
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
    finally:
        service.server.close()
    circumstances = Circumstances(service.lease, service.pids, service.faults, all_claims(tasks.values()))
    log_texts = _count_log_texts(service.logs)
    return ExperimentResult(
        tasks, circumstances, request_log, service.unexpected_exits, actions or Counter(), log_texts
    )


def histories(service: ServiceUnderTest, request_log: RequestLog) -> dict[int, TaskHistory]:
    """The history of every task, from the records of the database, the functions and the clients."""
    existing = service.server.ids()
    tasks: dict[int, TaskHistory] = {}

    def history(id: int) -> TaskHistory:
        return tasks.setdefault(id, TaskHistory(id, is_there=id in existing))

    with service.server.connection() as connection:
        for id, change in change_log.read(connection):
            history(id).changes.append(change)
    for id, run in runs.read(service.runs_file):
        history(id).runs.append(run)
    for requested_id, request in request_log.requests:
        if requested_id is not None:
            history(requested_id).requests.append(request)
    return tasks


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
            actions[step.action] += 1
            print_line(f"{now:7.2f} s  {step.action} {target} ({step.seconds:.1f} s)")
        elif not int(now / POLL_SECONDS) % POLLS_PER_COUNT:
            _limit_load(service, load)
        time.sleep(POLL_SECONDS)
    return actions


def _limit_load(service: ServiceUnderTest, load: Load) -> None:
    """Pause submissions while too many tasks are unfinished."""
    if not service.is_server_available:
        return
    with suppress(psycopg2.Error):
        if service.server.count("waiting", "running") > MAX_UNFINISHED_TASKS:
            load.submissions_paused.set()
        else:
            load.submissions_paused.clear()


def _count_log_texts(logs: Path) -> Counter[str]:
    log = "\n".join(path.read_text(errors="replace") for path in logs.glob("*.log"))
    return Counter({name: log.count(text) for name, text in COUNTED_LOG_TEXTS.items()})
