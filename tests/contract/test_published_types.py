"""Published types: the types that handlers can run."""

from collections.abc import Set
from dataclasses import replace

from application.ports.unit_of_work import Begin
from domain.ids import HandlerId, TypeName
from domain.options import Options
from domain.task_type import TaskType
from tests.steps import NOW, at

ADD = TaskType(name=TypeName("add"), description="Adds.", schema='{"type":"object"}', options=Options(timeout=5))
REPORT = TaskType(
    name=TypeName("report"), options=Options(priority=3, max_attempts=4, max_losses=0), retries_timeout=False
)
ONE, TWO = HandlerId("one"), HandlerId("two")


def test_the_processes_of_handlers_are_known_where_they_said_which(begin: Begin):
    with begin() as work:
        work.types.publish(ONE, [ADD], at(10), "boot 7")
        work.types.publish(TWO, [ADD], at(10))
        work.commit()
    with begin() as work:
        assert work.types.processes() == {ONE: "boot 7"}


def publish(begin: Begin, handler: HandlerId, *types: TaskType, until: float = 30) -> None:
    with begin() as work:
        work.types.publish(handler, types, at(until))
        work.commit()


def known(begin: Begin, seconds: float = 0) -> dict[str, bool]:
    with begin() as work:
        return {each.type.name: each.live for each in work.types.all(at(seconds))}


def test_published_types_are_known_as_they_are(begin: Begin):
    publish(begin, ONE, REPORT, ADD)
    with begin() as work:
        assert [each.type for each in work.types.all(NOW)] == [ADD, REPORT]


def test_a_type_lives_as_long_as_a_handler_that_has_it(begin: Begin):
    publish(begin, ONE, ADD, REPORT, until=10)
    publish(begin, TWO, ADD, until=20)
    assert known(begin, 5) == {"add": True, "report": True}
    assert known(begin, 15) == {"add": True, "report": False}
    assert known(begin, 25) == {"add": False, "report": False}


def test_a_renewed_handler_lives_longer(begin: Begin):
    publish(begin, ONE, ADD, until=10)
    with begin() as work:
        assert work.types.renew(ONE, at(50))
        work.commit()
    assert known(begin, 40) == {"add": True}


def test_an_unknown_handler_cannot_be_renewed(begin: Begin):
    with begin() as work:
        assert not work.types.renew(ONE, at(50))


def test_a_withdrawn_handler_leaves_its_types_known(begin: Begin):
    publish(begin, ONE, ADD)
    with begin() as work:
        work.types.withdraw(ONE)
        work.commit()
    assert known(begin) == {"add": False}


def test_the_newest_publication_of_a_type_counts(begin: Begin):
    publish(begin, ONE, ADD)
    newer = TaskType(name=ADD.name, description="Adds better.")
    publish(begin, TWO, newer)
    with begin() as work:
        assert [each.type for each in work.types.all(NOW)] == [newer]


def test_a_handler_that_publishes_again_has_the_new_types_only(begin: Begin):
    publish(begin, ONE, ADD)
    publish(begin, ONE, REPORT)
    assert known(begin) == {"add": False, "report": True}


def elsewhere(begin: Begin, handler: HandlerId, seconds: float = 0) -> Set[str]:
    with begin() as work:
        return work.types.schemas_elsewhere(ADD.name, handler, at(seconds))


OLDER = replace(ADD, schema='{"type":"object","required":["a"]}')


def test_a_handler_knows_the_schemas_of_the_others(begin: Begin):
    publish(begin, ONE, REPORT, OLDER)
    publish(begin, TWO, REPORT, ADD)
    assert elsewhere(begin, ONE) == {ADD.schema}
    assert elsewhere(begin, TWO) == {OLDER.schema}
    assert elsewhere(begin, HandlerId("three")) == {ADD.schema, OLDER.schema}


def test_a_schema_of_several_handlers_is_one(begin: Begin):
    publish(begin, ONE, ADD)
    publish(begin, TWO, ADD)
    assert elsewhere(begin, ONE) == elsewhere(begin, HandlerId("three")) == {ADD.schema}


def test_schemas_live_as_long_as_their_handler(begin: Begin):
    publish(begin, ONE, ADD, until=10)
    assert elsewhere(begin, TWO, 9) == {ADD.schema}
    assert elsewhere(begin, TWO, 10) == set()
    with begin() as work:
        work.types.withdraw(ONE)
        work.commit()
    assert elsewhere(begin, TWO, 9) == set()


def test_a_handler_that_publishes_again_has_the_new_schemas_only(begin: Begin):
    publish(begin, ONE, REPORT, ADD)
    publish(begin, ONE, OLDER)
    assert elsewhere(begin, TWO) == {OLDER.schema}
    publish(begin, ONE, REPORT)
    assert elsewhere(begin, TWO) == set()


def test_handlers_long_dead_are_forgotten(begin: Begin):
    publish(begin, ONE, ADD, until=0)
    publish(begin, TWO, ADD, until=5)
    with begin() as work:
        assert work.types.forget_dead(at(86_400)) == 1
        assert not work.types.renew(ONE, at(99_999))
        assert work.types.renew(TWO, at(99_999))
