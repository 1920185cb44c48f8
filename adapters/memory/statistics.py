"""Statistics in memory."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta

from adapters.memory.state import State
from application.ports.statistics import EventCount, EventCounts, EventTotals
from domain.event import Event
from domain.histogram import Buckets
from domain.ids import TypeName


class MemoryStatistics:
    """Implements application.ports.statistics.Statistics. State.put counts the events."""

    def __init__(self, state: State) -> None:
        self._state = state

    def counts(self, since: datetime, until: datetime, step: timedelta, type: TypeName | None = None) -> EventCounts:
        found: dict[tuple[TypeName, int, Event], Counter[int | None]] = defaultdict(Counter)
        for (of_type, minute, event, bucket), number in self._state.events.items():
            if since <= minute < until and type in (None, of_type):
                found[of_type, (minute - since) // step, event][bucket] += number
        return {key: EventCount(counter.total(), _buckets(counter)) for key, counter in found.items()}

    def latest_buckets(self, type: TypeName, event: Event, since: datetime, number: int) -> Buckets:
        latest: Counter[int | None] = Counter()
        minutes = {key[1] for key in self._state.events if key[0] == type and key[2] is event and key[1] >= since}
        for minute in sorted(minutes, reverse=True):
            if latest.total() >= number:
                break
            for key, of_key in self._state.events.items():
                if key[:3] == (type, minute, event):
                    latest[key[3]] += of_key
        return _buckets(latest)

    def totals(self) -> EventTotals:
        found: dict[tuple[TypeName, Event], Counter[int | None]] = defaultdict(Counter)
        for (type, _, event, bucket), number in self._state.events.items():
            found[type, event][bucket] += number
        for (type, event, bucket), number in self._state.forgotten_events.items():
            found[type, event][bucket] += number
        return {key: EventCount(counter.total(), _buckets(counter)) for key, counter in found.items()}

    def add_up(self, until: datetime) -> bool:
        self._state.events_added_until = max(until, self._state.events_added_until)
        return False

    def fold(self, since: datetime, limit: int) -> int:
        return 0

    def forget(self, before: datetime, limit: int) -> int:
        before = min(before, self._state.events_added_until)
        old = [key for key in self._state.events if key[1] < before][:limit]
        for key in old:
            type, _, event, bucket = key
            self._state.forgotten_events[type, event, bucket] += self._state.events.pop(key)
        return len(old)


def _buckets(counter: Counter[int | None]) -> Buckets:
    return {bucket: number for bucket, number in counter.items() if bucket is not None}
