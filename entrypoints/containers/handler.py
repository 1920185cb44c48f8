"""A handler's objects: the executor, and the supervisor that claims for it."""

import os
import socket
from typing import Any

from adapters.background import ThreadRunner
from adapters.cron import CronCalendar
from adapters.executors.process.pool.child_limits import Limits
from adapters.executors.process.pool.executor import ProcessExecutor
from adapters.json_schema import SchemaChecker
from adapters.processes import ProcProcesses
from application.ports.monitoring import HandlerInfo
from application.supervisor.argument_filler import ArgumentFiller
from application.supervisor.lane import Lane
from application.supervisor.linger import Linger
from application.supervisor.operations.claim_limited_tasks import ClaimLimitedTasks
from application.supervisor.operations.claim_tasks import ClaimTasks
from application.supervisor.operations.fill_references import FillReferences
from application.supervisor.operations.find_drain_request import FindDrainRequest
from application.supervisor.operations.find_lost import FindLost
from application.supervisor.operations.finish_batches import FinishEndedBatches
from application.supervisor.operations.operation import Context, Identity
from application.supervisor.operations.publish import Publish, Withdraw
from application.supervisor.operations.record_starts import RecordStarts
from application.supervisor.operations.release_orphans import ReleaseOrphans
from application.supervisor.operations.renew_leases import RenewLeases
from application.supervisor.operations.renew_record import RenewRecord
from application.supervisor.operations.report_progress import ReportProgress
from application.supervisor.operations.reroute import Reroute
from application.supervisor.operations.rescue_tasks import rescue_from_dead, rescue_lapsed
from application.supervisor.operations.settle import Settle, SettleBusy
from application.supervisor.operations.store_late_logs import StoreLateLogs
from application.supervisor.operations.store_running_logs import StoreRunningLogs
from application.supervisor.operations.unblock import Unblock
from application.supervisor.state import SupervisorState
from application.supervisor.supervisor import Supervisor
from application.use_cases.finish_batches import FinishBatches
from application.use_cases.publish_types import PublishTypes
from application.use_cases.rescue import Rescue
from application.use_cases.rescue_from_dead_processes import RescueFromDeadProcesses
from application.use_cases.unblock_tasks import UnblockTasks
from domain.ids import HandlerId
from entrypoints.containers.injector import containers, providers
from entrypoints.containers.process_id import new_process_id
from entrypoints.containers.resource import resource
from entrypoints.containers.tracing import opened_tracer, traced_executor
from entrypoints.settings import Settings


def new_handler_id() -> HandlerId:
    """The id of a handler in this process."""
    return HandlerId(new_process_id())


