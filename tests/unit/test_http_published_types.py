"""Published types in the OpenAPI document: an operation for each, with its schema and an example."""

import inspect
import json
import re
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import jsonschema_rs
import pytest
from annotated_types import Ge, Lt
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from adapters.executors.functions.arguments import NamedArguments
from adapters.json_schema import SchemaChecker
from entrypoints.http.openapi import example
from entrypoints.http.openapi.example import example_of
from tests.unit.http_service import Service

BODY = ("requestBody", "content", "application/json")


def operation(service: Service, path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the operation that submits at a path, and the whole document."""
    document = service.document()
    return document["paths"][path]["post"], document


def content(operation: dict[str, Any]) -> dict[str, Any]:
    return operation["requestBody"]["content"]["application/json"]


def schema_of(function: Any) -> str:
    return json.dumps(NamedArguments(function).schema())


@dataclass
class Tree:
    """A tree, which has trees as parts."""

    name: str = "tree"
    parts: "list[Tree]" = field(default_factory=list)


def grow(tree: Tree, speed: Annotated[float, Ge(0), Lt(1)], kind: Literal["oak", "fir"] = "fir") -> None: ...


@pytest.fixture
def service() -> Service:
    service = Service()
    service.publish("grow", schema_of(grow), "Grows a tree.\n\nSlowly.", priority=4, max_attempts=2, timeout=9.5)
    return service


def test_a_type_is_described_by_its_docstring_under_functions(service: Service) -> None:
    found, document = operation(service, "/task/new/grow")
    assert (found["operationId"], found["tags"]) == ("new_grow", ["functions"])
    assert (found["summary"], found["description"]) == ("Grows a tree.", "Slowly.")
    assert document["tags"][0]["name"] == "functions"


def test_a_type_has_its_schema_and_a_valid_example(service: Service) -> None:
    found, document = operation(service, "/task/new/grow")
    assert content(found)["example"] == {"tree": {}, "speed": 0.5}
    schema = {**content(found)["schema"], "components": document["components"]}
    validator = jsonschema_rs.validator_for(schema)
    assert validator.is_valid(content(found)["example"])
    assert validator.is_valid({"tree": {"parts": [{"name": "a", "parts": []}]}, "speed": 0})
    assert not validator.is_valid({"tree": {"parts": [{"name": 1}]}, "speed": 0})


def test_options_describe_the_defaults_of_the_type(service: Service) -> None:
    found, _ = operation(service, "/task/new/grow")
    about = {parameter["name"]: parameter["description"] for parameter in found["parameters"]}
    assert about["priority"].endswith("The default is 0, or that of the type. The default of this type is 4.")
    assert about["max_attempts"].endswith("The default of this type is 2.")
    assert about["timeout"].endswith("The default of this type is 9.5.")
    assert about["max_losses"].endswith("The default is 3, or that of the type.")
    assert {"Idempotency-Key", "wait", "delay"} <= about.keys()


def test_the_default_type_has_the_path_without_a_name(service: Service) -> None:
    service.publish("default", '{"type":"object","required":["required_arg"]}', "The one that ships.")
    found, document = operation(service, "/task/new")
    assert (found["operationId"], found["summary"]) == ("submit_default", "The one that ships.")
    assert content(found)["example"] == {"required_arg": "test"}
    assert "/task/new/default" not in document["paths"]


@pytest.mark.parametrize(("name", "path"), [("größe", "/task/new/gr%C3%B6%C3%9Fe"), ("a.b-c_d", "/task/new/a.b-c_d")])
def test_a_type_may_have_any_letters_in_its_name(service: Service, name: str, path: str) -> None:
    service.publish(name)
    found, _ = operation(service, path)
    assert found["operationId"].isascii()
    assert service.client.post(path, json={}).status_code == 201


def test_a_type_without_description_is_summarized_by_its_name(service: Service) -> None:
    service.publish("quiet")
    assert operation(service, "/task/new/quiet")[0]["summary"] == "quiet"


def test_references_to_a_schema_and_into_it_are_resolved(service: Service) -> None:
    loop = {
        "type": "object",
        "properties": {"again": {"$ref": "#"}, "same": {"$ref": "#/properties/n"}, "n": {"type": "integer"}},
        "additionalProperties": False,
    }
    service.publish("loop", json.dumps(loop))
    found, document = operation(service, "/task/new/loop")
    validator = jsonschema_rs.validator_for({**content(found)["schema"], "components": document["components"]})
    assert validator.is_valid({"again": {"again": {"same": 1}}})
    assert not validator.is_valid({"again": {"again": {"same": "1"}}})


def test_types_and_their_definitions_have_different_names(service: Service) -> None:
    cat = {"type": "object", "properties": {"lives": {"type": "integer"}}}
    reference = {"type": "object", "properties": {"c": {"$ref": "#/$defs/Cat"}}, "$defs": {"Cat": cat}}
    service.publish("geo", json.dumps(reference))
    service.publish("geo.Cat", '{"type":"object","properties":{"lives":{"type":"string"}}}')
    found, document = operation(service, "/task/new/geo")
    validator = jsonschema_rs.validator_for({**content(found)["schema"], "components": document["components"]})
    assert validator.is_valid({"c": {"lives": 9}})
    assert not validator.is_valid({"c": {"lives": "9"}})


def test_a_discriminator_refers_to_components(service: Service) -> None:
    @dataclass
    class Cat:
        kind: Literal["cat"] = "cat"

    @dataclass
    class Dog:
        kind: Literal["dog"] = "dog"

    def feed(animal: Annotated[Cat | Dog, Field(discriminator="kind")]) -> None: ...

    feed.__annotations__ = {"animal": Annotated[Cat | Dog, Field(discriminator="kind")]}
    service.publish("feed", schema_of(feed))
    _, document = operation(service, "/task/new/feed")
    schemas = document["components"]["schemas"]
    mapping = schemas["FeedArguments"]["properties"]["animal"]["discriminator"]["mapping"]
    assert mapping.keys() == {"cat", "dog"}
    assert {reference.removeprefix("#/components/schemas/") for reference in mapping.values()} <= schemas.keys()


def test_a_large_example_is_left_out(service: Service) -> None:
    pixels = {
        "type": "array",
        "minItems": 100,
        "items": {"type": "array", "minItems": 100, "items": {"type": "number"}},
    }
    service.publish("image", json.dumps({"type": "object", "properties": {"p": pixels}, "required": ["p"]}))
    assert "example" not in content(operation(service, "/task/new/image")[0])


def test_the_document_has_no_types_while_the_database_is_unavailable(service: Service) -> None:
    service = Service(away=True)
    assert "/task/new/{type}" in service.client.get("/openapi.json").get_json()["paths"]


@pytest.mark.parametrize(
    "schema",
    [
        *("true", "{}", '{"type":7}', '{"$ref":"#/nowhere"}', '{"$ref":"#"}', '{"enum":[]}'),
        *('{"$defs":7}', '{"$defs":[]}'),
        *('{"anyOf":[]}', '{"anyOf":7}', '{"anyOf":[7]}', '{"type":[7]}', '{"type":[]}', '{"items":7,"type":"array"}'),
    ],
)
def test_a_useless_schema_does_not_break_the_document(service: Service, schema: str) -> None:
    service.publish("odd", schema, result=schema)
    assert operation(service, "/task/new/odd")[0]["summary"] == "odd"


KEYWORDS = sorted(set(re.findall(r'"([$a-zA-Z]+)"', inspect.getsource(example))) - set(example.STRINGS))
"""All keywords that the module reads, and some other words."""
numbers = st.integers() | st.floats() | st.sampled_from([10**400, -(10**400), 1e308, 1.7e308])
schemas = st.recursive(
    st.none()
    | st.booleans()
    | numbers
    | st.text()
    | st.sampled_from(["object", "array", "number", "integer", "string"]),
    lambda part: st.lists(part) | st.dictionaries(st.sampled_from(KEYWORDS), part),
    max_leaves=12,
)


class TestExample:
    @pytest.mark.parametrize(
        ("schema", "example"),
        [
            ({"type": "number"}, 1.0),
            ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.5}, 0.25),
            ({"type": "integer", "minimum": 10}, 11),
            ({"type": "integer", "maximum": -5}, -6),
            ({"type": "integer", "multipleOf": 7}, 7),
            ({"type": "number", "minimum": 1, "maximum": 1}, 1),
            ({"type": ["number", "array"]}, 1.0),
            ({"type": "string", "minLength": 6}, "testxx"),
            ({"type": "string", "maxLength": 2}, "te"),
            ({"type": "string", "format": "date"}, "2030-01-31"),
            ({"type": "boolean"}, True),
            ({"type": "null"}, None),
            ({"type": "array", "items": {"type": "number"}, "minItems": 3}, [1.0, 1.0, 1.0]),
            ({"type": "array", "maxItems": 0, "items": False}, []),
            ({"type": "array", "prefixItems": [{"type": "number"}, {"type": "string"}], "items": False}, [1.0, "test"]),
            ({"anyOf": [{"type": "null"}, {"type": "boolean"}]}, True),
            ({"enum": ["oak", "fir"]}, "oak"),
            ({"const": 5}, 5),
            ({"default": "d", "type": "string"}, "d"),
            ({"examples": [{"a": 1}], "type": "object"}, {"a": 1}),
            ({"type": "string", "pattern": "^a+$"}, None),
            ({"type": "object", "properties": {"a": {}, "b": {}}, "required": ["b"]}, {"b": "test"}),
        ],
    )
    def test_an_example_is_small_and_valid(self, schema: dict[str, Any], example: Any) -> None:
        text = json.dumps(schema)
        assert example_of(text, lambda value: not SchemaChecker().errors(text, value)) == example

    @given(schemas)
    def test_any_schema_can_be_read(self, schema: Any) -> None:
        example_of(json.dumps(schema), lambda value: True)

    @pytest.mark.parametrize(
        "schema",
        [
            '{"type":"integer","minimum":5,"maximum":1' + "0" * 400 + "}",
            '{"type":"integer","minimum":1e400}',
            '{"type":"number","minimum":1e308,"maximum":1.7e308}',
        ],
    )
    def test_large_numbers_in_a_schema_give_a_finite_example(self, schema: str) -> None:
        json.dumps(example_of(schema, lambda value: True), allow_nan=False)


class TestAbandonedTypes:
    """Types that no live handler has while others live."""

    @pytest.fixture(autouse=True)
    def abandoned(self, service: Service) -> None:
        service.publish("kept")
        service.withdraw("grow")

    def types(self, service: Service) -> dict[str, tuple[bool, bool]]:
        types = service.client.get("/types").get_json()["types"]
        return {type["name"]: (type["live"], type["abandoned"]) for type in types}

    def documented(self, service: Service) -> set[str]:
        """The types that have an operation, which are the examples of the path as well."""
        document = service.client.get("/openapi.json").get_json()
        names = {path.removeprefix("/task/new/") for path in document["paths"] if path.startswith("/task/new/")}
        (examples,) = (
            each["examples"]
            for each in document["paths"]["/task/new/{type}"]["parameters"]
            if each.get("name") == "type"
        )
        assert examples.keys() == names - {"{type}"} | {"default"}
        return names - {"{type}"}

    def message(self, service: Service) -> str:
        answer = service.client.post("/task/new/sub", json={})
        assert answer.status_code == 404
        return answer.get_json()["message"]

    def test_an_abandoned_type_is_marked_in_the_list_of_types(self, service: Service) -> None:
        assert self.types(service) == {"default": (False, True), "grow": (False, True), "kept": (True, False)}

    def test_an_abandoned_type_is_left_out_of_the_document(self, service: Service) -> None:
        assert self.documented(service) == {"kept"}
        assert "new.grow" not in service.client.get("/openapi.json").get_json()["components"]["schemas"]

    def test_an_abandoned_type_is_not_named_by_messages(self, service: Service) -> None:
        assert self.message(service) == "type sub is not published; the known types are default, kept"

    def test_an_abandoned_type_takes_tasks_and_says_what_they_wait_for(self, service: Service) -> None:
        task = service.submit({"tree": {}, "speed": 0.5}, "/task/new/grow")
        assert (task["status"], task["waiting_for"]) == ("waiting", "no_handler_for_type")
        assert service.client.post("/task/new/grow", json={"tree": 1}).status_code == 422
        assert (
            service.client.post("/tasks", json=[{"type": "grow", "args": {"tree": {}, "speed": 0}}]).status_code == 201
        )

    def test_an_abandoned_type_that_a_handler_has_again_is_documented_again(self, service: Service) -> None:
        service.publish("grow")
        assert self.documented(service) == {"grow", "kept"}
        assert self.types(service)["grow"] == (True, False)

    def test_without_any_live_handler_the_document_stays_as_it_was(self, service: Service) -> None:
        with service.store.begin() as work:
            work.types.review(service.clock.now())
            work.commit()
        service.withdraw("kept")
        assert self.documented(service) == {"kept"}
        assert self.types(service) == {"default": (False, False), "grow": (False, True), "kept": (False, False)}
        assert self.message(service) == "type sub is not published; the known types are default, kept"

    def test_a_forgotten_type_is_not_listed_and_takes_no_tasks(self, service: Service) -> None:
        with service.store.begin() as work:
            work.types.review(service.clock.now())
            work.types.forget_abandoned(service.clock.now(), service.clock.now(), 10)
            work.commit()
        service.clock.move(2)
        assert self.types(service).keys() == {"default", "kept"}
        assert service.client.post("/task/new/grow", json={"tree": {}, "speed": 0.5}).status_code == 404
