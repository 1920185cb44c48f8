"""Published types in the OpenAPI document: an operation each, with its own form and example."""

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
from entrypoints.http.openapi.components import component
from entrypoints.http.openapi.example import example_of
from tests.unit.http_service import Service

BODY = ("requestBody", "content", "application/json")


def operation(service: Service, path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The operation that submits there, and the whole document."""
    document = service.client.get("/openapi.json").get_json()
    return document["paths"][path]["post"], document


def content(operation: dict[str, Any]) -> dict[str, Any]:
    return operation["requestBody"]["content"]["application/json"]


def schema_of(function: Any) -> str:
    return json.dumps(NamedArguments(function).schema())


@dataclass
class Tree:
    """One that has itself as parts."""

    name: str = "tree"
    parts: "list[Tree]" = field(default_factory=list)


def grow(tree: Tree, speed: Annotated[float, Ge(0), Lt(1)], kind: Literal["oak", "fir"] = "fir") -> None: ...


@pytest.fixture
def service() -> Service:
    service = Service()
    service.publish("grow", schema_of(grow), "Grows a tree.\n\nSlowly.", priority=4, max_attempts=2, timeout=9.5)
    return service


def test_it_is_described_by_its_docstring_under_functions(service: Service) -> None:
    found, document = operation(service, "/task/new/grow")
    assert (found["operationId"], found["tags"]) == ("new_grow", ["functions"])
    assert (found["summary"], found["description"]) == ("Grows a tree.", "Slowly.")
    assert document["tags"][0]["name"] == "functions"


def test_its_form_is_its_schema_and_the_example_fits(service: Service) -> None:
    found, document = operation(service, "/task/new/grow")
    assert content(found)["example"] == {"tree": {}, "speed": 0.5}
    schema = {**content(found)["schema"], "components": document["components"]}
    validator = jsonschema_rs.validator_for(schema)
    assert validator.is_valid(content(found)["example"])
    assert validator.is_valid({"tree": {"parts": [{"name": "a", "parts": []}]}, "speed": 0})
    assert not validator.is_valid({"tree": {"parts": [{"name": 1}]}, "speed": 0})


def test_its_options_have_the_defaults_of_the_type(service: Service) -> None:
    found, _ = operation(service, "/task/new/grow")
    about = {parameter["name"]: parameter["description"] for parameter in found["parameters"]}
    assert about["priority"].endswith("The default is 4.")
    assert about["max_attempts"].endswith("The default is 2.")
    assert about["timeout"].endswith("The default is 9.5.")
    assert {"Idempotency-Key", "wait", "delay"} <= about.keys()


def test_the_default_type_is_at_the_address_without_a_name(service: Service) -> None:
    service.publish("default", '{"type":"object","required":["required_arg"]}', "The one that ships.")
    found, document = operation(service, "/task/new")
    assert (found["operationId"], found["summary"]) == ("submit_default", "The one that ships.")
    assert content(found)["example"] == {"required_arg": "test"}
    assert "/task/new/default" not in document["paths"]


@pytest.mark.parametrize(("name", "path"), [("größe", "/task/new/gr%C3%B6%C3%9Fe"), ("a.b-c_d", "/task/new/a.b-c_d")])
def test_a_name_may_have_any_letters(service: Service, name: str, path: str) -> None:
    service.publish(name)
    found, _ = operation(service, path)
    assert found["operationId"].isascii()
    assert service.client.post(path, json={}).status_code == 201


def test_a_type_without_a_word_about_it_has_its_name(service: Service) -> None:
    service.publish("quiet")
    assert operation(service, "/task/new/quiet")[0]["summary"] == "quiet"


def test_references_to_the_whole_and_into_it_lead_there(service: Service) -> None:
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


def test_types_and_their_definitions_never_share_a_name(service: Service) -> None:
    cat = {"type": "object", "properties": {"lives": {"type": "integer"}}}
    reference = {"type": "object", "properties": {"c": {"$ref": "#/$defs/Cat"}}, "$defs": {"Cat": cat}}
    service.publish("geo", json.dumps(reference))
    service.publish("geo.Cat", '{"type":"object","properties":{"lives":{"type":"string"}}}')
    found, document = operation(service, "/task/new/geo")
    validator = jsonschema_rs.validator_for({**content(found)["schema"], "components": document["components"]})
    assert validator.is_valid({"c": {"lives": 9}})
    assert not validator.is_valid({"c": {"lives": "9"}})
    names = ["a.b", "a_b", "a-b", "a_2e_b", "aéb", "a_e9_b", "a..b"]
    assert len({component(name) for name in names}) == len(names)


def test_what_tells_kinds_apart_leads_to_them_and_values_stay_as_they_are(service: Service) -> None:
    @dataclass
    class Cat:
        kind: Literal["cat"] = "cat"

    @dataclass
    class Dog:
        kind: Literal["dog"] = "dog"

    def feed(animal: Annotated[Cat | Dog, Field(discriminator="kind")]) -> None: ...

    feed.__annotations__ = {"animal": Annotated[Cat | Dog, Field(discriminator="kind")]}
    service.publish("feed", schema_of(feed))
    service.publish("quote", '{"type":"object","default":{"$ref":"#/$defs/text"}}')
    _, document = operation(service, "/task/new/feed")
    schemas = document["components"]["schemas"]
    mapping = schemas["new.feed"]["properties"]["animal"]["discriminator"]["mapping"]
    assert {reference.removeprefix("#/components/schemas/") for reference in mapping.values()} <= schemas.keys()
    assert schemas["new.quote"]["default"] == {"$ref": "#/$defs/text"}


def test_a_large_example_is_left_out(service: Service) -> None:
    pixels = {
        "type": "array",
        "minItems": 100,
        "items": {"type": "array", "minItems": 100, "items": {"type": "number"}},
    }
    service.publish("image", json.dumps({"type": "object", "properties": {"p": pixels}, "required": ["p"]}))
    assert "example" not in content(operation(service, "/task/new/image")[0])


def test_while_the_database_is_away_the_document_is_there_without_them(service: Service) -> None:
    service = Service(away=True)
    assert "/task/new/{type}" in service.client.get("/openapi.json").get_json()["paths"]


@pytest.mark.parametrize("schema", ["true", "{}", '{"type":7}', '{"$ref":"#/nowhere"}', '{"enum":[]}', '{"anyOf":[]}'])
def test_a_schema_of_no_use_spoils_nothing(service: Service, schema: str) -> None:
    service.publish("odd", schema)
    assert operation(service, "/task/new/odd")[0]["summary"] == "odd"


KEYWORDS = sorted(set(re.findall(r'"([$a-zA-Z]+)"', inspect.getsource(example))) - set(example.STRINGS))
"""All that is looked at, and some words more."""
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
    def test_it_is_small_and_fits(self, schema: dict[str, Any], example: Any) -> None:
        text = json.dumps(schema)
        assert example_of(text, lambda value: not SchemaChecker().errors(text, value)) == example

    @given(schemas)
    def test_nothing_that_a_schema_may_say_is_too_much(self, schema: Any) -> None:
        example_of(json.dumps(schema), lambda value: True)

    @pytest.mark.parametrize(
        "schema",
        [
            '{"type":"integer","minimum":5,"maximum":1' + "0" * 400 + "}",
            '{"type":"integer","minimum":1e400}',
            '{"type":"number","minimum":1e308,"maximum":1.7e308}',
        ],
    )
    def test_nor_however_large_its_numbers_are(self, schema: str) -> None:
        json.dumps(example_of(schema, lambda value: True), allow_nan=False)
