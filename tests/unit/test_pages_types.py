"""The pages of types: their state, their figures, and their arguments in words."""

import json
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from domain.ids import TypeName
from domain.options import Options
from domain.schedule import Recurrence, Schedule
from domain.task_type import TaskType
from entrypoints.http.pages.formats import percent
from entrypoints.http.pages.schema_table import MAX_DEPTH, MAX_ROWS, MAX_VALUE_CHARACTERS, result_table, schema_table
from tests.unit.http_service import Service
from tests.unit.pages_service import (
    add,
    html,
    part,
    plot,
    publish,
    ran,
    renew_janitor,
    service_with_events,
    shown,
    text_of,
)

NOON = datetime(2026, 3, 4, 12, 0, 30, tzinfo=UTC)
SCHEMA = {
    "type": "object",
    "properties": {
        "width": {"type": "integer", "exclusiveMinimum": 0, "maximum": 8000, "default": 640, "description": "Pixels."},
        "path": {"type": "string"},
    },
    "required": ["path"],
    "additionalProperties": False,
}
RESIZE = TaskType(
    name=TypeName("resize"),
    description="Resize a picture.\n\nIts sides keep their ratio.",
    schema=json.dumps(SCHEMA),
    options=Options(timeout=90, max_attempts=3, max_losses=0, priority=7, callback="https://x.example/?<b>"),
)


@pytest.fixture
def service() -> Service:
    """A service with a live type."""
    service = service_with_events(NOON)
    renew_janitor(service)
    publish(service, "a-handler", RESIZE)
    return service


class TestAllTypes:
    def test_a_live_type_has_its_description_its_counts_and_a_link_to_submit(self, service: Service):
        add(service, "resize", number=3)
        row = part(html(service, "/dashboard/types"), "type-resize")
        assert "resize Resize a picture. live" in text_of(row)
        assert '<a href="/dashboard/tasks?type=resize&amp;status=waiting">3</a>' in row
        assert '<a href="/dashboard/submit/resize" aria-label="Submit resize">Submit</a>' in row

    def test_it_has_the_figures_of_the_last_hour(self, service: Service):
        ran(service, "resize", took=10)
        ran(service, "resize", took=10, fails=True)
        service.clock.move(60)
        row = part(html(service, "/dashboard/types"), "type-resize")
        assert 'aria-label="1 done, 1 failed"' in row
        assert "50 %" in text_of(row)
        assert "10" in text_of(row)

    def test_an_abandoned_type_says_what_to_do(self, service: Service):
        publish(service, "a-handler", "other")
        page = shown(service, "/dashboard/types")
        assert "resize Resize a picture. abandoned" in page
        assert "start a handler whose TASKS names the file with the function" in page

    def test_a_type_says_what_to_do_where_no_handler_lives(self, service: Service):
        service.clock.move(1e7)
        page = shown(service, "/dashboard/types")
        assert "resize Resize a picture. no handler" in page
        assert "start one with python -m entrypoints.handler" in page

    def test_a_schedule_has_its_next_tick(self, service: Service):
        schedule = Schedule(every="15 2 * * *", timezone="Europe/Berlin")
        next = NOON + timedelta(days=1)
        with service.store.begin() as work:
            work.schedules.save([Recurrence(type=RESIZE.name, schedule=schedule, next=next)])
            work.commit()
        page = shown(service, "/dashboard/types")
        assert "15 2 * * * Europe/Berlin, next 2026-03-05 12:00:30 UTC" in page

    def test_its_arguments_and_options_are_folded(self, service: Service):
        page = html(service, "/dashboard/types")
        folded = page[page.index('<details class="type-box" id="about-resize">') :]
        words = text_of(folded)
        assert "resize width, path" in words
        assert "width whole number more than 0, at most 8000 640 Pixels." in words
        assert "path text required" in words
        assert "Further arguments are refused." in words
        assert "Timeout 1 min 30 s" in words
        assert "0 (it never starts twice)" in words
        assert "https://x.example/?&lt;b&gt;" in folded
        assert '"maximum": 8000' in words

    def test_what_an_author_wrote_is_text(self, service: Service):
        hostile = "<script>alert(1)\u202e"
        schema = json.dumps({"type": "object", "properties": {hostile: {"description": hostile, "enum": [hostile]}}})
        publish(
            service,
            "b-handler",
            TaskType(name=TypeName(hostile), description=hostile, schema=schema, result_schema=schema),
        )
        for path in ("/dashboard/types", "/dashboard/type/%3Cscript%3Ealert(1)%E2%80%AE"):
            answer = service.client.get(path)
            assert "<script>alert" not in answer.text
            assert '&lt;script&gt;alert(1)<span class="unseen-sign">U+202E' in answer.text


