"""The processes that run, one folder each, and what they share: settings, composition, start, end with the parent."""
