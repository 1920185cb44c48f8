"""Reference for the API: a Flask application with one INSERT a POST and one SELECT a GET, on the same WSGI server."""

import os
import sys
from threading import local
from typing import Any

import psycopg2
from flask import Flask, jsonify, request
from granian import Granian
from granian.constants import HTTPModes, Interfaces

TABLE = """
CREATE TABLE notes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, created timestamptz NOT NULL DEFAULT now(), args text NOT NULL
)
"""
mine = local()


def cursor() -> Any:
    """The cursor of this thread, on a connection that stays open."""
    if not hasattr(mine, "cursor"):
        connection = psycopg2.connect(os.environ["DATABASE_URL"])
        connection.autocommit = True
        mine.cursor = connection.cursor()
    return mine.cursor


def create_app() -> Flask:
    """Make an application with two routes."""
    app = Flask(__name__)

    @app.post("/task/new")
    def add() -> Any:
        args = request.get_json()
        cursor().execute("INSERT INTO notes (args) VALUES (%s) RETURNING id", (request.get_data(as_text=True),))
        return jsonify(id=mine.cursor.fetchone()[0], args=args), 201

    @app.get("/task/<int:id>")
    def show(id: int) -> Any:
        cursor().execute("SELECT id, created, args FROM notes WHERE id = %s", (id,))
        found, created, args = mine.cursor.fetchone()
        return jsonify(id=found, created=created.timestamp(), args=args)

    return app


def main() -> None:
    """Serve on the given port, with the given number of threads."""
    port, threads = map(int, sys.argv[1:])
    Granian(
        "bare",
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        blocking_threads=threads,
        log_enabled=False,
    ).serve(target_loader=create_app, wrap_loader=False)


if __name__ == "__main__":
    main()
