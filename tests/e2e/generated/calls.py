"""A program that makes a call of every shape with the generated Python client. It gets the address of the service."""

import sys
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar, assert_type
from uuid import UUID

from generated_client import Client, models
from generated_client.api.batches import add_to_batch, close_batch, create_batch, list_batches, view_batch
from generated_client.api.functions import (
    new_add,
    new_adopt,
    new_anything,
    new_choose,
    new_count,
    new_default_values,
    new_draw,
    new_error,
    new_fail,
    new_feed,
    new_invert,
    new_log,
    new_measure,
    new_mov3d,
    new_multiply,
    new_nothing,
    new_page,
    new_paint,
    new_plant,
    new_read,
    new_remember,
    new_score,
    new_task,
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
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
client = Client(base_url=sys.argv[1], timeout=None)


T = TypeVar("T")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class TaskWithResult(Protocol[R_co]):
    """The task of a function."""

    @property
    def status(self) -> models.TaskStatus: ...

    @property
    def result(self) -> R_co: ...


def task_of(answer: T | models.Error | None) -> T:
    assert answer is not None
    assert not isinstance(answer, models.Error), answer
    return answer


def result_of(answer: TaskWithResult[R | None] | models.Error | None) -> R:
    """The result of a task that is done, of the type that the client says."""
    task = task_of(answer)
    assert task.status == models.TaskStatus.DONE, task
    assert task.result is not None
    return task.result


def call_what_ships() -> None:
    said = result_of(submit_default.sync(client=client, body=models.DefaultArguments(required_arg="a"), wait=WAIT))
    assert assert_type(said["message"], str).endswith("a")
    total = result_of(new_add.sync(client=client, body=models.AddArguments(a=1, b=0.5), wait=WAIT))
    assert assert_type(total, float) == 1.5
    fall = models.Mov3DArguments(dt=10.0, r0=[0.0, 0.0, 1.0], v0=[0.0, 0.0, 0.0], mass=1.0, radius=0.1)
    trajectory = result_of(new_mov3d.sync(client=client, body=fall, wait=WAIT))
    assert_type(trajectory.times, list[float | None])
    assert assert_type(trajectory.positions, list[list[float | None]])[-1] == [0.0, 0.0, 0.0]
    assert len(trajectory.times) == len(trajectory.positions) == 2


def call_functions_of_awkward_names() -> None:
    log = new_log.sync(client=client, body=models.LogArguments(1), wait=WAIT)
    error = new_error.sync(client=client, body=models.ErrorArguments(2), wait=WAIT)
    page = new_page.sync(client=client, body=models.PageArguments(3), wait=WAIT)
    task = new_task.sync(client=client, body=models.TaskArguments(4), wait=WAIT)
    results = [result_of(log), result_of(error), result_of(page), result_of(task)]
    assert assert_type(results, list[int]) == [1, 2, 3, 4]


def submit_each_kind_of_argument() -> None:
    start = models.MeasureVectorModel(x=1.0)
    end = models.MeasureVectorModel(x=2.0, unit=models.MeasureUnitModel.M_1)
    measure = models.MeasureArguments(
        start, models.MeasureKindModel(n=3), Kind=models.MeasureArgumentsKind.LONG, ends=[end]
    )
    length = result_of(new_measure.sync(client=client, body=measure, wait=WAIT))
    assert (assert_type(length.x, float | None), assert_type(length.n, int)) == (3.0, 3)
    assert length.unit == models.MeasureResultLengthModelUnit.M_0
    assert length.kind == models.MeasureResultLengthModelKind.LONG
    paint = models.PaintArguments(models.PaintVectorModel(red=7))
    assert result_of(new_paint.sync(client=client, body=paint, wait=WAIT)) == 7
    invert = models.InvertArguments([[2.0, 0.0], [0.0, 4.0]])
    inverse = result_of(new_invert.sync(client=client, body=invert, wait=WAIT))
    assert assert_type(inverse, list[float | list[Any] | None]) == [[0.5, 0.0], [0.0, 0.25]]
    multiply = models.MultiplyArguments([[2.0]], [[0.5]])
    product = result_of(new_multiply.sync(client=client, body=multiply, wait=WAIT))
    assert assert_type(product, list[list[float | None]]) == [[1.0]]
    choose = models.ChooseArguments(0.5, models.ChooseArgumentsSign.VALUE_1, models.ChooseArgumentsCase.A_1)
    assert result_of(new_choose.sync(client=client, body=choose, wait=WAIT)) == [0.5, "-", "A"]
    assert result_of(new_default_values.sync(client=client, body=models.DefaultValuesArguments(), wait=WAIT)) == [
        {"x": 1.0, "y": 0.0, "unit": "m"},
        {"a": [1]},
        5,
        [1, "a"],
        {},
    ]
    read = models.ReadArguments(NEW_YEAR, UUID(int=5), "1.10", data="abc")
    assert result_of(new_read.sync(client=client, body=read, wait=WAIT)) == [
        "2026-01-01T00:00:00+00:00",
        str(UUID(int=5)),
        "1.10",
        3,
    ]
    times = result_of(new_remember.sync(client=client, body=models.RememberArguments(NEW_YEAR), wait=WAIT))
    assert (assert_type(times["when"], datetime | None), times["never"]) == (NEW_YEAR, None)
    tree = models.CountTreeModel("a", [models.CountTreeModel("b")])
    number = result_of(new_count.sync(client=client, body=models.CountArguments(tree), wait=WAIT))
    assert assert_type(number, int) == 2
    planted = result_of(new_plant.sync(client=client, body=models.PlantArguments("oak"), wait=WAIT))
    assert [assert_type(part.name, str) for part in planted.parts] == ["oak branch"]
    feed = models.FeedArguments(models.FeedCatModel("cat", class_=8))
    assert result_of(new_feed.sync(client=client, body=feed, wait=WAIT)) == models.FeedResult.CAT
    adopt = models.AdoptArguments(models.AdoptArgumentsKind.CAT)
    cat = result_of(new_adopt.sync(client=client, body=adopt, wait=WAIT))
    assert isinstance(cat, models.AdoptResultCatModel)
    assert assert_type(cat.class_, int) == 9
    draw = models.DrawArguments([1, 2], [[3]])
    points = result_of(new_draw.sync(client=client, body=draw, wait=WAIT))
    assert assert_type(points, list[list[int]]) == [[1, 2], [3, 0]]
    score = models.ScoreArguments("a")
    score["first"] = 2
    assert assert_type(result_of(new_score.sync(client=client, body=score, wait=WAIT))["a"], int) == 2
    anything = models.AnythingArguments()
    anything["any"] = [1, {"b": None}]
    assert result_of(new_anything.sync(client=client, body=anything, wait=WAIT)) == {"any": [1, {"b": None}]}
    done = task_of(new_nothing.sync(client=client, wait=WAIT))
    assert_type(done.result, None)
    assert done.status == models.TaskStatus.DONE
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


def submit_many_and_list_them() -> None:
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


def submit_a_batch_and_wait_for_it() -> None:
    items = [
        models.CreateBatchBodyTasksItem("nothing", ref="first"),
        models.CreateBatchBodyTasksItem("nothing", after=["first"]),
    ]
    body = models.CreateBatchBody(
        tasks=items, name="python", then=models.CreateBatchBodyThenType0("nothing"), open_=True
    )
    created = create_batch.sync(client=client, body=body, idempotency_key="python-3")
    assert isinstance(created, models.BatchIds)
    assert created == create_batch.sync(client=client, body=body, idempotency_key="python-3")
    added = add_to_batch.sync(created.id, client=client, body=[models.AddToBatchBodyItem("nothing")])
    assert isinstance(added, models.Ids)
    closed = close_batch.sync(created.id, client=client)
    assert isinstance(closed, models.Batch)
    assert (closed.open_, closed.total) == (False, 3)
    finished = view_batch.sync(created.id, client=client, wait=WAIT)
    assert isinstance(finished, models.Batch)
    assert (assert_type(finished.counts.done, int), finished.progress.value, finished.failures) == (3, 1.0, [])
    assert assert_type(finished.then, int | None) == created.then
    page = list_batches.sync(client=client, limit=1)
    assert isinstance(page, models.BatchPage)
    assert [assert_type(batch.name, str | None) for batch in page.batches] == ["python"]


def view_and_change() -> None:
    submitted = task_of(new_nothing.sync(client=client, delay=LATER))
    assert task_of(view_task.sync(submitted.id, client=client)).status == "waiting"
    assert task_of(cancel_task.sync(submitted.id, client=client)).status == "cancelled"
    assert task_of(retry_task.sync(submitted.id, client=client)).status == "waiting"
    assert delete_task.sync_detailed(submitted.id, client=client).status_code in (204, 409)
    assert task_of(get_task.sync(task_of(new_nothing.sync(client=client)).id, client=client, wait=WAIT)).result is None


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


call_what_ships()
call_functions_of_awkward_names()
submit_each_kind_of_argument()
submit_with_options()
submit_many_and_list_them()
submit_a_batch_and_wait_for_it()
view_and_change()
read_a_failure()
read_the_service()
read_refusals()
