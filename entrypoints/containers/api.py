"""The API's objects: a use case for each operation."""

from adapters.json_schema import SchemaChecker
from application.authentication import Authenticator
from application.batch_feed import BatchFeed
from application.change_feed import ChangeFeed
from application.known_types import KnownTypes
from application.open_streams import MAX_LISTS, OpenStreams
from application.ports.clock import Clock
from application.ports.identity_provider import IdentityProvider
from application.request_rates import RequestRates
from application.submissions import SubmissionBuilder
from application.use_cases.await_task import AwaitTask
from application.use_cases.cancel_task import CancelTask
from application.use_cases.cancel_tasks import CancelTasks
from application.use_cases.check_owner import CheckOwner
from application.use_cases.close_batch import CloseBatch
from application.use_cases.count_matching import CountMatching
from application.use_cases.count_tasks import CountTasks
from application.use_cases.create_api_key import CreateApiKey
from application.use_cases.create_batch import CreateBatch
from application.use_cases.delete_task import DeleteTask
from application.use_cases.delete_tasks import DeleteTasks
from application.use_cases.find_oldest_due import FindOldestDue
from application.use_cases.find_reruns import FindReruns
from application.use_cases.find_usual_run_time import FindUsualRunTime
from application.use_cases.finish_batches import FinishBatches
from application.use_cases.follow_batch import FollowBatch
from application.use_cases.follow_task import FollowTask
from application.use_cases.follow_tasks import FollowTasks
from application.use_cases.list_api_keys import ListApiKeys
from application.use_cases.list_batches import ListBatches
from application.use_cases.list_failure_groups import ListFailureGroups
from application.use_cases.list_handlers import ListHandlers
from application.use_cases.list_tasks import ListTasks
from application.use_cases.measure import Measure
from application.use_cases.read_results import ReadResults
from application.use_cases.retry_task import RetryTask
from application.use_cases.retry_tasks import RetryTasks
from application.use_cases.revoke_api_key import RevokeApiKey
from application.use_cases.set_limits import SetLimits
from application.use_cases.submit_task import SubmitTask
from application.use_cases.submit_tasks import SubmitTasks
from application.use_cases.unblock_tasks import UnblockTasks
from application.use_cases.view_batch import ViewBatch
from application.use_cases.view_log import ViewLog
from application.use_cases.view_situation import ViewSituation
from application.use_cases.view_statistics import ViewStatistics
from application.use_cases.view_task import ViewTask
from application.view import Viewer
from application.wrong_keys import WrongKeys
from entrypoints.containers.injector import containers, providers
from entrypoints.containers.resource import resource
from entrypoints.containers.tracing import opened_tracer
from entrypoints.metrics.exporter import MeasuringExporter
from entrypoints.metrics.request_counts import RequestCounts
from entrypoints.settings import Settings


def identity_provider(settings: Settings, clock: Clock) -> IdentityProvider | None:
    """The identity provider of the settings; None without one."""
    if not (settings.jwt_issuer and settings.jwt_audience and settings.jwt_key_set):
        return None
    # Imported here, since few services have one, and the cryptography takes 8 MB.
    from adapters.identity import JwtIdentityProvider

    return JwtIdentityProvider(
        settings.jwt_issuer, settings.jwt_audience, settings.jwt_key_set, settings.jwt_scopes_claim, clock
    )


