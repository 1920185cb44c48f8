"""The API as a real process: its start, its failures and its end."""

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from subprocess import TimeoutExpired

import psutil
import pytest
from sqlalchemy import text

from adapters.postgres import Database
from entrypoints.http.responses.compression import compressed
from tests.e2e.http.wire import POST, code_of, connection
from tests.e2e.service import Service, eventually

NewService = Callable[..., Service]


@pytest.fixture
def service(new_service: NewService) -> Service:
    """An API that is ready."""
    service = new_service()
    service.start("http")
    await_ready(service)
    return service


def await_ready(service: Service) -> None:
    eventually(lambda: code_of(service, "/health/ready") == 200)


@pytest.fixture
def locked_task(service: Service) -> Iterator[Callable[[], None]]:
    """A task whose row another connection has locked. Call the value to release it."""
    service.submit()
    with closing(Database(service.environment["DATABASE_URL"])) as database, database.engine.connect() as other:
        other.execute(text("SELECT 1 FROM tasks FOR UPDATE"))
        yield other.rollback


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_bodies_and_answers_may_be_compressed(service: Service, encoding: str):
    body = compressed(json.dumps({"text": "abcdefgh" * 1000}).encode(), encoding)
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding, "Accept-Encoding": encoding}
    answer = service.client.post("/task/new", content=body, headers=headers)
    assert (answer.status_code, answer.headers["Content-Encoding"]) == (201, encoding)
    assert int(answer.headers["Content-Length"]) < 1000
    assert answer.json()["text"] == "abcdefgh" * 1000


class TestEnd:
    def test_a_stopping_api_answers_requests_in_flight(self, service: Service, locked_task: Callable[[], None]) -> None:
        codes: list[int] = []
        request = threading.Thread(target=lambda: codes.append(service.client.delete("/task/1").status_code))
        request.start()
        eventually(lambda: waits_for_a_lock(service))
        (process,) = service.processes
        process.send_signal(signal.SIGTERM)
        with pytest.raises(TimeoutExpired):
            process.wait(0.5)
        locked_task()
        request.join()
        assert codes == [204]
        assert process.wait(10) == 0

    def test_an_idle_connection_does_not_delay_the_stop(self, service: Service) -> None:
        service.client.get("/ping")
        (process,) = service.processes
        process.send_signal(signal.SIGINT)
        assert process.wait(4) == 0

    def test_a_client_that_never_sends_its_body_delays_the_stop_by_the_grace_at_most(self, service: Service) -> None:
        with connection(service) as client:
            client.sendall(POST + b"Content-Length: 10\r\n\r\n{")
            eventually(lambda: code_of(service, "/ping") == 200)
            (process,) = service.processes
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0

    def test_killing_the_api_leaves_no_worker(self, service: Service) -> None:
        (process,) = service.processes
        workers = psutil.Process(process.pid).children(recursive=True)
        assert workers
        process.kill()
        _, alive = psutil.wait_procs(workers, timeout=10)
        assert not alive

    def test_an_api_killed_during_a_request_can_be_started_again_at_once(
        self, service: Service, locked_task: Callable[[], None]
    ) -> None:
        with connection(service) as unanswered:
            unanswered.sendall(b"DELETE /task/1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            eventually(lambda: waits_for_a_lock(service))
            service.processes[0].kill()
            again = service.start("http")
            await_ready(service)
        assert again.poll() is None

    def test_a_killed_worker_is_replaced(self, service: Service) -> None:
        (process,) = service.processes
        (worker,) = psutil.Process(process.pid).children()
        worker.kill()
        eventually(lambda: code_of(service, "/ping") == 200)
        assert process.poll() is None


def waits_for_a_lock(service: Service) -> bool:
    with closing(Database(service.environment["DATABASE_URL"])) as database, database.engine.connect() as other:
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return bool(other.execute(text(waiting)).scalar_one())


class TestStart:
    def test_a_taken_port_is_refused_with_one_sentence(self, service: Service) -> None:
        began_at = time.monotonic()
        second = service.start("http")
        assert second.wait(20) == 2
        assert time.monotonic() - began_at < 3
        assert f"flask-tasks: port {service.port} is taken by another program; set PORT to another" in service.logs()
        assert "Traceback" not in service.logs()
        assert code_of(service, "/ping") == 200

    @pytest.mark.parametrize(
        "variables",
        [
            {"PORT": "x"},
            {"DATABASE_URL": "mysql://x"},
            {"DATABASE_URL": ""},
            {"HTTP_THREADS": "0"},
            {"HOST": "a..b"},
        ],
    )
    def test_a_wrong_setting_is_refused_with_one_sentence(
        self, new_service: NewService, variables: dict[str, str]
    ) -> None:
        service = new_service()
        assert service.start("http", **variables).wait(20) == 2
        (line,) = service.logs().splitlines()
        assert next(iter(variables)) in line

    def test_several_workers_share_the_port(self, new_service: NewService) -> None:
        service = new_service(HTTP_WORKERS="2")
        process = service.start("http")
        await_ready(service)
        assert len(psutil.Process(process.pid).children()) == 2
