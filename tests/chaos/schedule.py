"""The schedule: the actions against the service and their moments, a pure function of the seed and the duration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

MEAN_GAP_SECONDS = 1.5
"""Seconds between two actions, on average."""
FIRST_ACTION_SECONDS = 1.0
MIN_FAULT_SECONDS, FAULT_RANGE_SECONDS = 0.1, 7.0
"""The shortest fault, and by how much the longest is longer: some are shorter than a lease, and some are longer."""

WEIGHTS: Mapping[str, int] = {
    "kill_handler": 6,
    "kill_child": 4,
    "kill_janitor": 1,
    "kill_api": 2,
    "drain_handler": 3,
    "freeze_handler": 5,
    "freeze_host": 3,
    "freeze_child": 2,
    "freeze_janitor": 1,
    "freeze_api": 1,
    "partition_handler": 4,
    "partition_janitor": 1,
    "partition_api": 1,
    "break_connections": 3,
    "terminate_backends": 3,
    "hold_rows": 2,
    "restart_server": 2,
    "abort_server": 1,
    "kill_server": 1,
    "freeze_server": 1,
}


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
    actions, shares = list(weights), list(weights.values())
    steps = []
    moment = FIRST_ACTION_SECONDS
    while moment < seconds:
        [action] = random.choices(actions, shares)
        target = random.randrange(1000)
        steps.append(Step(moment, action, target, MIN_FAULT_SECONDS + FAULT_RANGE_SECONDS * random.random() ** 2))
        moment += random.expovariate(1 / MEAN_GAP_SECONDS)
    return steps
