"""The composition: which adapter stands behind which port. The only file that imports adapters."""

import os
import socket
from uuid import uuid4

from adapters.cron import CronCalendar
from adapters.embedded_postgres import EmbeddedPostgres
from adapters.executors.process.pool.executor import ProcessExecutor
from adapters.executors.process.pool.limits import Limits
from adapters.json_schema import SchemaChecker
from adapters.postgres import (
    Database,
    Migration,
    PostgresAutocommitStore,
    PostgresClock,
    PostgresListener,
    PostgresNotifier,
    PostgresStore,
)
from adapters.processes import ProcProcesses
from adapters.webhooks import new_webhook_sender
from application.change_feed import ChangeFeed
from application.known_types import KnownTypes
from application.submissions import SubmissionBuilder
from application.supervisor.background import ThreadRunner
from application.supervisor.lane import Lane
from application.supervisor.operations.claim import ClaimTasks
from application.supervisor.operations.late_logs import StoreLateLogs
from application.supervisor.operations.operation import Context, Identity
from application.supervisor.operations.publish import Publish, Withdraw
from application.supervisor.operations.record_starts import RecordStarts
from application.supervisor.operations.release_orphans import ReleaseOrphans
from application.supervisor.operations.renew_leases import FindLost, RenewLeases
from application.supervisor.operations.report_progress import ReportProgress
from application.supervisor.operations.reroute import Reroute
from application.supervisor.operations.rescue import rescue_from_dead, rescue_lapsed
from application.supervisor.operations.settle import Settle
from application.supervisor.state import SupervisorState
from application.supervisor.supervisor import Supervisor
from application.use_cases.await_task import AwaitTask
from application.use_cases.cancel_task import CancelTask
from application.use_cases.cancel_tasks import CancelTasks
from application.use_cases.claim_deliveries import ClaimDeliveries
from application.use_cases.clean import Clean
from application.use_cases.count_tasks import CountTasks
from application.use_cases.delete_task import DeleteTask
from application.use_cases.deliver import Deliver
from application.use_cases.fold_counts import FoldCounts
from application.use_cases.follow_task import FollowTask
from application.use_cases.list_tasks import ListTasks
from application.use_cases.publish_types import PublishTypes
from application.use_cases.rescue import Rescue
from application.use_cases.rescue_from_dead_processes import RescueFromDeadProcesses
from application.use_cases.retry_task import RetryTask
from application.use_cases.retry_tasks import RetryTasks
from application.use_cases.submit_task import SubmitTask
from application.use_cases.submit_tasks import SubmitTasks
from application.use_cases.tick import Tick
from application.use_cases.view_log import ViewLog
from application.use_cases.view_task import ViewTask
from application.view import Viewer
from domain.ids import HandlerId
from entrypoints.callback_json import callback_json
from entrypoints.injector import containers, providers
from entrypoints.settings import Settings


def new_handler_id() -> HandlerId:
    """An id that no process had before, and that says where it is."""
    return HandlerId(f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}")


