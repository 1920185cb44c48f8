"""The page of types: the functions that can be run."""

from typing import Any

from entrypoints.http.pages.blueprint import Pages
from entrypoints.http.services import Services


def add_types(pages: Pages, services: Services) -> None:
    """Add the page."""
    known_types, count, find_oldest_due = services.known_types(), services.count_tasks(), services.find_oldest_due()

    @pages.page("/types", "types.html")
    def types() -> dict[str, Any]:
        return {"types": known_types.all(), "counts": count(), "oldest_due": find_oldest_due()}
