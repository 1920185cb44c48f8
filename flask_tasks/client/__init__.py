"""The client of the service: `Client`, the classes of its answers, and its errors."""

from flask_tasks.client.attempt import Attempt
from flask_tasks.client.batch import Batch
from flask_tasks.client.batch_summary import BatchFailure, BatchSummary
from flask_tasks.client.client import Client
from flask_tasks.client.errors import (
    ClientError,
    Conflict,
    Gone,
    Invalid,
    NotFinished,
    NotFound,
    TaskFailed,
    Unavailable,
)
from flask_tasks.client.handler import Handler, Janitor, Running
from flask_tasks.client.options import Item, Options, SubmitOptions, reference
from flask_tasks.client.task import Callback, Failure, Reported, Summary, Task, TaskState
from flask_tasks.client.task_type import Schedule, Type

__all__ = [
    "Attempt",
    "Batch",
    "BatchFailure",
    "BatchSummary",
    "Callback",
    "Client",
    "ClientError",
    "Conflict",
    "Failure",
    "Gone",
    "Handler",
    "Invalid",
    "Item",
    "Janitor",
    "NotFinished",
    "NotFound",
    "Options",
    "Reported",
    "Running",
    "Schedule",
    "SubmitOptions",
    "Summary",
    "Task",
    "TaskFailed",
    "TaskState",
    "Type",
    "Unavailable",
    "reference",
]
