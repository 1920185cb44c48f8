"""The page of handlers and janitors: which processes live, and what each of them runs."""

from typing import Any

from application.ports.monitoring import Liveness
from entrypoints.http.access.needs import READ_ALL
from entrypoints.http.pages.blueprint import Pages
from entrypoints.http.services import Services


def add_handlers(pages: Pages, services: Services) -> None:
    """Add the page."""
    view_situation = services.view_situation()

    @pages.page("/handlers", "handlers.html", READ_ALL)
    def handlers() -> dict[str, Any]:
        processes = view_situation().processes
        lives_any = any(each.state is Liveness.LIVE for each in processes.handlers)
        return {"processes": processes, "lives_any": lives_any}
