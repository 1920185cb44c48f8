"""Statements of application.ports.reruns."""

from sqlalchemy import text

ADD_RERUN = text("INSERT INTO reruns (task, origin) VALUES (:task, :origin)")

ORIGIN = text("SELECT origin FROM reruns WHERE task = :task")

RERUNS = text("SELECT task FROM reruns WHERE origin = :origin ORDER BY task DESC LIMIT :limit")
