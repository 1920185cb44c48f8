"""The catalogue of all metrics: the kind, the labels and the meaning of each, and the processes that export it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

PREFIX = "flask_tasks_"


class Kind(StrEnum):
    """A kind of metric, as Prometheus names it."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Process(StrEnum):
    """A process that exports metrics."""

    API = "API"
    HANDLER = "handler"
    JANITOR = "janitor"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric. The name of a counter ends with `_total`."""

    name: str
    kind: Kind
    meaning: str
    labels: Sequence[str] = ()
    processes: Sequence[Process] = (Process.API,)


ALL = tuple(Process)
TYPE = ("type",)
COUNTER, GAUGE, HISTOGRAM = Kind
HANDLER, JANITOR = (Process.HANDLER,), (Process.JANITOR,)

CATALOGUE: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("tasks", GAUGE, "Tasks that are stored.", ("type", "status")),
        Metric("oldest_due_age_seconds", GAUGE, "Time for which the oldest due task waits; 0 if none is due.", TYPE),
        Metric("unhandled_tasks", GAUGE, "Waiting tasks of types that no live handler has.", TYPE),
        Metric("submissions_total", COUNTER, "Tasks that were submitted.", TYPE),
        Metric("starts_total", COUNTER, "Starts of tasks.", TYPE),
        Metric("outcomes_total", COUNTER, "Tasks that finished: done, failed or cancelled.", ("type", "outcome")),
        Metric("retries_total", COUNTER, "Tasks that wait again after a failure, or after a retry by hand.", TYPE),
        Metric("losses_total", COUNTER, "Started tasks that were taken back from a dead handler.", TYPE),
        Metric("wait_seconds", HISTOGRAM, "Times between the run_at of tasks and their starts.", TYPE),
        Metric("run_seconds", HISTOGRAM, "Times between the starts of tasks and their ends, done or failed.", TYPE),
        Metric("handlers", GAUGE, "Handlers: live, draining or silent.", ("status",)),
        Metric("janitors", GAUGE, "Janitors: live or silent.", ("status",)),
        Metric("http_requests_total", COUNTER, "Requests that were answered.", ("route", "code")),
        Metric("claim_batch_tasks", HISTOGRAM, "Sizes of claims that took any task.", (), HANDLER),
        Metric("settle_batch_tasks", HISTOGRAM, "Sizes of batches of outcomes and releases.", (), HANDLER),
        Metric("settle_lag_seconds", HISTOGRAM, "Times between the ends of runs and their storing.", (), HANDLER),
        Metric(
            "refused_outcomes_total",
            COUNTER,
            "Outcomes that were not stored: late, since the task was not held any more, or unstorable.",
            ("outcome",),
            HANDLER,
        ),
        Metric(
            "callbacks_total",
            COUNTER,
            "Attempts to send callbacks: delivered, failed so that it is tried again, or given_up.",
            ("outcome",),
            JANITOR,
        ),
        Metric("database_up", GAUGE, "1 while a write to the database could succeed, else 0.", (), ALL),
        Metric(
            "clock_offset_seconds",
            GAUGE,
            "Time by which the clock of the machine is ahead of that of the database.",
            (),
            ALL,
        ),
        Metric("build_info", GAUGE, "1, with the versions of the service and of Python.", ("version", "python"), ALL),
    )
}
"""The metrics by their names without the prefix, in the order in which they are exported."""
