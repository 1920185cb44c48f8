"""JSON of published types in answers."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from application.ports.limits import UNLIMITED
from application.ports.published_types import PublishedType
from domain.limits import declared
from entrypoints.task_json import milliseconds


def type_json(published: PublishedType, oldest_due: datetime | None) -> str:
    """Make the JSON of a type, with its schemas as they are stored."""
    type = published.type
    state = {"live": published.live, "abandoned": published.abandoned}
    head = {"name": type.name, "description": type.description, **state}
    tail = {"defaults": asdict(type.options), "schedule": _schedule(published), "limits": _limits(published)}
    middle = f'"oldest_due":{milliseconds(oldest_due)},"schema":{type.schema},"result":{type.result_schema or "null"}'
    return f"{json.dumps(head)[:-1]},{middle},{json.dumps(tail)[1:]}"


def _schedule(published: PublishedType) -> dict[str, Any] | None:
    if published.type.schedule is None:
        return None
    next = published.next and int(published.next.timestamp())
    return asdict(published.type.schedule) | {"next": next, "skipped": published.skipped}


def _limits(published: PublishedType) -> dict[str, Any] | None:
    """Make the limits that hold, with what they are made of; None for a type that has none."""
    if published.limits == UNLIMITED:
        return None
    limits, override = published.limits.limits, published.limits.override
    return {
        "at_once": limits.at_once,
        "per_second": limits.per_second,
        "burst": limits.rate.burst if limits.rate else None,
        "lane": limits.lane,
        "at_once_per_lane": limits.at_once_per_lane,
        "paused": limits.is_paused,
        "accepting": limits.accepting,
        "running": published.limits.running,
        "declared": dict(declared(published.type.limits)),
        "override": dict(override.limits) if override else None,
    }
