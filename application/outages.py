"""Outages in words: the same sentences in the log, on the pages, in the answers of the API and from the doctor."""

from collections.abc import Mapping
from typing import NamedTuple

from application.errors import Outage, StorageUnavailable, driver_message


class Finding(NamedTuple):
    """Something to do: one sentence says what was found, and one what mends it."""

    found: str
    cure: str


FINDINGS: Mapping[Outage, Finding] = {
    Outage.UNREACHABLE: Finding(
        "The database cannot be reached, or refuses connections.", "Start it, or correct DATABASE_URL."
    ),
    Outage.STARTING: Finding("The database is starting or stopping.", "Wait, or read the log of its server."),
    Outage.READ_ONLY: Finding(
        "The database is read-only, so no task can be submitted, and no outcome written.",
        "Set default_transaction_read_only off, free its disk, or name the primary in DATABASE_URL.",
    ),
    Outage.FULL: Finding(
        "The disk of the database is full, so nothing can be written.", "Free its disk, or enlarge it."
    ),
    Outage.NO_CONNECTIONS: Finding(
        "The database has no connections left.",
        "Raise max_connections, run fewer processes, lower HTTP_THREADS, or put a pooler between.",
    ),
}
UNKNOWN = Finding("The database is unavailable.", "Read the log of the process, and that of the database.")


def outage_of(error: BaseException | None) -> Outage:
    """Why the storage is unavailable, as the error or one behind it says."""
    while error is not None:
        if isinstance(error, StorageUnavailable) and error.outage is not Outage.UNKNOWN:
            return error.outage
        error = error.__cause__
    return Outage.UNKNOWN


def finding_of(error: BaseException) -> Finding:
    """What has happened to the storage, and what mends it."""
    return FINDINGS.get(outage_of(error), UNKNOWN)


def described(error: BaseException) -> str:
    """The line of a log: what has happened and what mends it, where that is known, and the driver's own words."""
    found = FINDINGS.get(outage_of(error))
    return f"{found.found} {found.cure} ({driver_message(error)})" if found else driver_message(error)


def message_of(error: BaseException) -> str:
    """The sentence for a client, who can only try again."""
    found = FINDINGS.get(outage_of(error))
    return f"{found.found} Try again later." if found else str(error)
