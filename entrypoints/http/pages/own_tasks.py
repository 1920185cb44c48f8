"""Tasks that an address or a form names beside its path: none of them is seen by a sender who may not see it."""

from application.view import View
from domain.ids import TaskId
from entrypoints.http.access.current import own_tasks_of
from entrypoints.http.services import Services


class OwnTasks:
    """Views tasks that the sender of the request sees. Thread-safe."""

    def __init__(self, services: Services) -> None:
        self._view = services.view_task()
        self._owners = services.check_owner()

    def __call__(self, id: TaskId) -> View:
        """The present view of the task. Raises UnknownTask."""
        if owner := own_tasks_of():
            self._owners.of_task(id, owner)
        return self._view(id)
