"""The checks of a diagnosis: each finding says what was found, and what mends it."""

from datetime import timedelta
from ipaddress import ip_network

import pytest

from application.diagnosis.database import (
    NEEDED_SETTINGS,
    Need,
    check_clock,
    check_connections,
    check_database,
    check_server_settings,
    check_snapshots,
)
from application.diagnosis.finding import Check
from application.diagnosis.wording import duration, listed
from application.ports.inspection import Connections, Inspection, OldTransaction, PreparedTransaction, Rights
from application.ports.monitoring import HandlerRecord, HeldTasks, Liveness
from application.use_cases.list_handlers import HandlerView, Processes
from domain.ids import HandlerId
from entrypoints.admin.settings_check import check_settings
from entrypoints.settings import Settings
from tests.steps import NOW, at

NETWORK = ip_network("10.0.0.0/8")
NEED = Need(api=20, handler=6, janitor=14)


def found(check: Check) -> list[str]:
    """The findings, each of which has a cure; both are sentences."""
    for each in check.findings:
        assert all(text[0].isupper() and text.endswith(".") for text in each)
    return [each.found for each in check.findings]


def test_nothing_is_found_where_nothing_is_wrong():
    fine = Inspection(version="17.5", settings=dict.fromkeys(NEEDED_SETTINGS, "on"))
    for check in (check_database(fine), check_snapshots(fine, NOW), check_server_settings(fine)):
        assert found(check) == []


def test_rights_that_are_missing_are_found():
    rights = Rights(role="app", schema="s", may_create=False, foreign_tables=["tasks"], is_read_only=True)
    read_only, create, own = found(check_database(Inspection(rights=rights)))
    assert "read-only" in read_only
    assert "app may not make tables in schema s" in create
    assert "app does not own tasks" in own


@pytest.mark.parametrize(
    ("seconds", "sentence"),
    [
        (2.5, "The clock of this host is 2.5 s ahead of the database's."),
        (-90, "The clock of this host is 90.0 s behind the database's."),
    ],
)
def test_a_clock_that_is_wrong_is_found(seconds: float, sentence: str):
    assert found(check_clock(NOW, at(seconds))) == [sentence]
    assert found(check_clock(NOW, at(1.9))) == []


def test_connections_that_do_not_suffice_are_found():
    connections = Connections(allowed=100, used=50, used_by_service=20)
    assert found(check_connections(connections, NEED, handlers=6, janitors=1)) == []
    assert found(check_connections(connections, NEED, handlers=7, janitors=1)) == [
        "There are 100 connections, others use 30 of them, and one API, 7 handlers and 1 janitor need at most 76."
    ]


def test_everything_that_holds_vacuum_back_is_found():
    since = NOW - timedelta(hours=2)
    inspection = Inspection(
        rights=Rights(sees_all=False),
        old_transactions=[OldTransaction(pid=7, role="ana", application="psql", state="active", since=since)],
        prepared_transactions=[PreparedTransaction(name="x", since=since)],
        unused_slots=["old"],
    )
    check = check_snapshots(inspection, NOW)
    transaction, prepared, slot = found(check)
    assert "a transaction of role ana (psql) is open for 2 h, active" in transaction
    assert "pg_terminate_backend(7)" in check.findings[0].cure
    assert "prepared transaction x waits for 2 h" in prepared
    assert "replication slot old" in slot
    assert "pg_read_all_stats" in check.fact


def test_settings_of_the_server_that_are_off_are_found():
    assert found(check_server_settings(Inspection(settings={"fsync": "off", "autovacuum": "on"}))) == [
        NEEDED_SETTINGS["fsync"].found
    ]
    assert all(each.found and each.cure for each in NEEDED_SETTINGS.values())


def handlers(*leases: float, state: Liveness = Liveness.LIVE) -> Processes:
    records = [HandlerRecord(id=HandlerId(str(each)), until=at(each), last_seen=NOW) for each in leases]
    return Processes([HandlerView(record, state, HeldTasks()) for record in records], [])


def test_settings_that_look_wrong_are_found():
    wrong = Settings(max_task_time=10, tasks=("nowhere.py", "package.module"), webhook_networks=(NETWORK,))
    short, networks, file, lease = found(check_settings(wrong, handlers(30, 3)))
    assert "MAX_TASK_TIME is 10" in short
    assert "WEBHOOK_NETWORKS is set and WEBHOOK_SECRET is not" in networks
    assert "TASKS names nowhere.py" in file
    assert "LEASE of the live handlers differs, from 3 s to 30 s" in lease


def test_settings_that_are_right_are_not_found():
    assert found(check_settings(Settings(), handlers(30, 30))) == []
    assert found(check_settings(Settings(), handlers(30, 3, state=Liveness.SILENT))) == []
    assert found(check_settings(Settings())) == []


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-1, "0 s"), (59.4, "59 s"), (60, "1 min"), (3_700, "1 h 1 min"), (86_400 * 2 + 3_600, "2 d 1 h")],
)
def test_durations_have_two_units(seconds: float, words: str):
    assert duration(seconds) == words


def test_a_sentence_lists_only_the_first_names():
    assert listed(["a", "b"]) == "a, b"
    assert listed([*"abcdefg"]) == "a, b, c, d, e and 2 more"
