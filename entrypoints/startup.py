"""The start of every process: read the settings, configure logging, bring the tables up to date."""

import gc
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from importlib.util import find_spec
from types import TracebackType
from typing import TYPE_CHECKING

from application.errors import StorageUnavailable, StorageUnusable
from application.outages import described
from entrypoints import log_format, log_streams, parent_pipes
from entrypoints.log_streams import LogStream
from entrypoints.repeat_filter import RepeatFilter
from entrypoints.settings import ConfigurationError, LogSetting, Settings

if TYPE_CHECKING:
    from entrypoints.containers.postgres_storage import PostgresStorage

CONFIGURATION_EXIT_CODE = 2
"""The exit code of a process that a restart would not help, since its configuration is wrong."""
COLLECT_AFTER_OBJECTS = 20_000
"""Objects between two garbage collections: more than most requests create, or a thousand running tasks need."""
FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.3, 2.0
"""The first pause is longer than that in which the storage does not connect again after a failure."""
PACKAGES_OF_TRACES = "opentelemetry", "opentelemetry.sdk", "opentelemetry.exporter"
DEFAULT_LOG = LogSetting()
log = logging.getLogger(__name__)
QUIET_LIBRARIES = {"alembic": logging.WARNING, "opentelemetry": logging.ERROR}
"""The lowest levels of libraries that say too much: of each revision, and of each try to reach a collector."""
WARNING_OF_STREAM = (log.name, logging.WARNING, "", 0)


def start(name: str) -> Settings:
    """Start this process: its settings.

    Raises SystemExit: a variable is wrong; the sentence that says so is printed.
    """
    log_streams.install()
    parent_pipes.end_with_parent()
    try:
        settings = Settings.from_environment(os.environ)
        settings.required_database_url  # noqa: B018
        check_packages_of_traces(settings)
    except ConfigurationError as error:
        raise configuration_exit(error) from None
    configure_logging(name, settings.log)
    return settings


def check_packages_of_traces(settings: Settings) -> None:
    """Raises ConfigurationError: spans are to be sent, and the packages for that are not installed."""
    if settings.traces and not all(map(find_spec, PACKAGES_OF_TRACES)):
        raise ConfigurationError(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            settings.otel_exporter_otlp_endpoint,
            "unset where the packages of the group traces in pyproject.toml are not installed",
        )


def configuration_exit(reason: object) -> SystemExit:
    """Print why the configuration is wrong. The SystemExit for the caller to raise."""
    print(f"flask-tasks: {reason}", file=sys.stderr, flush=True)  # noqa: T201
    return SystemExit(CONFIGURATION_EXIT_CODE)


def configure_logging(name: str, setting: LogSetting = DEFAULT_LOG) -> None:
    """Log one line an event to standard error, with the process's name, and no repetition of what is logged once.

    Uncaught errors and warnings of Python are lines too. Below INFO only the service's own packages log: libraries
    would log what they send and receive.
    """
    formatter = log_format.formatter(name, setting.form)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    handler.addFilter(RepeatFilter())
    logging.basicConfig(level=max(setting.level, logging.INFO), handlers=[handler], force=True)
    for package in ("application", "adapters", "entrypoints"):
        logging.getLogger(package).setLevel(setting.level)
    for library, level in QUIET_LIBRARIES.items():
        logging.getLogger(library).setLevel(level)
    logging.captureWarnings(True)
    sys.excepthook = log_uncaught
    threading.excepthook = lambda error: log_uncaught(error.exc_type, error.exc_value, error.exc_traceback)
    if isinstance(sys.stderr, LogStream):
        sys.stderr.form = lambda sentence: formatter.format(log.makeRecord(*WARNING_OF_STREAM, sentence, (), None))


def log_uncaught(
    type: type[BaseException], error: BaseException | None = None, traceback: TracebackType | None = None
) -> None:
    """Log an error that ends the process or one of its threads. An interrupt from the keyboard is none."""
    if issubclass(type, KeyboardInterrupt):
        sys.__excepthook__(type, error or type(), traceback)
    elif not issubclass(type, SystemExit):
        log.critical("an error was not caught", exc_info=error)


def end_unusable(reason: str) -> None:
    """Raise SystemExit: the database cannot be used, and the sentence that says so is printed."""
    raise configuration_exit(reason)


def prepare_database(
    storage: "PostgresStorage",
    on_unusable: Callable[[str], None] = end_unusable,
    on_away: Callable[[], None] = lambda: None,
) -> None:
    """Bring the tables up to date and measure the database's clock; wait for a database that is away.

    - `on_unusable`: called with a sentence where trying again does not help. Where it returns, it is tried again.
    - `on_away`: called after each try that found the database away.
    """
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            if storage.migrate()():
                log.info("the tables are up to date")
            storage.clock().measure()
            return
        except StorageUnusable as error:
            on_unusable(f"the database of DATABASE_URL cannot be used: {error}")
        except StorageUnavailable as error:
            log.warning("the database is away, trying again in %.1f s: %s", pause, described(error))
            on_away()
        time.sleep(pause)
        pause = min(pause * 2, MAX_PAUSE_SECONDS)


def serve_metrics(settings: Settings, export: Callable[[], bytes], is_ready: Callable[[], bool]) -> None:
    """Serve the metrics and the health of this process on METRICS_PORT, if that is set.

    Raises SystemExit: it cannot listen there; the sentence that says why is printed.
    """
    if settings.metrics_port is None:
        return
    # Imported here: it imports an HTTP server, which most processes do without.
    from entrypoints.metrics.listener import Answers, CannotListen, Listener

    try:
        Listener(settings.host, settings.metrics_port, Answers(export, is_ready)).start()
    except CannotListen as error:
        raise configuration_exit(error) from None


def freeze_garbage_collector() -> None:
    """Exclude all present objects from garbage collection, which would take a quarter of the time of a long request."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER_OBJECTS)
