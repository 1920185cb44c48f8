"""Services that the API needs from the container: a provider for each use case."""

from collections.abc import Callable
from typing import Protocol

from application.authentication import Authenticator
from application.known_types import KnownTypes
from application.open_streams import OpenStreams
from application.ports.argument_checker import ArgumentChecker
from application.ports.clock import Clock
from application.ports.tracer import Tracer
from application.request_rates import RequestRates
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
from application.use_cases.read_results import ReadResults
from application.use_cases.retry_task import RetryTask
from application.use_cases.retry_tasks import RetryTasks
from application.use_cases.revoke_api_key import RevokeApiKey
from application.use_cases.set_limits import SetLimits
from application.use_cases.submit_task import SubmitTask
from application.use_cases.submit_tasks import SubmitTasks
from application.use_cases.view_batch import ViewBatch
from application.use_cases.view_log import ViewLog
from application.use_cases.view_situation import ViewSituation
from application.use_cases.view_statistics import ViewStatistics
from application.use_cases.view_task import ViewTask
from application.wrong_keys import WrongKeys
from entrypoints.metrics.exporter import MeasuringExporter
from entrypoints.metrics.request_counts import RequestCounts
from entrypoints.settings import Settings


class Services(Protocol):
    """Providers. Each returns the service that it is named after, and is called once, while the app is built."""

    @property
    def settings(self) -> Callable[[], Settings]: ...

    @property
    def clock(self) -> Callable[[], Clock]: ...

    @property
    def authenticator(self) -> Callable[[], Authenticator]: ...

    @property
    def check_owner(self) -> Callable[[], CheckOwner]: ...

    @property
    def wrong_keys(self) -> Callable[[], WrongKeys]: ...

    @property
    def request_rates(self) -> Callable[[], RequestRates]: ...

    @property
    def create_api_key(self) -> Callable[[], CreateApiKey]: ...

    @property
    def list_api_keys(self) -> Callable[[], ListApiKeys]: ...

    @property
    def revoke_api_key(self) -> Callable[[], RevokeApiKey]: ...

    @property
    def tracer(self) -> Callable[[], Tracer | None]: ...

    @property
    def submit_task(self) -> Callable[[], SubmitTask]: ...

    @property
    def submit_tasks(self) -> Callable[[], SubmitTasks]: ...

    @property
    def checker(self) -> Callable[[], ArgumentChecker]: ...

    @property
    def close_batch(self) -> Callable[[], CloseBatch]: ...

    @property
    def create_batch(self) -> Callable[[], CreateBatch]: ...

    @property
    def finish_batches(self) -> Callable[[], FinishBatches]: ...

    @property
    def list_batches(self) -> Callable[[], ListBatches]: ...

    @property
    def read_results(self) -> Callable[[], ReadResults]: ...

    @property
    def view_batch(self) -> Callable[[], ViewBatch]: ...

    @property
    def follow_batch(self) -> Callable[[], FollowBatch]: ...

    @property
    def view_task(self) -> Callable[[], ViewTask]: ...

    @property
    def await_task(self) -> Callable[[], AwaitTask]: ...

    @property
    def follow_task(self) -> Callable[[], FollowTask]: ...

    @property
    def follow_tasks(self) -> Callable[[], FollowTasks]: ...

    @property
    def view_log(self) -> Callable[[], ViewLog]: ...

    @property
    def find_reruns(self) -> Callable[[], FindReruns]: ...

    @property
    def cancel_task(self) -> Callable[[], CancelTask]: ...

    @property
    def retry_task(self) -> Callable[[], RetryTask]: ...

    @property
    def delete_task(self) -> Callable[[], DeleteTask]: ...

    @property
    def list_tasks(self) -> Callable[[], ListTasks]: ...

    @property
    def count_tasks(self) -> Callable[[], CountTasks]: ...

    @property
    def find_oldest_due(self) -> Callable[[], FindOldestDue]: ...

    @property
    def view_statistics(self) -> Callable[[], ViewStatistics]: ...

    @property
    def find_usual_run_time(self) -> Callable[[], FindUsualRunTime]: ...

    @property
    def list_handlers(self) -> Callable[[], ListHandlers]: ...

    @property
    def view_situation(self) -> Callable[[], ViewSituation]: ...

    @property
    def cancel_tasks(self) -> Callable[[], CancelTasks]: ...

    @property
    def retry_tasks(self) -> Callable[[], RetryTasks]: ...

    @property
    def delete_tasks(self) -> Callable[[], DeleteTasks]: ...

    @property
    def count_matching(self) -> Callable[[], CountMatching]: ...

    @property
    def list_failure_groups(self) -> Callable[[], ListFailureGroups]: ...

    @property
    def set_limits(self) -> Callable[[], SetLimits]: ...

    @property
    def known_types(self) -> Callable[[], KnownTypes]: ...

    @property
    def open_pages(self) -> Callable[[], OpenStreams]: ...

    @property
    def open_lists(self) -> Callable[[], OpenStreams]: ...

    @property
    def exporter(self) -> Callable[[], MeasuringExporter]: ...

    @property
    def request_counts(self) -> Callable[[], RequestCounts]: ...

    @property
    def ping(self) -> Callable[[], Callable[[], None]]:
        """Returns a function that raises StorageUnavailable while the database is unavailable."""
        ...
