"""Many new tasks are stored part by part."""

import pytest

from adapters.postgres.addition import PART, parts
from tests.steps import submission

KEYED = submission(key="k")
PLAIN = submission()


@pytest.mark.parametrize(
    ("submissions", "lengths"),
    [
        ([], []),
        ([PLAIN] * 3, [3]),
        ([PLAIN] * 2 * PART, [PART, PART]),
        ([PLAIN] * (2 * PART + 1), [PART, PART, 1]),
        ([PLAIN] * 2 * PART + [KEYED], [2 * PART + 1]),
    ],
)
def test_those_with_keys_come_in_one_so_that_two_who_ask_for_the_same_lock_them_in_one_order(
    submissions: list[object], lengths: list[int]
):
    assert [len(part) for part in parts(submissions)] == lengths
