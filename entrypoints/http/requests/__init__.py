"""Parsing of requests: paths, queries, headers and bodies."""
