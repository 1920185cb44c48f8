"""Reading of timestamps, those included that Python has no form for: an infinite one, and one beyond the year 9999."""

from datetime import UTC, datetime
from typing import Any

from psycopg2.extensions import new_type, register_type

from domain.instants import LATEST

EARLIEST = datetime(1, 1, 1, tzinfo=UTC)
"""Stands for all timestamps before Christ."""
TIMESTAMPTZ_OID = 1184


def register_timestamps(connection: Any) -> None:
    """Read the timestamps of this psycopg2 connection by `moment`, which is quicker than the driver's own reader."""
    register_type(new_type((TIMESTAMPTZ_OID,), "TIMESTAMPTZ", moment), connection)


def moment(text: Any, _: object = None) -> datetime | None:
    """Return the moment that PostgreSQL writes so; the nearest one that Python has where it has none."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return EARLIEST if text.startswith("-") or text.endswith("BC") else LATEST
