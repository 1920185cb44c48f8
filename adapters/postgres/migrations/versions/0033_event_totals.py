"""Keep the totals of all events, which outlive the counts by minute."""

from alembic import op

revision = "0033"
down_revision = "0032"

# `bucket` is NULL for events without a duration. Janitors move `until`, and add the counts of the minutes before it to
# the totals, so that those are read from few rows.
TABLES = """
CREATE TABLE task_event_totals (
    type text NOT NULL,
    event text NOT NULL,
    bucket smallint,
    number bigint NOT NULL
);
CREATE UNIQUE INDEX task_event_totals_key ON task_event_totals (type, event, coalesce(bucket, -32768));

CREATE TABLE task_events_added (until timestamptz NOT NULL);
CREATE UNIQUE INDEX task_events_added_is_one ON task_events_added ((true));
"""


def upgrade() -> None:
    op.execute(TABLES)
