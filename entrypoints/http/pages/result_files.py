"""Addresses of the result of a task: its CSV, and the picture that it holds."""

from flask import Response, stream_with_context
from werkzeug.exceptions import NotFound

from entrypoints.http.pages.addresses import ROOT
from entrypoints.http.pages.blueprint import Pages
from entrypoints.http.pages.results.files import csv_of
from entrypoints.http.pages.results.shape_of import shape_of
from entrypoints.http.pages.results.shapes import PICTURES, Picture
from entrypoints.http.requests.parsing import task_id
from entrypoints.http.responses.json_response import NO_STORE
from entrypoints.http.services import Services


def add_result_files(pages: Pages, services: Services) -> None:
    """Add the addresses. Browsers store what they lead to, and show none of it as a page."""
    view = services.view_task()

    def result_of(id: str) -> str:
        text = view(task_id(id)).stored.result
        if text is None:
            raise NotFound(f"task {id} has no result")
        return text

    def csv(id: str) -> Response:
        text = result_of(id)
        lines = csv_of(text, shape_of(text))
        if lines is None:
            raise NotFound(f"the result of task {id} is no table")
        return _file(f"task-{id}.csv", "text/csv; charset=utf-8", lines)

    def picture(id: str) -> Response:
        shape = shape_of(result_of(id))
        if not isinstance(shape, Picture):
            raise NotFound(f"the result of task {id} is no picture")
        return _file(f"task-{id}.{PICTURES[shape.kind]}", f"image/{shape.kind}", shape.content)

    for path, respond in (("result.csv", csv), ("picture", picture)):
        pages.blueprint.add_url_rule(f"{ROOT}/task/<id>/{path}", f"result_{respond.__name__}", respond)


def _file(name: str, content_type: str, content: object) -> Response:
    headers = {**NO_STORE, "Content-Disposition": f'attachment; filename="{name}"'}
    body = content if isinstance(content, bytes) else stream_with_context(content)  # type: ignore[call-overload]
    return Response(body, headers=headers, content_type=content_type)
