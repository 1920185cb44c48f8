"""Parsing of what a child reports: whatever the bytes are, a report or a BrokenReport comes out."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.executors.process.ipc import parsing
from adapters.executors.process.ipc.frames import BrokenReport, Frame, Kind, Unpacker, pack
from adapters.executors.process.ipc.parsing import PRINTED, SPAN
from adapters.executors.process.ipc.reports import pack_outcome, pack_types
from application.ports.executor import Span
from domain.failure import Failure
from domain.limits import Limits
from domain.options import Options
from domain.schedule import Schedule
from domain.task_type import TaskType

PARSERS: dict[Kind, Callable[[Frame], Any]] = {
    Kind.UNUSABLE: parsing.parse_text,
    Kind.DESCRIBED: parsing.parse_types,
    Kind.SUCCEEDED: parsing.parse_outcome,
    Kind.FAILED: parsing.parse_outcome,
    Kind.LOG: parsing.parse_log,
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
TYPE = {"name", "description", "schema", "result_schema", "options", "retries_timeout", "schedule", "limits"}
FAILURE = {"type", "message", "retriable", "delay", "traceback", "unfit"}


def described(fields: set[str]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({}, optional=dict.fromkeys(fields, JSON))


PAYLOADS = st.one_of(
    st.binary(),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.lists(described(TYPE)).map(lambda value: json.dumps(value).encode()),
    st.tuples(st.floats(), st.floats(width=32), described(FAILURE)).map(
        lambda each: SPAN.pack(each[0], each[1]) + json.dumps(each[2]).encode()
    ),
    st.tuples(st.floats(), st.floats(width=32), st.binary()).map(lambda each: SPAN.pack(each[0], each[1]) + each[2]),
    st.binary().map(lambda tail: PRINTED.pack(2**64 - 1, True) + tail),
)


@given(kind=st.sampled_from(sorted(PARSERS)), payload=PAYLOADS)
def test_any_payload_is_a_report_or_broken(kind: Kind, payload: bytes) -> None:
    with suppress(BrokenReport):
        PARSERS[kind](Frame(kind, 1, 1, payload))


@given(pieces=st.lists(st.binary() | st.builds(pack, st.sampled_from(Kind), st.just(1), st.just(1), st.binary())))
def test_any_bytes_are_frames_or_broken(pieces: list[bytes]) -> None:
    unpacker = Unpacker()
    with suppress(BrokenReport):
        for piece in pieces:
            list(unpacker.feed(piece))


@pytest.mark.parametrize("failure", [Failure("E", "m"), Failure("E", "", False, 0.5, "Traceback", True)])
def test_a_failure_arrives_as_it_was_sent(failure: Failure) -> None:
    kind, run, payload = pack_outcome(3, Span(1.0, 0.5), failure)
    assert parsing.parse_outcome(Frame(kind, 1, run, payload)) == (Span(1.0, 0.5), failure)


def test_types_arrive_as_they_were_sent() -> None:
    types = [
        TaskType(name="a"),  # type: ignore[arg-type]
        TaskType(name="b", options=Options(timeout=2), schedule=Schedule(every="* * * * *")),  # type: ignore[arg-type]
        TaskType(name="r", result_schema='{"type":"null"}'),  # type: ignore[arg-type]
        TaskType(name="c", limits=Limits(at_once=4, per_second=0.5, burst=2)),  # type: ignore[arg-type]
    ]
    kind, run, payload = pack_types(types)
    assert parsing.parse_types(Frame(kind, 1, run, payload)) == types
