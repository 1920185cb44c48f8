"""The argument checker, which compiles each schema once."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from adapters.json_schema.formats import FORMATS
from adapters.json_schema.keywords import KEYWORDS
from application.json.places import Place

# Imported at the first check: it takes 5 MB, and a handler whose tasks all fit checks nothing.
if TYPE_CHECKING:
    import jsonschema_rs

MAX_SCHEMAS = 1_000
"""The number of schemas that stay compiled, least recently used ones first out."""


class SchemaChecker:
    """Implements application.ports.argument_checker.ArgumentChecker. Safe to use from several threads."""

    def __init__(self) -> None:
        self._validator = lru_cache(maxsize=MAX_SCHEMAS)(_compiled)

    def errors(self, schema: str, args: object, open_places: Collection[Place] = ()) -> Mapping[str, Sequence[str]]:
        try:
            validator = self._validator(schema)
        except ValueError as error:
            return {"$": [f"cannot be checked, the schema of this type is not valid: {error.args[0]}"]}
        return {} if validator.is_valid(args) else _by_path(validator, args, open_places)


def _compiled(schema: str) -> "jsonschema_rs.Validator":
    import jsonschema_rs

    return jsonschema_rs.validator_for(
        json.loads(schema),
        validate_formats=True,
        formats=FORMATS,
        keywords=KEYWORDS,
        # Hides values in messages, which would be as long as the values.
        mask="it",
        # A published schema may refer to other addresses, which must not be fetched.
        offline=True,
    )


def _by_path(
    validator: "jsonschema_rs.Validator", args: object, open_places: Collection[Place]
) -> Mapping[str, Sequence[str]]:
    from adapters.json_schema.messages import depends_on, messages

    places = frozenset(open_places)
    above = frozenset(place[:length] for place in places for length in range(len(place)))
    found: dict[str, list[str]] = defaultdict(list)
    for error in validator.iter_errors(args):
        if not (places and depends_on(error, places, above)):
            for path, sentence in messages(error):
                found[path].append(sentence)
    return dict(found)
