"""Commands that list: types, handlers and tasks, as tables and as the JSON of the API."""

import json
from datetime import timedelta

import pytest

from application.failure_groups import encoded_group
from application.ports.monitoring import HandlerInfo, JanitorRecord
from application.submissions import TaskRequest
from domain.ids import HandlerId, JanitorId, TypeName
from domain.task_type import TaskType
from entrypoints.admin.commands.tasks import tasks
from entrypoints.http.requests.filters import ListQuery
from tests.steps import claim_one, fail, succeed
from tests.unit.admin_service import AdminService

ADD = TaskType(name=TypeName("add"), description="Adds two numbers.\n\nAnd no more.")
OLD = TaskType(name=TypeName("old"))


@pytest.fixture
def service() -> AdminService:
    return AdminService()


def lines(text: str) -> list[list[str]]:
    """The cells of a table."""
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in text.splitlines()]


class TestTypes:
    def test_a_type_is_shown_with_its_state_and_the_number_of_its_tasks(self, service: AdminService):
        service.publish(ADD)
        service.submit("add")
        service.clock.move(5)
        header, default, add = lines(service.output("types"))
        assert header == ["TYPE", "STATE", "WAITING", "RUNNING", "FAILED", "OLDEST DUE", "NEXT TICK", "DESCRIPTION"]
        assert add == ["add", "live", "1", "0", "0", "5 s ago", "-", "Adds two numbers."]
        assert default[:2] == ["default", "abandoned"]

    def test_json_is_that_of_the_api(self, service: AdminService):
        service.publish(ADD)
        listed = json.loads(service.output("types", "--json"))["types"]
        assert [(each["name"], each["live"]) for each in listed] == [("default", False), ("add", True)]

    def test_a_type_is_forgotten(self, service: AdminService):
        service.publish(OLD, seconds=1)
        assert service.output("types", "forget", "old") == "Type old is forgotten.\n"
        assert OLD.name not in service.store.state.types

    def test_a_type_that_is_used_is_refused_with_one_sentence(self, service: AdminService):
        service.publish(ADD)
        refused = service.admin("types", "forget", "add")
        assert refused.exit_code == 1
        assert refused.stderr.startswith("Error: type add cannot be forgotten: a live handler has it")
        assert len(refused.stderr.splitlines()) == 1


class TestHandlers:
    def publish(self, service: AdminService) -> None:
        now = service.clock.now()
        info = HandlerInfo(host="here", pid=7, started=now - timedelta(hours=2, minutes=5), concurrency=4)
        janitor = JanitorRecord(id=JanitorId("cleaner"), host="here", pid=8, started=now, last_seen=now)
        with service.store.begin() as work:
            work.types.publish(HandlerId("worker"), [ADD, OLD], now + timedelta(seconds=30), lease=30, info=info)
            work.monitoring.renew_janitor(janitor)
            work.commit()
        service.clock.move(2)

    def test_handlers_and_janitors_are_shown(self, service: AdminService):
        self.publish(service)
        service.submit("add")
        claim_one(service.storage, now=service.clock.now(), handler="worker")
        _, worker, _, header, cleaner = lines(service.output("handlers"))
        assert worker == ["worker", "live", "2 h 5 min ago", "2 s ago", "1", "0", "4", "add, old"]
        assert header == ["JANITOR", "STATE", "STARTED", "LAST SEEN"]
        assert cleaner == ["cleaner", "live", "2 s ago", "2 s ago"]

    def test_json_is_that_of_the_api(self, service: AdminService):
        self.publish(service)
        listed = json.loads(service.output("handlers", "--json"))
        assert [each["id"] for each in (*listed["handlers"], *listed["janitors"])] == ["worker", "cleaner"]


