"""The objects behind the commands, each made when a command first asks for it."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

from entrypoints.containers.admin import AdminContainer
from entrypoints.containers.embedded import DATA, EmbeddedContainer
from entrypoints.containers.postgres_storage import PostgresStorage
from entrypoints.settings import Settings


class Composition:
    """The settings of an environment, its database, and the use cases over it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    @cached_property
    def settings(self) -> Settings:
        """The settings. Without DATABASE_URL, that of the server of an `up` that runs in this folder.

        Raises ConfigurationError: a variable is wrong, or there is no database.
        """
        settings = Settings.from_environment(self._environment)
        url = settings.database_url or EmbeddedContainer.embedded_postgres(DATA).running_url()
        settings = replace(settings, database_url=url)
        settings.required_database_url  # noqa: B018
        return settings

    @cached_property
    def storage(self) -> PostgresStorage:
        """The database, whatever state its tables are in."""
        return PostgresStorage(settings=self.settings)

    @cached_property
    def use_cases(self) -> AdminContainer:
        """The use cases, over tables of this version, by the database's clock.

        Raises StorageUnavailable, StorageUnusable, OutdatedTables: they cannot be used.
        """
        self.storage.migrate().verify()
        self.storage.clock().measure()
        return AdminContainer(settings=self.settings, storage=self.storage)

    def close(self) -> None:
        """Send the notifications that are pending, and close the connections."""
        if "storage" in self.__dict__:
            self.storage.shutdown_resources()
