"""The argument checker by jsonschema-rs."""

from adapters.json_schema.checker import SchemaChecker

__all__ = ["SchemaChecker"]