class HandlerContainer(containers.DeclarativeContainer):
    """`on_published` is called with the types of this handler each time they have been published."""

    settings = providers.Dependency(instance_of=Settings)
    storage = providers.DependenciesContainer()
    on_published: Any = providers.Dependency()

    handler_id = providers.Singleton(new_handler_id)
    calendar = providers.Singleton(CronCalendar)
    processes = providers.Singleton(ProcProcesses)
    checker = providers.Singleton(SchemaChecker)
    publish_types = providers.Singleton(PublishTypes, storage.begin, storage.clock, calendar)
    rescue = providers.Singleton(
        Rescue,
        storage.begin,
        storage.autocommit,
        storage.clock,
        storage.notifier,
        settings.provided.lease,
        handler_id,
    )
    rescue_from_dead_processes = providers.Singleton(
        RescueFromDeadProcesses, storage.begin, storage.pending, storage.clock, storage.notifier, processes
    )

    finish_batches = providers.Singleton(FinishBatches, storage.begin, storage.pending, storage.clock, storage.notifier)
    unblock_tasks = providers.Singleton(UnblockTasks, storage.begin, storage.pending, storage.clock, storage.notifier)

    limits = providers.Singleton(
        Limits, settings.provided.child_memory, settings.provided.child_tasks, settings.provided.grace
    )
    tracer = providers.Resource(opened_tracer, settings.provided.otel_exporter_otlp_endpoint, "handler")
    process_executor = providers.Singleton(
        ProcessExecutor, settings.provided.tasks, settings.provided.handler_concurrency, limits=limits
    )

    executor = providers.Singleton(traced_executor, process_executor, tracer)

    info = providers.Singleton(
        HandlerInfo,
        host=providers.Callable(socket.gethostname),
        pid=providers.Callable(os.getpid),
        started=storage.clock.provided.now.call(),
        concurrency=settings.provided.handler_concurrency,
    )
    identity = providers.Singleton(Identity, handler_id, settings.provided.lease, processes.provided.own.call(), info)
    supervisor_state = providers.Singleton(SupervisorState, storage.clock)
    context = providers.Singleton(Context, supervisor_state, storage.begin, storage.autocommit, identity)

    outcome_runner = resource(ThreadRunner, executor.provided.wake, settings.provided.lease)
    outcome_operations = providers.List(
        providers.Singleton(Settle, context, storage.notifier, supervisor_state.provided.outbox),
        providers.Singleton(SettleBusy, context, storage.notifier, supervisor_state.provided.outbox),
        providers.Singleton(FinishEndedBatches, context, finish_batches),
        providers.Singleton(Reroute, context, checker, rescue.provided.guard),
        providers.Singleton(ReportProgress, context, storage.notifier),
        providers.Singleton(rescue_lapsed, context, rescue),
        providers.Singleton(rescue_from_dead, context, rescue_from_dead_processes),
        providers.Singleton(Withdraw, context),
    )
    fill_arguments = providers.Singleton(ArgumentFiller, storage.autocommit)
    large_outcome_runner = resource(ThreadRunner, executor.provided.wake, settings.provided.lease)
    large_outcome_operations = providers.List(
        providers.Singleton(Settle, context, storage.notifier, supervisor_state.provided.large_outbox, 1),
        providers.Singleton(SettleBusy, context, storage.notifier, supervisor_state.provided.large_outbox),
        providers.Singleton(FillReferences, context, executor, fill_arguments),
        providers.Singleton(StoreLateLogs, context),
        providers.Singleton(StoreRunningLogs, context, storage.notifier),
    )
    claim_runner = resource(ThreadRunner, executor.provided.wake, settings.provided.lease)
    # Publishing is beside the claims, which wait for it anyway: a locked type or schedule delays no outcome for long.
    claim_operations = providers.List(
        providers.Singleton(Publish, context, publish_types, on_published),
        providers.Singleton(ClaimTasks, context, executor),
        providers.Singleton(ClaimLimitedTasks, context, executor, storage.notifier),
        providers.Singleton(SettleBusy, context, storage.notifier, supervisor_state.provided.limited_outbox),
        providers.Singleton(RecordStarts, context, executor),
        providers.Singleton(ReleaseOrphans, context),
    )
    lease_runner = resource(ThreadRunner, executor.provided.wake, settings.provided.lease)
    # Alone: over a line with a long round trip any other call may take as long as a lease.
    lease_operations = providers.List(providers.Singleton(RenewLeases, context))
    watch_runner = resource(ThreadRunner, executor.provided.wake, settings.provided.lease)
    watch_operations = providers.List(
        providers.Singleton(FindLost, context),
        providers.Singleton(FindDrainRequest, context, storage.pending),
        providers.Singleton(RenewRecord, context),
        providers.Singleton(Unblock, context, unblock_tasks),
    )
    lanes = providers.List(
        providers.Singleton(Lane, supervisor_state, outcome_runner, outcome_operations),
        providers.Singleton(Lane, supervisor_state, large_outcome_runner, large_outcome_operations),
        providers.Singleton(Lane, supervisor_state, claim_runner, claim_operations),
        providers.Singleton(Lane, supervisor_state, lease_runner, lease_operations),
        providers.Singleton(Lane, supervisor_state, watch_runner, watch_operations),
    )
    linger = providers.Singleton(Linger, supervisor_state, settings.provided.linger, settings.provided.lease)
    supervisor = providers.Singleton(Supervisor, supervisor_state, executor, lanes, settings.provided.grace, linger)
