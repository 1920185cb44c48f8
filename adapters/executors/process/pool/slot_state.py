"""The lifecycle of a slot as one table: which verb may start from which state, and which state follows.

STARTING ──► READY ◄──► STALLED        each of these ──► DEAD
    │          │           │
    └──────────┤           │
               ▼           ▼
            STOPPING ──► DRAINED ◄── RETIRING ◄── READY, STALLED
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class SlotState(StrEnum):
    """How far the child of a slot is in its life.

    - STARTING: the child imports the functions. It takes no run.
    - READY: the child takes runs.
    - STALLED: the first run takes longer than expected, or the socket of the child is full. No run is put behind it.
    - RETIRING: the child runs nothing more, and calls the functions that were registered for its end.
    - STOPPING: the child was killed. The runs that it has not received can still be taken back.
    - DRAINED: the child was killed, and there is nothing to take back.
    - DEAD: the child has ended.
    """

    STARTING = "starting"
    READY = "ready"
    STALLED = "stalled"
    RETIRING = "retiring"
    STOPPING = "stopping"
    DRAINED = "drained"
    DEAD = "dead"


class SlotVerb(StrEnum):
    """A change in the life of a slot.

    - GET_READY: the child has imported the functions.
    - STALL: the runs that the child has not received were taken back, or it cannot be handed another one.
    - RESUME: a run has ended, or none is left.
    - RETIRE: the child is to end in order, after its last run or since the pool closes.
    - STOP: the child is killed.
    - DIE: the child has ended.
    """

    GET_READY = "get ready"
    STALL = "stall"
    RESUME = "resume"
    RETIRE = "retire"
    STOP = "stop"
    DIE = "die"


RULES: Mapping[SlotVerb, Mapping[SlotState, SlotState]] = MappingProxyType(
    {
        SlotVerb.GET_READY: {SlotState.STARTING: SlotState.READY},
        SlotVerb.STALL: {SlotState.READY: SlotState.STALLED, SlotState.STOPPING: SlotState.DRAINED},
        SlotVerb.RESUME: {SlotState.STALLED: SlotState.READY},
        SlotVerb.RETIRE: {SlotState.READY: SlotState.RETIRING, SlotState.STALLED: SlotState.RETIRING},
        SlotVerb.STOP: {
            SlotState.STARTING: SlotState.STOPPING,
            SlotState.READY: SlotState.STOPPING,
            SlotState.STALLED: SlotState.DRAINED,
            SlotState.RETIRING: SlotState.DRAINED,
        },
        SlotVerb.DIE: {state: SlotState.DEAD for state in SlotState if state is not SlotState.DEAD},
    }
)


OVERLOADABLE = SlotState.READY, SlotState.STOPPING
"""States in which runs may stand behind the first one that can be taken back."""


class InvalidSlotTransition(AssertionError):
    """A slot cannot {verb} while it is {state}: the pool has a defect."""

    def __init__(self, verb: SlotVerb, state: SlotState) -> None:
        super().__init__(f"a slot cannot {verb} while it is {state}")
        self.verb, self.state = verb, state


class SlotLifecycle:
    """The state of one slot. It begins with STARTING, and only verbs change it."""

    def __init__(self) -> None:
        self.state = SlotState.STARTING

    def allows(self, verb: SlotVerb) -> bool:
        """Whether the verb may start from this state."""
        return self.state in RULES[verb]

    def apply(self, verb: SlotVerb) -> None:
        """Move to the state that follows. Raises InvalidSlotTransition: the verb may not start from this state."""
        if not self.apply_if_allowed(verb):
            raise InvalidSlotTransition(verb, self.state)

    def apply_if_allowed(self, verb: SlotVerb) -> bool:
        """Move to the state that follows, if the verb may start from this one. Answers whether it did."""
        following = RULES[verb].get(self.state)
        if following is None:
            return False
        self.state = following
        return True
