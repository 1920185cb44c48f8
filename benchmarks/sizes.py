"""Arguments and results of three sizes: draining tasks that return their arguments, beside the bare loop."""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from random import Random

from benchmarks import bare
from benchmarks.comparison import Comparison, Side
from benchmarks.drain import CHILDREN, drained
from benchmarks.service import migrated, process

SIZES: Mapping[str, tuple[int, int]] = {"100 B": (100, 20_000), "10 kB": (10_000, 3_000), "1 MB": (1_000_000, 60)}
"""Characters of arguments and result, and the number of tasks."""
MAX_BATCH_BYTES = 8_000_000
"""Bytes of a batch of the bare loop."""


def arguments(characters: int) -> str:
    """A JSON object with a text of that many characters, which hardly compresses."""
    text = b64encode(Random(characters).randbytes(characters)).decode()
    return json.dumps({"text": text[:characters]})


def comparisons() -> Iterator[Comparison]:
    """Yield one for each size."""
    with ExitStack() as stack:
        url = stack.enter_context(migrated())
        bare.prepare(url)
        stack.enter_context(process("handler", url, HANDLER_CONCURRENCY=str(CHILDREN)))
        for name, (characters, number) in SIZES.items():
            args, batch = arguments(characters), min(bare.BATCH, MAX_BATCH_BYTES // characters)
            yield Comparison(
                name=f"arguments and results of {name}",
                unit="tasks/s",
                ours=Side(f"{CHILDREN} children", partial(drained, url, number, "echo", args)),
                reference=Side("bare psycopg2", partial(bare.drained, url, number, 1, args, batch)),
            )
