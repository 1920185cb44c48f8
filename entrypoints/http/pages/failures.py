"""The page of failures: failed tasks by groups whose errors differ in numbers alone."""

from dataclasses import dataclass
from typing import Any

from flask import request

from application.failure_groups import encoded_group, masked
from application.ports.listing import FailureGroup
from domain.status import Status
from entrypoints.http.access.needs import READ_ALL
from entrypoints.http.pages.blueprint import Pages
from entrypoints.http.services import Services


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group with the message that its tasks have in common, and the filter that finds them."""

    group: FailureGroup
    message: str
    filter: dict[str, str]


def add_failures(pages: Pages, services: Services) -> None:
    """Add the page."""
    list_groups = services.list_failure_groups()

    @pages.page("/failures", "failures.html", READ_ALL)
    def failures() -> dict[str, Any]:
        found, type = list_groups(), request.args.get("type", "")
        return {
            "rows": [_row(group) for group in found.groups if type in ("", group.type)],
            "types": sorted({group.type for group in found.groups} | ({type} - {""})),
            "type": type,
            "at": found.at,
            "is_cut": found.is_cut,
        }


def _row(group: FailureGroup) -> GroupRow:
    filter = {"status": Status.FAILED.value, "type": group.type, "error_group": encoded_group(group.number)}
    return GroupRow(group, masked(group.error.message), filter)