class Container(containers.DeclarativeContainer):
    """One process's objects, made when they are asked for. It is given the settings."""

    settings = providers.Dependency(instance_of=Settings)

    database = providers.Singleton(
        Database, settings.provided.required_database_url, pool_size=settings.provided.connections
    )
    store = providers.Singleton(PostgresStore, database)
    begin = store.provided.begin
    autocommit = providers.Singleton(PostgresAutocommitStore, database)
    clock = providers.Singleton(PostgresClock, database)
    notifier = providers.Singleton(PostgresNotifier, database)
    listener = providers.Singleton(PostgresListener, database)
    migrate = providers.Singleton(Migration, database)
    ping = migrate.provided.check
    processes = providers.Singleton(ProcProcesses)
    calendar = providers.Singleton(CronCalendar)
    embedded_postgres = providers.Factory(EmbeddedPostgres)

    known_types = providers.Singleton(KnownTypes, begin, clock)
    viewer = providers.Singleton(Viewer, known_types, clock)
    checker = providers.Singleton(SchemaChecker)
    submission_builder = providers.Singleton(
        SubmissionBuilder, clock, known_types, checker, settings.provided.max_task_time, settings.provided.signs
    )
    submit_task = providers.Singleton(SubmitTask, begin, autocommit, submission_builder, notifier, viewer)
    submit_tasks = providers.Singleton(SubmitTasks, begin, submission_builder, notifier)
    view_task = providers.Singleton(ViewTask, autocommit, viewer)
    change_feed = providers.Singleton(ChangeFeed, autocommit, clock, listener, viewer, settings.provided.http_waiters)
    await_task = providers.Singleton(AwaitTask, change_feed, viewer, clock)
    follow_task = providers.Singleton(FollowTask, view_task, change_feed, viewer)
    view_log = providers.Singleton(ViewLog, begin)
    cancel_task = providers.Singleton(CancelTask, begin, clock, notifier, viewer)
    retry_task = providers.Singleton(RetryTask, begin, clock, known_types, notifier, viewer)
    delete_task = providers.Singleton(DeleteTask, begin, notifier)
    list_tasks = providers.Singleton(ListTasks, begin, viewer)
    count_tasks = providers.Singleton(CountTasks, begin)
    cancel_tasks = providers.Singleton(CancelTasks, begin, clock, notifier)
    retry_tasks = providers.Singleton(RetryTasks, begin, clock, known_types, notifier)

    clean = providers.Singleton(Clean, begin, clock)
    rescue = providers.Singleton(Rescue, begin, clock, notifier, settings.provided.lease)
    rescue_from_dead_processes = providers.Singleton(RescueFromDeadProcesses, begin, clock, notifier, processes)
    fold_counts = providers.Singleton(FoldCounts, begin)
    tick = providers.Singleton(Tick, begin, clock, notifier, calendar, settings.provided.max_task_time)

    publish_types = providers.Singleton(PublishTypes, begin, clock, calendar)
    claim_deliveries = providers.Singleton(ClaimDeliveries, begin, clock)
    webhook_sender = providers.Singleton(
        new_webhook_sender, settings.provided.webhook_networks, settings.provided.webhook_secret
    )
    deliver = providers.Singleton(Deliver, begin, clock, webhook_sender, viewer, providers.Object(callback_json))

    published = providers.Object(lambda types: None)
    supervisor_state = providers.Singleton(SupervisorState, clock)
    limits = providers.Singleton(Limits, settings.provided.child_memory, settings.provided.child_tasks)
    executor = providers.Singleton(
        ProcessExecutor, settings.provided.tasks, settings.provided.handler_concurrency, limits=limits
    )
    runner = providers.Singleton(ThreadRunner, executor.provided.wake, settings.provided.lease)
    claim_runner = providers.Singleton(ThreadRunner, executor.provided.wake, settings.provided.lease)
    lease_runner = providers.Singleton(ThreadRunner, executor.provided.wake, settings.provided.lease)
    identity = providers.Singleton(
        Identity, providers.Callable(new_handler_id), settings.provided.lease, processes.provided.own.call()
    )
    context = providers.Singleton(Context, supervisor_state, begin, autocommit, identity)
    operations = providers.List(
        providers.Singleton(Publish, context, publish_types, published),
        providers.Singleton(Settle, context, notifier),
        providers.Singleton(Reroute, context, checker, rescue.provided.guard),
        providers.Singleton(StoreLateLogs, context),
        providers.Singleton(ReportProgress, context, notifier),
        providers.Singleton(rescue_lapsed, context, rescue),
        providers.Singleton(rescue_from_dead, context, rescue_from_dead_processes),
        providers.Singleton(Withdraw, context),
    )
    claiming = providers.List(
        providers.Singleton(ClaimTasks, context, executor),
        providers.Singleton(RecordStarts, context, executor),
        providers.Singleton(ReleaseOrphans, context),
    )
    keeping = providers.List(providers.Singleton(RenewLeases, context), providers.Singleton(FindLost, context))
    lanes = providers.List(
        providers.Singleton(Lane, supervisor_state, runner, operations),
        providers.Singleton(Lane, supervisor_state, claim_runner, claiming),
        providers.Singleton(Lane, supervisor_state, lease_runner, keeping),
    )
    supervisor = providers.Singleton(Supervisor, supervisor_state, executor, lanes, settings.provided.grace)
