"""Ids of processes."""

import os
import socket
from uuid import uuid4


def new_process_id() -> str:
    """An id that no other process ever has; it says where the process runs."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"
