"""Translation of psycopg2's and SQLAlchemy's errors to those of the application."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg2
import psycopg2.errors
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from adapters.postgres.prepared import SHARED_SESSION_ERRORS
from application.errors import (
    Outage,
    OutcomeRefused,
    StatementRefused,
    StorageConflict,
    StorageUnavailable,
    TriggerFailed,
)
from domain.failure import NO_ATTEMPT_LEFT

CONFLICT_ERRORS = (
    psycopg2.errors.DeadlockDetected,
    psycopg2.errors.SerializationFailure,
    psycopg2.errors.LockNotAvailable,
    *SHARED_SESSION_ERRORS,
)
"""Errors of a transaction that may succeed when it is repeated."""
SESSION_ENDING_ERRORS = (
    psycopg2.errors.ReadOnlySqlTransaction,
    psycopg2.errors.IdleInTransactionSessionTimeout,
    psycopg2.errors.AdminShutdown,
    psycopg2.errors.CrashShutdown,
    psycopg2.errors.CannotConnectNow,
    psycopg2.errors.DatabaseDropped,
    psycopg2.errors.lookup("25P04"),  # transaction_timeout, since PostgreSQL 17
    psycopg2.errors.lookup("57P05"),  # idle_session_timeout
)
"""Errors of a session that cannot write, or that the server ends. Poolers pass some on without closing anything."""
TRIGGER_ERROR_CLASSES = ("08", "42", "HV")
"""Classes of SQLSTATE of a trigger that meets a missing table, a missing permission, or another database that is away.

