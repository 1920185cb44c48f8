"""Parts of the OpenAPI document that stand in several places, written out once and referred to."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain, count
from typing import Any

from werkzeug.http import HTTP_STATUS_CODES

Document = dict[str, Any]
Place = tuple[Any, Any, str]
"""A list or an object, the index or key of a part in it, and a name for the part."""


def share_repeated_parts(document: Document) -> None:
    """Replace each part that stands in several places by a reference to a component."""
    for kind, places in PLACES.items():
        found = [(holder, key, name, json.dumps(holder[key], sort_keys=True)) for holder, key, name in places(document)]
        times = Counter(text for *_, text in found)
        shelf: Document = document["components"].setdefault(kind, {})
        for holder, key, name, text in found:
            # Copies of a response share its headers, which are replaced once then.
            if times[text] > 1 and "$ref" not in holder[key]:
                holder[key] = {"$ref": f"#/components/{kind}/{_shelved(holder[key], name, shelf)}"}


def _shelved(part: Document, name: str, shelf: Document) -> str:
    """Put a part on the shelf, and return its name there: with a number if another part has the name."""
    names = chain([name], (f"{name}{number}" for number in count(2)))
    return next(each for each in names if shelf.setdefault(each, part) == part)


def _operations(document: Document) -> Iterator[Document]:
    for item in document["paths"].values():
        yield from (operation for method, operation in item.items() if method != "parameters")


def _parameters(document: Document) -> Iterator[Place]:
    for holder in (*document["paths"].values(), *_operations(document)):
        parameters = holder.get("parameters", [])
        yield from ((parameters, index, each["name"].replace("*", "any")) for index, each in enumerate(parameters))


def _responses(document: Document) -> Iterator[Place]:
    for operation in _operations(document):
        for code in operation["responses"]:
            yield operation["responses"], code, re.sub(r"\W", "", HTTP_STATUS_CODES[int(code)])


def _parts_of_responses(kind: str) -> Callable[[Document], Iterator[Place]]:
    def places(document: Document) -> Iterator[Place]:
        for operation in _operations(document):
            for response in operation["responses"].values():
                parts = response.get(kind, {})
                yield from ((parts, name, name) for name in parts)

    return places


PLACES: dict[str, Callable[[Document], Iterator[Place]]] = {
    "links": _parts_of_responses("links"),
    "headers": _parts_of_responses("headers"),
    "parameters": _parameters,
    "responses": _responses,
}
"""Where the parts stand, by kind. Those inside others come first."""
