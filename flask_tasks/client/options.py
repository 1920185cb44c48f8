"""What may be said of a task when it is submitted, and of tasks when they are listed."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, TypedDict
from uuid import uuid4

from flask_tasks.client.errors import Invalid
from flask_tasks.client.json_text import dump

Moment = float | datetime
"""Unix seconds, or a datetime with its zone."""
KEY = "Idempotency-Key"
_KEY = re.compile(r"[!-~]([ -~]{0,253}[!-~])?")


class Options(TypedDict, total=False):
    """The options of a task. None is as good as not given: it leaves them to the type, or to the service."""

    delay: float | None
    run_at: Moment | None
    priority: int | None
    max_attempts: int | None
    max_losses: int | None
    timeout: float | None
    ttl: int | None
    callback: str | None


class Item(Options, total=False):
    """One of many tasks; the type is `default` unless given."""

    type: str
    args: Mapping[str, Any]
    key: str | None


def plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Those that are given, with moments as Unix seconds. ValueError for a datetime without a zone."""
    return {
        name: _seconds(name, value) if isinstance(value, datetime) else value
        for name, value in options.items()
        if value is not None
    }


def item(given: Item) -> dict[str, Any]:
    """One of many, as it is sent."""
    sent = plain(given)
    key, args = usable_key(sent.pop("key", None)), dict(sent.get("args") or {})
    return {"idempotency_key": key} | sent | {"args": args}


def usable_key(given: str | None) -> str:
    """The key, or one that nobody has. Invalid where a header could not carry it."""
    if given is None:
        return str(uuid4())
    if not _KEY.fullmatch(given):
        why = "It takes 1 to 255 characters of ASCII that can be seen, and spaces between them."
        raise Invalid("this is no key", errors={"headers": {KEY: [why]}})
    return given


def terms(args: Mapping[str, Any], path: str = "args") -> Iterator[tuple[str, str]]:
    """The arguments that are looked for, as a query has them: `args.to.city`, `Köln`."""
    for name, value in args.items():
        if isinstance(value, Mapping):
            yield from terms(value, f"{path}.{name}")
        else:
            yield f"{path}.{name}", value if isinstance(value, str) else dump(value).decode()


def _seconds(name: str, moment: datetime) -> float:
    if moment.tzinfo is None:
        raise ValueError(f"{name} is {moment.isoformat()}: a datetime takes a zone, such as datetime.now(UTC) has")
    return moment.timestamp()
