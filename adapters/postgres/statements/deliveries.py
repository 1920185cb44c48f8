"""Statements of application.ports.deliveries: those of tasks, and the same of batches."""

from dataclasses import dataclass

from sqlalchemy import TextClause, text

_FREE = """
    free AS MATERIALIZED (
        SELECT {key}, row_number() OVER (ORDER BY due, {key}) AS position
        FROM (
            SELECT {key}, due FROM {table}
            WHERE state = 'pending' AND due <= :now
            ORDER BY due, {key} LIMIT :limit
            FOR UPDATE SKIP LOCKED
        ) first
    )"""
_CLAIMED = """
    claimed AS (
        UPDATE {table} d SET attempts = attempts + 1, due = :until
        FROM free WHERE d.{key} = free.{key}
        RETURNING d.*, d.{key} AS id, free.position
    )
    SELECT * FROM claimed ORDER BY position
"""


@dataclass(frozen=True, slots=True)
class DeliveryStatements:
    """The statements of the deliveries of one kind.

    Where a batch cannot be claimed, the adapter looks by `free` for those that cannot, and claims the others by
    `claim_of`.
    """

    get: TextClause
    claim: TextClause
    free: TextClause
    claim_of: TextClause
    give_up: TextClause
    settle: TextClause

    @classmethod
    def of(cls, table: str, key: str) -> "DeliveryStatements":
        """Build the statements for a table whose rows belong to what `key` names."""
        free, claimed = (part.format(table=table, key=key) for part in (_FREE, _CLAIMED))
        return cls(
            get=text(f"SELECT *, {key} AS id FROM {table} WHERE {key} = ANY (CAST(:ids AS bigint[]))"),
            claim=text(f"WITH {free}, {claimed}"),
            free=text(f"WITH {free} SELECT {key} FROM free ORDER BY position"),
            claim_of=text(f"""
                WITH free AS (
                    SELECT * FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY AS f ({key}, position)
                ), {claimed}
            """),
            give_up=text(f"UPDATE {table} SET state = 'given_up', error = :error WHERE {key} = :id"),
            settle=text(f"""
                UPDATE {table} SET state = :state, due = :due, error = :error
                WHERE {key} = :id AND finished = :finished AND attempts = :attempts AND state = 'pending'
            """),
        )


TASK_DELIVERIES = DeliveryStatements.of("deliveries", "task")
BATCH_DELIVERIES = DeliveryStatements.of("batch_deliveries", "batch")
