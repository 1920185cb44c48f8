"""Limited types under a supervisor: what it starts, when it claims, and whose turn it is."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from threading import Event
from typing import Any

import pytest

from application.ports.limits import LimitedClaim, LimitedClaimRequest
from application.ports.queue import ClaimedRecord
from application.ports.wake_up import Topic
from application.supervisor import limited_types
from application.supervisor.operations.publish import Publish
from domain.ids import TypeName
from domain.lease import Lease
from domain.limits import Limits, Override
from domain.settlement import Settlement
from domain.status import Status
from domain.task_type import TaskType
from tests.unit.supervised.gates import close_all, doors, entered
from tests.unit.supervised.test_supervisor import PATIENCE, Rig, eventually

NEVER = datetime.max.replace(tzinfo=UTC)


class LimitedRig(Rig):
    """A rig that sets limits, and records its claims of limited types."""

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self.claims: list[LimitedClaimRequest] = []
        autocommit = self.container.context().autocommit
        claim = autocommit.claim_limited

        def recorded(
            lease: Lease, now: datetime, request: LimitedClaimRequest, settlements: Sequence[Settlement] = ()
        ) -> LimitedClaim:
            self.claims += [request] if request.types else []
            return claim(lease, now, request, settlements)

        autocommit.claim_limited = recorded  # type: ignore[method-assign]

    def limit(self, type: str, **limits: Any) -> None:
        """Set limits, as an operator does."""
        with self.begin() as work:
            work.limits.set(TypeName(type), Override(limits))
            work.commit()
        self.wake_up.notify(Topic.LIMITS)

    def submit_gated(self, *gates: str) -> Sequence[int]:
        return [self.submit("gated", f'{{"gate":"{gate}"}}') for gate in gates]

    def number_of(self, status: Status) -> int:
        with self.store.begin() as work:
            return sum(row.task.status is status for row in work.state.rows.values())


@pytest.fixture
def rig(request: pytest.FixtureRequest) -> Iterator[LimitedRig]:
    close_all()
    rig = LimitedRig(**getattr(request, "param", {}))
    rig.thread.start()
    eventually(rig.handlers)
    yield rig
    for door in list(doors.values()):
        door.set()
    rig.supervisor.stop()
    rig.supervisor.stop()
    rig.thread.join(PATIENCE)
    rig.close()


def settled(rig: LimitedRig) -> None:
    """Wait until the supervisor has claimed twice since now, so that nothing more would start."""
    before = len(rig.claims)
    rig.wake_up.notify(Topic.LIMITS)
    eventually(lambda: len(rig.claims) > before)
    time.sleep(0.05)


@pytest.mark.parametrize("rig", [{"concurrency": 4}], indirect=True)
def test_no_more_tasks_run_than_the_limit(rig: LimitedRig):
    rig.limit("gated", at_once=2)
    rig.submit_gated("a", "b", "c", "d")
    eventually(lambda: rig.number_of(Status.RUNNING) == 2)
    settled(rig)
    assert (rig.number_of(Status.RUNNING), rig.number_of(Status.WAITING)) == (2, 2)


def test_the_next_task_starts_when_one_has_ended(rig: LimitedRig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limited_types, "POLL_SECONDS", 60.0)
    rig.limit("gated", at_once=1)
    ids = rig.submit_gated("a", "b", "c")
    for gate, id in zip("abc", ids, strict=True):
        assert entered[gate].wait(PATIENCE)
        doors[gate].set()
        rig.await_status(id, Status.DONE)
    assert rig.state.tally.claims.sum >= 3


def test_the_end_of_the_last_task_is_notified_since_another_handler_may_know_the_type_as_full(rig: LimitedRig):
    notified: list[Topic] = []
    rig.wake_up.listen(notified.append, [Topic.ENDED])
    rig.limit("gated", at_once=1)
    (id,) = rig.submit_gated("a")
    assert entered["a"].wait(PATIENCE)
    doors["a"].set()
    rig.await_status(id, Status.DONE)
    eventually(lambda: notified)


def test_the_next_task_starts_when_one_was_cancelled(rig: LimitedRig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limited_types, "POLL_SECONDS", 60.0)
    rig.limit("gated", at_once=1)
    first, _ = rig.submit_gated("a", "b")
    assert entered["a"].wait(PATIENCE)
    rig.cancel(first)
    assert entered["b"].wait(PATIENCE)


def test_a_type_at_its_limit_is_not_claimed_again_by_new_tasks(rig: LimitedRig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limited_types, "POLL_SECONDS", 60.0)
    rig.limit("gated", at_once=1)
    rig.submit_gated("a", "b")
    assert entered["a"].wait(PATIENCE)
    settled(rig)
    before = len(rig.claims)
    rig.submit_gated("c", "d")
    rig.await_status(rig.submit("quick"), Status.DONE)
    assert len(rig.claims) == before


def test_a_rate_is_waited_for_without_polling(rig: LimitedRig):
    rig.limit("quick", per_second=5, burst=1)
    ids = [rig.submit("quick") for _ in range(3)]
    starts = sorted(rig.await_status(id, Status.DONE).started or NEVER for id in ids)
    # A start may be a moment later than its claim.
    assert (starts[-1] - starts[0]).total_seconds() > 0.3
    assert len(rig.claims) < 12


def test_a_paused_type_goes_on_when_it_is_resumed(rig: LimitedRig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limited_types, "POLL_SECONDS", 60.0)
    rig.limit("quick", paused=True)
    id = rig.submit("quick")
    rig.submit_gated("a")
    assert entered["a"].wait(PATIENCE)
    assert rig.task(id).status is Status.WAITING
    rig.limit("quick", paused=False)
    rig.await_status(id, Status.DONE)


def test_a_type_whose_limits_were_removed_is_claimed_as_the_others_are(rig: LimitedRig):
    rig.limit("quick", at_once=1)
    rig.await_status(rig.submit("quick"), Status.DONE)
    with rig.begin() as work:
        work.limits.remove(TypeName("quick"))
        work.commit()
    rig.await_status(rig.submit("quick"), Status.DONE)
    eventually(lambda: TypeName("quick") not in rig.state.limited)
    before = len(rig.claims)
    rig.await_status(rig.submit("quick"), Status.DONE)
    assert len(rig.claims) == before


@pytest.mark.parametrize("rig", [{"concurrency": 1}], indirect=True)
def test_limited_and_other_tasks_take_turns_in_one_slot(rig: LimitedRig):
    rig.limit("gated", at_once=1)
    (blocking,) = rig.submit_gated("first")
    assert entered["first"].wait(PATIENCE)
    quick = [rig.submit("quick") for _ in range(200)]
    limited = rig.submit_gated("second", "third")
    for gate in ("second", "third"):
        doors[gate].set()
    doors["first"].set()
    for id in (blocking, *limited, *quick):
        rig.await_status(id, Status.DONE)
    ended = sorted((rig.task(id).finished or NEVER, id) for id in (*limited, *quick))
    order = [id in limited for _, id in ended]
    assert order.index(True) < 100, "a limited task starts before many others"
    assert not all(order[:2]), "another one starts between two limited tasks"


def test_an_outcome_of_a_limited_type_does_not_wait_for_a_long_claim_of_other_types(
    rig: LimitedRig, monkeypatch: pytest.MonkeyPatch
):
    rig.limit("gated", at_once=1)
    (id,) = rig.submit_gated("a")
    assert entered["a"].wait(PATIENCE)
    may_claim, claims = Event(), Event()

    def claim_long(*_: Any) -> Sequence[ClaimedRecord]:
        claims.set()
        may_claim.wait(2 * PATIENCE)
        return []

    monkeypatch.setattr(rig.container.context().autocommit, "claim", claim_long)
    rig.wake_up.notify(Topic.WAITING)
    try:
        assert claims.wait(PATIENCE)
        doors["a"].set()
        rig.await_status(id, Status.DONE)
        assert not may_claim.is_set()
    finally:
        may_claim.set()


class NowRunner:
    """A background runner that makes its calls at once."""

    is_idle = True

    def submit(self, call: Callable[[], Any], on_result: Callable[[Any], None]) -> None:
        on_result(call())

    def deliver_result(self) -> None: ...

    def close(self) -> None: ...


def test_a_type_whose_declared_limits_could_not_be_published_is_claimed_as_limited():
    rig = LimitedRig()
    one, free = (TaskType(name=TypeName("one"), limits=Limits(at_once=1)), TaskType(name=TypeName("free")))
    for locked, limited in (({one.name}, [one.name]), (set(), [])):
        publish = Publish(rig.container.context(), lambda *_, locked=locked: locked, on_published=lambda _: None)  # type: ignore[arg-type]
        rig.state.set_types([one, free])
        publish.send(NowRunner())
        rig.state.set_limited(set())
        assert rig.state.limited.turns == limited
    rig.close()


@pytest.mark.parametrize("rig", [{"concurrency": 1}], indirect=True)
def test_a_claim_of_limited_types_that_fails_keeps_no_other_task_from_the_only_slot(
    rig: LimitedRig, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: Any) -> LimitedClaim:
        raise ValueError("the limits cannot be read")

    monkeypatch.setattr(rig.container.context().autocommit, "claim_limited", fail)
    rig.limit("gated", at_once=1)
    eventually(lambda: TypeName("gated") in rig.state.limited)
    rig.await_status(rig.submit("quick"), Status.DONE)


def test_no_task_of_a_limited_type_is_claimed_ahead(rig: LimitedRig):
    rig.limit("quick", at_once=100)
    rig.submit_gated("a", "b")
    assert entered["a"].wait(PATIENCE)
    assert entered["b"].wait(PATIENCE)
    ids = [rig.submit("quick") for _ in range(5)]
    time.sleep(0.1)
    assert {rig.task(id).status for id in ids} == {Status.WAITING}
    doors["a"].set()
    for id in ids:
        rig.await_status(id, Status.DONE)
