"""The states of tasks that a client was shown, and a digest by which it says that it knows them."""

from application.ports.task_repository import TaskRecord, Version
from application.use_cases.follow_tasks import States
from domain.ids import TaskId
from entrypoints.task_json import state_json


class ShownStates:
    """The states that were sent over one stream. Those of finished tasks live on in the digest alone."""

    def __init__(self) -> None:
        self._digest = 0
        self._shown: dict[TaskId, tuple[Version, str]] = {}

    @property
    def digest(self) -> str:
        """A text made of the versions of all tasks, the same in every process."""
        return f"{self._digest:016x}"

    def update(self, states: States) -> States:
        """Note states as shown, and return those that look different from before."""
        return {id: state for id, state in states.items() if self._looks_different(id, state)}

    def _looks_different(self, id: TaskId, state: TaskRecord | None) -> bool:
        before, shown = self._shown.pop(id, (None, None))
        self._digest ^= _part(id, before) ^ _part(id, state.version if state else None)
        if state is None:
            return True
        text = state_json(state.task)
        if not state.task.status.is_final:
            self._shown[id] = state.version, text
        return text != shown


def _part(id: TaskId, version: Version | None) -> int:
    """The part of one task in the digest. The hash of numbers is no secret of the process, as that of a text is."""
    return 0 if version is None else hash((id, version)) % 2**64
