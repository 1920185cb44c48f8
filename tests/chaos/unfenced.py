"""`python -m tests.chaos.unfenced`: a handler whose statements, named by `UNFENCED`, do not compare the hold."""

import os

from sqlalchemy import text

from adapters.postgres import statements
from entrypoints.handler.__main__ import main

FENCES = {
    "SETTLE": "(t.claims, t.handler) = (o.claim, o.handler)",
    "SETTLE_SUCCESSES": "(t.claims, t.handler) = (o.claim, :handler)",
    "RENEW": "(t.claims, t.handler) = (given.claim, given.handler)",
    "LOST": "(t.claims, t.handler) = (given.claim, given.handler)",
}


def remove_fence(name: str) -> None:
    """Remove every comparison of the hold from the statement of that name."""
    statement = str(getattr(statements, name))
    assert FENCES[name] in statement
    setattr(statements, name, text(statement.replace(FENCES[name], "true")))


if __name__ == "__main__":
    for name in os.environ["UNFENCED"].split(","):
        remove_fence(name)
    main()
