"""The OpenAPI document in the form that generators of clients need; tests/e2e/generated runs two of them."""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from adapters.executors.functions.annotations import NoSchema
from adapters.json_schema import SchemaChecker
from application.json.text import dump
from domain.ids import TypeName
from domain.task_type import TaskType
from entrypoints.http.openapi.components import components
from entrypoints.http.openapi.schemas import SCHEMAS
from entrypoints.http.openapi.unique_names import MAX_CHARACTERS, UniqueNames
from tests.e2e.generated.functions import NAMES
from tests.unit.http_service import Service
from tests.unit.test_argument_agreement import ANY, KINDS, function_of

NUMBER = {"type": "object", "properties": {"n": {"type": "integer"}}, "additionalProperties": False}
CHOICE = {"enum": ["a", "b"], "type": "string"}


@pytest.fixture
def service() -> Service:
    return Service()


def folded(name: str) -> str:
    """What a generator may leave of a name."""
    return re.sub("[^a-z0-9]", "", name.lower())


def parts(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a part of the document."""
    if isinstance(value, dict):
        yield value
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from parts(member)


def made_of(schema: Any, name: str = "f") -> dict[str, Any]:
    """The components of a type."""
    return components(TaskType(name=TypeName(name), schema=json.dumps(schema)), UniqueNames()).by_name


def argument(schema: Any) -> Any:
    """The schema in the document for an argument of this schema, with components in place of references to them."""
    found = made_of({"type": "object", "properties": {"x": schema}})
    converted = found["FArguments"]["properties"]["x"]
    return found[converted["$ref"].rpartition("/")[2]] if "$ref" in converted else converted


class TestNames:
    def test_operations_and_schemas_differ_by_more_than_case_and_punctuation(self, service: Service) -> None:
        for name in NAMES:
            service.publish(name, json.dumps(NUMBER), result=json.dumps(NUMBER))
        document = service.document()
        operations = [
            operation["operationId"]
            for path in document["paths"].values()
            for method, operation in path.items()
            if method != "parameters"
        ]
        for names in (operations, list(document["components"]["schemas"])):
            assert len(names) > len(NAMES)
            assert len({*map(folded, names)}) == len(names)
            assert all(name.isascii() and len(name) <= MAX_CHARACTERS for name in names)

    def test_a_plain_name_stands_unchanged_whatever_else_is_published(self, service: Service) -> None:
        for name in ("LOG", "Log", "_log", "l_og", "log"):
            service.publish(name, json.dumps(NUMBER))
        operation = service.document()["paths"]["/task/new/log"]["post"]
        assert operation["operationId"] == "new_log"
        assert operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/LogArguments")

    def test_a_changed_name_stays_the_same_whatever_else_is_published(self, service: Service) -> None:
        for name in ("log", "LOG"):
            service.publish(name)
        before = service.document()["paths"]["/task/new/LOG"]["post"]["operationId"]
        service.publish("Log")
        service.publish("a")
        assert service.document()["paths"]["/task/new/LOG"]["post"]["operationId"] == before

    def test_models_of_the_same_name_in_two_functions_are_two_schemas(self) -> None:
        names = UniqueNames()
        found: dict[str, Any] = {}
        for type, model in (("geo", "MapPoint"), ("geo_map", "Point"), ("geo", "map_point")):
            schema = {"properties": {"p": {"$ref": f"#/$defs/{model}"}}, "$defs": {model: NUMBER}}
            found |= components(TaskType(name=TypeName(type), schema=json.dumps(schema)), names).by_name
        assert len(found) == 6

    def test_an_argument_and_a_model_of_one_name_are_two_schemas(self) -> None:
        members = {"kind": CHOICE, "Kind": {"enum": ["c", "d"]}, "other": {"$ref": "#/$defs/Kind"}}
        found = made_of({"type": "object", "properties": members, "$defs": {"Kind": {"enum": ["e"]}}})
        references = [member["$ref"].rpartition("/")[2] for member in found["FArguments"]["properties"].values()]
        assert [found[name]["enum"] for name in references] == [["a", "b"], ["c", "d"], ["e"]]
        assert len({*map(folded, found)}) == 4

    def test_no_name_of_the_service_ends_as_those_of_functions_do(self, service: Service) -> None:
        names = {*SCHEMAS, "Error", *(name for part in parts(service.document()) for name in part)}
        assert [name for name in names if re.search("arguments|model", name, re.IGNORECASE)] == ["DefaultArguments"]


class TestSchemas:
    @pytest.mark.parametrize(
        ("schema", "converted"),
        [
            ({"type": "array"}, {"type": "array", "items": {}}),
            ({"type": "array", "items": True}, {"type": "array", "items": {}}),
            ({"type": ["number", "array"]}, {"type": ["number", "array"], "items": {}}),
            ({"type": "array", "prefixItems": [{}], "items": False}, {"type": "array", "prefixItems": [{}]}),
            ({"type": "object"}, {"type": "object", "additionalProperties": True}),
            ({"type": "object", "additionalProperties": {}}, {"type": "object", "additionalProperties": True}),
            (
                {"type": "object", "properties": {"a": {}}, "additionalProperties": {"type": "integer"}},
                {"type": "object", "properties": {"a": {}}, "additionalProperties": True},
            ),
            (
                {"type": "object", "properties": {"a": {}, "p": False}, "additionalProperties": False},
                {"type": "object", "properties": {"a": {}}, "additionalProperties": False},
            ),
            (
                {"type": "object", "patternProperties": {"^a": {}}, "additionalProperties": False},
                {"type": "object", "patternProperties": {"^a": {}}, "additionalProperties": True},
            ),
            ({"type": "integer", "default": 5}, {"type": "integer", "description": "The default is 5."}),
            ({"description": "A b.", "default": "é"}, {"description": 'A b. The default is "é".'}),
            ({"default": "x" * 1000, "title": "T"}, {}),
            ({"enum": [1, "a", True, None, 0.5, []]}, {"anyOf": [
                {"$ref": "#/components/schemas/FArgumentsX"}, {"$ref": "#/components/schemas/FArgumentsX_0d05de"},
                {"type": "boolean"}, {"type": "null"}, {"type": "number", "const": 0.5}, {"type": "array", "items": {}},
            ]}),
            ({"enum": ["a", "b"]}, {"type": "string", "enum": ["a", "b"]}),
            ({"enum": [None]}, {"type": "null"}),
            ({"enum": []}, {}),
            ({"enum": ["a", "A", "+"]}, {
                "type": "string", "enum": ["a", "A", "+"], "x-enum-varnames": ["A_0", "A_1", "VALUE_2"],
            }),
            ({"type": 7}, {}),
            ({"type": ["integer"]}, {"type": "integer"}),
            (True, {}),
            ({"$ref": "#/nowhere"}, {}),
            ({"$ref": "https://example.org/"}, {}),
            ({"not": {"type": "null"}, "if": {}, "then": False}, {}),
        ],
    )  # fmt: skip
    def test_an_argument_is_described_in_words_that_generators_know(self, schema: Any, converted: Any) -> None:
        assert argument(schema) == converted

    @pytest.mark.parametrize(
        "name", ["default", "const", "enum", "example", "examples", "mapping", "items", "title", "$ref"]
    )
    def test_an_argument_may_have_the_name_of_a_keyword(self, name: str) -> None:
        schema = {"type": "object", "properties": {name: {"$ref": "#/$defs/M"}}, "$defs": {"M": NUMBER}}
        found = made_of(schema)
        assert found["FArguments"]["properties"] == {name: {"$ref": "#/components/schemas/FMModel"}}

    def test_only_members_of_objects_refer_to_what_they_are_in(self) -> None:
        member = {"type": "object", "additionalProperties": {"$ref": "#/$defs/J"}}
        loop = {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"$ref": "#/$defs/J"}}, member]}
        found = made_of({"type": "object", "properties": {"x": {"$ref": "#/$defs/J"}}, "$defs": {"J": loop}})
        number, array, reference = found["FJModel"]["anyOf"]
        assert (number, array) == ({"type": "integer"}, {"type": "array", "items": {}})
        assert found[reference["$ref"].rpartition("/")[2]]["additionalProperties"]["$ref"].endswith("/FJModel")

    @pytest.mark.parametrize(("target", "components"), [("I", {"FArguments", "FIModel"}), ("R", {"FArguments"})])
    def test_no_component_is_a_reference_alone(self, target: str, components: set[str]) -> None:
        definitions = {"R": {"$ref": f"#/$defs/{target}"}, "I": NUMBER}
        found = made_of({"type": "object", "properties": {"x": {"$ref": "#/$defs/R"}}, "$defs": definitions})
        assert found.keys() == components
        assert not any("$ref" in each for each in found.values())

    @settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
    @given(KINDS.flatmap(lambda kind: st.tuples(st.just(kind.annotation), kind.values | ANY)))
    def test_the_document_allows_all_that_the_api_takes(self, case: tuple[Any, Any]) -> None:
        annotation, value = case
        try:
            schema = dump(function_of(annotation).schema())
        except NoSchema:
            reject()
        found = components(TaskType(name=TypeName("f"), schema=schema), UniqueNames()).by_name
        document = {"$ref": "#/components/schemas/FArguments", "components": {"schemas": found}}
        if not SchemaChecker().errors(schema, {"x": value}):
            assert jsonschema_rs.validator_for(document).is_valid({"x": value})

    def test_no_object_is_empty_for_typescript_and_no_array_is_without_items(self, service: Service) -> None:
        service.publish("add", '{"type":"object","properties":{"a":{"type":"object"},"b":{"type":"array"}}}')
        for part in parts(service.document()):
            if part.get("type") == "object":
                assert part.keys() & {"properties", "additionalProperties"}
            if part.get("type") == "array":
                assert part.keys() & {"items", "prefixItems"}


class TestResults:
    """The results of a type in the answers of its operation."""

    @pytest.mark.parametrize(
        ("schema", "converted"),
        [
            ({"type": "integer"}, {"type": ["integer", "null"]}),
            ({"type": "null"}, {"type": "null"}),
            ({"type": ["number", "null"]}, {"type": ["number", "null"]}),
            ({"type": "array"}, {"type": ["array", "null"], "items": {}}),
            (
                {"anyOf": [{"type": "null"}, NUMBER]},
                {"anyOf": [{"type": "null"}, {"$ref": "#/components/schemas/FResult"}]},
            ),
            (NUMBER, {"anyOf": [{"$ref": "#/components/schemas/FResult"}, {"type": "null"}]}),
            (CHOICE, {"anyOf": [{"$ref": "#/components/schemas/FResult"}, {"type": "null"}]}),
            ({"enum": [0.5]}, {"anyOf": [{"type": "number", "const": 0.5}, {"type": "null"}]}),
            (
                {"$ref": "#/$defs/M", "$defs": {"M": NUMBER}},
                {"anyOf": [{"$ref": "#/components/schemas/FResultMModel"}, {"type": "null"}]},
            ),
            ({"$ref": "#/nowhere"}, {}),
            (True, {}),
        ],
    )  # fmt: skip
    def test_the_result_of_a_task_is_what_the_schema_says_or_null(self, schema: Any, converted: Any) -> None:
        found = components(
            TaskType(name=TypeName("f"), result_schema=json.dumps(schema)),
            UniqueNames(),
        )
        task, result = found.by_name[found.task]["allOf"]
        assert (found.task, task) == ("FTask", {"$ref": "#/components/schemas/Task"})
        assert (result["properties"], result["required"]) == ({"result": converted}, ["result"])

    def test_the_answers_of_an_operation_have_a_task_of_its_type(self, service: Service) -> None:
        service.publish("add", json.dumps(NUMBER), result='{"type":"integer"}')
        document = service.document()
        operation = document["paths"]["/task/new/add"]["post"]
        for code in ("200", "201"):
            schema = operation["responses"][code]["content"]["application/json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/AddTask"}
            validator = jsonschema_rs.validator_for({**schema, "components": document["components"]})
            task = service.submit({"n": 1}, "/task/new/add")
            assert validator.is_valid(task)
            assert validator.is_valid(task | {"result": 5})
            assert not validator.is_valid(task | {"result": "5"})
            assert not validator.is_valid({"result": 5})

    def test_a_type_that_says_nothing_of_its_results_has_any_task(self, service: Service) -> None:
        service.publish("add", json.dumps(NUMBER))
        responses = service.document()["paths"]["/task/new/add"]["post"]["responses"]
        assert responses["201"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Task"}

    def test_a_model_of_arguments_and_one_of_results_are_two_schemas(self) -> None:
        model = {"properties": {"p": {"$ref": "#/$defs/M"}}, "$defs": {"M": NUMBER}}
        text = json.dumps(model)
        found = components(TaskType(name=TypeName("f"), schema=text, result_schema=text), UniqueNames())
        assert found.by_name.keys() == {"FArguments", "FMModel", "FResultMModel", "FTask"}

    def test_a_type_whose_task_has_the_name_of_another_schema_has_a_name_of_its_own(self, service: Service) -> None:
        service.publish("running", result='{"type":"null"}')
        schemas = service.document()["components"]["schemas"]
        assert "id" in schemas["RunningTask"]["properties"]
        assert [name for name in schemas if re.fullmatch("RunningTask_[0-9a-f]{6}", name)]

    def test_the_earlier_task_in_the_examples_is_done_with_a_result_that_fits(self, service: Service) -> None:
        body = {"type": "object", "properties": {"mass": {"type": ["number", "null"]}}, "required": ["mass"]}
        results: dict[str, Any] = {"weigh": (body, {"mass": 1.0}), "rest": ({"type": "null"}, None)}
        for name, (schema, _) in results.items():
            service.publish(name, json.dumps(NUMBER | {"required": ["n"]}), result=json.dumps(schema))
        for name, (_, result) in results.items():
            responses = service.document()["paths"][f"/task/new/{name}"]["post"]["responses"]
            new, earlier = (responses[code]["content"]["application/json"]["example"] for code in ("201", "200"))
            assert (new["status"], new["result"]) == ("waiting", None)
            assert (earlier["type"], earlier["n"], earlier["status"], earlier["result"]) == (name, 1, "done", result)
            assert earlier["started"] < earlier["finished"]
            assert earlier["waiting_for"] is None

    @pytest.mark.parametrize("schema", ['{"pattern":"^b+$","type":"string"}', '{"type":7}', "false"])
    def test_an_earlier_task_waits_in_the_examples_if_no_result_of_it_can_be_made(
        self, service: Service, schema: str
    ) -> None:
        service.publish("odd", result=schema)
        responses = service.document()["paths"]["/task/new/odd"]["post"]["responses"]
        assert responses["200"]["content"]["application/json"]["example"]["status"] == "waiting"

    def test_the_schema_of_a_result_costs_the_document_its_own_words_alone(self, service: Service) -> None:
        sizes = []
        for result in (None, '{"type":"integer"}'):
            for number in range(20):
                service.publish(f"add_{number}", json.dumps(NUMBER), result=result)
            sizes.append(len(service.client.get("/openapi.json").text))
        assert sizes[1] - sizes[0] < 20 * 500


class TestOperations:
    def test_the_example_answer_of_a_function_is_a_task_of_its_type(self, service: Service) -> None:
        service.publish("add", json.dumps(NUMBER | {"required": ["n"]}), priority=4, max_attempts=2)
        service.publish("status", json.dumps({"type": "object", "properties": {"id": CHOICE}, "required": ["id"]}))
        paths = service.document()["paths"]
        for type, args, top in (("add", {"n": 1}, {"n": 1}), ("status", {"id": "a"}, {})):
            responses = paths[f"/task/new/{type}"]["post"]["responses"]
            for code in ("200", "201"):
                task = responses[code]["content"]["application/json"]["example"]
                assert (task["type"], task["args"]) == (type, args)
                assert task.keys() == {*SCHEMAS["Task"]["required"], *top}
        assert (task["priority"], task["max_attempts"]) == (0, 1)
        task = paths["/task/new/add"]["post"]["responses"]["201"]["content"]["application/json"]["example"]
        assert (task["n"], task["priority"], task["max_attempts"]) == (1, 4, 2)

    def test_the_example_answer_of_any_type_fits_the_example_of_its_arguments(self, service: Service) -> None:
        for path in ("/task/new", "/task/new/{type}"):
            operation = service.document()["paths"][path]["post"]
            args = operation["requestBody"]["content"]["application/json"].get("example", {"required_arg": "test"})
            for code in ("200", "201"):
                assert operation["responses"][code]["content"]["application/json"]["example"]["args"] == args

    def test_a_type_without_an_example_of_its_arguments_has_no_example_answer(self, service: Service) -> None:
        service.publish("odd", '{"type":"object","properties":{"a":{"pattern":"^b+$"}},"required":["a"]}')
        responses = service.document()["paths"]["/task/new/odd"]["post"]["responses"]
        assert "example" not in responses["201"]["content"]["application/json"]

    @pytest.mark.parametrize(
        ("path", "reason"),
        [
            ("/task/new", "The task was deleted while the request waited for it."),
            ("/task/new/{type}", "No handler has published this type, or the task was deleted"),
            ("/task/new/add", "No handler has published this type, or the task was deleted"),
        ],
    )
    def test_the_404_of_a_task_that_is_deleted_meanwhile_is_described(
        self, service: Service, path: str, reason: str
    ) -> None:
        service.publish("add")
        service.publish("default")
        assert service.document()["paths"][path]["post"]["responses"]["404"]["description"].startswith(reason)

    def test_a_function_costs_the_document_its_own_words_alone(self, service: Service) -> None:
        for number in range(50):
            service.publish(f"add_{number}", json.dumps(NUMBER), "Add.")
        document = service.client.get("/openapi.json").get_json()
        operations = [document["paths"][f"/task/new/add_{number}"]["post"] for number in range(50)]
        assert all("$ref" in parameter for operation in operations for parameter in operation["parameters"])
        errors = [answer for each in operations for code, answer in each["responses"].items() if code >= "400"]
        assert all("$ref" in answer for answer in errors)
        assert max(len(json.dumps(operation)) for operation in operations) < 2_800
        assert len(document["components"]["responses"]) < 30
