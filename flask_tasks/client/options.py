"""Options of a submission, and filters of a list, in the form in which requests send them."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypedDict
from uuid import uuid4

from flask_tasks.client.errors import Invalid
from flask_tasks.client.json_text import dump

Moment = float | datetime
"""Unix seconds, or a datetime with a time zone."""
KEY = "Idempotency-Key"
_KEY = re.compile(r"[!-~]([ -~]{0,253}[!-~])?")


IfFailed = Literal["fail", "run"]
"""The rule for a task that waits for one that fails."""


class Options(TypedDict, total=False):
    """The options of a task. With None, as without the option, the type or the service chooses."""

    delay: float | None
    run_at: Moment | None
    priority: int | None
    max_attempts: int | None
    max_losses: int | None
    timeout: float | None
    ttl: int | None
    callback: str | None


class Item(Options, total=False):
    """One of many tasks to submit. Its type is `default` unless given.

    - `after`: the tasks that it waits for: their ids, and the `ref` of others of the same request.
    """

    labels: Mapping[str, str] | None
    ref: str | None
    after: Sequence[int | str] | None
    if_failed: IfFailed | None
    type: str
    args: Mapping[str, Any]
    key: str | None


def to_json(options: Mapping[str, Any]) -> dict[str, Any]:
    """Convert options to JSON values, without those that are None. Raises ValueError: a datetime has no time zone."""
    return {
        name: _unix_seconds(name, value) if isinstance(value, datetime) else value
        for name, value in options.items()
        if value is not None
    }


def item_to_json(item: Item) -> dict[str, Any]:
    """Convert one of many tasks to its JSON object. Raises Invalid: its key is not valid."""
    sent = to_json(item)
    key, args = valid_or_new_key(sent.pop("key", None)), dict(sent.get("args") or {})
    return {"idempotency_key": key} | sent | {"args": args}


def valid_or_new_key(key: str | None) -> str:
    """Return the key, or a new unique one. Raises Invalid: a header cannot hold the key."""
    if key is None:
        return str(uuid4())
    if not _KEY.fullmatch(key):
        why = "Must be 1 to 255 printable ASCII characters, without spaces at its ends."
        raise Invalid("the idempotency key is not valid", errors={"headers": {KEY: [why]}})
    return key


def label_parameters(labels: Mapping[str, str] | None) -> dict[str, str]:
    """Make the query parameters of labels, such as `label.user`."""
    return {f"label.{name}": value for name, value in (labels or {}).items()}


def dependency_parameters(after: Sequence[int], if_failed: IfFailed | None) -> dict[str, Any]:
    """Make the query parameters that tell for which tasks a task waits."""
    return to_json({"after": ",".join(map(str, after)) or None, "if_failed": if_failed})


def argument_filters(args: Mapping[str, Any], path: str = "args") -> Iterator[tuple[str, str]]:
    """Yield the query parameters that filter by arguments, such as `args.to.city` and `Köln`."""
    for name, value in args.items():
        if isinstance(value, Mapping):
            yield from argument_filters(value, f"{path}.{name}")
        else:
            form = json.loads(dump(value))
            yield f"{path}.{name}", form if isinstance(form, str) else dump(form).decode()


def _unix_seconds(name: str, time: datetime) -> float:
    if time.tzinfo is None:
        raise ValueError(f"{name} is {time.isoformat()}: it must have a time zone, as datetime.now(UTC) has")
    return time.timestamp()
