"""Arguments checked against the JSON Schema of their type, by jsonschema-rs."""

from adapters.json_schema.checker import SchemaChecker

__all__ = ["SchemaChecker"]
