"""The idempotency key: a client's own name for a request, so that a repeated one is recognised.

A key lives as long as its task.
"""

import re

from domain.errors import InvalidIdempotencyKey
from domain.ids import BatchId, IdempotencyKey, Owner

PATTERN = "^[ -~]{1,255}$"
"""The texts that a header can hold."""
_KEY = re.compile(PATTERN[1:-1])
OWNER_MARK = "\t"
"""Stands before the owner in a key. No client can send it."""


def item_key(batch: IdempotencyKey, index: int) -> IdempotencyKey:
    """The key of an item of a batch that has a key itself. No client can send it, since it has a line break."""
    return IdempotencyKey(f"{batch}\n{index}")


def key_in_batch(key: IdempotencyKey, batch: BatchId) -> IdempotencyKey:
    """The key of a request that adds tasks to a batch: one text may be the key of a request for each batch."""
    return IdempotencyKey(f"{key}\nbatch {batch}")


def key_of_owner(key: IdempotencyKey, owner: Owner) -> IdempotencyKey:
    """The key of a sender that sees only its own tasks: others may use the same text."""
    return IdempotencyKey(f"{key}{OWNER_MARK}{owner}")


def sent_key(key: IdempotencyKey) -> IdempotencyKey:
    """The key as its sender has sent it."""
    return IdempotencyKey(key.partition(OWNER_MARK)[0])


def is_item_key(key: IdempotencyKey | None) -> bool:
    """Whether `item_key` made the key."""
    return key is not None and "\n" in key


def idempotency_key(text: str) -> IdempotencyKey:
    """The text as a key. Raises InvalidIdempotencyKey: it does not match PATTERN."""
    if not _KEY.fullmatch(text):
        raise InvalidIdempotencyKey
    return IdempotencyKey(text)
