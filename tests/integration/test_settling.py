"""One outcome that the database refuses harms nobody else's."""

from threading import Event

from adapters.clocks import SystemClock
from adapters.postgres import Database, PostgresStore
from application.supervisor.courier import ThreadCourier
from application.supervisor.desk import Desk
from application.supervisor.errands.errand import Identity, Office
from application.supervisor.errands.settle import Settle
from domain.settlement import Settlement
from domain.status import Status
from tests.steps import HANDLER, NOW, add, claim, submission, task


def test_one_bad_outcome_does_not_fail_its_batch(database: Database, caplog):
    begin = PostgresStore(database).begin
    add(begin, *[submission()] * 3)
    running = [claimed.task for claimed in claim(begin)]
    office = Office(Desk(SystemClock()), begin, Identity(HANDLER, 30))
    results = ["1", '"\ud800"', "3"]
    office.desk.outbox += [
        Settlement.succeeded(each, NOW, result) for each, result in zip(running, results, strict=True)
    ]
    arrived = Event()
    courier = ThreadCourier(arrived.set)
    Settle(office).send(courier)
    assert arrived.wait(10)
    courier.deliver()
    courier.close()
    assert [task(begin, id).status for id in (1, 2, 3)] == [Status.DONE, Status.RUNNING, Status.DONE]
    assert "the outcome of task 2 cannot be stored" in caplog.text
    assert office.desk.is_empty
