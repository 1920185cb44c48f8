"""The form of an action, and the parts that several kinds of actions share."""

from collections.abc import Callable
from contextlib import suppress

import psycopg2

from tests.chaos.schedule import Step
from tests.chaos.service import ServiceUnderTest
from tests.chaos.service_process import ServiceProcess

Action = Callable[[ServiceUnderTest, Step], str | None]
"""Injects a fault, and says into what; None if it could not."""
Victim = Callable[[ServiceUnderTest, Step], ServiceProcess]
Undo = Callable[[], None]
Begin = Callable[[ServiceUnderTest, Step], tuple[str, Undo] | None]
"""Injects a fault of the database. Its description and the function that ends it; None if there was no target."""


def handler(service: ServiceUnderTest, step: Step) -> ServiceProcess:
    """The handler that the step targets."""
    return service.handlers[step.target % len(service.handlers)]


def janitor(service: ServiceUnderTest, step: Step) -> ServiceProcess:
    """The janitor that the step targets."""
    return service.janitors[step.target % len(service.janitors)]


def api(service: ServiceUnderTest, step: Step) -> ServiceProcess:
    """The API, of which there is one."""
    return service.api


def any_process(service: ServiceUnderTest, step: Step) -> ServiceProcess:
    """Any process."""
    return service.processes[step.target % len(service.processes)]


def in_database(begin: Begin) -> Action:
    """The action that changes the available database for a while; the server may end or change meanwhile."""

    def action(service: ServiceUnderTest, step: Step) -> str | None:
        if not service.is_server_available:
            return None
        with suppress(psycopg2.Error):
            end_fault = service.begin_fault(step.action, None)
            begun = None
            try:
                begun = begin(service, step)
            finally:
                if begun is None:
                    end_fault()
            if begun:
                description, undo = begun

                def end() -> None:
                    undo()
                    end_fault()

                service.undo_later(step.seconds, end)
                return description
        return None

    return action
