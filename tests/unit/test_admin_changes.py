"""Commands that change: cancel, retry and purge ask how many first; drain asks a handler to stop."""

import pytest

from application.ports.monitoring import DrainRequest
from domain.ids import HandlerId, TaskId, TypeName
from domain.task_type import TaskType
from tests.steps import claim_one, fail, succeed
from tests.unit.admin_service import AdminService

ADD, MUL = TaskType(name=TypeName("add")), TaskType(name=TypeName("mul"))


@pytest.fixture
def service() -> AdminService:
    service = AdminService()
    service.publish(ADD, MUL)
    return service


def submit(service: AdminService, number: int = 1, type: str = "add") -> None:
    for _ in range(number):
        service.submit(type)


def statuses(service: AdminService) -> str:
    """The first letters of the statuses, by id."""
    return "".join(row.task.status[0] for _, row in sorted(service.store.state.rows.items()))


def finish(service: AdminService) -> None:
    """One task fails, one is done."""
    now = service.clock.now()
    fail(service.storage, claim_one(service.storage, now=now), now)
    succeed(service.storage, claim_one(service.storage, now=now), now)


def test_a_change_asks_with_the_number_of_tasks_and_then_changes_them(service: AdminService):
    submit(service, 3)
    asked = service.admin("cancel", "--type", "add", input="y\n")
    assert (asked.exit_code, asked.stdout) == (0, "3 tasks are cancelled.\n")
    assert "Cancel 3 tasks? [y/N]" in asked.stderr
    assert statuses(service) == "ccc"


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_without_a_yes_nothing_changes(service: AdminService, answer: str):
    submit(service)
    assert service.admin("cancel", "1", input=answer).exit_code == 1
    assert statuses(service) == "w"


def test_yes_skips_the_question(service: AdminService):
    submit(service, 2)
    asked = service.admin("cancel", "2", "--yes")
    assert (asked.stdout, asked.stderr) == ("1 task is cancelled.\n", "")
    assert statuses(service) == "wc"


def test_tasks_that_failed_or_were_cancelled_are_retried(service: AdminService):
    submit(service, 3)
    finish(service)
    service.output("cancel", "3", "--yes")
    assert service.output("retry", "--all", "--yes") == "2 tasks are waiting again.\n"
    assert statuses(service) == "wdw"


def test_finished_tasks_are_purged_and_others_stay(service: AdminService):
    submit(service, 3)
    finish(service)
    asked = service.admin("purge", "--all", input="y\n")
    assert "Delete for good 2 tasks?" in asked.stderr
    assert asked.stdout == "2 tasks are deleted.\n"
    assert list(service.store.state.rows) == [TaskId(3)]


def test_a_filter_and_a_limit_bound_a_change(service: AdminService):
    submit(service, 3)
    submit(service, 2, "mul")
    asked = service.admin("cancel", "--type", "add", "--limit", 2, input="y\n")
    assert "Cancel 2 tasks?" in asked.stderr
    assert statuses(service) == "wccww"


def test_a_change_of_everything_has_to_be_named_as_such(service: AdminService):
    submit(service)
    refused = service.admin("cancel", "--yes")
    assert refused.exit_code == 2
    assert "say --all" in refused.stderr
    assert service.output("cancel", "--status", "waiting", "--yes") == "1 task is cancelled.\n"


def test_a_status_from_which_the_change_is_not_allowed_is_refused(service: AdminService):
    assert service.admin("purge", "--status", "running", "--yes").exit_code == 2
    assert service.admin("retry", "--status", "done", "--yes").exit_code == 2


@pytest.mark.parametrize(("command", "done"), [("cancel", "cancelled"), ("retry", "retried"), ("purge", "deleted")])
def test_where_no_task_matches_nothing_is_asked(service: AdminService, command: str, done: str):
    assert service.output(command, "7") == f"No task matches that can be {done}.\n"


def test_a_task_that_finishes_after_the_question_is_not_purged(service: AdminService, monkeypatch: pytest.MonkeyPatch):
    submit(service, 4)
    finish(service)

    def meanwhile(question: str, **_: object) -> bool:
        assert question == "Delete for good 2 tasks?"
        service.clock.move(1)
        finish(service)
        return True

    monkeypatch.setattr("click.confirm", meanwhile)
    assert service.output("purge", "--all") == "2 tasks are deleted.\n"
    assert statuses(service) == "fd"


def test_a_change_goes_on_until_it_is_done(service: AdminService, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("application.use_cases.change_tasks.BATCH_TASKS", 1)
    monkeypatch.setattr("entrypoints.admin.commands.change.SLICE_SECONDS", 0)
    submit(service, 5)
    assert service.output("cancel", "--all", "--yes") == "5 tasks are cancelled.\n"
    assert set(statuses(service)) == {"c"}


def test_a_handler_is_asked_to_drain(service: AdminService):
    said = service.output("drain", "handler-1")
    assert said == "Handler handler-1 is asked to stop. It runs nothing.\n"
    assert service.storage.pending.drain_request(HandlerId("handler-1")) is DrainRequest.GRACE


def test_what_becomes_of_its_tasks_is_said(service: AdminService):
    submit(service)
    claim_one(service.storage, now=service.clock.now())
    assert service.output("drain", "handler-1").endswith(" The 1 task that it runs may finish within its GRACE.\n")
    assert service.output("drain", "handler-1", "--unlimited").endswith("may finish however long they take.\n")
    assert service.storage.pending.drain_request(HandlerId("handler-1")) is DrainRequest.UNLIMITED


def test_an_unknown_handler_is_refused_with_the_known_ones(service: AdminService):
    refused = service.admin("drain", "nobody")
    assert refused.exit_code == 1
    assert refused.stderr == "Error: no live handler is nobody; those that live are handler-1\n"