class TestOneType:
    def test_it_has_its_own_charts(self, service: Service):
        ran(service, "resize")
        ran(service, "other")
        service.clock.move(60)
        page = html(service, "/dashboard/type/resize")
        flow = {each["name"]: each["values"][-1] for each in plot(page, "flow")["series"]}
        assert flow == {"failed": 0, "cancelled": 0, "done": 1, "submitted": 1}

    def test_a_type_without_events_has_empty_charts(self, service: Service):
        assert set(plot(html(service, "/dashboard/type/resize"), "flow")["series"][0]["values"]) == {0}

    def test_it_has_its_description_and_its_arguments(self, service: Service):
        page = shown(service, "/dashboard/type/resize")
        assert "Its sides keep their ratio." in page
        assert "width whole number" in page

    def test_it_has_what_its_function_returns(self, service: Service):
        assert "Result Its function does not say what it returns." in shown(service, "/dashboard/type/resize")
        size = {
            "type": "object",
            "properties": {"width": {"type": "integer", "description": "Pixels."}, "note": {"type": "string"}},
            "required": ["width"],
        }
        result = {"type": "array", "items": {"$ref": "#/$defs/Size"}, "$defs": {"Size": size}}
        publish(service, "a-handler", replace(RESIZE, result_schema=json.dumps(result)))
        page = shown(service, "/dashboard/type/resize")
        assert "Result Its function returns: list of objects." in page
        assert "[].width whole number Pixels. [].note text, may be missing" in page
        assert '"$ref": "#/$defs/Size"' in page

    def test_it_says_how_to_submit_a_task_from_a_terminal(self, service: Service):
        page = html(service, "/dashboard/type/resize")
        assert "curl -X POST http://localhost/task/new/resize -H 'Content-Type: application/json' -d" in page
        assert "{&#34;path&#34;:&#34;test&#34;}" in page

    def test_an_apostrophe_in_an_example_does_not_end_the_argument(self, service: Service):
        schema = {"type": "object", "properties": {"a": {"const": "'; rm -rf /"}}, "required": ["a"]}
        publish(service, "b-handler", TaskType(name=TypeName("odd"), schema=json.dumps(schema)))
        assert r"'\''; rm -rf /" in shown(service, "/dashboard/type/odd")

    def test_a_schema_that_changed_says_when(self, service: Service):
        publish(service, "a-handler", TaskType(name=RESIZE.name, schema="{}"))
        page = html(service, "/dashboard/type/resize")
        assert "Schema changed 2026-03-04 12:00:30 UTC" in text_of(page)
        assert plot(page, "flow")["marks"] == [{"x": int(NOON.timestamp()), "name": "resize"}]

    def test_a_type_that_has_tasks_alone_is_shown(self, service: Service):
        add(service, "gone")
        page = shown(service, "/dashboard/type/gone")
        assert "its arguments are not known" in page
        assert "no handler" in page

    def test_an_unknown_type_is_not_found(self, service: Service):
        assert service.client.get("/dashboard/type/nothing").status_code == 404

    def test_the_stream_of_a_type_that_nothing_has_any_more_says_that_it_is_gone(self, service: Service):
        answer = service.client.get("/dashboard/type/nothing", headers={"Accept": "text/event-stream"}, buffered=False)
        with closing(answer):
            told = b"".join(islice(answer.iter_encoded(), 2)).decode()
        assert "This type is gone" in told
        assert "type nothing is not published" in told


