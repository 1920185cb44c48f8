"""Arrays as text: every value comes back from PostgreSQL as it was sent."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from adapters.postgres import Database
from adapters.postgres.arrays import array
from domain.instants import LATEST
from domain.status import Status

HARD = ["", " ", "NULL", "null", "\\", '"', '\\"', "{a,b}", "'", "%(a)s", "%", ":a", "$1", "\n", "\x01", "é", "😀"]
EAST = timezone(timedelta(hours=5, minutes=30))


def back(database: Database, kind: str, values: Sequence[Any]) -> list[Any]:
    with database.engine.connect() as connection:
        found: list[Any] = connection.execute(text(f"SELECT CAST(:a AS {kind}[])"), {"a": array(values)}).scalar_one()
    return found


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("text", []),
        ("text", [None, *HARD, Status.DONE, None]),
        ("bigint", [0, -1, 2**63 - 1, -(2**63), None]),
        ("float8", [1, 0.1, -0.0, 5e-324, 1e300, float("inf"), None]),
        ("boolean", [True, False, None]),
        (
            "timestamptz",
            [datetime(1, 1, 1, tzinfo=UTC), datetime(999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), LATEST],
        ),
        ("timestamptz", [datetime(2026, 1, 1, microsecond=5, tzinfo=EAST), None]),
    ],
)
def test_values_of_each_kind_come_back(database: Database, kind: str, values: Sequence[Any]):
    assert back(database, kind, values) == values


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), max_size=5))
def test_any_texts_come_back(database: Database, values: list[str]):
    assert back(database, "text", values) == values
