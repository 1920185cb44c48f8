"""Ports for servers of tests."""

import socket
from contextlib import closing
from itertools import count
from random import SystemRandom

PORTS = range(10_000, 32_768)
"""Below those that the system gives to outgoing connections, so that none of these takes a port before its server."""


def free_port() -> int:
    """A port of 127.0.0.1 without a listener, hardly ever one that was given before."""
    return next(port for _ in count() if _is_free(port := SystemRandom().choice(PORTS)))


def _is_free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