class TestSchemaTable:
    @pytest.mark.parametrize(
        ("schema", "words"),
        [
            ({}, "any value"),
            (True, "any value"),
            ({"type": "integer"}, "whole number"),
            ({"type": ["string", "null"]}, "text or null"),
            ({"anyOf": [{"type": "integer"}, {"type": "number"}]}, "whole number or number"),
            ({"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3}, "list of 3 numbers"),
            ({"type": "array", "items": {"type": "number"}, "minItems": 1}, "list of at least 1 numbers"),
            ({"type": "array", "items": {"type": "integer"}, "maxItems": 9}, "list of 0 to 9 whole numbers"),
            ({"type": "array"}, "list"),
            ({"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}]}, "list of text, whole number"),
            ({"type": "array", "items": {"type": "array", "items": {}}}, "list of list of values"),
            ({"enum": ["webp", 1]}, 'one of "webp", 1'),
            ({"const": None}, "null"),
            ({"type": "string", "format": "date-time"}, "date and time"),
            ({"type": "object", "additionalProperties": {"type": "number"}}, "object of numbers"),
            ({"$ref": "#/$defs/Size"}, "whole number"),
            ({"allOf": [{"$ref": "#/$defs/Size"}], "description": "x"}, "whole number"),
        ],
    )
    def test_a_type_in_words(self, schema: object, words: str):
        whole = {"properties": {"a": schema}, "$defs": {"Size": {"type": "integer"}}}
        assert schema_table(json.dumps(whole)).arguments[0].type == words

    @pytest.mark.parametrize(
        ("schema", "words"),
        [
            ({"minimum": 1, "maximum": 9}, "at least 1, at most 9"),
            ({"type": "array", "items": {"exclusiveMinimum": 0}}, "each more than 0"),
            ({"anyOf": [{"type": "string", "maxLength": 5}, {"type": "null"}]}, "at most 5 characters"),
            ({"pattern": "^a"}, "matches ^a"),
            ({}, ""),
        ],
    )
    def test_bounds_in_words(self, schema: object, words: str):
        assert schema_table(json.dumps({"properties": {"a": schema}})).arguments[0].bounds == words

    def test_members_follow_their_argument(self):
        line = {"type": "object", "properties": {"price": {"type": "number"}}, "required": ["price"]}
        lines = {"type": "array", "items": {"$ref": "#/$defs/Line"}}
        table = schema_table(json.dumps({"properties": {"lines": lines}, "$defs": {"Line": line}}))
        rows = [(each.name, each.is_required) for each in table.arguments]
        assert rows == [("lines", False), ("lines[].price", True)]
        assert table.names == ["lines"]

    @pytest.mark.parametrize(
        ("schema", "type", "names"),
        [
            ({"$ref": "#/$defs/Body"}, "object", ["mass"]),
            ({"anyOf": [{"$ref": "#/$defs/Body"}, {"type": "null"}]}, "object or null", ["mass"]),
            ({"type": "array", "items": {"$ref": "#/$defs/Body"}}, "list of objects", ["[].mass"]),
            ({"type": ["number", "null"]}, "number or null", []),
        ],
    )
    def test_a_result_has_the_members_of_its_objects(self, schema: dict[str, object], type: str, names: list[str]):
        body = {"type": "object", "properties": {"mass": {"type": "number"}}}
        table = result_table(json.dumps(schema | {"$defs": {"Body": body}}))
        assert (table.type, [each.name for each in table.arguments]) == (type, names)

    def test_a_schema_that_contains_itself_has_an_end(self):
        tree = {"properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}}
        rows = schema_table(json.dumps(tree)).arguments
        assert len(rows) <= MAX_ROWS
        assert max(each.depth for each in rows) == MAX_DEPTH
        assert schema_table('{"$ref": "#"}').arguments == ()

    @pytest.mark.parametrize(
        "schema", ["true", "[]", "{", '{"properties": 5}', '{"properties": {"a": {"enum": 5}}}', '{"$ref": "#/no"}']
    )
    def test_an_odd_schema_has_no_rows_and_is_shown(self, schema: str):
        for table in (schema_table(schema), result_table(schema)):
            assert (table.arguments, table.allows_others, table.type) == ((), True, "any value")
            assert table.raw

    def test_a_long_default_is_cut(self):
        table = schema_table(json.dumps({"properties": {"a": {"default": "x" * 1000}}}))
        assert len(str(table.arguments[0].default)) == MAX_VALUE_CHARACTERS + 1


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (1e-9, "< 0.01 %"),
        (0.0025, "0.25 %"),
        (0.0995, "10 %"),
        (0.5, "50 %"),
        (0.9999, "99 %"),
        (1, "100 %"),
    ],
)
def test_only_the_whole_is_a_hundred_percent_and_only_nothing_is_none(share: float, text: str):
    assert percent(share) == text
