"""The API against its own OpenAPI document, over PostgreSQL: whatever is sent, what comes back is what it describes."""

from collections import Counter
from collections.abc import Iterator

import pytest
import schemathesis
from flask import Flask
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from adapters.postgres import Database
from domain.ids import TypeName
from domain.task_type import TaskType
from entrypoints.container import Container
from entrypoints.http.app import create_app
from entrypoints.settings import Settings
from tests import steps

CONFIGURATION = {
    "generation": {"max-examples": 60, "deterministic": True},
    # A document cannot say that `delay` excludes `run_at`, nor what each type takes.
    "checks": {"positive_data_acceptance": {"enabled": False}},
}


@pytest.fixture
def app(database: Database, postgres_url: str) -> Iterator[Flask]:
    """The API over an empty database in which one type is published."""
    # Nobody runs the tasks here: who waits for one is answered with what is known.
    container = Container(settings=Settings(database_url=postgres_url, http_waiters=0, webhook_secret=(b"s" * 24,)))
    add = TaskType(name=TypeName("add"), schema='{"type":"object","properties":{"a":{"type":"number"}}}')
    with container.begin()() as work:
        work.types.publish(steps.HANDLER, [add], steps.at(10**8))
        work.commit()
    yield create_app(container)
    container.notifier().close()
    container.database().close()


def test_every_answer_is_as_the_document_describes(app: Flask) -> None:
    configuration = SchemathesisConfig.from_dict(CONFIGURATION)
    document = schemathesis.openapi.from_wsgi("/openapi.json", app, config=configuration)
    tried, wrong = Counter[str](), []
    for event in from_schema(document).execute():
        assert not isinstance(event, events.NonFatalError | events.FatalError), event
        if isinstance(event, events.ScenarioFinished):
            tried[event.phase.name] += len(event.recorder.cases)
            wrong += [said for checks in event.recorder.checks.values() for said in map(failure, checks) if said]
    assert tried["FUZZING"] > 500
    assert tried["STATEFUL_TESTING"] > 30
    assert not wrong, "\n\n".join(wrong[:5])


def failure(check: schemathesis.engine.recorder.CheckNode) -> str | None:
    """What a check found wrong, and how to see it again."""
    found = check.failure_info
    return found and f"{check.name}: {found.failure.message}\n{found.code_sample}"
