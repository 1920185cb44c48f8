"""JSON that is stored as it was sent: parsing it, dumping it, and the hashes that are made of it.

Imported by the child processes too, so it imports no use case.
"""
