"""`python -m tests.chaos.unlocked`: a handler that counts what runs of a limited type without a lock on its limits."""

from sqlalchemy import text

from adapters.postgres import statements
from entrypoints.handler.__main__ import main

LOCK = "FOR UPDATE"

if __name__ == "__main__":
    statement = str(statements.LOCK_LIMITS)
    assert LOCK in statement
    statements.LOCK_LIMITS = text(statement.replace(LOCK, ""))
    main()
