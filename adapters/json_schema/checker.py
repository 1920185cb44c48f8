"""A checker of arguments that compiles each schema once."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from adapters.json_schema.formats import FORMATS

# Imported where it is first needed: a handler that is given nothing but what fits has no use for its 5 MB.
if TYPE_CHECKING:
    import jsonschema_rs

MAX_SCHEMAS = 1_000
"""Schemas that stay compiled; those that were not asked for the longest go."""


class SchemaChecker:
    """An ArgumentChecker. Safe to use from several threads."""

    def __init__(self) -> None:
        self._validator = lru_cache(maxsize=MAX_SCHEMAS)(_compiled)

    def errors(self, schema: str, args: object) -> Mapping[str, Sequence[str]]:
        """Every wrong place; `$` says that the schema itself is of no use."""
        try:
            validator = self._validator(schema)
        except ValueError as error:
            return {"$": [f"cannot be checked, the schema of this type is not valid: {error.args[0]}"]}
        return {} if validator.is_valid(args) else _by_path(validator, args)


def _compiled(schema: str) -> "jsonschema_rs.Validator":
    import jsonschema_rs

    return jsonschema_rs.validator_for(
        json.loads(schema),
        validate_formats=True,
        formats=FORMATS,
        # A message that repeats what was sent can be as long as what was sent.
        mask="it",
        # A schema may name others by address; a published one must not send us there.
        offline=True,
    )


def _by_path(validator: "jsonschema_rs.Validator", args: object) -> Mapping[str, Sequence[str]]:
    from adapters.json_schema.messages import messages

    found: dict[str, list[str]] = defaultdict(list)
    for error in validator.iter_errors(args):
        for path, sentence in messages(error):
            found[path].append(sentence)
    return dict(found)
