"""The command line over memory: a service beside it, and what a command prints."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from click.testing import CliRunner, Result

from application.ports.inspection import Inspection
from entrypoints.admin.command_line import command_line
from entrypoints.admin.composition import Composition
from entrypoints.containers.admin import AdminContainer
from entrypoints.containers.memory_storage import MemoryStorage
from entrypoints.settings import Settings
from tests.unit.memory_service import Service


class MemoryComposition(Composition):
    """The use cases over the store of a service."""

    def __init__(self, service: "AdminService", settings: Settings) -> None:
        super().__init__({})
        self._service, self._settings = service, settings

    @cached_property
    def settings(self) -> Settings:
        return self._settings

    @cached_property
    def use_cases(self) -> AdminContainer:
        service = self._service
        if service.fails_to_open:
            raise service.fails_to_open()
        storage = MemoryStorage(
            store=service.store,
            begin=service.begin,
            clock=service.clock,
            notifier=service,
            inspector=lambda: service.inspection,
        )
        return AdminContainer(settings=self.settings, storage=storage, host_clock=service.clock)


class AdminService(Service):
    """A service with a command line.

    - `inspection`: what a look at the storage from outside finds.
    - `fails_to_open`: makes the error with which the storage cannot be used, if there is one.
    """

    settings = Settings(database_url="postgresql://memory/tasks")
    inspection = Inspection(version="17.5")
    fails_to_open: Callable[[], Exception] | None = None

    def admin(self, *arguments: object, input: str | None = None) -> Result:
        """Run a command, which may fail."""
        composition = MemoryComposition(self, self.settings)
        return CliRunner().invoke(command_line, [str(each) for each in arguments], obj=composition, input=input)

    def output(self, *arguments: object, **more: Any) -> str:
        """Run a command that succeeds. Its standard output."""
        result = self.admin(*arguments, **more)
        assert (result.exit_code, result.exception) == (0, None), result.output
        return result.stdout
