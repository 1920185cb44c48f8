"""`python -m tests.chaos.unfenced`: a handler whose statements, named by `UNFENCED`, do not compare the claim."""

import os

from sqlalchemy import text

from adapters.postgres import statements
from entrypoints.handler.__main__ import main

FENCES = {
    "SETTLE": "t.claims = o.claim",
    "RENEW": "t.claims = given.claim",
    "LOST": "t.claims = given.claim",
}


def remove_fence(name: str) -> None:
    """Remove every comparison of the claim from the statement of that name."""
    statement = str(getattr(statements, name))
    assert FENCES[name] in statement
    setattr(statements, name, text(statement.replace(FENCES[name], "true")))


if __name__ == "__main__":
    for name in os.environ["UNFENCED"].split(","):
        remove_fence(name)
    main()
