"""A janitor: does its chores and sends callbacks, until asked to stop."""

import logging
from threading import Thread

from application.ports.monitoring import JANITOR_SILENCE
from application.use_cases.withdraw_janitor import WithdrawJanitor
from entrypoints import parent_pipes, startup
from entrypoints.containers.janitor import JanitorContainer
from entrypoints.containers.postgres_storage import PostgresStorage
from entrypoints.janitor.chore_loops import ChoreLoops
from entrypoints.janitor.chores import (
    assign_lanes,
    create_recurring_tasks,
    delete_expired_batches,
    delete_expired_tasks,
    finish_batches,
    fold_task_counts,
    forget_abandoned_types,
    forget_dead_handlers,
    renew_record,
    rescue_from_dead,
    rescue_lapsed,
    unblock_tasks,
)
from entrypoints.janitor.webhook_loop import WebhookLoop
from entrypoints.metrics.exporter import Exporter
from entrypoints.metrics.samples import of_callbacks
from entrypoints.settings import Settings
from entrypoints.stop_signals import StopSignals

RESCUING = "rescuing"
"""The chore by which a janitor is ready: it looks for lapsed leases every few seconds."""
WITHDRAWAL_SECONDS = 2.0
"""Seconds that a stopping janitor waits for its withdrawal; one that a silent server does not answer is given up."""
log = logging.getLogger("entrypoints.janitor")


def run(signals: StopSignals) -> None:
    """Do the chores until SIGTERM or SIGINT."""
    settings = startup.start("janitor")
    storage = PostgresStorage(settings=settings)
    startup.prepare_database(storage)
    storage.clock().open()
    container = JanitorContainer(settings=settings, storage=storage)
    chores = {
        "renewing the record of this janitor": renew_record(container.renew_janitor()),
        "ticking": create_recurring_tasks(container.tick()),
        "cleaning": delete_expired_tasks(container.clean()),
        "finishing batches": finish_batches(container.finish_batches()),
        "cleaning batches": delete_expired_batches(container.clean_batches()),
        "unblocking tasks": unblock_tasks(container.unblock_tasks()),
        "forgetting dead handlers": forget_dead_handlers(container.forget_dead_handlers()),
        "assigning lanes": assign_lanes(container.assign_lanes()),
        "forgetting types": forget_abandoned_types(container.forget_types()),
        "rescuing from dead processes": rescue_from_dead(container.rescue_from_dead_processes()),
        RESCUING: rescue_lapsed(container.rescue(), settings.lease),
        "folding the counts": fold_task_counts(container.fold_counts(), container.fold_events()),
    }
    webhook_loop = WebhookLoop(container.claim_deliveries(), container.deliver()) if settings.signs else None
    chore_loops = ChoreLoops(chores)
    signals.handle(chore_loops.stop)
    serve_metrics(settings, storage, chore_loops, webhook_loop)
    if webhook_loop:
        webhook_loop.start()
    else:
        log.info("WEBHOOK_SECRET is not set: callbacks wait for a janitor that has a secret")
    log.info("ready")
    parent_pipes.report_ready("janitor")
    chore_loops.run()
    if webhook_loop:
        webhook_loop.close()
    withdraw(container.withdraw_janitor())
    container.shutdown_resources()
    log.info("stopped")


def serve_metrics(
    settings: Settings, storage: PostgresStorage, chore_loops: ChoreLoops, webhook_loop: WebhookLoop | None
) -> None:
    """Serve the metrics and the health of this janitor, if that is set. It is ready if it has looked lately."""
    export = Exporter(storage.ping(), storage.clock())
    startup.serve_metrics(
        settings,
        lambda: export(of_callbacks(webhook_loop.attempts() if webhook_loop else {})),
        lambda: chore_loops.seconds_since(RESCUING) < JANITOR_SILENCE.total_seconds(),
    )


def withdraw(withdraw_janitor: WithdrawJanitor) -> None:
    """Withdraw the janitor, unless that takes long."""
    withdrawal = Thread(target=withdraw_janitor, name="withdrawal", daemon=True)
    withdrawal.start()
    withdrawal.join(WITHDRAWAL_SECONDS)
