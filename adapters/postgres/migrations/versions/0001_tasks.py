"""Create the tables of tasks, attempts, published types and handlers."""

from alembic import op

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE tasks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created timestamptz NOT NULL,
    run_at timestamptz NOT NULL,
    expire timestamptz NOT NULL,
    lease_until timestamptz,
    started timestamptz,
    finished timestamptz,
    timeout float8,
    ttl integer NOT NULL,
    max_attempts integer NOT NULL,
    max_losses integer NOT NULL,
    attempt integer NOT NULL DEFAULT 0,
    losses integer NOT NULL DEFAULT 0,
    claims integer NOT NULL DEFAULT 0,
    args_bytes integer GENERATED ALWAYS AS (octet_length(args)) STORED,
    priority smallint NOT NULL,
    status text NOT NULL DEFAULT 'waiting',
    type text NOT NULL,
    handler text,
    progress text,
    error text,
    args text NOT NULL,
    result text,
    CONSTRAINT status_is_known CHECK (status IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
    CONSTRAINT running_means_leased CHECK (
        (status = 'running') = (handler IS NOT NULL) AND (handler IS NULL) = (lease_until IS NULL)
    ),
    CONSTRAINT final_means_finished CHECK ((status IN ('done', 'failed', 'cancelled')) = (finished IS NOT NULL)),
    CONSTRAINT done_means_result CHECK ((status = 'done') = (result IS NOT NULL)),
    CONSTRAINT failed_means_error CHECK (status <> 'failed' OR error IS NOT NULL),
    CONSTRAINT waiting_means_not_started CHECK (status <> 'waiting' OR started IS NULL),
    CONSTRAINT attempts_are_counted CHECK (attempt BETWEEN 0 AND max_attempts AND claims >= attempt),
    CONSTRAINT losses_are_counted CHECK (losses >= 0 AND max_losses >= 0 AND losses <= max_losses + 1),
    CONSTRAINT priority_is_bounded CHECK (priority BETWEEN -100 AND 100),
    CONSTRAINT kept_for_its_time CHECK (ttl > 0 AND expire >= created)
) WITH (
    -- Every row is written three times within moments: clean up often, in small steps, without sleeping in between.
    autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.05,
    autovacuum_vacuum_cost_delay = 0
);

-- Who is next? One entry a waiting task; claims walk the pairs of type and priority.
CREATE INDEX tasks_waiting ON tasks (type, priority DESC, run_at, id) WHERE status = 'waiting';
-- Whose lease has lapsed?
CREATE INDEX tasks_leases ON tasks (lease_until) WHERE status = 'running';
-- What has expired? Running tasks never do.
CREATE INDEX tasks_expire ON tasks (expire) WHERE status <> 'running';
-- What went wrong? Few rows, looked for among many.
CREATE INDEX tasks_troubled ON tasks (status, id) WHERE status IN ('failed', 'cancelled');

CREATE TABLE attempts (
    task bigint NOT NULL REFERENCES tasks ON DELETE CASCADE,
    claim integer NOT NULL,
    attempt integer NOT NULL,
    outcome text NOT NULL,
    started timestamptz,
    ended timestamptz NOT NULL,
    error text NOT NULL,
    traceback text NOT NULL,
    PRIMARY KEY (task, claim),
    CONSTRAINT outcome_is_known CHECK (outcome IN ('failed', 'lost'))
);

CREATE TABLE task_types (
    name text PRIMARY KEY,
    description text NOT NULL,
    schema text NOT NULL,
    priority smallint NOT NULL,
    max_attempts integer NOT NULL,
    max_losses integer NOT NULL,
    timeout float8,
    retries_timeout boolean NOT NULL
);

CREATE TABLE handlers (
    id text PRIMARY KEY,
    until timestamptz NOT NULL,
    types text[] NOT NULL
);
"""


def upgrade() -> None:
    op.execute(TABLES)
