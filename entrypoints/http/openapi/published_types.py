"""Operations of the published types in the OpenAPI document, each with the schema and an example of its arguments."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from application.ports.argument_checker import ArgumentChecker
from domain.ids import DEFAULT_TYPE, TypeName
from domain.task_type import TaskType
from entrypoints.http.openapi.components import SCHEMAS, component, components, identifier
from entrypoints.http.openapi.example import example_of
from entrypoints.http.responses.json_response import JSON

FUNCTIONS_TAG = {"name": "functions", "description": "Submit a task of a published type."}
SUBMIT_PATH = "/task/new/{type}"
Document = dict[str, Any]


def describe_published_types(document: Document, types: Iterable[TaskType], checker: ArgumentChecker) -> None:
    """Add an operation for each type, as a copy of the operation that submits a task of any type."""
    document["tags"] = [FUNCTIONS_TAG, *document["tags"]]
    by_name = {type.name: type for type in types}
    for type in by_name.values():
        document["components"]["schemas"] |= components(type)
        _path_item(document, type)["post"] |= _operation(document, type, checker)
    _add_type_examples(document, by_name)


def _parameters(document: Document) -> list[Document]:
    """List the parameters of the operation that submits a task of any type, without the type."""
    path = document["paths"][SUBMIT_PATH]
    return [each for each in (*path["parameters"], *path["post"]["parameters"]) if each["in"] != "path"]


def _path_item(document: Document, type: TaskType) -> Document:
    path = "/task/new" if type.name == DEFAULT_TYPE else f"/task/new/{quote(type.name)}"
    new_item = {"post": {"operationId": f"new_{identifier(type.name)}"}}
    item: Document = document["paths"].setdefault(path, new_item)
    return item


def _operation(document: Document, type: TaskType, checker: ArgumentChecker) -> Document:
    submit_any = document["paths"][SUBMIT_PATH]["post"]
    summary, _, description = type.description.partition("\n")
    return {
        "tags": [FUNCTIONS_TAG["name"]],
        "summary": summary or type.name,
        "description": description.strip(),
        "parameters": [_with_default(each, type) for each in _parameters(document)],
        "requestBody": {"required": bool(checker.errors(type.schema, {})), "content": {JSON: _content(type, checker)}},
        "responses": {code: answer for code, answer in submit_any["responses"].items() if code != "404"},
    }


def _content(type: TaskType, checker: ArgumentChecker) -> Document:
    content: Document = {"schema": {"$ref": SCHEMAS + component(type.name)}}
    example = example_of(type.schema, lambda value: not checker.errors(type.schema, value))
    return content if example is None else content | {"example": example}


def _with_default(parameter: Document, type: TaskType) -> Document:
    """Add the default of the type to the description of an option.

    As a `default` in the schema, pages and generated clients would send it, also when the type has another one.
    """
    default = asdict(type.options).get(parameter["name"])
    if default is None:
        return parameter
    return parameter | {"description": f"{parameter['description']} The default is {default}."}


def _add_type_examples(document: Document, types: Mapping[TypeName, TaskType]) -> None:
    """Add the types as examples of the path parameter `type`."""
    examples = {name: {"value": name, "summary": _summary_with_name(type)} for name, type in types.items()}
    type = next(each for each in document["paths"][SUBMIT_PATH]["parameters"] if each["in"] == "path")
    type.update({"examples": examples} if examples else {})


def _summary_with_name(type: TaskType) -> str:
    summary = type.description.partition("\n")[0]
    return f"{type.name}: {summary}" if summary else type.name
