"""Messages of libpq: those that trying again does not mend, and those of a database that is away for now."""

import psycopg2
import pytest

from adapters.postgres.usability import usable_database
from application.errors import StorageConflict, StorageUnavailable, StorageUnusable

HERE = 'connection to server at "db", port 5432 failed: '
REFUSED = HERE + "Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?\n"
WRONG = HERE + 'FATAL:  password authentication failed for user "u"\n'

PASSING = [
    REFUSED,
    HERE + "timeout expired",
    HERE + "FATAL:  the database system is starting up",
    HERE + "FATAL:  the database system is in recovery mode",
    HERE + "FATAL:  sorry, too many clients already",
    HERE + "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
    HERE + 'FATAL:  too many connections for role "u"',
    HERE + "server is in hot standby mode",
    HERE + "session is read-only",
    HERE + "server closed the connection unexpectedly",
    'connection to server on socket "/run/.s.PGSQL.5432" failed: No such file or directory',
    'could not translate host name "server certificate" to address: Name or service not known',
    REFUSED.replace('"db"', '"pg_hba.conf"'),
    # One of two hosts may be there later.
    REFUSED + WRONG.replace('"db"', '"other"'),
    REFUSED + WRONG.replace("5432", "5433"),
    'could not translate host name "a" to address: Temporary failure in name resolution\n' + WRONG,
]
PERMANENT = [
    WRONG,
    # Two addresses of one host.
    REFUSED.replace('"db"', '"localhost" (::1)') + WRONG.replace('"db"', '"localhost" (127.0.0.1)'),
    WRONG + WRONG.replace('"db"', '"other"'),
    HERE + "fe_sendauth: no password supplied",
    HERE + 'FATAL:  role "u" does not exist',
    HERE + 'FATAL:  database "x" does not exist',
    HERE + 'FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "u", database "x", no encryption',
    HERE + "SSL error: certificate verify failed",
    HERE + 'server certificate for "a" does not match host name "db"',
    HERE + 'root certificate file "/root.crt" does not exist',
    "invalid dsn: missing key/value separator",
    'invalid sslmode value: "bogus"',
]


def raised(message: str) -> type[Exception]:
    """What a start makes of a failure to connect with this message, found by another thread just before."""
    try:
        with usable_database():
            try:
                raise psycopg2.OperationalError("the database was away a moment ago") from psycopg2.OperationalError(
                    message
                )
            except psycopg2.Error as error:
                raise StorageUnavailable from error
    except Exception as error:
        return type(error)


@pytest.mark.parametrize("message", PASSING)
def test_a_failure_to_connect_that_can_pass_is_tried_again(message: str):
    assert raised(message) is StorageUnavailable


@pytest.mark.parametrize("message", PERMANENT)
def test_a_failure_to_connect_that_cannot_pass_is_not_tried_again(message: str):
    assert raised(message) is StorageUnusable


def test_a_migration_that_another_process_carries_out_is_tried_again():
    with pytest.raises(StorageConflict), usable_database():
        raise StorageConflict from psycopg2.errors.DuplicateTable()
