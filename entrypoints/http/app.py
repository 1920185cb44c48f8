"""The Flask app, made of the use cases that a container gives."""

from collections.abc import Iterator

from flask import Flask

from entrypoints.http import openapi
from entrypoints.http.acting import acting
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.changing import changing
from entrypoints.http.cors import allow_origins
from entrypoints.http.docs import docs
from entrypoints.http.errors import answer_errors
from entrypoints.http.events import events
from entrypoints.http.health import telling_health
from entrypoints.http.lean import LeanFlask
from entrypoints.http.listing import listing
from entrypoints.http.listing_types import listing_types
from entrypoints.http.parsing import TaskPath
from entrypoints.http.services import Services
from entrypoints.http.submitting import submitting
from entrypoints.http.submitting_many import submitting_many
from entrypoints.http.turnstile import Turnstile
from entrypoints.http.viewing import viewing

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
    api = openapi.TaskApi(app, services.known_types(), services.checker())
    for blueprint in blueprints(services):
        api.register_blueprint(blueprint)
    app.register_blueprint(docs(services))
    return app


def configure(app: Flask, services: Services) -> None:
    """What holds for every request."""
    settings = services.settings()
    app.config.from_mapping(openapi.configuration(settings))
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
