"""Forms send back what they show: arguments that no field has changed stay byte for byte."""

from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.json.text import dump
from domain.ids import TypeName
from domain.submission import Submission
from entrypoints.http.pages.forms.submission import SubmissionForm
from tests.unit.browser_form import form_of_page
from tests.unit.http_service import Service

SIMPLE: list[dict[str, Any]] = [
    {},
    {"type": "integer", "minimum": 0},
    {"type": "number"},
    {"type": "string"},
    {"type": "string", "maxLength": 20},
    {"type": "string", "format": "uuid"},
    {"type": "string", "format": "date"},
    {"type": "string", "format": "date-time"},
    {"type": "string", "format": "time"},
    {"type": "string", "format": "date-time", "x-limits": {"format": "date-time", "tz_constraint": "naive"}},
    {"type": "boolean"},
    {"enum": ["red", "blue", "", "null", "3", 3, None, "true", True]},
    {"const": "only"},
    {"type": "array", "items": {"type": "number"}},
    {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
    {"type": "array", "items": {"type": ["number", "array"]}, "x-array": {"type": "number"}},
    {"type": "array", "items": {"type": "string"}},
    {"type": "array", "items": {}},
    {"type": "object"},
    {"anyOf": [{"type": "number"}, {"type": "string", "format": "decimal"}]},
    {"anyOf": [{"type": "integer"}, {"type": "string"}]},
    {"anyOf": [{"type": "number"}, {"const": "auto"}]},
    {"anyOf": [{"type": "number"}, {"type": "array", "items": {"type": "number"}}]},
]
NAMES = st.sampled_from(["a", "b", "a.b", "x y", "ü", "**", "a~0b", "", '"<script>', "f.a"])
TIMES = st.sampled_from(
    [
        *("2030-01-31", "2030-01-31T12:00:00Z", "2030-01-31T12:00:00.500+02:00", "2030-01-31T12:00", "12:00:00"),
        *("2030-01-31T12:00:00.123456Z", "2030-01-31 12:00:00", "12:00:01.50", "2030-01-31T00:00:00z", "0000-00-00"),
    ]
)
TEXTS = st.one_of(
    st.text(max_size=8),
    TIMES,
    st.sampled_from(["\n", "\r\n", "\na", " a ", "a\x00", "null", "1", "<b>&amp;", "</textarea>", "\u202e", "\x0b"]),
)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([2**63 + 1, 1e-320])
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
TABLES = st.lists(st.lists(NUMBERS, max_size=3), max_size=3)
VALUES = st.recursive(
    st.one_of(SCALARS, st.lists(NUMBERS, max_size=40), TABLES),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=6,
)


def nullable(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}], "default": None}


def objects(schemas: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda properties, required, further: {
            "type": "object",
            "properties": properties,
            "required": [name for name in properties if name in required],
            **further,
        },
        st.dictionaries(NAMES, schemas, max_size=4),
        st.sets(NAMES),
        st.sampled_from([{}, {"additionalProperties": False}, {"additionalProperties": {"type": "integer"}}]),
    )


LEAVES = st.one_of(st.sampled_from(SIMPLE), st.sampled_from(SIMPLE).map(nullable))
SCHEMAS = objects(st.one_of(LEAVES, objects(LEAVES), objects(LEAVES).map(nullable)))


def fitting(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that fit a schema, or nearly."""
    if "anyOf" in schema:
        return st.one_of(*map(fitting, schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return st.sampled_from(schema.get("enum", [schema.get("const")]))
    if "properties" in schema:
        return arguments(schema)
    match schema.get("type"):
        case "string":
            return TIMES if "format" in schema else TEXTS
        case "array":
            items = schema["items"].get("type")
            return st.lists(TEXTS if items == "string" else NUMBERS, max_size=30) | TABLES
    return {"integer": st.integers(), "number": NUMBERS, "boolean": st.booleans(), "null": st.none()}.get(
        schema.get("type", ""), VALUES
    )


def arguments(schema: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Arguments in any order, most of which fit the schema of their name."""
    parts = {name: st.one_of(fitting(part), fitting(part), VALUES) for name, part in schema["properties"].items()}
    found = st.tuples(st.fixed_dictionaries({}, optional=parts), st.dictionaries(NAMES, VALUES, max_size=1))
    return found.map(lambda pair: pair[1] | pair[0])


@given(schema=SCHEMAS, data=st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_form_that_runs_a_task_again_unchanged_sends_the_same_text(schema: dict[str, Any], data: st.DataObject):
    check(schema, dump(data.draw(arguments(schema))))


@pytest.mark.parametrize("is_nullable", [False, True])
@pytest.mark.parametrize("schema", SIMPLE)
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_each_kind_of_field_sends_the_same_text(schema: dict[str, Any], is_nullable: bool, data: st.DataObject):
    check({"properties": {"a": nullable(schema) if is_nullable else schema}}, dump({"a": data.draw(fitting(schema))}))


def test_a_text_of_two_lines_stays_so_where_the_field_has_one():
    check({"properties": {"a": {"type": "string", "maxLength": 20}}}, '{"a": "0\\n0"}')


@pytest.mark.parametrize(
    "text",
    [
        '{ "a" : 1.10, "b":[1 , 2.50]}',
        '{"b":"\\u00e9","a":1E5}',
        '{"a": -0.0, "b": {"c":1e400}}',
        '{"a":1,"a":2}',
    ],
)
def test_a_text_that_another_program_stored_stays_as_it_is(text: str):
    check({"type": "object", "properties": {"a": {"type": "number"}, "b": {}}}, text)


@cache
def the_service() -> Service:
    """One service for all examples."""
    return Service()


def check(schema: dict[str, Any], args: str) -> None:
    service = the_service()
    service.publish("f", dump(schema))
    with service.store.begin() as work:
        (task,) = work.tasks.add([Submission(type=TypeName("f"), args=args, now=service.clock.now(), ttl=600)])
        work.commit()
    assert task
    page = service.client.get(f"/dashboard/submit/f?from={task.id}")
    assert page.status_code == 200, page.text
    sent = form_of_page(page.text)
    published, origin = service.container.known_types().named(TypeName("f")), service.container.view_task()(task.id)
    form = SubmissionForm.of(published, sent, origin)
    assert not form.wrong, [(each.path, each.errors) for each in form.wrong]
    assert (form.json, form.changed) == (args, [])
    as_text = SubmissionForm.of(published, sent, origin)
    as_text.as_whole()
    assert as_text.json == args
    if not as_text.has_broken_text:
        as_text.as_fields()
        assert as_text.json == args
