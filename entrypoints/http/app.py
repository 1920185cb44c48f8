"""The Flask app, made of the use cases that a container gives."""

from collections.abc import Iterator

from flask import Flask

from entrypoints.http.blueprint import Blueprint
from entrypoints.http.flask_app import LeanFlask
from entrypoints.http.limits.concurrency import Turnstile
from entrypoints.http.openapi import document
from entrypoints.http.openapi.swagger_ui import docs
from entrypoints.http.requests.parsing import TaskPath
from entrypoints.http.responses.cors import allow_origins
from entrypoints.http.responses.errors import answer_errors
from entrypoints.http.routes.change import changing
from entrypoints.http.routes.change_many import acting
from entrypoints.http.routes.events import events
from entrypoints.http.routes.health import telling_health
from entrypoints.http.routes.list import listing
from entrypoints.http.routes.submit import submitting
from entrypoints.http.routes.submit_many import submitting_many
from entrypoints.http.routes.types import listing_types
from entrypoints.http.routes.view import viewing
from entrypoints.http.services import Services

ROUTES = {
    ("tasks", "Submit, view and change tasks."): (
        submitting,
        submitting_many,
        viewing,
        events,
        changing,
        listing,
        acting,
    ),
    ("types", "What can be run."): (listing_types,),
    ("health", "For those who watch over the API."): (telling_health,),
}
"""By the heading under which the document shows them."""


def create_app(services: Services) -> Flask:
    """The whole API. It asks nothing of the database before its first request."""
    app = LeanFlask(__name__, static_folder=None)
    app.wsgi_app = Turnstile(app.wsgi_app, services.settings().http_threads)  # type: ignore[method-assign]
    configure(app, services)
    answer_errors(app)
    api = document.TaskApi(app, services.known_types(), services.checker())
    for blueprint in blueprints(services):
        api.register_blueprint(blueprint)
    app.register_blueprint(docs(services))
    return app


def configure(app: Flask, services: Services) -> None:
    """What holds for every request."""
    settings = services.settings()
    app.config.from_mapping(document.configuration(settings))
    # With a slash behind it a path is the same; with two in it, it is another.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.url_map.converters["task"] = TaskPath
    allow_origins(app, settings)


def blueprints(services: Services) -> Iterator[Blueprint]:
    """The operations, heading by heading."""
    for (heading, description), routes in ROUTES.items():
        blueprint = Blueprint(heading, __name__, description=description)
        for add in routes:
            add(blueprint, services)
        yield blueprint
