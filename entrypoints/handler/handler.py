"""A handler: claims and runs tasks, until asked to stop."""

import logging
import signal
from collections.abc import Sequence

from application.ports.wake_up import HANDLER_TOPICS
from application.supervisor.executor_events import NothingToRun
from application.supervisor.state import SupervisorState
from domain.task_type import TaskType
from entrypoints import parent_pipes, startup
from entrypoints.containers.handler import HandlerContainer
from entrypoints.containers.postgres_storage import PostgresStorage
from entrypoints.metrics.exporter import Exporter
from entrypoints.metrics.samples import of_supervisor
from entrypoints.settings import Settings
from entrypoints.stop_signals import StopSignals

log = logging.getLogger("entrypoints.handler")


def report_ready(types: Sequence[TaskType]) -> None:
    """Report the published types to the log and to the process that started this one."""
    names = ", ".join(sorted(type.name for type in types))
    log.info("ready to run %s", names)
    parent_pipes.report_ready(names)


def run(signals: StopSignals) -> None:
    """Run until SIGTERM or SIGINT; a second one makes the stop hurry. SIGUSR1 lets all that runs finish before."""
    settings = startup.start("handler")
    storage = PostgresStorage(settings=settings)
    startup.prepare_database(storage)
    storage.clock().open()
    container = HandlerContainer(settings=settings, storage=storage, on_published=report_ready)
    supervisor = container.supervisor()
    signals.handle(supervisor.stop)
    signal.signal(signal.SIGUSR1, lambda *_: supervisor.drain())
    serve_metrics(settings, storage, container.supervisor_state())
    startup.freeze_garbage_collector()
    storage.listener().listen(supervisor.wake, HANDLER_TOPICS)
    try:
        supervisor.run()
    except NothingToRun as error:
        raise startup.configuration_exit(error) from None
    finally:
        container.shutdown_resources()
    log.info("stopped")


def serve_metrics(settings: Settings, storage: PostgresStorage, state: SupervisorState) -> None:
    """Serve the metrics and the health of this handler, if that is set. It is ready while its leases are renewed."""
    export = Exporter(storage.ping(), storage.clock())
    startup.serve_metrics(
        settings, lambda: export(of_supervisor(state.tally)), lambda: state.is_renewed_within(settings.lease)
    )
