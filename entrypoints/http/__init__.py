"""The HTTP API: submit, view, cancel, retry, delete and list tasks, with an OpenAPI document and Swagger UI."""
