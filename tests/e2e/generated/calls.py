"""A program that makes a call of every shape with the generated Python client. It gets the address of the service."""

import sys
from datetime import UTC, datetime
from uuid import UUID

from generated_client import Client, models
from generated_client.api.functions import (
    new_anything,
    new_choose,
    new_count,
    new_default_values,
    new_draw,
    new_fail,
    new_feed,
    new_invert,
    new_measure,
    new_nothing,
    new_paint,
    new_read,
    new_score,
    submit_default,
)
from generated_client.api.health import ping
from generated_client.api.tasks import (
    cancel_task,
    cancel_tasks,
    count_tasks,
    delete_task,
    get_task,
    list_tasks,
    retry_task,
    submit_many,
    submit_named,
    view_log,
    view_task,
)
from generated_client.api.types import list_types

WAIT = 20.0
LATER = 3600.0
client = Client(base_url=sys.argv[1], timeout=None)


def task_of(answer: models.Task | models.Error | None) -> models.Task:
    assert isinstance(answer, models.Task), answer
    return answer


def result_of(answer: models.Task | models.Error | None) -> object:
    task = task_of(answer)
    assert task.status == models.TaskStatus.DONE, task
    return task.result


def submit_each_kind_of_argument() -> None:
    start = models.MeasureVectorModel(x=1.0)
    end = models.MeasureVectorModel(x=2.0, unit=models.MeasureUnitModel.M_1)
    measure = models.MeasureArguments(
        start, models.MeasureKindModel(n=3), Kind=models.MeasureArgumentsKind.LONG, ends=[end]
    )
    assert result_of(new_measure.sync(client=client, body=measure, wait=WAIT)) == {
        "x": 3.0,
        "unit": "m",
        "n": 3,
        "kind": "long",
    }
    paint = models.PaintArguments(models.PaintVectorModel(red=7))
    assert result_of(new_paint.sync(client=client, body=paint, wait=WAIT)) == 7
    invert = models.InvertArguments([[2.0, 0.0], [0.0, 4.0]])
    assert result_of(new_invert.sync(client=client, body=invert, wait=WAIT)) == [[0.5, 0.0], [0.0, 0.25]]
    choose = models.ChooseArguments(0.5, models.ChooseArgumentsSign.VALUE_1, models.ChooseArgumentsCase.A_1)
    assert result_of(new_choose.sync(client=client, body=choose, wait=WAIT)) == [0.5, "-", "A"]
    assert result_of(new_default_values.sync(client=client, body=models.DefaultValuesArguments(), wait=WAIT)) == [
        {"x": 1.0, "y": 0.0, "unit": "m"},
        {"a": [1]},
        5,
        [1, "a"],
        {},
    ]
    read = models.ReadArguments(datetime(2026, 1, 1, tzinfo=UTC), UUID(int=5), "1.10", data="abc")
    assert result_of(new_read.sync(client=client, body=read, wait=WAIT)) == [
        "2026-01-01T00:00:00+00:00",
        str(UUID(int=5)),
        "1.10",
        3,
    ]
    tree = models.CountTreeModel("a", [models.CountTreeModel("b")])
    assert result_of(new_count.sync(client=client, body=models.CountArguments(tree), wait=WAIT)) == 2
    animal = models.FeedCatModel("cat", class_=8)
    assert result_of(new_feed.sync(client=client, body=models.FeedArguments(animal), wait=WAIT)) == "cat"
    draw = models.DrawArguments([1, 2], [[3]])
    assert result_of(new_draw.sync(client=client, body=draw, wait=WAIT)) == [[1, 2], [3, 0]]
    score = models.ScoreArguments("a")
    score["first"] = 2
    assert result_of(new_score.sync(client=client, body=score, wait=WAIT)) == {"a": 2}
    anything = models.AnythingArguments()
    anything["any"] = [1, {"b": None}]
    assert result_of(new_anything.sync(client=client, body=anything, wait=WAIT)) == {"any": [1, {"b": None}]}
    assert result_of(new_nothing.sync(client=client, wait=WAIT)) is None
    default = models.DefaultArguments(required_arg="a")
    assert "a" in str(result_of(submit_default.sync(client=client, body=default, wait=WAIT)))
    named = models.SubmitNamedBody()
    named["n"] = 5
    assert result_of(submit_named.sync("log", client=client, body=named, wait=WAIT)) == 5


