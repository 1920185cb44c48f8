"""Outages of the database, longer than a lease and under load: no task is lost, and no start is repeated."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.chaos.load import Load
from tests.chaos.scenario import Scenario, scenario
from tests.chaos.service import ServiceUnderTest

OUTAGE_SECONDS = float(os.environ.get("OUTAGE_SECONDS", "3.5"))
LEASE_SECONDS = OUTAGE_SECONDS / 2
LOAD_SECONDS = OUTAGE_SECONDS / 5
"""Seconds of load before the outage, and after it."""

Outage = tuple[Callable[[ServiceUnderTest], None], Callable[[ServiceUnderTest], None]]


def block(service: ServiceUnderTest) -> None:
    for process in service.processes:
        process.proxy.block()


def unblock(service: ServiceUnderTest) -> None:
    for process in service.processes:
        process.proxy.unblock()


OUTAGES: dict[str, Outage] = {
    "killed": (lambda service: service.server.end(signal.SIGKILL), lambda service: service.server.start()),
    "shut down": (lambda service: service.server.end(signal.SIGINT), lambda service: service.server.start()),
    "frozen": (lambda service: service.server.freeze(), lambda service: service.server.resume()),
    "unreachable": (block, unblock),
}


def answer_codes(it: Scenario, seconds: float) -> set[int]:
    """The codes of the API's answers in that time. Every error must have `Retry-After`."""
    codes = set()
    deadline = time.monotonic() + seconds
    with httpx.Client(base_url=it.service.address, timeout=60) as client:
        while time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                answer = client.post("/task/new/sleeps", json={"seconds": 0.1})
                codes.add(answer.status_code)
                assert answer.status_code == 201 or answer.headers["Retry-After"]
            it.service.maintain()
            time.sleep(0.1)
    return codes


@pytest.mark.parametrize("outage", OUTAGES)
def test_an_outage_loses_no_task_and_repeats_no_start(tmp_path: Path, outage: str):
    begin, end = OUTAGES[outage]
    with (
        scenario(tmp_path, handlers=2, janitors=2, lease=LEASE_SECONDS) as it,
        Load(it.service.address, 7, it.request_log, it.service.receiver.address),
    ):
        for _ in range(2):
            it.submit("sleeps", seconds=OUTAGE_SECONDS * 1.2)
        time.sleep(LOAD_SECONDS)
        end_fault = it.service.begin_fault("outage_of_server", None)
        begin(it.service)
        codes = answer_codes(it, OUTAGE_SECONDS)
        end(it.service)
        end_fault()
        time.sleep(LOAD_SECONDS)
    assert it.broken_promises == set()
    assert 503 in codes or OUTAGE_SECONDS < 15, "a request is answered with 503 in a long outage"
