"""`python -m entrypoints.handler`: claims tasks and runs them until it is asked to stop."""

import logging
import signal
from collections.abc import Sequence

from application.ports.wake_up import Topic
from application.supervisor.executor_events import NothingToRun
from domain.task_type import TaskType
from entrypoints import parent_pipes, process
from entrypoints.containers.handler import HandlerContainer
from entrypoints.containers.postgres_storage import PostgresStorage

log = logging.getLogger("entrypoints.handler")


def published(types: Sequence[TaskType]) -> None:
    """Tell the log, and whoever waits for this process, what can be run now."""
    names = ", ".join(sorted(type.name for type in types))
    log.info("ready to run %s", names)
    parent_pipes.ready(names)


def main() -> None:
    """Run until SIGTERM or SIGINT, and once more of either hurries."""
    settings = process.start("handler")
    storage = PostgresStorage(settings=settings)
    process.prepare_database(storage)
    storage.clock().open()
    container = HandlerContainer(settings=settings, storage=storage, on_published=published)
    supervisor = container.supervisor()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.stop())
    process.spare_the_collector()
    storage.listener().listen(supervisor.wake, (Topic.WAITING, Topic.TAKEN))
    try:
        supervisor.run()
    except NothingToRun as error:
        raise process.stop(error) from None
    finally:
        container.shutdown_resources()
    log.info("stopped")


if __name__ == "__main__":
    main()
