"""Types as pages show them: each with its state, its tasks by status, and the figures of a period."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from markupsafe import Markup

from application.ports.published_types import PublishedType
from application.use_cases.view_situation import Situation
from application.use_cases.view_statistics import Series
from domain.event import Event
from domain.ids import TypeName
from domain.status import Status
from entrypoints.http.pages.charts import Quantiles
from entrypoints.http.pages.limits.words import halts, in_short
from entrypoints.http.pages.periods import SeenPeriod
from entrypoints.http.pages.sparkline import sparkline

NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TypeRow:
    """One type. `published`: None of one that no handler has published. `series`: its events in a period, in parts."""

    name: TypeName
    published: PublishedType | None
    counts: Mapping[Status, int]
    oldest_due: datetime | None
    series: Sequence[Series]

    @property
    def state(self) -> str:
        """A word for whether it can be run."""
        return state_of(self.published)

    @property
    def halts(self) -> Sequence[str]:
        """Words for what an operator has stopped of it."""
        return halts(self.published)

    @property
    def limits(self) -> str:
        """Its limits in short; nothing without any."""
        return in_short(self.published.limits) if self.published else ""

    @property
    def has_tasks(self) -> bool:
        """Whether it has a task, or had an event in the period."""
        return any(self.counts.values()) or bool(self.series)

    @property
    def failed(self) -> int:
        """The number of its tasks that failed in the period."""
        return self.number(Event.FAILED)

    @property
    def failure_rate(self) -> float | None:
        """The share of those that failed among those that were done or failed; None if there were none."""
        ended = self.number(Event.DONE) + self.failed
        return self.failed / ended if ended else None

    @property
    def wait(self) -> Quantiles:
        """The wait times of its tasks in the period."""
        return Quantiles.of(each.wait for each in self.series)

    @property
    def run(self) -> Quantiles:
        """The run times of its tasks in the period."""
        return Quantiles.of(each.run for each in self.series)

    @property
    def spark(self) -> Markup | str:
        """The tasks that were done and that failed, drawn small."""
        if not self.series:
            return ""
        label = f"{self.number(Event.DONE)} done, {self.failed} failed"
        first = self.series[0].counts
        return sparkline(first[Event.DONE], first[Event.FAILED], label)

    def number(self, event: Event) -> int:
        """The number of its events in the period."""
        return sum(each.number(event) for each in self.series)


def state_of(type: PublishedType | None) -> str:
    """A word for whether a type can be run: `live`, `abandoned` while only other types can, else `no handler`."""
    if type and type.live:
        return "live"
    return "abandoned" if type and type.abandoned else "no handler"


def type_rows(situation: Situation, period: SeenPeriod) -> Sequence[TypeRow]:
    """All types that are known, or have a task or an event, in the order of names."""
    names = sorted({*situation.types, *situation.counts, *period.over.types, *period.current.types})
    return [type_row(name, situation, period) for name in names]


def type_row(name: TypeName, situation: Situation, period: SeenPeriod) -> TypeRow:
    """One type."""
    counts = situation.counts.get(name, {})
    return TypeRow(
        name,
        situation.types.get(name),
        {status: counts.get(status, 0) for status in Status},
        situation.oldest_due.get(name),
        period.series(name),
    )


def failing_first(rows: Sequence[TypeRow]) -> Sequence[TypeRow]:
    """The rows that have tasks: the highest failure rate first, then what has waited longest."""
    return sorted(
        (row for row in rows if row.has_tasks),
        key=lambda row: (-(row.failure_rate or 0), -row.failed, row.oldest_due or NEVER, row.name),
    )
