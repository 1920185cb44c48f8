"""Going through an iterator more than once."""

from itertools import islice

from application.remembered import Remembered


def test_it_gives_the_same_again_wherever_it_was_left():
    asked: list[int] = []
    items = Remembered(asked.append(n) or n for n in range(5))  # type: ignore[func-returns-value]
    assert list(islice(items, 2)) == [0, 1]
    assert asked == [0, 1]
    assert list(items) == list(items) == asked == [0, 1, 2, 3, 4]
