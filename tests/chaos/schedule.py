"""The schedule: the actions against the service and their moments, a pure function of the seed and the duration."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

MEAN_GAP_SECONDS = 1.5
"""Seconds between two actions, on average."""
FIRST_ACTION_SECONDS = 1.0
MIN_FAULT_SECONDS, FAULT_RANGE_SECONDS = 0.1, 7.0
"""The shortest fault, and by how much the longest is longer: some are shorter than a lease, and some are longer."""

WEIGHTS: Mapping[str, int] = {
    "kill_handler": 5,
    "kill_container": 1,
    "kill_child": 3,
    "kill_janitor": 1,
    "kill_api": 2,
    "kill_by_function": 1,
    "drain_handler": 3,
    "freeze_handler": 4,
    "freeze_host": 2,
    "freeze_child": 2,
    "freeze_janitor": 1,
    "freeze_api": 1,
    "clog_log": 1,
    "partition_handler": 2,
    "partition_janitor": 1,
    "partition_api": 1,
    "partition_requests": 1,
    "partition_answers": 1,
    "slow_line": 2,
    "break_connections": 2,
    "terminate_backends": 2,
    "exhaust_connections": 1,
    "read_only_database": 1,
    "read_only_system": 1,
    "role_timeouts": 1,
    "hold_rows": 1,
    "lock_rows_of_tasks": 1,
    "lock_rows_of_handlers": 1,
    "lock_rows_of_attempts": 1,
    "lock_rows_of_deliveries": 1,
    "lock_rows_of_schedules": 1,
    "lock_rows_of_task_types": 1,
    "lock_rows_of_type_limits": 1,
    "lock_table_tasks": 1,
    "lock_table_handlers": 1,
    "lock_table_attempts": 1,
    "lock_table_deliveries": 1,
    "lock_table_schedules": 1,
    "lock_table_task_types": 1,
    "lock_table_type_limits": 1,
    "administer_rows": 2,
    "restart_server": 1,
    "abort_server": 1,
    "kill_server": 1,
    "freeze_server": 1,
    "fail_over_server": 1,
    "set_clock_of_server": 1,
    "fill_disk_of_server": 1,
}
"""How often each action comes up before all have: they are dealt like cards, so none is left to chance."""


@dataclass(frozen=True, slots=True)
class Step:
    """One action: seconds from the beginning, name, the number that chooses its target, and seconds of the fault."""

    moment: float
    action: str
    target: int
    seconds: float


def schedule(seed: int, seconds: float, weights: Mapping[str, int] = WEIGHTS) -> Sequence[Step]:
    """The same steps for the same arguments, in the order of their moments."""
    random = Random(seed)
    deal = _deal(random, weights)
    steps = []
    moment = FIRST_ACTION_SECONDS
    while moment < seconds:
        target = random.randrange(1000)
        action = next(deal)
        steps.append(Step(moment, action, target, MIN_FAULT_SECONDS + FAULT_RANGE_SECONDS * random.random() ** 2))
        moment += random.expovariate(1 / MEAN_GAP_SECONDS)
    return steps


def _deal(random: Random, weights: Mapping[str, int]) -> Iterator[str]:
    """Actions without end: each as often as its weight says, in a random order, again and again."""
    while True:
        cards = [action for action, weight in weights.items() for _ in range(weight)]
        random.shuffle(cards)
        yield from cards