class ApiContainer(containers.DeclarativeContainer):
    """Implements entrypoints.http.services.Services."""

    settings = providers.Dependency(instance_of=Settings)
    storage = providers.DependenciesContainer()

    ping = storage.ping
    checker = providers.Singleton(SchemaChecker)
    clock = storage.clock
    identities = providers.Singleton(identity_provider, settings, storage.clock)
    authenticator = providers.Singleton(
        Authenticator, storage.begin, storage.clock, identities, settings.provided.require_keys
    )
    check_owner = providers.Singleton(CheckOwner, storage.begin)
    wrong_keys = providers.Singleton(WrongKeys, storage.clock)
    request_rates = providers.Singleton(RequestRates, storage.begin, storage.clock)
    create_api_key = providers.Singleton(CreateApiKey, storage.begin, storage.clock)
    list_api_keys = providers.Singleton(ListApiKeys, storage.begin)
    revoke_api_key = providers.Singleton(RevokeApiKey, storage.begin, storage.clock)
    known_types = providers.Singleton(KnownTypes, storage.begin, storage.clock)
    viewer = providers.Singleton(Viewer, known_types, storage.clock)
    tracer = providers.Resource(opened_tracer, settings.provided.otel_exporter_otlp_endpoint, "http")
    submission_builder = providers.Singleton(
        SubmissionBuilder,
        storage.begin,
        storage.clock,
        known_types,
        checker,
        settings.provided.max_task_time,
        settings.provided.signs,
    )
    open_waits = providers.Singleton(OpenStreams, settings.provided.http_waiters)
    change_feed = resource(ChangeFeed, storage.autocommit, storage.clock, storage.listener, viewer, open_waits)

    unblock_tasks = providers.Singleton(UnblockTasks, storage.begin, storage.pending, storage.clock, storage.notifier)
    open_pages = providers.Singleton(OpenStreams)
    open_lists = providers.Singleton(OpenStreams, MAX_LISTS)

    submit_task = providers.Singleton(
        SubmitTask, storage.begin, storage.autocommit, submission_builder, storage.notifier, viewer, unblock_tasks
    )
    submit_tasks = providers.Singleton(SubmitTasks, storage.begin, submission_builder, storage.notifier, unblock_tasks)
    finish_batches = providers.Singleton(FinishBatches, storage.begin, storage.pending, storage.clock, storage.notifier)
    create_batch = providers.Singleton(
        CreateBatch,
        storage.begin,
        submission_builder,
        storage.notifier,
        finish_batches,
        unblock_tasks,
        settings.provided.max_task_time,
    )
    close_batch = providers.Singleton(CloseBatch, storage.begin, finish_batches)
    view_batch = providers.Singleton(ViewBatch, storage.begin)
    batch_feed = resource(BatchFeed, storage.begin, storage.clock, change_feed, open_waits)
    follow_batch = providers.Singleton(FollowBatch, view_batch, batch_feed, storage.clock)
    read_results = providers.Singleton(ReadResults, storage.begin)
    list_batches = providers.Singleton(ListBatches, storage.begin)
    view_task = providers.Singleton(ViewTask, storage.autocommit, viewer)
    await_task = providers.Singleton(AwaitTask, view_task, change_feed, viewer, storage.clock)
    follow_task = providers.Singleton(FollowTask, view_task, change_feed, viewer)
    follow_tasks = providers.Singleton(
        FollowTasks, storage.begin, storage.autocommit, storage.clock, change_feed, view_task, viewer
    )
    view_log = providers.Singleton(ViewLog, storage.begin)
    find_reruns = providers.Singleton(FindReruns, storage.begin)
    cancel_task = providers.Singleton(CancelTask, storage.begin, storage.clock, storage.notifier, viewer, unblock_tasks)
    retry_task = providers.Singleton(
        RetryTask, storage.begin, storage.clock, known_types, storage.notifier, viewer, unblock_tasks
    )
    set_limits = providers.Singleton(SetLimits, storage.begin, known_types, storage.notifier)
    delete_task = providers.Singleton(DeleteTask, storage.begin, storage.notifier, unblock_tasks)
    list_tasks = providers.Singleton(ListTasks, storage.begin, viewer)
    count_tasks = providers.Singleton(CountTasks, storage.begin)
    find_oldest_due = providers.Singleton(FindOldestDue, storage.begin, storage.clock)
    measure = providers.Singleton(Measure, storage.begin, storage.clock)
    exporter = providers.Singleton(MeasuringExporter, storage.ping, storage.clock, measure)
    request_counts = providers.Singleton(RequestCounts)
    view_statistics = providers.Singleton(ViewStatistics, storage.begin, storage.clock)
    find_usual_run_time = providers.Singleton(FindUsualRunTime, storage.begin, storage.clock)
    list_handlers = providers.Singleton(ListHandlers, storage.begin, storage.clock)
    view_situation = providers.Singleton(
        ViewSituation, storage.clock, count_tasks, find_oldest_due, list_handlers, known_types, view_statistics
    )
    cancel_tasks = providers.Singleton(CancelTasks, storage.begin, storage.clock, storage.notifier, unblock_tasks)
    retry_tasks = providers.Singleton(
        RetryTasks, storage.begin, storage.clock, known_types, storage.notifier, unblock_tasks
    )
    delete_tasks = providers.Singleton(DeleteTasks, storage.begin, storage.clock, storage.notifier, unblock_tasks)
    count_matching = providers.Singleton(CountMatching, storage.begin, storage.clock)
    list_failure_groups = providers.Singleton(ListFailureGroups, storage.begin, storage.clock)
