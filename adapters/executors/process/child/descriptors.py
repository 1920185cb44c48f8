"""Descriptors with numbers that functions do not use by accident, and that the programs they start do not inherit."""

import fcntl
import os
import resource

MIN_DESCRIPTOR = 16_000
"""The lowest of these numbers: functions do not hit it by accident, and the kernel's table of them is still small."""
SPARE_DESCRIPTORS = 8


def copied(descriptor: int) -> int:
    """A copy of the descriptor with such a number."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft > MIN_DESCRIPTOR or (hard != resource.RLIM_INFINITY and hard < soft + SPARE_DESCRIPTORS):
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, min(soft, MIN_DESCRIPTOR) - SPARE_DESCRIPTORS)
    return _above_the_limit(descriptor, soft, hard)


def moved(descriptor: int) -> int:
    """The descriptor with such a number instead of its own."""
    copy = copied(descriptor)
    os.close(descriptor)
    return copy


def _above_the_limit(descriptor: int, soft: int, hard: int) -> int:
    """A copy that even a function which closes every number up to the limit does not reach."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft + SPARE_DESCRIPTORS, hard))
    try:
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, soft)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
