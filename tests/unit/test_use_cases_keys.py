"""Idempotency keys, and many tasks at once, over memory."""

from collections.abc import Iterator

import pytest

from application.errors import InvalidItems, KeyTaken, StorageConflict, UnknownTask
from application.items import UnreadableItem
from application.ports.wake_up import Topic
from application.submissions import SubmissionBuilder, TaskRequest
from application.use_cases.submit_tasks import SubmitTasks
from domain.errors import InvalidIdempotencyKey
from domain.idempotency_key import idempotency_key
from domain.ids import DEFAULT_TYPE, IdempotencyKey, TaskId, TypeName
from domain.options import Options
from domain.status import Status
from domain.task_type import TaskType
from tests import steps
from tests.unit.memory_service import Service

KEY = IdempotencyKey("order-7")
ADD = TaskType(name=TypeName("add"), options=Options(priority=3))


@pytest.fixture
def service() -> Service:
    service = Service()
    service.publish(ADD)
    return service


def request(number: int, type: str = "add", **asked: object) -> TaskRequest:
    return TaskRequest(type=TypeName(type), args={"n": number}, **asked)  # type: ignore[arg-type]


def many(service: Service, *requests: TaskRequest | UnreadableItem) -> list[int]:
    return list(service.api.submit_tasks()(requests).ids)


def count(service: Service) -> int:
    return len(service.store.state.rows)


class TestRepeatedRequest:
    def test_the_same_request_is_answered_with_the_first_task_as_it_is(self, service: Service):
        first = service.submitted(key=KEY, args={"a": 1, "b": [2.0]})
        steps.succeed(service.storage, steps.claim_one(service.storage, now=service.clock.now(), wanted={"default": 1}))
        again = service.submitted(key=KEY, args={"b": [2], "a": 1})
        assert (first.is_new, again.is_new, again.view.task.id) == (True, False, first.view.task.id)
        assert (again.view.task.status, again.view.stored.result) == (Status.DONE, "1")

    def test_a_repeated_request_wakes_no_handler(self, service: Service):
        service.submit(key=KEY)
        service.told.clear()
        service.submit(key=KEY)
        assert service.told == []

    def test_a_request_with_other_options_is_the_same(self, service: Service):
        service.submit(key=KEY, options={"priority": 5}, delay=60)
        assert service.submit(key=KEY).task.priority == 5

    @pytest.mark.parametrize("other", [{"type": "add"}, {"args": {"a": 2}}, {"args": {}}, {"args": {"a": True}}])
    def test_a_key_with_another_type_or_arguments_is_refused(self, service: Service, other: dict[str, object]):
        service.submit(key=KEY, args={"a": 1})
        with pytest.raises(KeyTaken) as refusal:
            service.submit(**{"key": KEY, "args": {"a": 1}} | other)  # type: ignore[arg-type]
        assert refusal.value.tasks == {0: 1}
        assert count(service) == 1

    def test_a_key_that_becomes_free_meanwhile_is_taken_by_the_retry(self, service: Service):
        service.types.all()
        service.errors.append(StorageConflict())
        assert service.submitted(key=KEY).is_new

    def test_a_key_is_free_again_when_its_task_is_gone(self, service: Service):
        service.submit(key=KEY)
        service.api.delete_task()(TaskId(1))
        assert service.submitted(key=KEY, args={"other": 1}).is_new

    @pytest.mark.parametrize("text", ["", "x" * 256, "é", "a\nb", "\0"])
    def test_a_key_that_no_header_can_have_is_refused(self, text: str):
        with pytest.raises(InvalidIdempotencyKey):
            idempotency_key(text)


class TestMany:
    def test_many_tasks_are_stored_in_order_and_handlers_woken_once(self, service: Service):
        service.told.clear()
        assert many(service, *(request(n) for n in range(5))) == [1, 2, 3, 4, 5]
        shown = [service.api.view_task()(TaskId(id)) for id in range(1, 6)]
        assert [view.stored.args for view in shown] == [f'{{"n":{n}}}' for n in range(5)]
        assert {view.task.priority for view in shown} == {3}
        assert service.told == [Topic.WAITING]

    def test_an_empty_list_of_tasks_is_accepted(self, service: Service):
        assert many(service) == []

    def test_each_wrong_item_is_named_by_its_index_and_none_is_stored(self, service: Service):
        wrong = TaskRequest(type=DEFAULT_TYPE, args={"wrong": 1})
        with pytest.raises(InvalidItems) as refusal:
            many(
                service,
                request(0),
                wrong,
                request(2, type="sub"),
                request(3, options={"priority": 101}),
                UnreadableItem({"$.delay": ["is no number"], "$": ["is odd"]}),
                request(5, delay=1, run_at=service.clock.now()),
            )
        assert refusal.value.errors == {
            "$.1.args.wrong": ['is not in {"type":"object"}'],
            "$.2.type": ["sub is not published"],
            "$.3.priority": ["it must be a whole number from -100 to 100"],
            "$.4.delay": ["is no number"],
            "$.4": ["is odd"],
            "$.5.run_at": ["it must be absent where delay is given"],
        }
        assert str(refusal.value) == "5 of the tasks cannot be submitted, so no task was created"
        assert count(service) == 0

    def test_the_errors_of_one_item_are_limited(self, service: Service):
        with pytest.raises(InvalidItems) as refusal:
            many(service, UnreadableItem({f"$.{n}": ["no"] for n in range(1000)}))
        assert len(refusal.value.errors) == 10

    def test_many_tasks_share_their_keys_with_single_tasks(self, service: Service):
        service.submit("add", {"n": 1}, key=KEY)
        again = request(3, key=IdempotencyKey("x"))
        assert many(service, request(2), request(1, key=KEY), again, again) == [2, 1, 4, 4]

    def test_a_key_of_another_task_refuses_all_items(self, service: Service):
        service.submit("add", {"n": 1}, key=KEY)
        with pytest.raises(InvalidItems) as refusal:
            many(service, request(1), request(2, key=KEY))
        assert list(refusal.value.errors) == ["$.1.idempotency_key"]
        with pytest.raises(UnknownTask):
            service.api.view_task()(TaskId(2))

    def test_submit_tasks_reads_its_requests_one_at_a_time(self, service: Service):
        """A reader of the requests holds only one of them at any time."""
        seen: list[object] = []

        class Seeing:
            def errors(self, schema: str, args: object, open_places: object = ()) -> dict[str, list[str]]:
                seen.append(args)
                return {}

        def asked() -> Iterator[TaskRequest]:
            for number in range(3):
                assert len(seen) == number
                yield request(number)

        submission_builder = SubmissionBuilder(
            service.begin, service.clock, service.types, Seeing(), max_task_time=60, callbacks_enabled=False
        )
        assert SubmitTasks(service.begin, submission_builder, service, service.unblock)(asked()).ids == [1, 2, 3]
