"""Children whose functions forge reports: the task at fault fails with a sentence, and everything else goes on."""

import json
import math
import struct
from collections.abc import Callable

import pytest

from adapters.executors.process.ipc.frames import Kind
from adapters.executors.process.ipc.parsing import SPAN
from application.ports.executor import Failed, Interrupted, Progressed, Started, Succeeded
from tests.executor_driver import TIMEOUT, Driver
from tests.process_table import linux_only

pytestmark = linux_only
FINE = {"type": "E", "message": "m", "retriable": True, "delay": None, "traceback": None, "unfit": False}


@pytest.fixture(scope="module")
def functions() -> str:
    return "tests/forging_functions.py"


def spanned(text: str, began: float = 0.0, seconds: float = 0.0) -> str:
    return (SPAN.pack(began, seconds) + text.encode("utf-8", "surrogatepass")).decode("latin-1")


FORGED = {
    "a delay that is a text": (Kind.FAILED, spanned(json.dumps(FINE | {"delay": "1"}))),
    "a delay that is no number": (Kind.FAILED, spanned(json.dumps(FINE | {"delay": math.nan}))),
    "a delay below zero": (Kind.FAILED, spanned(json.dumps(FINE | {"delay": -1}))),
    "a delay without end": (Kind.FAILED, spanned(json.dumps(FINE | {"delay": math.inf}))),
    "a delay of ages": (Kind.FAILED, spanned(json.dumps(FINE | {"delay": 10**4000}))),
    "a message that is no text": (Kind.FAILED, spanned(json.dumps(FINE | {"message": [1]}))),
    "half a character": (Kind.FAILED, spanned(json.dumps(FINE | {"message": "\ud800"}))),
    "a flag that is none": (Kind.FAILED, spanned(json.dumps(FINE | {"retriable": "yes"}))),
    "a failure without fields": (Kind.FAILED, spanned("{}")),
    "a failure that is a list": (Kind.FAILED, spanned("[]")),
    "a bomb of brackets": (Kind.FAILED, spanned("[" * 60_000)),
    "an empty failure": (Kind.FAILED, ""),
    "a result that is no JSON": (Kind.SUCCEEDED, spanned("{")),
    "a result that is no text": (Kind.SUCCEEDED, spanned("1") + "\xff"),
    "a result that is no number": (Kind.SUCCEEDED, spanned("NaN")),
    "a span that is no number": (Kind.SUCCEEDED, spanned("1", math.nan)),
    "a span below zero": (Kind.SUCCEEDED, spanned("1", 0, -1)),
    "half a span": (Kind.SUCCEEDED, "\0"),
    "half a log": (Kind.LOG, "\0"),
    "its readiness": (Kind.READY, "again"),
    "types": (Kind.DESCRIBED, "[]"),
    "that nothing can be imported": (Kind.UNUSABLE, "forged"),
}


@pytest.mark.parametrize(("kind", "payload"), FORGED.values(), ids=FORGED)
def test_a_forged_frame_is_a_crash_of_its_own_run_alone(driver: Driver, kind: Kind, payload: str) -> None:
    other = driver.start("quick")
    failure = driver.failure("forges_frame", {"kind": kind, "payload": payload})
    assert failure.type == "Crashed"
    assert failure.message.startswith("its process sent ")
    assert failure.retriable
    assert isinstance(driver.outcome(other), Succeeded)
    assert driver.result("quick")


@pytest.mark.parametrize("kind", [Kind.READY, Kind.DESCRIBED, Kind.UNUSABLE])
def test_a_frame_of_the_child_out_of_turn_is_a_crash(driver: Driver, kind: Kind) -> None:
    failure = driver.failure("forges_frame", {"kind": kind, "payload": "[]", "number": 0})
    assert failure.message == f"its process sent {kind.name} out of turn"
    assert driver.result("quick")


def test_an_outcome_of_a_run_that_the_child_does_not_have_is_a_crash(driver: Driver) -> None:
    failure = driver.failure("forges_frame", {"kind": Kind.SUCCEEDED, "payload": spanned("1"), "number": 2**63})
    assert failure.message == "its process reported on a run that it has not come to"


@pytest.mark.parametrize(("kind", "length"), [(0, 0), (99, 0), (Kind.FAILED, 2**32 - 1), (Kind.PROGRESSED, 1)])
def test_a_header_without_meaning_is_a_crash(driver: Driver, kind: int, length: int) -> None:
    failure = driver.failure("forges_header", {"kind": kind, "length": length})
    assert failure.message == "something else wrote into the pipe between its process and the handler"


@pytest.mark.usefixtures("unhurried")
def test_runs_behind_a_forged_frame_are_not_at_fault(opened: Callable[..., Driver]) -> None:
    driver = opened()
    driver.run("forges_frame", {"kind": Kind.PROGRESSED, "payload": "", "then": "returns"})
    driver.run("quick")
    holds = [driver.start("forges_frame", {"kind": Kind.FAILED, "payload": "", "then": "returns"})]
    holds += [driver.start("quick") for _ in range(20)]
    first, *rest = driver.outcomes(holds)
    assert isinstance(first, Failed)
    assert {type(each) for each in rest} <= {Succeeded, Interrupted}
    assert driver.result("quick")


BEGUN, BEGUN_AT, NOTE = 48, 56, 16


@pytest.mark.parametrize("number", [2**64 - 1, 2**63, 10**9])
def test_the_number_of_a_run_that_the_child_does_not_have_begins_its_own(driver: Driver, number: int) -> None:
    hold = driver.start("forges_page", {"offset": BEGUN, "bytes": struct.pack("=Q", number).hex(), "seconds": 600})
    driver.started(hold)
    driver.executor.end(hold, TIMEOUT)
    assert driver.outcome(hold) == Failed(hold, TIMEOUT)


@pytest.mark.parametrize("at", [math.nan, math.inf, -math.inf, -1e300, 1e300])
def test_the_time_of_a_start_is_within_the_time_of_the_supervisor(driver: Driver, at: float) -> None:
    hold = driver.start("forges_page", {"offset": BEGUN_AT, "bytes": struct.pack("=d", at).hex(), "seconds": 600})
    started = driver.started(hold)
    driver.executor.end(hold, TIMEOUT)
    driver.outcome(hold)
    (again,) = driver.of(hold, Started)
    assert again is started
    assert math.isfinite(started.at)
    assert started.at > 0


@pytest.mark.parametrize("value", [math.nan, math.inf, -0.1, 1.1])
def test_progress_that_is_no_share_is_not_reported(driver: Driver, value: float) -> None:
    note = struct.pack("=QQdH", 7, 1, value, 2**16 - 1)
    hold = driver.start("forges_page", {"offset": NOTE, "bytes": note.hex()})
    driver.outcome(hold)
    assert not driver.of(hold, Progressed)


def test_the_page_cannot_be_shortened(driver: Driver) -> None:
    assert driver.result("shortens_page") == "PermissionError"
    assert driver.result("quick")


@pytest.mark.parametrize("delay", ["text", "nan", "negative", "infinite"])
def test_a_retry_with_a_delay_that_is_none_fails_its_task(driver: Driver, delay: str) -> None:
    failure = driver.failure("retries_after", {"delay": delay})
    assert failure.type == "Retry"
    assert failure.message.startswith("delay is ")
    assert failure.message.endswith("it must be a number of seconds, from 0 to 315360000")
    assert not failure.retriable
