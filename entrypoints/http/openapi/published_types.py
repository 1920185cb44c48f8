"""Operations of the published types in the OpenAPI document, each with its schemas and examples."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from application.ports.argument_checker import ArgumentChecker
from domain.ids import DEFAULT_TYPE, TypeName
from domain.options import Options
from domain.task_type import TaskType
from entrypoints.http.openapi.components import ANY_TASK, SCHEMAS, TypeComponents, components
from entrypoints.http.openapi.describe import done_example, task_example
from entrypoints.http.openapi.example import example_of
from entrypoints.http.openapi.unique_names import UniqueNames, snake_case
from entrypoints.http.responses.json_response import JSON

FUNCTIONS_TAG = {"name": "functions", "description": "Submit a task of a published type."}
SUBMIT_PATH = "/task/new/{type}"
STANDARD_OPTIONS = asdict(Options())
Document = dict[str, Any]


def describe_published_types(document: Document, types: Iterable[TaskType], checker: ArgumentChecker) -> None:
    """Add an operation for each type, as a copy of the operation that submits a task of any type."""
    document["tags"] = [FUNCTIONS_TAG, *document["tags"]]
    by_name = {type.name: type for type in types}
    named = _named(document, by_name.values())
    for name, type in by_name.items():
        operation_id, parts = named[name]
        document["components"]["schemas"] |= parts.by_name
        _describe(_operation(document, name, operation_id), document, type, parts, checker)
    _add_type_examples(document, by_name)


def _named(document: Document, types: Iterable[TaskType]) -> Mapping[TypeName, tuple[str, TypeComponents]]:
    """Make the `operationId` and the components of each type, with names that no other type has."""
    operations, schemas = UniqueNames(), UniqueNames(document["components"]["schemas"])
    return {
        type.name: (operations.take(f"new_{snake_case(type.name)}", type.name), components(type, schemas))
        for type in sorted(types, key=_precedence)
    }


def _precedence(type: TaskType) -> tuple[bool, int, str]:
    """Sort the types whose names are taken first, so that they stand unchanged in the document."""
    return type.name != snake_case(type.name).lower(), len(type.name), type.name


def _operation(document: Document, type: TypeName, operation_id: str) -> Document:
    """Return the operation that submits a task of the type; a new one, unless it has the path without a name."""
    if type == DEFAULT_TYPE:
        operation: Document = document["paths"]["/task/new"]["post"]
    else:
        operation = {"operationId": operation_id, "responses": document["paths"][SUBMIT_PATH]["post"]["responses"]}
        document["paths"][f"/task/new/{quote(type)}"] = {"post": operation}
    return operation


def _describe(
    operation: Document, document: Document, type: TaskType, parts: TypeComponents, checker: ArgumentChecker
) -> None:
    """Describe an operation for a type, by its components."""
    summary, _, description = type.description.partition("\n")
    args = example_of(type.schema, lambda value: isinstance(value, dict) and not checker.errors(type.schema, value))
    content = _with_example({"schema": {"$ref": SCHEMAS + parts.arguments}}, args)
    examples = {} if args is None else _examples(type, args, checker)
    operation |= {
        "tags": [FUNCTIONS_TAG["name"]],
        "summary": summary or type.name,
        "description": description.strip(),
        "parameters": _parameters(document, type),
        "requestBody": {"required": bool(checker.errors(type.schema, {})), "content": {JSON: content}},
        "responses": {
            code: _response(each, parts.task, examples.get(code)) for code, each in operation["responses"].items()
        },
    }


def _examples(type: TaskType, args: Any, checker: ArgumentChecker) -> Mapping[str, Document]:
    """Make an example of the task in each answer: of a new one that waits, and of an earlier one that may be done."""
    shown = {"max_attempts": type.options.max_attempts, "priority": type.options.priority}
    new = earlier = task_example(type.name, args) | shown
    if schema := type.result_schema:
        result = example_of(schema, lambda value: not checker.errors(schema, value))
        earlier = new if checker.errors(schema, result) else new | done_example(result)
    return {"201": new, "200": earlier}


def _parameters(document: Document, type: TaskType) -> list[Document]:
    """List the parameters of the operation that submits a task of any type, without the type."""
    path = document["paths"][SUBMIT_PATH]
    parameters = (*path["parameters"], *path["post"]["parameters"])
    return [_with_default(each, type) for each in parameters if each["in"] != "path"]


def _with_default(parameter: Document, type: TaskType) -> Document:
    """Add the default of the type to the description of an option, if it is not the standard one.

    As a `default` in the schema, pages and generated clients would send it, also when the type has another one.
    """
    default = asdict(type.options).get(parameter["name"])
    if default == STANDARD_OPTIONS.get(parameter["name"]):
        return parameter
    return parameter | {"description": f"{parameter['description']} The default of this type is {default}."}


def _response(response: Document, task: str, example: Document | None) -> Document:
    """Let an answer with any task be one with a task of the type. It has the example if there is one."""
    content = response["content"][JSON]
    if content["schema"]["$ref"] != SCHEMAS + ANY_TASK:
        return response
    described = {name: part for name, part in response.items() if name != "links"}
    return described | {"content": {JSON: _with_example({"schema": {"$ref": SCHEMAS + task}}, example)}}


def _with_example(content: Document, example: Any) -> Document:
    return content if example is None else content | {"example": example}


def _add_type_examples(document: Document, types: Mapping[TypeName, TaskType]) -> None:
    """Add the types as examples of the path parameter `type`."""
    examples = {name: {"value": name, "summary": _summary_with_name(type)} for name, type in types.items()}
    type = next(each for each in document["paths"][SUBMIT_PATH]["parameters"] if each["in"] == "path")
    type.update({"examples": examples} if examples else {})


def _summary_with_name(type: TaskType) -> str:
    summary = type.description.partition("\n")[0]
    return f"{type.name}: {summary}" if summary else type.name
