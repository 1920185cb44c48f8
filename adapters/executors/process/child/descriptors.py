"""Descriptors that no function comes across by accident, and that no program which it starts inherits."""

import fcntl
import os
import resource

MIN_DESCRIPTOR = 16_000
"""From here on nobody looks, and the kernel's table of them is still small."""
SPARE_DESCRIPTORS = 8


def copied(descriptor: int) -> int:
    """The same under a number of this kind."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft > MIN_DESCRIPTOR or (hard != resource.RLIM_INFINITY and hard < soft + SPARE_DESCRIPTORS):
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, min(soft, MIN_DESCRIPTOR) - SPARE_DESCRIPTORS)
    return _above_the_limit(descriptor, soft, hard)


def moved(descriptor: int) -> int:
    """The same under a number of this kind, and no longer under its own."""
    copy = copied(descriptor)
    os.close(descriptor)
    return copy


def _above_the_limit(descriptor: int, soft: int, hard: int) -> int:
    """Where not even a function arrives that closes whatever it may have open."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft + SPARE_DESCRIPTORS, hard))
    try:
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, soft)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
