"""The objects of the command line: a use case for each command."""

from adapters.clocks import SystemClock
from application.diagnosis.database import Need
from application.diagnosis.diagnose import Diagnose
from application.known_types import KnownTypes
from application.use_cases.cancel_tasks import CancelTasks
from application.use_cases.count_matching import CountMatching
from application.use_cases.count_tasks import CountTasks
from application.use_cases.create_api_key import CreateApiKey
from application.use_cases.delete_tasks import DeleteTasks
from application.use_cases.find_oldest_due import FindOldestDue
from application.use_cases.forget_type import ForgetType
from application.use_cases.list_api_keys import ListApiKeys
from application.use_cases.list_handlers import ListHandlers
from application.use_cases.list_tasks import ListTasks
from application.use_cases.request_drain import RequestDrain
from application.use_cases.retry_tasks import RetryTasks
from application.use_cases.revoke_api_key import RevokeApiKey
from application.use_cases.unblock_tasks import UnblockTasks
from application.use_cases.view_situation import ViewSituation
from application.use_cases.view_statistics import ViewStatistics
from application.view import Viewer
from entrypoints.containers.injector import containers, providers
from entrypoints.settings import Settings


def connection_need(settings: Settings) -> Need:
    """The connections that each process needs at most, as docs/deploy.md says."""
    senders = 8 if settings.signs else 0
    return Need(api=settings.http_workers * (settings.http_threads + 4), handler=6, janitor=6 + senders)


class AdminContainer(containers.DeclarativeContainer):
    """What an operator can ask for, over one storage."""

    settings = providers.Dependency(instance_of=Settings)
    storage = providers.DependenciesContainer()

    clock = storage.clock
    host_clock = providers.Singleton(SystemClock)
    known_types = providers.Singleton(KnownTypes, storage.begin, storage.clock)
    viewer = providers.Singleton(Viewer, known_types, storage.clock)
    unblock_tasks = providers.Singleton(UnblockTasks, storage.begin, storage.pending, storage.clock, storage.notifier)

    list_tasks = providers.Singleton(ListTasks, storage.begin, viewer)
    count_tasks = providers.Singleton(CountTasks, storage.begin)
    count_matching = providers.Singleton(CountMatching, storage.begin, storage.clock)
    cancel_tasks = providers.Singleton(CancelTasks, storage.begin, storage.clock, storage.notifier, unblock_tasks)
    retry_tasks = providers.Singleton(
        RetryTasks, storage.begin, storage.clock, known_types, storage.notifier, unblock_tasks
    )
    delete_tasks = providers.Singleton(DeleteTasks, storage.begin, storage.clock, storage.notifier, unblock_tasks)

    create_api_key = providers.Singleton(CreateApiKey, storage.begin, storage.clock)
    list_api_keys = providers.Singleton(ListApiKeys, storage.begin)
    revoke_api_key = providers.Singleton(RevokeApiKey, storage.begin, storage.clock)

    find_oldest_due = providers.Singleton(FindOldestDue, storage.begin, storage.clock)
    forget_type = providers.Singleton(ForgetType, storage.begin, storage.clock, known_types)
    list_handlers = providers.Singleton(ListHandlers, storage.begin, storage.clock)
    request_drain = providers.Singleton(RequestDrain, storage.begin, storage.clock, storage.notifier)
    view_statistics = providers.Singleton(ViewStatistics, storage.begin, storage.clock)
    view_situation = providers.Singleton(
        ViewSituation, storage.clock, count_tasks, find_oldest_due, list_handlers, known_types, view_statistics
    )
    diagnose = providers.Singleton(
        Diagnose,
        storage.inspector,
        view_situation,
        storage.clock,
        host_clock,
        providers.Singleton(connection_need, settings),
    )
