"""Reading requests: paths, queries, headers and bodies."""
