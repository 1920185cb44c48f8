"""The Flask app of the API, built from the services of a container."""

from collections.abc import Iterator
from functools import partial

from flask import Flask

from entrypoints.http.access.needs import PUBLIC, PUBLIC_IN_PART, needing
from entrypoints.http.authentication.check_access import check_access
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.flask_app import ApiFlask
from entrypoints.http.limits.concurrency import ConcurrencyLimit
from entrypoints.http.limits.unread_body import UnreadBodies
from entrypoints.http.openapi import document
from entrypoints.http.openapi.swagger_ui import swagger_ui_blueprint
from entrypoints.http.pages import pages_blueprint
from entrypoints.http.requests.host import refuse_foreign_hosts
from entrypoints.http.requests.origin import refuse_foreign_pages
from entrypoints.http.requests.parsing import TaskPath
from entrypoints.http.requests.request_id import RequestIds
from entrypoints.http.responses.access_lines import with_access_lines
from entrypoints.http.responses.compression import Compression
from entrypoints.http.responses.cors import allow_origins
from entrypoints.http.responses.counting import count_requests
from entrypoints.http.responses.errors import register_error_handlers
from entrypoints.http.responses.security_headers import SecurityHeaders
from entrypoints.http.responses.spans import with_spans
from entrypoints.http.routes.api_keys import add_api_keys
from entrypoints.http.routes.batch_events import add_batch_events
from entrypoints.http.routes.batches import add_batches
from entrypoints.http.routes.change import add_change
from entrypoints.http.routes.change_batch import add_change_batch
from entrypoints.http.routes.change_many import add_change_many
from entrypoints.http.routes.create_batch import add_create_batch
from entrypoints.http.routes.events import add_events
from entrypoints.http.routes.events_of_many import add_events_of_many
from entrypoints.http.routes.handlers import add_handlers
from entrypoints.http.routes.health import add_health
from entrypoints.http.routes.limits import add_limits
from entrypoints.http.routes.list import add_list
from entrypoints.http.routes.metrics import add_metrics
from entrypoints.http.routes.result import add_result
from entrypoints.http.routes.stats import add_stats
from entrypoints.http.routes.submit import add_submit
from entrypoints.http.routes.submit_many import add_submit_many
from entrypoints.http.routes.types import add_types
from entrypoints.http.routes.view import add_view
from entrypoints.http.services import Services

ROUTES = {
    ("tasks", "Submit, view and change tasks."): (
        add_submit,
        add_submit_many,
        add_view,
        add_result,
        add_events,
        add_events_of_many,
        add_change,
        add_list,
        add_change_many,
    ),
    ("batches", "Submit, follow and change tasks as one."): (
        add_create_batch,
        add_batches,
        add_batch_events,
        add_change_batch,
    ),
    ("types", "List the types of tasks, and set their limits."): (add_types, add_limits),
    ("handlers", "List the handlers and the janitors."): (add_handlers,),
    ("stats", "View how many tasks came and went, and how long they took."): (add_stats,),
    ("keys", "Make, list and revoke API keys."): (add_api_keys,),
    ("health", "Check the state of the API, and of the service behind it."): (add_health, add_metrics),
}
"""Functions that add the routes, by heading and description in the OpenAPI document."""

NEEDS_OF_DOCUMENTS = {
    "api-docs.openapi_json": PUBLIC_IN_PART,
    "api-docs.openapi_swagger_ui": PUBLIC,
    "docs.redirect_without_slash": PUBLIC,
    "docs.file": PUBLIC,
    "docs.icon": PUBLIC,
}
"""The access that views of libraries need, by endpoint."""


def create_app(services: Services) -> Flask:
    """Build the app. It uses the database only from the first request on."""
    app = ApiFlask(__name__, static_folder=None)
    settings = services.settings()
    wsgi_app = SecurityHeaders(UnreadBodies(Compression(app.wsgi_app)), settings)
    limited = ConcurrencyLimit(wsgi_app, settings.http_threads)
    app.wsgi_app = RequestIds(with_access_lines(with_spans(app, limited, services)))  # type: ignore[method-assign]
    configure(app, services)
    register_error_handlers(app)
    api = document.TaskApi(app, services.known_types(), services.checker(), settings.backend_url)
    for blueprint in blueprints(services):
        api.register_blueprint(blueprint)
    app.register_blueprint(swagger_ui_blueprint())
    app.register_blueprint(pages_blueprint(services))
    for endpoint, need in NEEDS_OF_DOCUMENTS.items():
        app.view_functions[endpoint] = needing(need, partial(app.view_functions[endpoint]))
    return app


def configure(app: Flask, services: Services) -> None:
    """Configure routing, the OpenAPI document, and the hosts and origins whose requests are served."""
    settings = services.settings()
    app.config.from_mapping(document.configuration(settings))
    # A path is the same with a slash at its end, but not with two slashes inside.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.url_map.converters["task"] = TaskPath
    refuse_foreign_hosts(app, settings)
    refuse_foreign_pages(app, settings)
    # The first one, so that it counts what the others make of an answer.
    count_requests(app, services.request_counts())
    check_access(app, services)
    allow_origins(app, settings)


def blueprints(services: Services) -> Iterator[Blueprint]:
    """Build the blueprint of each heading, with its operations."""
    for (heading, description), routes in ROUTES.items():
        blueprint = Blueprint(heading, __name__, description=description)
        for add in routes:
            add(blueprint, services)
        yield blueprint
