"""The command doctor: a line for each check, two for each finding, and an exit code that tells whether all is well."""

import json
from collections.abc import Callable

import pytest
from click.testing import Result

from application.errors import OutdatedTables, StorageUnavailable, StorageUnusable
from application.ports.inspection import Inspection, Rights
from application.ports.monitoring import JanitorRecord
from domain.ids import JanitorId, TypeName
from domain.task_type import TaskType
from tests.unit.admin_service import AdminService

ADD, OLD = TaskType(name=TypeName("add")), TaskType(name=TypeName("old"))


@pytest.fixture
def service() -> AdminService:
    """A service in which all is well."""
    service = AdminService()
    service.publish(ADD)
    now = service.clock.now()
    with service.store.begin() as work:
        janitor = JanitorRecord(id=JanitorId("cleaner"), host="here", pid=8, started=now, last_seen=now)
        work.monitoring.renew_janitor(janitor)
        work.commit()
    return service


def test_where_all_is_well_the_exit_code_is_0(service: AdminService):
    said = service.admin("doctor")
    assert said.exit_code == 0, said.output
    assert [line.split()[:2] for line in said.stdout.splitlines()] == [
        ["ok", "database"],
        ["ok", "clock"],
        ["ok", "connections"],
        ["ok", "snapshots"],
        ["ok", "server"],
        ["ok", "work"],
        ["ok", "settings"],
        ["All", "is"],
    ]


def test_a_type_without_a_handler_whose_tasks_wait_is_named_with_its_cure(service: AdminService):
    service.publish(OLD)
    for _ in range(3):
        service.submit("old")
    service.publish(ADD)
    said = service.admin("doctor")
    assert said.exit_code == 1
    assert "to do  work         No live handler has type old, of which 3 tasks wait.\n" in said.stdout
    assert (
        "Start a handler whose TASKS names the file of the function, or cancel them: cancel --type old." in said.stdout
    )
    assert said.stdout.endswith("\n1 thing to do.\n")


def test_without_handlers_and_janitors_both_are_missed(service: AdminService):
    service.clock.move(60)
    findings = findings_of(service.admin("doctor", "--json"))
    assert findings["work"] == [
        "No handler claims tasks.",
        "No janitor lives, so schedules, callbacks and the deletion of expired tasks wait.",
        "Handler handler-1 is silent for 31 s.",
    ]


def test_findings_of_the_database_are_told(service: AdminService):
    service.inspection = Inspection(rights=Rights(role="app", schema="s", may_create=False))
    said = service.admin("doctor", "--json")
    assert said.exit_code == 1
    assert findings_of(said)["database"] == [
        "Role app may not make tables in schema s, which the next version may need."
    ]


def unusable() -> Exception:
    return StorageUnusable("its encoding is LATIN1", "create another one")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (StorageUnavailable, "The database is unavailable. ("),
        (OutdatedTables, "The tables are older than this version of the service, or missing."),
        (unusable, "The database cannot be used: its encoding is LATIN1."),
    ],
)
def test_a_database_that_cannot_be_used_is_a_finding_and_the_settings_are_checked(
    service: AdminService, error: Callable[[], Exception], sentence: str
):
    service.fails_to_open = error
    said = service.admin("doctor", "--json")
    assert said.exit_code == 1
    findings = findings_of(said)
    assert [*findings] == ["database", "settings"]
    assert findings["database"][0].startswith(sentence)


def findings_of(said: Result) -> dict[str, list[str]]:
    checks = json.loads(said.stdout)["checks"]
    return {each["check"]: [finding["found"] for finding in each["findings"]] for each in checks}
