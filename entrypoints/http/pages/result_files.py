"""Files of the result of a task: its CSV, and the picture that it holds."""

from werkzeug.exceptions import NotFound

from entrypoints.http.access.needs import READ
from entrypoints.http.pages.blueprint import Download, Pages
from entrypoints.http.pages.results.files import csv_of
from entrypoints.http.pages.results.shape_of import shape_of
from entrypoints.http.pages.results.shapes import PICTURES, Picture
from entrypoints.http.requests.parsing import task_id
from entrypoints.http.services import Services


def add_result_files(pages: Pages, services: Services) -> None:
    """Add the files. Browsers store them, and show none of them as a page."""
    view = services.view_task()

    def result_of(id: str) -> str:
        text = view(task_id(id)).stored.result
        if text is None:
            raise NotFound(f"task {id} has no result")
        return text

    @pages.download("/task/<id>/result.csv", READ)
    def result_csv(id: str) -> Download:
        text = result_of(id)
        lines = csv_of(text, shape_of(text))
        if lines is None:
            raise NotFound(f"the result of task {id} is no table")
        return Download(f"task-{id}.csv", lines, "text/csv; charset=utf-8")

    @pages.download("/task/<id>/picture", READ)
    def result_picture(id: str) -> Download:
        shape = shape_of(result_of(id))
        if not isinstance(shape, Picture):
            raise NotFound(f"the result of task {id} is no picture")
        return Download(f"task-{id}.{PICTURES[shape.kind]}", shape.content, f"image/{shape.kind}")
