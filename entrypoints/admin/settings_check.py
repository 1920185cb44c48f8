"""The check of the settings: values that are allowed, and look wrong beside each other or beside the processes."""

from collections.abc import Iterator
from pathlib import Path

from application.diagnosis.finding import Check
from application.outages import Finding
from application.ports.monitoring import Liveness
from application.use_cases.list_handlers import Processes
from entrypoints.settings import Settings

MIN_TASK_SECONDS = 60
"""Seconds of MAX_TASK_TIME below which tasks may be deleted before a handler comes to them."""
LEASE_TOLERANCE_SECONDS = 0.5


def check_settings(settings: Settings, processes: Processes | None = None) -> Check:
    """Check the settings of this environment, and those that the live handlers tell."""
    return Check("settings", "The variables of this environment were looked at.", [*_findings(settings, processes)])


def _findings(settings: Settings, processes: Processes | None) -> Iterator[Finding]:
    if settings.max_task_time < MIN_TASK_SECONDS:
        yield Finding(
            f"MAX_TASK_TIME is {settings.max_task_time}, so a task that waits for longer is deleted before it runs.",
            "Raise it: it is the time for which the data of a task are kept, and no limit on running.",
        )
    if settings.webhook_networks and not settings.signs:
        yield Finding(
            "WEBHOOK_NETWORKS is set and WEBHOOK_SECRET is not, so no callback is sent.",
            "Give APIs and janitors the same WEBHOOK_SECRET, or unset WEBHOOK_NETWORKS.",
        )
    for file in settings.tasks:
        if settings.tasks != Settings().tasks and file.endswith(".py") and not Path(file).is_file():
            yield Finding(f"TASKS names {file}, and there is no such file here.", "Correct the path in TASKS.")
    if processes:
        yield from _leases(processes)


def _leases(processes: Processes) -> Iterator[Finding]:
    """Handlers with different leases: the shortest one decides when the tasks of all are taken back."""
    records = [each.record for each in processes.handlers if each.state is not Liveness.SILENT]
    leases = [(each.until - each.last_seen).total_seconds() for each in records if each.until and each.last_seen]
    if leases and max(leases) - min(leases) > LEASE_TOLERANCE_SECONDS:
        yield Finding(
            f"LEASE of the live handlers differs, from {min(leases):g} s to {max(leases):g} s.",
            "Give all handlers and janitors the same LEASE.",
        )
