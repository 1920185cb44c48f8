"""One worker process: the app with connections of its own."""

import os
from threading import Thread

from flask import Flask

from entrypoints import process
from entrypoints.container import Container
from entrypoints.http.app import create_app
from entrypoints.settings import Settings


def app() -> Flask:
    """The app, made from the environment. It answers at once, with 503 until the database is there and ready."""
    process.configure_logging("http")
    container = Container(settings=Settings.from_environment(os.environ))
    Thread(target=process.prepare_database, args=(container,), name="prepare", daemon=True).start()
    return create_app(container)
