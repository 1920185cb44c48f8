"""Tasks that a handler's functions refuse go to a handler whose schema takes them, and fail if there is none."""

import logging
from datetime import datetime, timedelta
from threading import Event

import pytest

from adapters.json_schema import SchemaChecker
from application.ports.executor import Run
from domain.ids import HandlerId, Hold, TypeName
from domain.instants import after
from domain.status import Status
from domain.task import Task
from domain.task_type import TaskType
from tests.unit.supervised.gates import PATIENCE
from tests.unit.supervised.test_supervisor import Rig, error_of, eventually, rig

__all__ = ["rig"]

TEXT = '{"type":"object","properties":{"n":{"type":"string"}},"required":["n"]}'
ANYTHING = "{}"
NEW = '{"n":"seven"}'


def publish(rig: Rig, schema: str, type: str = "quick", seconds: float = 60) -> None:
    """Publish a type as another handler that lives for that many seconds."""
    eventually(rig.handlers)
    with rig.store.begin() as work:
        known = TaskType(name=TypeName(type), schema=schema)
        work.types.publish(HandlerId("other"), [known], after(rig.clock.now(), seconds))
        work.commit()


def await_rerouted(rig: Rig, id: int) -> Task:
    return eventually(lambda: each if (each := rig.task(id)).claims and each.status is Status.WAITING else None)


def leased_until(rig: Rig, id: int) -> datetime:
    lease = rig.task(id).lease
    assert lease is not None
    return lease.until


def records(rig: Rig) -> int:
    return len(rig.store.state.attempts)


def test_a_task_that_fits_another_handler_waits_a_moment_and_no_attempt_is_spent(rig: Rig):
    publish(rig, TEXT)
    before = rig.clock.now()
    waiting = await_rerouted(rig, rig.submit("quick", NEW, max_losses=0))
    assert timedelta(seconds=0.5) <= waiting.run_at - before <= timedelta(seconds=5)
    assert (waiting.attempt, waiting.losses, waiting.claims, waiting.error) == (0, 0, 1, None)
    assert records(rig) == 0


def test_a_task_that_comes_back_is_rerouted_again_and_waits_longer(rig: Rig):
    publish(rig, TEXT)
    id = rig.submit("quick", NEW)
    first = await_rerouted(rig, id)
    second = eventually(lambda: each if (each := await_rerouted(rig, id)).claims == 2 else None)
    assert second.run_at - first.run_at >= timedelta(seconds=1)
    assert (second.attempt, second.losses) == (0, 0)


def test_a_task_whose_type_has_gone_is_rerouted_to_a_handler_that_has_it(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    publish(rig, ANYTHING, "gone")
    eventually(lambda: rig.state.published)
    types, start = rig.state.types, rig.executor.start

    def forget_and_start(run: Run) -> None:
        rig.state.set_types(types)
        start(run)

    monkeypatch.setattr(rig.executor, "start", forget_and_start)
    rig.state.set_types([*types, TaskType(name=TypeName("gone"))])
    waiting = await_rerouted(rig, rig.submit("gone"))
    assert (waiting.attempt, waiting.claims) == (0, 1)


@pytest.mark.parametrize("theirs", [None, '{"type":"object","required":["m"]}', '{"type":"nonsense"}'])
def test_a_task_that_fits_no_handler_fails(rig: Rig, theirs: str | None):
    if theirs:
        publish(rig, theirs)
    failed = rig.await_status(rig.submit("quick", NEW), Status.FAILED)
    assert (error_of(failed).type, failed.claims, failed.attempt, failed.losses) == ("InvalidArguments", 1, 1, 0)
    assert "$.n: " in error_of(failed).message
    assert records(rig) == 1


def test_a_task_that_fits_only_another_type_of_another_handler_fails(rig: Rig):
    publish(rig, TEXT, "gated")
    assert rig.await_status(rig.submit("quick", NEW), Status.FAILED).claims == 1


def test_a_task_that_the_own_schema_allows_is_not_rerouted(rig: Rig):
    publish(rig, ANYTHING, "halving")
    failed = rig.await_status(rig.submit("halving", '{"n":1}'), Status.FAILED)
    assert (error_of(failed).type, failed.claims) == ("InvalidArguments", 1)


@pytest.mark.parametrize("rig", [{"lease": 1.5}], indirect=True)
def test_a_handler_whose_record_has_lapsed_counts_as_alive_for_one_lease(rig: Rig):
    publish(rig, TEXT, seconds=-5)
    id = rig.submit("quick", NEW)
    assert await_rerouted(rig, id).attempt == 0
    assert error_of(rig.await_status(id, Status.FAILED)).type == "InvalidArguments"


def test_a_task_that_cannot_be_checked_fails_and_holds_up_no_other(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr(SchemaChecker, "errors", refuse)
    publish(rig, TEXT)
    assert rig.await_status(rig.submit("quick", NEW), Status.FAILED).claims == 1
    rig.await_status(rig.submit("quick"), Status.DONE)


class HeldCheck:
    """Holds up each check of arguments until the test lets it end."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.began, self.may_end = Event(), Event()
        errors = SchemaChecker.errors

        def slowly(checker: SchemaChecker, schema: str, args: object) -> object:
            self.began.set()
            assert self.may_end.wait(PATIENCE)
            return errors(checker, schema, args)

        monkeypatch.setattr(SchemaChecker, "errors", slowly)


@pytest.fixture
def held_check(monkeypatch: pytest.MonkeyPatch) -> HeldCheck:
    return HeldCheck(monkeypatch)


@pytest.mark.parametrize("rig", [{"lease": 3}], indirect=True)
def test_an_unfit_task_is_renewed_while_it_is_checked(rig: Rig, held_check: HeldCheck):
    publish(rig, TEXT)
    id = rig.submit("quick", NEW)
    assert held_check.began.wait(PATIENCE)
    before = leased_until(rig, id)
    assert rig.task(id).hold in rig.state.known_holds()
    eventually(lambda: leased_until(rig, id) > before)
    held_check.may_end.set()
    assert await_rerouted(rig, id).claims == 1


def test_a_cancellation_is_found_during_the_check(rig: Rig, held_check: HeldCheck, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    publish(rig, TEXT)
    id = rig.submit("quick", NEW)
    assert held_check.began.wait(PATIENCE)
    hold: Hold = rig.task(id).hold
    rig.cancel(id)
    eventually(lambda: hold not in rig.state.known_holds())
    held_check.may_end.set()
    rig.await_status(rig.submit("quick"), Status.DONE)
    assert rig.task(id).status is Status.CANCELLED
    assert "refused" not in caplog.text, "it is not settled"


def test_stopping_waits_for_the_check_of_an_unfit_task(rig: Rig, held_check: HeldCheck):
    publish(rig, TEXT)
    id = rig.submit("quick", NEW)
    assert held_check.began.wait(PATIENCE)
    rig.supervisor.stop()
    eventually(lambda: rig.state.draining)
    assert not rig.state.is_empty
    held_check.may_end.set()
    rig.await_end()
    assert (rig.task(id).status, rig.task(id).attempt, rig.task(id).losses) == (Status.WAITING, 0, 0)


def test_an_outage_delays_a_rerouting(rig: Rig, held_check: HeldCheck):
    publish(rig, TEXT)
    ids = [rig.submit("quick", NEW)]
    assert held_check.began.wait(PATIENCE)
    rig.is_away = True
    held_check.may_end.set()
    eventually(lambda: not rig.state.claimed_tasks.unfit)
    assert rig.task(ids[0]).status is Status.RUNNING
    rig.is_away = False
    assert await_rerouted(rig, ids[0]).claims == 1
