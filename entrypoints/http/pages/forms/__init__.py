"""Forms made from JSON Schema: fields are filled from arguments or from an address, and give JSON text again.

Texts of JSON are split and joined, but not written anew: a value that no field has changed stays byte for byte.
"""
