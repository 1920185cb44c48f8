"""Diagnose the service: look at the database from outside, and at the work that it holds."""

from collections.abc import Sequence

from application.diagnosis.database import (
    Need,
    check_clock,
    check_connections,
    check_database,
    check_server_settings,
    check_snapshots,
)
from application.diagnosis.finding import Check
from application.diagnosis.work import check_work
from application.ports.clock import Clock
from application.ports.inspection import Inspector
from application.ports.monitoring import Liveness
from application.use_cases.view_situation import ViewSituation


class Diagnose:
    """Carries out every check. `host_clock`: the clock of this host, which need not be right."""

    def __init__(
        self,
        inspect: Inspector,
        view_situation: ViewSituation,
        clock: Clock,
        host_clock: Clock,
        need: Need,
    ) -> None:
        self._inspect = inspect
        self._view_situation = view_situation
        self._clock = clock
        self._host_clock = host_clock
        self._need = need

    def __call__(self) -> Sequence[Check]:
        """What was looked at, with what is to be done."""
        inspection, situation = self._inspect(), self._view_situation()
        handlers, janitors = (
            sum(each.state is not Liveness.SILENT for each in processes)
            for processes in (situation.processes.handlers, situation.processes.janitors)
        )
        return [
            check_database(inspection),
            check_clock(self._clock.now(), self._host_clock.now()),
            check_connections(inspection.connections, self._need, handlers, janitors),
            check_snapshots(inspection, self._clock.now()),
            check_server_settings(inspection),
            check_work(situation),
        ]
