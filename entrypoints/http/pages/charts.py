"""Charts of the events of a period: the flow of tasks by outcome, and how long they waited and ran.

They show the steps that are over: one that goes on would look as if work came to a stop.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from application.ports.published_types import PublishedType
from application.ports.statistics import MINUTE
from application.use_cases.view_statistics import UNLIKELY, Durations, Period, Series
from domain.event import Event
from domain.histogram import MEDIAN, merged, quantile
from entrypoints.http.pages.plots import Axis, Mark, Plot
from entrypoints.http.pages.plots import Series as Line

OUTCOMES = (Event.FAILED, Event.CANCELLED, Event.DONE)
"""Ends of tasks, as they are stacked from the top."""
FLOW = (Event.SUBMITTED, Event.DONE, Event.FAILED, Event.CANCELLED)
CHART_HEIGHT = 170
TIME = Axis(time=True)
CURSOR = "time"
"""Name of the cursor that the charts of a page share."""


@dataclass(frozen=True, slots=True)
class Quantiles:
    """The median and the 99th percentile of some durations in seconds; None if there are none."""

    median: float | None
    p99: float | None

    @classmethod
    def of(cls, durations: Iterable[Durations]) -> "Quantiles":
        """Those of all durations together."""
        buckets = merged(each.whole for each in durations)
        return cls(quantile(buckets, MEDIAN), quantile(buckets, UNLIKELY))


@dataclass(frozen=True)
class Charts:
    """The charts of one series over a period.

    `changes`: the times at which schemas changed, by type; those before the period are left out.
    """

    period: Period
    series: Series
    changes: Mapping[str, datetime]

    @cached_property
    def starts(self) -> Sequence[datetime]:
        """The starts of the steps."""
        return [self.period.since + self.period.step * nth for nth in range(self.period.steps)]

    @property
    def step_minutes(self) -> int:
        """The length of a step."""
        return self.period.step // MINUTE

    @property
    def flow(self) -> Plot:
        """The tasks that were submitted and that ended, a minute."""
        ends = [Line(event.value, self._a_minute(event), f"--bar-{event.value}") for event in OUTCOMES]
        submitted = Line("submitted", self._a_minute(Event.SUBMITTED), "--ink", is_line=True)
        return self._plot([*ends, submitted], Axis(name="tasks a minute", zero=True), form="bars", stacked=True)

    @property
    def wait(self) -> Plot:
        """The times for which tasks waited beyond their `run_at`."""
        return self._durations(self.series.wait)

    @property
    def run(self) -> Plot:
        """The times for which functions ran."""
        return self._durations(self.series.run)

    @property
    def last_counts(self) -> Mapping[Event, int]:
        """The numbers of events of the last step."""
        return {event: numbers[-1] for event, numbers in self.series.counts.items()}

    @property
    def last_wait(self) -> Quantiles:
        """The wait times of the last step."""
        return Quantiles(self.series.wait.medians[-1], self.series.wait.p99s[-1])

    @property
    def last_run(self) -> Quantiles:
        """The run times of the last step."""
        return Quantiles(self.series.run.medians[-1], self.series.run.p99s[-1])

    @property
    def changed(self) -> Sequence[tuple[str, datetime]]:
        """The types whose schemas changed in the period, and when; the earliest change first."""
        in_period = [(name, at) for name, at in self.changes.items() if self.period.since <= at]
        return sorted(in_period, key=lambda change: change[1])

    def rows(self) -> Iterator[tuple[datetime, Sequence[int], Sequence[float | None]]]:
        """The start, the counts of FLOW and the four durations of each step, the last one first."""
        durations = [kind for of in (self.series.wait, self.series.run) for kind in (of.medians, of.p99s)]
        for nth, start in reversed(list(enumerate(self.starts))):
            yield start, [self.series.counts[event][nth] for event in FLOW], [each[nth] for each in durations]

    def _a_minute(self, event: Event) -> Sequence[float | None]:
        return [_short(number / self.step_minutes) for number in self.series.counts[event]]

    def _durations(self, durations: Durations) -> Plot:
        lines = [("median", durations.medians, "--running"), ("99th percentile", durations.p99s, "--cancelled")]
        shown = [Line(name, [_short(each) for each in values], color) for name, values, color in lines]
        return self._plot(shown, Axis(unit="s", log=True))

    def _plot(self, lines: Sequence[Line], y: Axis, form: str = "line", stacked: bool = False) -> Plot:
        marks = [Mark(int(at.timestamp()), name) for name, at in self.changed]
        xs = [int(start.timestamp()) for start in self.starts]
        return Plot(xs, lines, TIME, y, form, stacked, CHART_HEIGHT, CURSOR, marks)


def changes(types: Iterable[PublishedType]) -> Mapping[str, datetime]:
    """The times at which the schemas of types changed."""
    return {each.type.name: each.changed for each in types if each.changed}


def no_events(period: Period) -> Series:
    """The series of a type that had no event in the period."""
    none = Durations([{}] * period.steps)
    return Series({event: [0] * period.steps for event in Event}, none, none)


def _short(value: float | None) -> float | None:
    """The value with four digits that matter, which its JSON has then too."""
    if value is None:
        return None
    short = float(f"{value:.4g}")
    return int(short) if short.is_integer() else short
