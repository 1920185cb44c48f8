"""The composition: which adapter stands behind which port. The only package that imports adapters.

A storage container (`PostgresStorage`, `MemoryStorage`) holds the ways into one storage under the same names. A process
container (`ApiContainer`, `HandlerContainer`, `JanitorContainer`) is given one as `storage`, and makes the objects of
its process from it, each when it is first asked for. `shutdown_resources()` closes all of them that have to be closed.
"""
