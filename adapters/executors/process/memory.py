"""Files without a name or a disk, to be shared between two processes."""

import os
import sys


def anonymous_file() -> int:
    """The descriptor of a new one, empty, for reading and writing."""
    if sys.platform == "linux":
        return os.memfd_create("flask-tasks")
    import tempfile

    with tempfile.TemporaryFile(buffering=0) as file:
        return os.dup(file.fileno())