Of our own statements these errors mean that the database is not ready, or is away.
"""
UNAVAILABLE_ERRORS = (
    *SESSION_ENDING_ERRORS,
    psycopg2.OperationalError,
    psycopg2.InterfaceError,
    psycopg2.errors.UndefinedTable,
    psycopg2.errors.UndefinedColumn,
    psycopg2.errors.InvalidColumnReference,
)
"""Errors of a database that is away or not ready: a table, column or index is still missing, or it is read-only."""
SYSTEMIC_ERRORS = (psycopg2.ProgrammingError, psycopg2.NotSupportedError)
"""Errors of a statement that no row is to blame for, such as a missing permission."""
SENTENCES = {"attempts_are_counted": NO_ATTEMPT_LEFT}
"""A sentence for the violation of a constraint, by its name."""


OUTAGES: Mapping[type[BaseException], Outage] = {
    psycopg2.errors.ReadOnlySqlTransaction: Outage.READ_ONLY,
    psycopg2.errors.DiskFull: Outage.FULL,
    psycopg2.errors.TooManyConnections: Outage.NO_CONNECTIONS,
    psycopg2.errors.CannotConnectNow: Outage.STARTING,
    psycopg2.errors.AdminShutdown: Outage.STARTING,
    psycopg2.errors.CrashShutdown: Outage.STARTING,
}
"""Why the database is unavailable, by the error of a statement."""
OUTAGES_BY_WORDS = {
    "too many clients": Outage.NO_CONNECTIONS,
    "too many connections": Outage.NO_CONNECTIONS,
    "connection slots": Outage.NO_CONNECTIONS,
    "no more connections allowed": Outage.NO_CONNECTIONS,
    "starting up": Outage.STARTING,
    "shutting down": Outage.STARTING,
    "Connection refused": Outage.UNREACHABLE,
    "could not translate host name": Outage.UNREACHABLE,
    "No route to host": Outage.UNREACHABLE,
    "timeout expired": Outage.UNREACHABLE,
    "No such file or directory": Outage.UNREACHABLE,
}
"""The same by a part of the message of a connection that was not made, which has no code."""


def outage_of(error: BaseException | None) -> Outage:
    """Why the database is unavailable, as an error of the driver says, or the one behind it."""
    while error is not None:
        for kind, outage in OUTAGES.items():
            if isinstance(error, kind):
                return outage
        if isinstance(error, psycopg2.OperationalError) and error.pgcode is None:
            for words, outage in OUTAGES_BY_WORDS.items():
                if words in str(error):
                    return outage
        error = error.__cause__
    return Outage.UNKNOWN


def _has_trigger_failed(error: BaseException | None) -> bool:
    """Whether a function in the database has failed, such as a trigger on some of the rows, and not our statement."""
    context = getattr(getattr(error, "diag", None), "context", None)
    return bool(context) and str(getattr(error, "pgcode", "")).startswith(TRIGGER_ERROR_CLASSES)


def is_systemic(error: Exception) -> bool:
    """Whether no row is to blame for the error."""
    return not isinstance(error, TriggerFailed) and isinstance(_of_driver(error), SYSTEMIC_ERRORS)


def reason(error: Exception) -> str:
    """Return in one line why the storage refuses a row."""
    of_driver = _of_driver(error)
    diagnosis = getattr(of_driver, "diag", None)
    found = SENTENCES.get(getattr(diagnosis, "constraint_name", None) or "")
    return found or getattr(diagnosis, "message_primary", None) or str(of_driver).partition("\n")[0]


def _of_driver(error: BaseException) -> BaseException:
    if isinstance(error, TriggerFailed | StatementRefused) and error.__cause__:
        error = error.__cause__
    return (error.orig if isinstance(error, DBAPIError) else None) or error


REFUSALS: Mapping[type[BaseException], str] = {
    psycopg2.IntegrityError: "a constraint of the database forbids it",
    psycopg2.errors.RaiseException: "a trigger of the database refuses it",
    psycopg2.errors.ProgramLimitExceeded: "it is too large for the database",
    UnicodeError: "it has characters that the database cannot store",
    psycopg2.DataError: "it has a value that the database cannot store",
}
"""Errors of an outcome that can never be stored, and the reason that its task is failed with."""


@contextmanager
def refused_outcomes() -> Iterator[None]:
    """Translate the errors of outcomes that cannot be stored.

    Raises OutcomeRefused: the outcome is to blame.
    Raises StatementRefused: no outcome is to blame, and each may be stored later.
    """
    try:
        yield
    except StatementRefused:
        raise
    except Exception as error:
        of_driver = _of_driver(error)
        for kind, why in REFUSALS.items():
            if isinstance(of_driver, kind):
                raise OutcomeRefused(why) from error
        if is_systemic(error):
            raise StatementRefused from error
        raise


@contextmanager
def translated_errors() -> Iterator[None]:
    """Translate the driver's errors that the block raises.

    Raises StorageConflict: a lock, a deadlock or a shared session was in the way; the transaction can be repeated.
    Raises StatementRefused: the role lacks a right.
    Raises TriggerFailed: a trigger has failed, which may be for some of the rows alone.
    Raises StorageUnavailable: the database is away or not ready, or no connection of the pool became free.
    """
    try:
        yield
    except PoolTimeout as error:
        raise StorageUnavailable from error
    except DBAPIError as error:
        if isinstance(error.orig, psycopg2.errors.ProgramLimitExceeded):
            raise
        if isinstance(error.orig, CONFLICT_ERRORS):
            raise StorageConflict from error
        if _has_trigger_failed(error.orig):
            raise TriggerFailed from error
        if isinstance(error.orig, psycopg2.errors.InsufficientPrivilege):
            raise StatementRefused from error
        if error.connection_invalidated or isinstance(error.orig, UNAVAILABLE_ERRORS):
            raise StorageUnavailable(outage_of(error.orig)) from error
        raise
    except psycopg2.errors.ProgramLimitExceeded:
        # An operational error to the driver, but of the values that were sent.
        raise
    except CONFLICT_ERRORS as error:
        raise StorageConflict from error
    except psycopg2.Error as error:
        if _has_trigger_failed(error):
            raise TriggerFailed from error
        if isinstance(error, psycopg2.errors.InsufficientPrivilege):
            raise StatementRefused from error
        if isinstance(error, UNAVAILABLE_ERRORS):
            raise StorageUnavailable(outage_of(error)) from error
        raise
