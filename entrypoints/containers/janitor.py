"""A janitor's objects: what it does in each round, and what it tells to whom."""

import os
import socket

from adapters.cron import CronCalendar
from adapters.processes import ProcProcesses
from adapters.webhooks import new_webhook_sender
from application.known_types import KnownTypes
from application.use_cases.assign_lanes import AssignLanes
from application.use_cases.claim_deliveries import ClaimDeliveries
from application.use_cases.clean import Clean
from application.use_cases.clean_batches import CleanBatches
from application.use_cases.deliver import Deliver
from application.use_cases.finish_batches import FinishBatches
from application.use_cases.fold_counts import FoldCounts
from application.use_cases.fold_events import FoldEvents
from application.use_cases.forget_dead_handlers import ForgetDeadHandlers
from application.use_cases.forget_types import ForgetTypes
from application.use_cases.renew_janitor import RenewJanitor
from application.use_cases.rescue import Rescue
from application.use_cases.rescue_from_dead_processes import RescueFromDeadProcesses
from application.use_cases.tick import Tick
from application.use_cases.unblock_tasks import UnblockTasks
from application.use_cases.withdraw_janitor import WithdrawJanitor
from application.view import Viewer
from domain.ids import JanitorId
from entrypoints.callback_json import MESSAGES
from entrypoints.containers.injector import containers, providers
from entrypoints.containers.process_id import new_process_id
from entrypoints.containers.tracing import opened_tracer, traced_webhook_sender
from entrypoints.settings import Settings


def new_janitor_id() -> JanitorId:
    """The id of a janitor in this process."""
    return JanitorId(new_process_id())


class JanitorContainer(containers.DeclarativeContainer):
    """The chores of a janitor, and the delivery of callbacks."""

    settings = providers.Dependency(instance_of=Settings)
    storage = providers.DependenciesContainer()

    calendar = providers.Singleton(CronCalendar)
    processes = providers.Singleton(ProcProcesses)
    tick = providers.Singleton(
        Tick,
        storage.begin,
        storage.pending,
        storage.clock,
        storage.notifier,
        calendar,
        settings.provided.max_task_time,
    )
    clean = providers.Singleton(Clean, storage.begin, storage.pending, storage.clock)
    janitor_id = providers.Singleton(new_janitor_id)
    renew_janitor = providers.Singleton(
        RenewJanitor,
        storage.begin,
        storage.clock,
        janitor_id,
        providers.Callable(socket.gethostname),
        providers.Callable(os.getpid),
    )
    withdraw_janitor = providers.Singleton(WithdrawJanitor, storage.begin, janitor_id)
    forget_dead_handlers = providers.Singleton(ForgetDeadHandlers, storage.begin, storage.clock)
    assign_lanes = providers.Singleton(AssignLanes, storage.begin, storage.notifier)
    forget_types = providers.Singleton(ForgetTypes, storage.begin, storage.clock, settings.provided.max_task_time)
    rescue = providers.Singleton(
        Rescue, storage.begin, storage.autocommit, storage.clock, storage.notifier, settings.provided.lease
    )
    rescue_from_dead_processes = providers.Singleton(
        RescueFromDeadProcesses, storage.begin, storage.pending, storage.clock, storage.notifier, processes
    )
    finish_batches = providers.Singleton(FinishBatches, storage.begin, storage.pending, storage.clock, storage.notifier)
    clean_batches = providers.Singleton(CleanBatches, storage.begin, storage.clock)
    unblock_tasks = providers.Singleton(UnblockTasks, storage.begin, storage.pending, storage.clock, storage.notifier)
    fold_counts = providers.Singleton(FoldCounts, storage.begin)
    fold_events = providers.Singleton(FoldEvents, storage.begin, storage.clock)

    claim_deliveries = providers.Singleton(ClaimDeliveries, storage.begin, storage.clock)
    known_types = providers.Singleton(KnownTypes, storage.begin, storage.clock)
    viewer = providers.Singleton(Viewer, known_types, storage.clock)
    tracer = providers.Resource(opened_tracer, settings.provided.otel_exporter_otlp_endpoint, "janitor")
    webhook_sender = providers.Singleton(
        traced_webhook_sender,
        providers.Singleton(new_webhook_sender, settings.provided.webhook_networks, settings.provided.webhook_secret),
        tracer,
    )
    deliver = providers.Singleton(
        Deliver,
        storage.begin,
        storage.clock,
        webhook_sender,
        viewer,
        providers.Object(MESSAGES),
    )
