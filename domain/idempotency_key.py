"""The idempotency key: a client's own name for a request, so that a repeated one is recognised.

A key lives as long as its task.
"""

import re

from domain.errors import InvalidIdempotencyKey
from domain.ids import BatchId, IdempotencyKey

PATTERN = "^[ -~]{1,255}$"
"""The texts that a header can hold."""
_KEY = re.compile(PATTERN[1:-1])


def item_key(batch: IdempotencyKey, index: int) -> IdempotencyKey:
    """The key of an item of a batch that has a key itself. No client can send it, since it has a line break."""
    return IdempotencyKey(f"{batch}\n{index}")


def key_in_batch(key: IdempotencyKey, batch: BatchId) -> IdempotencyKey:
    """The key of a request that adds tasks to a batch: one text may be the key of a request for each batch."""
    return IdempotencyKey(f"{key}\nbatch {batch}")


def is_item_key(key: IdempotencyKey | None) -> bool:
    """Whether `item_key` made the key."""
    return key is not None and "\n" in key


def idempotency_key(text: str) -> IdempotencyKey:
    """The text as a key. Raises InvalidIdempotencyKey: it does not match PATTERN."""
    if not _KEY.fullmatch(text):
        raise InvalidIdempotencyKey
    return IdempotencyKey(text)
