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
    PostgresAtOnce,
    PostgresClock,
    PostgresListener,
    PostgresNotifier,
    PostgresStore,
)
from adapters.processes import ProcProcesses
from adapters.webhooks import new_post
from application.change_feed import Changes
from application.known_types import KnownTypes
from application.signing import Signer
from application.submissions import Intake
from application.supervisor.background import ThreadCourier
from application.supervisor.lane import Correspondence
from application.supervisor.operations.claim import ClaimTasks
from application.supervisor.operations.late_logs import RecordAfterwords
from application.supervisor.operations.operation import Identity, Office
from application.supervisor.operations.publish import Publish, Withdraw
from application.supervisor.operations.record_starts import RecordStarts
from application.supervisor.operations.release_orphans import GiveBackStrays
from application.supervisor.operations.renew_leases import LookForLost, Renew
from application.supervisor.operations.report_progress import ReportNews
from application.supervisor.operations.reroute import PassOn
from application.supervisor.operations.rescue import burying, rescuing
from application.supervisor.operations.settle import Settle
from application.supervisor.state import Desk
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
from application.use_cases.rescue_from_dead_processes import Bury
from application.use_cases.retry_task import RetryTask
from application.use_cases.retry_tasks import RetryTasks
from application.use_cases.submit_task import SubmitTask
from application.use_cases.submit_tasks import SubmitTasks
from application.use_cases.tick import Tick
from application.use_cases.view_log import ViewLog
from application.use_cases.view_task import ViewTask
from application.view import Viewer
from domain.ids import HandlerId
from entrypoints.callback_json import event_json
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
    at_once = providers.Singleton(PostgresAtOnce, database)
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
    intake = providers.Singleton(
        Intake, clock, known_types, checker, settings.provided.max_task_time, settings.provided.signs
    )
    submit_task = providers.Singleton(SubmitTask, begin, at_once, intake, notifier, viewer)
    submit_tasks = providers.Singleton(SubmitTasks, begin, intake, notifier)
    view_task = providers.Singleton(ViewTask, at_once, viewer)
    changes = providers.Singleton(Changes, at_once, clock, listener, viewer, settings.provided.http_waiters)
    await_task = providers.Singleton(AwaitTask, changes, viewer, clock)
    follow_task = providers.Singleton(FollowTask, view_task, changes, viewer)
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
    bury = providers.Singleton(Bury, begin, clock, notifier, processes)
    fold_counts = providers.Singleton(FoldCounts, begin)
    tick = providers.Singleton(Tick, begin, clock, notifier, calendar, settings.provided.max_task_time)

    publish_types = providers.Singleton(PublishTypes, begin, clock, calendar)
    claim_deliveries = providers.Singleton(ClaimDeliveries, begin, clock)
    post = providers.Singleton(new_post, settings.provided.webhook_networks)
    signer = providers.Singleton(Signer, settings.provided.webhook_secret)
    deliver = providers.Singleton(Deliver, begin, clock, post, signer, viewer, providers.Object(event_json))

    published = providers.Object(lambda types: None)
    desk = providers.Singleton(Desk, clock)
    limits = providers.Singleton(Limits, settings.provided.child_memory, settings.provided.child_tasks)
    executor = providers.Singleton(
        ProcessExecutor, settings.provided.tasks, settings.provided.handler_concurrency, limits=limits
    )
    courier = providers.Singleton(ThreadCourier, executor.provided.wake, settings.provided.lease)
    claiming_courier = providers.Singleton(ThreadCourier, executor.provided.wake, settings.provided.lease)
    keeping_courier = providers.Singleton(ThreadCourier, executor.provided.wake, settings.provided.lease)
    identity = providers.Singleton(
        Identity, providers.Callable(new_handler_id), settings.provided.lease, processes.provided.own.call()
    )
    office = providers.Singleton(Office, desk, begin, at_once, identity)
    errands = providers.List(
        providers.Singleton(Publish, office, publish_types, published),
        providers.Singleton(Settle, office, notifier),
        providers.Singleton(PassOn, office, checker, rescue.provided.vigil),
        providers.Singleton(RecordAfterwords, office),
        providers.Singleton(ReportNews, office, notifier),
        providers.Singleton(rescuing, office, rescue),
        providers.Singleton(burying, office, bury),
        providers.Singleton(Withdraw, office),
    )
    claiming = providers.List(
        providers.Singleton(ClaimTasks, office, executor),
        providers.Singleton(RecordStarts, office, executor),
        providers.Singleton(GiveBackStrays, office),
    )
    keeping = providers.List(providers.Singleton(Renew, office), providers.Singleton(LookForLost, office))
    correspondences = providers.List(
        providers.Singleton(Correspondence, desk, courier, errands),
        providers.Singleton(Correspondence, desk, claiming_courier, claiming),
        providers.Singleton(Correspondence, desk, keeping_courier, keeping),
    )
    supervisor = providers.Singleton(Supervisor, desk, executor, correspondences, settings.provided.grace)
