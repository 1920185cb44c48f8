"""The pages: HTML over the same use cases as the API, rendered here, and kept up to date by event streams."""

from flask import Blueprint

from entrypoints.http.pages.batches import add_batches
from entrypoints.http.pages.blueprint import Pages
from entrypoints.http.pages.compare import add_compare
from entrypoints.http.pages.failures import add_failures
from entrypoints.http.pages.handlers import add_handlers
from entrypoints.http.pages.many import add_many
from entrypoints.http.pages.overview import add_overview
from entrypoints.http.pages.result_files import add_result_files
from entrypoints.http.pages.sign_in import add_sign_in
from entrypoints.http.pages.submit import add_submit
from entrypoints.http.pages.task import add_task
from entrypoints.http.pages.tasks import add_tasks
from entrypoints.http.pages.types import add_types
from entrypoints.http.services import Services

PAGES = (
    add_sign_in,
    add_overview,
    add_tasks,
    add_failures,
    add_many,
    add_batches,
    add_task,
    add_result_files,
    add_compare,
    add_submit,
    add_types,
    add_handlers,
)
"""Functions that add pages and their actions, one module each."""


def pages_blueprint(services: Services) -> Blueprint:
    """Build the blueprint of all pages."""
    pages = Pages(services)
    for add in PAGES:
        add(pages, services)
    return pages.blueprint