def submit_with_options() -> None:
    submitted = task_of(
        new_nothing.sync(client=client, delay=LATER, priority=5, max_attempts=4, ttl=60, idempotency_key="python-1")
    )
    assert (submitted.status, submitted.priority, submitted.max_attempts) == ("waiting", 5, 4)
    repeated = new_nothing.sync_detailed(client=client, delay=LATER, idempotency_key="python-1")
    assert (repeated.status_code, task_of(repeated.parsed).id) == (200, submitted.id)


def submit_a_batch_and_list_it() -> None:
    args = models.SubmitManyBodyItemArgs.from_dict({"required_arg": "python"})
    items = [models.SubmitManyBodyItem(args=args, delay=LATER), models.SubmitManyBodyItem("nothing", priority=2)]
    submitted = submit_many.sync(client=client, body=items, idempotency_key="python-2")
    assert isinstance(submitted, models.Ids)
    batched = {"args.required_arg": "python"}
    page = list_tasks.sync(
        client=client,
        status="waiting",
        type_="default",
        created_after=1.0,
        args=models.ListTasksArgs.from_dict(batched),
        limit=10,
    )
    assert isinstance(page, models.Page)
    assert ([task.id for task in page.tasks], page.next_) == (submitted.ids[:1], None)
    cancelled = cancel_tasks.sync(client=client, args=models.CancelTasksArgs.from_dict(batched))
    assert isinstance(cancelled, models.Changed)
    assert cancelled.count == 1


def view_and_change() -> None:
    submitted = task_of(new_nothing.sync(client=client, delay=LATER))
    assert task_of(view_task.sync(submitted.id, client=client)).status == "waiting"
    assert task_of(cancel_task.sync(submitted.id, client=client)).status == "cancelled"
    assert task_of(retry_task.sync(submitted.id, client=client)).status == "waiting"
    assert delete_task.sync_detailed(submitted.id, client=client).status_code in (204, 409)
    assert result_of(get_task.sync(task_of(new_nothing.sync(client=client)).id, client=client, wait=WAIT)) is None


def read_a_failure() -> None:
    failed = task_of(new_fail.sync(client=client, max_attempts=1, wait=WAIT))
    assert failed.status == models.TaskStatus.FAILED
    log = view_log.sync(failed.id, client=client)
    assert isinstance(log, models.Log)
    assert [(attempt.outcome, attempt.log) for attempt in log.attempts] == [("failed", "trying\n")]


def read_the_service() -> None:
    counts, types, state = count_tasks.sync(client=client), list_types.sync(client=client), ping.sync(client=client)
    assert isinstance(counts, models.Counts)
    assert counts.counts["fail"]["failed"] >= 1
    assert isinstance(types, models.Types)
    assert {"default", "log", "measure"} <= {type.name for type in types.types}
    assert isinstance(state, models.State)
    assert state.status == "online"


def read_refusals() -> None:
    unknown = view_task.sync_detailed(10**9, client=client)
    assert isinstance(unknown.parsed, models.Error)
    assert (unknown.status_code, unknown.parsed.message) == (404, "task id 1000000000 is not registered")
    wrong = submit_named.sync_detailed("measure", client=client, body=models.SubmitNamedBody())
    assert isinstance(wrong.parsed, models.Error)
    assert wrong.status_code == 422


submit_each_kind_of_argument()
submit_with_options()
submit_a_batch_and_list_it()
view_and_change()
read_a_failure()
read_the_service()
read_refusals()
