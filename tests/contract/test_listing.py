"""Listing, newest first."""

from application.ports.listing import Filter
from application.ports.work import Begin
from domain.ids import TaskId, TypeName
from domain.status import Status
from tests.steps import add, claim, submission, task


def page(begin: Begin, before: int | None = None, limit: int = 10, **filter: object) -> list[int]:
    with begin() as work:
        found = work.listing.page(Filter(**filter), None if before is None else TaskId(before), limit)
    assert all(each == task(begin, each.id) for each in found)
    return [each.id for each in found]


def test_the_newest_come_first(begin: Begin):
    add(begin, *[submission()] * 3)
    assert page(begin) == [3, 2, 1]


def test_a_page_goes_on_where_another_ended(begin: Begin):
    add(begin, *[submission()] * 5)
    assert page(begin, limit=2) == [5, 4]
    assert page(begin, before=4, limit=2) == [3, 2]
    assert page(begin, before=1) == []
    assert page(begin, before=0) == []


def test_status_and_type_narrow_the_list(begin: Begin):
    add(begin, submission("a"), submission("b"), submission("a"))
    claim(begin, 1, wanted={"a": 1})
    assert page(begin, type=TypeName("a")) == [3, 1]
    assert page(begin, status=Status.RUNNING) == [1]
    assert page(begin, status=Status.WAITING, type=TypeName("a")) == [3]
    assert page(begin, type=TypeName("nobody's")) == []
