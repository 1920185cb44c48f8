"""The page of handlers and janitors: which processes live, and what each of them runs."""

from typing import Any

from entrypoints.http.pages.blueprint import Pages
from entrypoints.http.services import Services


def add_handlers(pages: Pages, services: Services) -> None:
    """Add the page."""
    list_handlers = services.list_handlers()

    @pages.page("/handlers", "handlers.html")
    def handlers() -> dict[str, Any]:
        return {"processes": list_handlers()}
