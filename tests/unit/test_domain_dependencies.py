"""The depths of tasks below the tasks for which they wait."""

from collections.abc import Mapping, Set

import pytest

from domain.dependencies import depths
from domain.ids import TaskId


@pytest.mark.parametrize(
    ("parents", "found"),
    [
        pytest.param({}, {}, id="no tasks"),
        pytest.param({2: {1}, 3: {2}}, {1: 0, 2: 1, 3: 2}, id="a chain"),
        pytest.param({2: {1}, 3: {1, 2}, 4: {1}}, {1: 0, 2: 1, 3: 2, 4: 1}, id="the longest way counts"),
        pytest.param({1: {2}, 2: {1}, 3: {4}}, {}, id="a circle has no depths"),
    ],
)
def test_the_depth_of_a_task_is_that_of_the_longest_chain_above_it(
    parents: Mapping[TaskId, Set[TaskId]], found: Mapping[TaskId, int]
):
    assert depths(parents) == found
