"""The OpenAPI document and the page that shows it."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from application.ports.listing import Filter
from application.use_cases.list_tasks import ListTasksRequest
from domain.waiting import WaitingFor
from entrypoints.http.openapi.schemas import SCHEMAS
from entrypoints.http.requests.filters import DEFAULT_PAGE_TASKS
from entrypoints.task_json import AFTER, BATCH, CALLBACK, FIELDS, LABELS
from tests.conftest import ROOT
from tests.unit.http_service import Service, configured

PATHS = {
    "/task/new": {"post"},
    "/task/new/{type}": {"post"},
    "/task/{id}/view": {"get"},
    "/task/{id}": {"get", "delete"},
    "/task/{id}/log": {"get"},
    "/task/{id}/result": {"get"},
    "/task/{id}/events": {"get"},
    "/task/{id}/cancel": {"post"},
    "/task/{id}/retry": {"post"},
    "/events": {"get"},
    "/tasks": {"get", "post"},
    "/tasks/counts": {"get"},
    "/tasks/cancel": {"post"},
    "/tasks/retry": {"post"},
    "/tasks/delete": {"post"},
    "/batches": {"get", "post"},
    "/batches/{id}": {"get"},
    "/batches/{id}/events": {"get"},
    "/batches/{id}/tasks": {"post"},
    "/batches/{id}/close": {"post"},
    "/batches/{id}/cancel": {"post"},
    "/batches/{id}/retry": {"post"},
    "/types": {"get"},
    "/types/{type}/limits": {"put", "delete"},
    "/handlers": {"get"},
    "/keys": {"get", "post"},
    "/keys/{id}": {"delete"},
    "/stats": {"get"},
    "/metrics": {"get"},
    "/ping": {"get"},
    "/health/live": {"get"},
    "/health/ready": {"get"},
}


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def document(service: Service) -> dict[str, Any]:
    return service.document()


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (
        operation for path in document["paths"].values() for operation in path.values() if isinstance(operation, dict)
    )


def parts(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in the document."""
    if isinstance(value, dict):
        yield value
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from parts(member)


def test_the_document_has_every_path_and_no_other(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    assert {path: {key for key in item if key != "parameters"} for path, item in document["paths"].items()} == PATHS


def test_every_operation_describes_its_errors(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for operation in operations(document)]
    assert len(ids) == len(set(ids))
    for operation in operations(document):
        assert operation["summary"]
        assert len(operation["tags"]) == 1
        assert all(answer["description"] for answer in operation["responses"].values())
        for code, answer in operation["responses"].items():
            schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
            assert int(code) < 400 or schema == {"$ref": "#/components/schemas/Error"}


def test_every_parameter_has_a_description_and_bounds(document: dict[str, Any]) -> None:
    for parameter in (part for part in parts(document["paths"]) if "in" in part and "name" in part):
        assert parameter["description"]
        if parameter["schema"]["type"] in ("integer", "number"):
            assert {"minimum", "maximum"} <= parameter["schema"].keys()


def test_every_reference_leads_to_a_component_and_every_component_is_referred_to(service: Service) -> None:
    service.publish("add", description="Adds.", priority=4)
    service.publish("weigh", result='{"type":"object"}')
    document = service.client.get("/openapi.json").get_json()
    references = {part["$ref"] for part in parts(document) if "$ref" in part}
    components = {f"#/components/{kind}/{name}" for kind, part in document["components"].items() for name in part}
    # Requirements name their schemes without a reference.
    components -= {f"#/components/securitySchemes/{name}" for each in document["security"] for name in each}
    assert references == components


def test_examples_match_their_schemas(service: Service) -> None:
    service.publish("add", result='{"type":"array","items":{"type":"number"}}')
    document = service.document()
    for content in (part for part in parts(document["paths"]) if "schema" in part and "example" in part):
        schema = {**content["schema"], "components": document["components"]}
        assert jsonschema_rs.validator_for(schema).is_valid(content["example"])


def test_a_task_has_exactly_the_described_fields(service: Service) -> None:
    assert set(SCHEMAS["Task"]["properties"]) == {*FIELDS, AFTER, BATCH, CALLBACK, LABELS}
    assert set(SCHEMAS["Task"]["required"]) == set(FIELDS)
    assert set(SCHEMAS["Summary"]["properties"]) == {*FIELDS, BATCH, LABELS}
    assert set(SCHEMAS["Summary"]["required"]) == set(FIELDS) - {"args", "result"}
    assert jsonschema_rs.validator_for(SCHEMAS["Task"]).is_valid(service.submit({"a": 1}))


def test_the_default_limit_of_the_query_is_that_of_the_use_case() -> None:
    assert ListTasksRequest(filter=Filter()).limit == DEFAULT_PAGE_TASKS


def test_the_known_types_are_examples_of_the_type_parameter(service: Service) -> None:
    service.publish("add", description="Adds.\n\nAt length.")
    parameters = service.document()["paths"]["/task/new/{type}"]["parameters"]
    (type,) = (each for each in parameters if each["in"] == "path")
    offered = type["examples"]
    assert offered["add"] == {"value": "add", "summary": "add: Adds."}
    assert set(offered) == {"default", "add"}


def test_the_server_is_the_public_address() -> None:
    document = configured(backend_url="https://example.org/tasks").client.get("/openapi.json").get_json()
    assert document["servers"] == [{"url": "https://example.org/tasks"}]


def test_links_are_absolute_where_the_public_address_is_known() -> None:
    service = configured(backend_url="https://example.org/tasks")
    answer = service.client.post("/task/new", json={})
    assert answer.headers["Location"] == "https://example.org/tasks/task/1/view"


class TestPage:
    def test_the_page_needs_no_other_server(self, service: Service) -> None:
        page = service.client.get("/docs").text
        assert "http" not in page
        for name in ("swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-standalone-preset.js"):
            assert f'"docs/{name}"' in page
            with service.client.get(f"/docs/{name}") as answer:
                assert answer.status_code == 200
        assert '"url": "openapi.json"' in page

    def test_a_trailing_slash_redirects_to_the_page(self, service: Service) -> None:
        answer = service.client.get("/docs/")
        assert (answer.status_code, answer.headers["Location"]) == (302, "../docs")

    @pytest.mark.parametrize(
        "name", ["../__init__.py", "..%2f__init__.py", "%2e%2e/__init__.py", "nothing.js", "", "%00"]
    )
    def test_files_outside_the_dist_folder_are_not_served(self, service: Service, name: str) -> None:
        assert service.client.get(f"/docs/{name}").status_code in (302, 404)

    def test_the_page_has_an_icon(self, service: Service) -> None:
        with service.client.get("/favicon.ico") as answer:
            assert answer.content_type == "image/png"


def test_the_document_is_indented(service: Service) -> None:
    text = service.client.get("/openapi.json").text
    assert json.loads(text)["info"]["title"] == "flask-tasks"
    assert text.count("\n") > 100


def test_each_value_of_waiting_for_is_explained(document: dict[str, Any]):
    described = document["components"]["schemas"]["Task"]["properties"]["waiting_for"]["description"]
    page = (ROOT / "docs/api.md").read_text()
    for value in WaitingFor:
        assert f"`{value}`: " in described
        assert f"| `{value}` | " in page
