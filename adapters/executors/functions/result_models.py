"""The JSON Schema of a pydantic model as a result, which pydantic itself turns into JSON."""

from enum import Flag
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

Schema = dict[str, Any]


def model_schema(model: type[BaseModel], pointer: str) -> Schema:
    """The schema of a model, which stands at that pointer with the definitions that it refers to."""
    return model.model_json_schema(
        mode="serialization", ref_template=f"{pointer}/$defs/{{model}}", schema_generator=_JsonSchema
    )


class _JsonSchema(GenerateJsonSchema):
    """JSON Schema without titles, in which every member is there, and a number may be null in place of NaN."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def field_is_required(self, field: Any, total: bool) -> bool:
        if field["type"] == "typed-dict-field":
            return super().field_is_required(field, total)
        return not field.get("serialization_exclude") and "serialization_exclude_if" not in field

    def default_schema(self, schema: Any) -> Schema:
        return self.generate_inner(schema["schema"])

    def model_schema(self, schema: Any) -> Schema:
        """The schema of a model, which may have further members, since an instance may be of a derived class."""
        described = super().model_schema(schema)
        is_closed = described.get("additionalProperties") is False
        return {name: part for name, part in described.items() if not (is_closed and name == "additionalProperties")}

    def ser_schema(self, schema: Any) -> Schema | None:
        """The schema of what a serializer makes: of anything if the user's function does not say what it returns."""
        described = super().ser_schema(schema)
        is_users = "function" in schema and not str(schema["function"].__module__).startswith("pydantic")
        return {} if described is None and is_users else described

    def float_schema(self, schema: Any) -> Schema:
        return {"type": ["number", "null"]} if schema.get("allow_inf_nan", True) else {"type": "number"}

    def decimal_schema(self, schema: Any) -> Schema:
        return {"type": "string"}

    def bytes_schema(self, schema: Any) -> Schema:
        return {"type": "string"}

    def enum_schema(self, schema: Any) -> Schema:
        return {"type": "integer"} if issubclass(schema["cls"], Flag) else super().enum_schema(schema)

    def timedelta_schema(self, schema: Any) -> Schema:
        # Pydantic writes 365 days as a year, which is no duration for our readers.
        return {"type": super().timedelta_schema(schema)["type"]}

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> Schema:
        """Allow anything where pydantic cannot tell."""
        return {}
