"""The HTTP API: submit, view, cancel, retry, delete and list tasks, and the documents that describe all this."""
