"""The API against its own OpenAPI document, over PostgreSQL: every answer is one that the document describes."""

from collections import Counter
from collections.abc import Iterator

import pytest
import schemathesis
from flask import Flask
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from adapters.postgres import Database
from application.use_cases.create_api_key import ApiKeyRequest
from domain.access import Scope
from domain.ids import TypeName
from domain.task_type import TaskType
from entrypoints.containers.api import ApiContainer
from entrypoints.containers.postgres_storage import PostgresStorage
from entrypoints.http.app import create_app
from entrypoints.settings import Settings
from tests import steps

CONFIGURATION = {
    "generation": {"max-examples": 40, "deterministic": True},
    # A document cannot express that `delay` excludes `run_at`, nor the arguments of each type.
    "checks": {"positive_data_acceptance": {"enabled": False}},
}


@pytest.fixture
def app(database: Database, postgres_url: str) -> Iterator[tuple[Flask, str]]:
    """The API over an empty database in which one type is published, and a key: the requests make others."""
    # No handler runs the tasks here, so no request may wait for one.
    settings = Settings(database_url=postgres_url, http_waiters=0, webhook_secret=(b"s" * 24,))
    container = ApiContainer(settings=settings, storage=PostgresStorage(settings=settings))
    add = TaskType(name=TypeName("add"), schema='{"type":"object","properties":{"a":{"type":"number"}}}')
    with container.storage.begin()() as work:
        work.types.publish(steps.HANDLER, [add], steps.at(10**8))
        work.commit()
    key = container.create_api_key()(ApiKeyRequest(name="fuzz", scopes=frozenset({Scope.ADMIN})))
    yield create_app(container), str(key.token)
    container.shutdown_resources()


def test_every_answer_is_as_the_document_describes(app: tuple[Flask, str]) -> None:
    api, key = app
    # Schemathesis reads the answers of a WSGI app as they are.
    headers = {"Accept-Encoding": "identity", "Authorization": f"Bearer {key}"}
    configuration = SchemathesisConfig.from_dict(CONFIGURATION | {"headers": headers})
    document = schemathesis.openapi.from_wsgi("/openapi.json", api, config=configuration)
    cases, failures, codes = Counter[str](), [], Counter[int]()
    for event in from_schema(document).execute():
        assert not isinstance(event, events.NonFatalError | events.FatalError), event
        if isinstance(event, events.ScenarioFinished):
            cases[event.phase.name] += len(event.recorder.cases)
            codes.update(each.response.status_code for each in event.recorder.interactions.values() if each.response)
            failures += [text for checks in event.recorder.checks.values() for text in map(failure, checks) if text]
    assert cases["FUZZING"] > 500
    assert cases["STATEFUL_TESTING"] > 30
    assert codes[200] + codes[201] > 300, codes
    assert not failures, "\n\n".join(failures[:5])


def failure(check: schemathesis.engine.recorder.CheckNode) -> str | None:
    """The failure of a check, with code that reproduces it; None where it passed."""
    found = check.failure_info
    return f"{check.name}: {found.failure.message}\n{found.code_sample}" if found else None
