"""GET /task/{id}, its log, and GET /tasks: look at tasks."""

from typing import Any

from flask import Response

from application.ports.listing import Filter
from application.use_cases.list_tasks import Page, Request
from domain.ids import TaskId, TypeName
from domain.status import Status
from entrypoints.http.answers import json_answer
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.describing import COME_AGAIN, LOG_EXAMPLE, TASK_EXAMPLE, TASK_ID, UNKNOWN_TASK, answers, fails
from entrypoints.http.log_json import log_json
from entrypoints.http.parsing import task_id
from entrypoints.http.queries import PAGE, ListQuery, ViewQuery
from entrypoints.http.schemas import SUMMARY
from entrypoints.http.services import Services
from entrypoints.http.waiting import headers, waiting
from entrypoints.task_json import summary_json, task_json

VIEWED = answers(200, "The task.", "Task", TASK_EXAMPLE, headers=COME_AGAIN) | fails(
    {**UNKNOWN_TASK, 422: "A parameter is not known or out of bounds."}
)
LOGGED = answers(200, "Its log.", "Log", LOG_EXAMPLE) | fails(UNKNOWN_TASK)
PAGE_EXAMPLE = {"tasks": [{name: TASK_EXAMPLE[name] for name in SUMMARY["properties"]}], "next": None}
LISTED = answers(200, "A page of tasks.", "Page", PAGE_EXAMPLE) | fails(
    {422: "A parameter is not known or out of bounds."}
)


def viewing(tasks: Blueprint, services: Services) -> None:
    """Adds the routes that read."""
    view, log, page = services.view_task(), services.view_log(), services.list_tasks()
    wait = waiting(services)

    def viewed(id: TaskId, query: dict[str, Any]) -> Response:
        awaited = wait(view(id), query)
        return json_answer(task_json(awaited.view), headers=headers(awaited))

    @tasks.operation("GET", "/task/<id>/view", query=ViewQuery(), parameters=[TASK_ID], responses=VIEWED)
    def view_task(query: dict[str, Any], id: str) -> Response:
        """View a task

        Where it stands, its arguments, and its result once it is done.
        """
        return viewed(task_id(id), query)

    @tasks.operation("GET", "/task/<task:id>", query=ViewQuery(), parameters=[TASK_ID], responses=VIEWED)
    def get_task(query: dict[str, Any], id: str) -> Response:
        """View a task, by its shorter address"""
        return viewed(task_id(id), query)

    @tasks.operation("GET", "/task/<id>/log", parameters=[TASK_ID], responses=LOGGED)
    def view_log(id: str) -> Response:
        """View the log of a task

        What its function printed and logged, the last 64 KiB of each start, and the tracebacks. A start has its entry
        as soon as it has ended, if it failed, was lost or printed anything; the last 50 are shown.
        """
        found = task_id(id)
        return json_answer(log_json(found, log(found)))

    @tasks.operation("GET", "/tasks", query=ListQuery(), responses=LISTED)
    def list_tasks(query: dict[str, Any]) -> Response:
        """List tasks

        Newest first, without arguments and results.
        """
        return json_answer(_page_json(page(_request(query))))


def _request(query: dict[str, Any]) -> Request:
    status, type, cursor = query.get("status"), query.get("type"), query.get("cursor")
    return Request(
        filter=Filter(status=status and Status(status), type=type and TypeName(type)),
        before=cursor and TaskId(int(cursor)),
        limit=query.get("limit", PAGE),
    )


def _page_json(page: Page) -> str:
    cursor = "null" if page.next is None else f'"{page.next}"'
    return f'{{"tasks":[{",".join(map(summary_json, page.views))}],"next":{cursor}}}'
