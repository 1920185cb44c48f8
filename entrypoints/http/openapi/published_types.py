"""One operation for each published type in the OpenAPI document, with the form and an example of its arguments."""

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

FUNCTIONS = {"name": "functions", "description": "What can be run, each with its arguments."}
BY_NAME = "/task/new/{type}"
Document = dict[str, Any]


def describe_published_types(document: Document, types: Iterable[TaskType], checker: ArgumentChecker) -> None:
    """Adds the types, made like the operation that takes any of them by name."""
    document["tags"] = [FUNCTIONS, *document["tags"]]
    offered = {type.name: type for type in types}
    for type in offered.values():
        document["components"]["schemas"] |= components(type)
        _path(document, type)["post"] |= _operation(document, type, checker)
    _name_all(document, offered)


def _parameters(document: Document) -> list[Document]:
    """Those of the operation that takes any type, but for the type."""
    path = document["paths"][BY_NAME]
    return [each for each in (*path["parameters"], *path["post"]["parameters"]) if each["in"] != "path"]


def _path(document: Document, type: TaskType) -> Document:
    path = "/task/new" if type.name == DEFAULT_TYPE else f"/task/new/{quote(type.name)}"
    fallback = {"post": {"operationId": f"new_{identifier(type.name)}"}}
    found: Document = document["paths"].setdefault(path, fallback)
    return found


def _operation(document: Document, type: TaskType, checker: ArgumentChecker) -> Document:
    by_name = document["paths"][BY_NAME]["post"]
    about = type.description.partition("\n")
    return {
        "tags": [FUNCTIONS["name"]],
        "summary": about[0] or type.name,
        "description": about[2].strip(),
        "parameters": [_with_default(each, type) for each in _parameters(document)],
        "requestBody": {"required": True, "content": {JSON: _content(type, checker)}},
        "responses": {code: answer for code, answer in by_name["responses"].items() if code != "404"},
    }


def _content(type: TaskType, checker: ArgumentChecker) -> Document:
    content: Document = {"schema": {"$ref": SCHEMAS + component(type.name)}}
    example = example_of(type.schema, lambda value: not checker.errors(type.schema, value))
    return content if example is None else content | {"example": example}


def _with_default(parameter: Document, type: TaskType) -> Document:
    """In words: pages and generated clients would send a default, and so keep it when that of the type has changed."""
    default = asdict(type.options).get(parameter["name"])
    if default is None:
        return parameter
    return parameter | {"description": f"{parameter['description']} The default is {default}."}


def _name_all(document: Document, types: Mapping[TypeName, TaskType]) -> None:
    """The operation that takes any type names those that there are."""
    examples = {name: {"value": name, "summary": _line(type)} for name, type in types.items()}
    type = next(each for each in document["paths"][BY_NAME]["parameters"] if each["in"] == "path")
    type.update({"examples": examples} if examples else {})


def _line(type: TaskType) -> str:
    about = type.description.partition("\n")[0]
    return f"{type.name}: {about}" if about else type.name
