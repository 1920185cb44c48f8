"""Connections that died while they were idle: no request hears of it, whatever it asks for."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from threading import Timer
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from adapters.postgres import Database
from application.ports.unit_of_work import Begin
from entrypoints.containers.api import ApiContainer
from entrypoints.containers.postgres_storage import PostgresStorage
from entrypoints.http.app import create_app
from entrypoints.settings import Settings
from tests.chaos.proxies import Proxies, Proxy
from tests.concurrency import asked, until

TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'flask-tasks'"
IDLE = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'flask-tasks' AND state = 'idle'"
SESSIONS = 3
SILENT_SECONDS = 0.2
FINISHED, CANCELLED = 1, 2


class Api:
    """The API over connections through a proxy."""

    def __init__(self, url: str, proxy: Proxy, server: Database) -> None:
        self._proxy, self._server = proxy, server
        self._recovery = Timer(SILENT_SECONDS, self._recover)
        self.container = ApiContainer(
            settings=Settings(database_url=url), storage=PostgresStorage(settings=Settings(database_url=url))
        )
        self.client: FlaskClient = create_app(self.container).test_client()

    def answer(self, method: str, path: str, **options: Any) -> tuple[int, str]:
        """The status code and the text of an answer, which is read to its end."""
        answer = self.client.open(path, method=method, **options)
        return answer.status_code, answer.text

    def fill_pools(self) -> None:
        """Have some idle connections for transactions, and some for single statements."""
        begin: Begin = self.container.storage.begin()
        database = self.container.storage.database()
        with ExitStack() as stack:
            for _ in range(SESSIONS):
                stack.enter_context(begin()).listing.counts()
                stack.enter_context(database._autocommit.lend())

    def end_sessions(self) -> None:
        """The server ends them, and says so."""
        assert asked(self._server, TERMINATE)
        until(lambda: asked(self._server, IDLE) == [(0,)])

    def break_connections(self) -> None:
        """A proxy between breaks them, at both of their ends."""

        def are_broken() -> bool:
            self._proxy.break_connections()
            return asked(self._server, IDLE) == [(0,)] and not self._proxy.connections

        until(are_broken)

    def forget_connections(self) -> None:
        """Something between has forgotten them, and says so when they are used."""
        self._proxy.block()
        self._recovery.start()

    def _recover(self) -> None:
        self._proxy.break_connections()
        self._proxy.unblock()

    def close(self) -> None:
        if self._recovery.ident:
            self._recovery.join()
        self.container.shutdown_resources()


@pytest.fixture
def api(database: Database, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """The API after a while without requests."""
    monkeypatch.setattr("adapters.postgres.session.CHECK_SECONDS", 0.0)
    address = urlsplit(postgres_url)
    proxies = Proxies(address.port or 5432, address.hostname or "127.0.0.1")
    proxy = proxies.new()
    login = address.netloc.rpartition("@")[0]
    url = address._replace(netloc=f"{login}@127.0.0.1:{proxy.port}").geturl()
    database.close()  # Its sessions have the same name.
    server = Database(postgres_url, application_name="server")
    api = Api(url, proxy, server)
    for _ in range(3):
        assert api.answer("POST", "/task/new", json={})[0] == 201
    for id in (FINISHED, CANCELLED):
        assert api.answer("POST", f"/task/{id}/cancel")[0] == 200
    yield api
    api.close()
    server.close()
    proxies.close()


REQUESTS: dict[str, tuple[str, str, dict[str, Any], int]] = {
    "submit": ("POST", "/task/new", {"json": {"a": 1}}, 201),
    "submit with a key": ("POST", "/task/new", {"json": {}, "headers": {"Idempotency-Key": "key"}}, 201),
    "submit many": ("POST", "/tasks", {"json": [{"type": "default", "args": {}}] * 2}, 201),
    "view": ("GET", "/task/3/view", {}, 200),
    "view and wait": ("GET", "/task/3/view?wait=0.1", {}, 200),
    "follow": ("GET", f"/task/{FINISHED}/events", {}, 200),
    "log": ("GET", "/task/3/log", {}, 200),
    "list": ("GET", "/tasks", {}, 200),
    "count": ("GET", "/tasks/counts", {}, 200),
    "types": ("GET", "/types", {}, 200),
    "cancel": ("POST", "/task/3/cancel", {}, 200),
    "cancel many": ("POST", "/tasks/cancel", {"json": {}}, 200),
    "retry": ("POST", f"/task/{CANCELLED}/retry", {}, 200),
    "retry many": ("POST", "/tasks/retry", {"json": {}}, 200),
    "delete": ("DELETE", f"/task/{FINISHED}", {}, 204),
    "ready": ("GET", "/health/ready", {}, 200),
}


@pytest.mark.parametrize("die", [Api.end_sessions, Api.break_connections, Api.forget_connections])
@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_a_request_over_connections_that_died_while_they_were_idle_succeeds(
    api: Api, die: Callable[[Api], None], request_: tuple[str, str, dict[str, Any], int]
):
    method, path, options, expected = request_
    api.fill_pools()
    die(api)
    status, text = api.answer(method, path, **options)
    assert status == expected, text
