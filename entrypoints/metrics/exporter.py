"""Exporters: make the text of a process's metrics, also while the database is away."""

from collections.abc import Callable

from application.ports.clock import Clock
from application.timely import Timely
from application.use_cases.measure import Measurements
from entrypoints.metrics.exposition import rendered
from entrypoints.metrics.samples import Samples, of_measurements, of_process

MAX_LATE_SECONDS = 60.0
"""Seconds for which the last measurements are exported while others take longer than a scrape may."""


class Exporter:
    """Exports what any process knows, and what this one knows alone."""

    def __init__(self, ping: Callable[[], object], clock: Clock) -> None:
        self._is_up = Timely(lambda: _is_up(ping), clock)
        self._clock = clock

    def __call__(self, own: Samples) -> bytes:
        """The text, with the samples of this process. It waits for the database for a second at most."""
        return rendered({**self._samples(bool(self._is_up())), **own})

    def _samples(self, is_up: bool) -> Samples:
        return of_process(self._clock.now(), is_up)


class MeasuringExporter(Exporter):
    """Exports also what the database knows, unless it is away."""

    def __init__(self, ping: Callable[[], object], clock: Clock, measure: Callable[[], Measurements]) -> None:
        super().__init__(ping, clock)
        self._measure = Timely(measure, clock, MAX_LATE_SECONDS)

    def _samples(self, is_up: bool) -> Samples:
        measured = self._measure() if is_up else None
        return {**super()._samples(is_up), **(of_measurements(measured) if measured else {})}


def _is_up(ping: Callable[[], object]) -> bool:
    ping()
    return True