class TestTasks:
    def test_tasks_are_shown_newest_first_with_what_there_is_to_say(self, service: AdminService):
        service.publish(ADD)
        for _ in range(3):
            service.submit("add")
        fail(service.storage, claim_one(service.storage, now=service.clock.now()), service.clock.now())
        claim_one(service.storage, now=service.clock.now(), handler="worker")
        _, waiting, running, failed = lines(service.output("tasks"))
        assert waiting[:3] + waiting[-1:] == ["3", "add", "waiting", "waits for handler"]
        assert running[:3] + running[-1:] == ["2", "add", "running", "on worker"]
        assert failed[:3] + failed[-1:] == ["1", "add", "failed", "ValueError: boom"]

    def test_characters_that_a_terminal_would_act_on_are_escaped(self, service: AdminService):
        service.publish(TaskType(name=TypeName("add"), description="\x1b[31mred\u202e"))
        assert "\\x1b[31mred\\u202e" in service.output("types")

    def test_json_is_a_page_of_the_api_with_the_texts_that_are_wanted(self, service: AdminService):
        service.publish(ADD)
        service.submit("add", {"n": 5})
        page = json.loads(service.output("tasks", "--json"))
        assert (page["next"], [each["id"] for each in page["tasks"]]) == (None, [1])
        assert "args" not in page["tasks"][0]
        page = json.loads(service.output("tasks", "--json", "--include", "args", "--include", "result"))
        assert (page["tasks"][0]["args"], page["tasks"][0]["result"]) == ({"n": 5}, None)
        assert service.admin("tasks", "--include", "args").exit_code == 2

    def test_a_list_that_ends_at_its_limit_says_how_to_go_on(self, service: AdminService):
        service.publish(ADD)
        for _ in range(3):
            service.submit("add")
        shown = service.admin("tasks", "--limit", 2)
        assert [row[0] for row in lines(shown.stdout)] == ["ID", "3", "2"]
        assert shown.stderr == "More tasks match: raise --limit, or go on with --cursor 2.\n"
        assert json.loads(service.output("tasks", "--json", "--limit", 2))["next"] == "2"
        assert [row[0] for row in lines(service.output("tasks", "--cursor", 2))] == ["ID", "1"]

    def found(self, service: AdminService, *filters: object) -> list[int]:
        return [each["id"] for each in json.loads(service.output("tasks", "--json", *filters))["tasks"]]

    def test_each_filter_finds_its_tasks(self, service: AdminService):
        service.publish(ADD, OLD)
        submit = service.api.submit_task()
        submit(TaskRequest(type=ADD.name, args={"n": 5, "to": {"city": "Oslo"}}, labels={"user": "ana"}))
        fail(service.storage, claim_one(service.storage, now=service.clock.now()), service.clock.now())
        service.clock.move(3600)
        submit(TaskRequest(type=ADD.name, args={"n": 6}, labels={"user": "ana", "site": "x"}))
        succeed(service.storage, claim_one(service.storage, now=service.clock.now()), service.clock.now())
        submit(TaskRequest(type=OLD.name, args={}))
        hour_later = service.clock.now().timestamp()
        expected: dict[tuple[object, ...], list[int]] = {
            ("--type", "add"): [2, 1],
            ("--status", "failed"): [1],
            ("--status", "done,waiting"): [3, 2],
            ("--label", "user=ana"): [2, 1],
            ("--label", "user=ana", "--label", "site=x"): [2],
            ("--arg", "n=5"): [1],
            ("--arg", "to.city=Oslo"): [1],
            ("--created-after", "30m"): [3, 2],
            ("--created-after", "999999999d"): [3, 2, 1],
            ("--created-before", "30m"): [1],
            ("--created-after", hour_later): [3, 2],
            ("--created-after", "2026-01-01T12:30Z"): [3, 2],
            ("--finished-after", "30m"): [2],
            ("--finished-before", "1800s"): [1],
            ("--error-type", "valueerror"): [1],
            ("--error", "BOOM"): [1],
            ("--batch", 7): [],
            (3, 1, 99): [3, 1],
            (3, 1, "--type", "add"): [1],
        }
        assert {filters: self.found(service, *filters) for filters in expected} == expected

    def test_a_failure_group_is_found_by_its_number_in_the_dashboard(self, service: AdminService):
        service.publish(ADD)
        service.submit("add")
        fail(service.storage, claim_one(service.storage, now=service.clock.now()), service.clock.now())
        with service.store.begin() as work:
            (group,) = work.listing.failure_groups(1)
        assert self.found(service, "--error-group", encoded_group(group.number)) == [1]
        assert self.found(service, "--error-group", "0" * 16) == []

    @pytest.mark.parametrize(
        "wrong",
        [
            ("--created-after", "yesterday"),
            ("--created-after", "0001-01-01"),
            ("--status", "lost"),
            ("--label", "user"),
            ("--error-group", "7"),
            ("--batch", "0"),
            ("--type", ""),
            ("--error", ""),
            ("--limit", "0"),
            ("x",),
        ],
    )
    def test_a_wrong_filter_is_refused_with_a_sentence(self, service: AdminService, wrong: tuple[str, ...]):
        refused = service.admin("tasks", *wrong)
        assert refused.exit_code == 2
        assert "Error: Invalid value for" in refused.stderr

    def test_the_filters_are_those_of_the_api(self):
        names = {"args": "arg", "cursor": "cursor", "include": "include", "limit": "limit"}
        of_the_api = {names.get(name, name) for name in ListQuery().fields} - {"order"}
        assert {each.name for each in tasks.params} == of_the_api | {"as_json"}


def test_a_database_that_is_away_is_one_sentence_on_standard_error():
    service = AdminService()
    service.away = True
    refused = service.admin("tasks")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr.startswith("Error: the database is away: ")
