"""Options of a submission, and filters of a list, in the form in which requests send them."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Literal, TypedDict
from uuid import uuid4

from flask_tasks.client.errors import Invalid
from flask_tasks.client.json_text import dump
from flask_tasks.client.task import Id, id_of

IfFailed = Literal["fail", "run"]
"""What becomes of a task if one that it waits for fails: it fails too, or runs all the same."""
Moment = float | datetime
"""Unix seconds, or a datetime with a time zone."""
KEY = "Idempotency-Key"
_KEY = re.compile(r"[!-~]([ -~]{0,253}[!-~])?")


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


class SubmitOptions(Options, total=False):
    """The options of one task, with the tasks that it waits for.

    - `references`: whether its arguments have references to results, made by `reference`.
    """

    after: Iterable[Id] | None
    if_failed: IfFailed | None
    references: bool | None


class Item(Options, total=False):
    """One of many tasks to submit. Its type is `default` unless given.

    - `ref`: a name, by which others of the same request wait for it.
    - `after`: the tasks that it waits for, and the names of others of the same request.
    - `references`: whether `args` have references to results, made by `reference`.
    - `key`: its idempotency key. The tasks of a batch have none.
    """

    labels: Mapping[str, str] | None
    type: str
    args: Mapping[str, Any]
    key: str | None
    ref: str | None
    after: Iterable[Id | str] | None
    if_failed: IfFailed | None
    references: bool | None


def reference(task: Id | str, path: str = "$") -> dict[str, Any]:
    """Make an argument that stands for the result of a task, or for its part at this path, such as `$.points[0]`.

    The task that has it as an argument, at any depth, is submitted with `references=True`.

    - `task`: a task, its id, or the `ref` of another item of the same request.
    """
    whole = {"$result": task if isinstance(task, str) else id_of(task)}
    return whole if path == "$" else whole | {"path": path}


def to_json(options: Mapping[str, Any]) -> dict[str, Any]:
    """Convert options to JSON values, without those that are None. Raises ValueError: a datetime has no time zone."""
    return {name: _json_value(name, value) for name, value in options.items() if value is not None}


def submit_parameters(options: SubmitOptions, labels: Mapping[str, str] | None) -> dict[str, Any]:
    """Make the query parameters of a submission."""
    sent = to_json(options)
    after, references = sent.pop("after", ()), sent.pop("references", False)
    waits = {"after": ",".join(map(str, after))} if after else {}
    return sent | waits | ({"references": "true"} if references else {}) | label_parameters(labels)


def item_to_json(item: Item) -> dict[str, Any]:
    """Convert one of many tasks to its JSON object."""
    sent = to_json(item)
    key = {"idempotency_key": sent.pop("key")} if "key" in sent else {}
    return key | sent | {"args": dict(sent.get("args") or {})}


def item_with_key(item: Item) -> dict[str, Any]:
    """Convert one of many tasks to its JSON object, with its key or a new one. Raises Invalid: its key is not valid."""
    return item_to_json({**item, "key": valid_or_new_key(item.get("key"))})


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


def argument_filters(args: Mapping[str, Any], path: str = "args") -> Iterator[tuple[str, str]]:
    """Yield the query parameters that filter by arguments, such as `args.to.city` and `Köln`."""
    for name, value in args.items():
        if isinstance(value, Mapping):
            yield from argument_filters(value, f"{path}.{name}")
        else:
            form = json.loads(dump(value))
            yield f"{path}.{name}", form if isinstance(form, str) else dump(form).decode()


def _json_value(name: str, value: Any) -> Any:
    if name == "after":
        return [each if isinstance(each, str) else id_of(each) for each in value]
    return _unix_seconds(name, value) if isinstance(value, datetime) else value


def _unix_seconds(name: str, time: datetime) -> float:
    if time.tzinfo is None:
        raise ValueError(f"{name} is {time.isoformat()}: it must have a time zone, as datetime.now(UTC) has")
    return time.timestamp()
