"""Spans of real processes: of a request, of the run of its task and of its callback, in the caller's trace."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.e2e.service import Service, eventually
from tests.e2e.test_callbacks import HERE
from tests.receiver import Receiver, receiving

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
FUNCTIONS = """
import os
from flask_tasks import Progress, task

@task
def shows_trace(progress: Progress):
    return [progress.traceparent, os.environ["TRACEPARENT"]]
"""
FAST = {"OTEL_BSP_SCHEDULE_DELAY": "50", "OTEL_EXPORTER_OTLP_COMPRESSION": "none"}


def test_a_request_a_run_and_a_callback_are_spans_of_one_trace(new_service: Callable[..., Service], tmp_path: Path):
    file = tmp_path / "functions.py"
    file.write_text(FUNCTIONS)
    with receiving() as collector, receiving() as receiver:
        service = new_service(TASKS=str(file), OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, **FAST, **HERE)
        for name in ("http", "handler", "janitor"):
            service.start(name)
        service.await_ready("shows_trace")
        service.client.headers["traceparent"] = f"00-{TRACE}-{CALLER}-01"
        task = service.run("shows_trace", callback=f"{receiver.url}/told")
        told = receiver.received.get(timeout=20)
        found: dict[str, tuple[str, str, str]] = {}
        eventually(lambda: found.keys() >= NAMES or found.update(spans(collector)))
    (request, parent, service_name) = found["POST /task/new/<type>"]
    assert (parent, service_name) == (CALLER, "flask-tasks-http")
    (run, parent, service_name) = found["run shows_trace"]
    assert (parent, service_name) == (request, "flask-tasks-handler")
    assert task["result"] == [f"00-{TRACE}-{run}-01"] * 2
    (callback, parent, service_name) = found["callback"]
    assert (parent, service_name) == (request, "flask-tasks-janitor")
    assert told.headers["traceparent"] == f"00-{TRACE}-{callback}-01"
    assert json.loads(told.body)["data"]["id"] == task["id"]


NAMES = {"POST /task/new/<type>", "run shows_trace", "callback"}


def spans(collector: Receiver) -> Mapping[str, tuple[str, str, str]]:
    """Id, parent and process of each span of the trace that has arrived since the last call, by its name."""
    found = {}
    while not collector.received.empty():
        for of_process in ExportTraceServiceRequest.FromString(collector.received.get().body).resource_spans:
            names = [each.value.string_value for each in of_process.resource.attributes if each.key == "service.name"]
            for span in (span for of_scope in of_process.scope_spans for span in of_scope.spans):
                if span.trace_id.hex() == TRACE:
                    found[span.name] = (span.span_id.hex(), span.parent_span_id.hex(), names[0])
    return found
