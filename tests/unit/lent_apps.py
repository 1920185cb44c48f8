"""Apps that serve one test after another: building an app takes longer than most tests of it."""

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from flask import Flask
from werkzeug.local import LocalProxy

from entrypoints.http.app import create_app
from entrypoints.http.pages import lineage
from entrypoints.http.services import Services
from entrypoints.settings import Settings

# An app would remember comparisons of tasks of another test.
vars(lineage)["MAX_REMEMBERED"] = 0


class _LentServices:
    """Services of whoever has borrowed the app: each provider returns a proxy of the borrower's service."""

    def __init__(self, settings: Settings) -> None:
        self.settings = lambda: settings
        self.borrower: Services

    def __getattr__(self, name: str) -> Callable[[], Any]:
        return lambda: LocalProxy(lambda: getattr(self.borrower, name)())


class LentApps:
    """Lends apps to tests, each to one at a time. An app fits only the settings that it was built with."""

    def __init__(self) -> None:
        self._idle: dict[Settings, list[tuple[Flask, _LentServices]]] = defaultdict(list)
        self._lent: list[Callable[[], None]] = []

    def lend(self, services: Services) -> Flask:
        """Return an app of these services, until the end of the test."""
        settings = services.settings()
        idle = self._idle[settings]
        app, lent = idle.pop() if idle else self._built(services)
        lent.borrower = services
        self._lent.append(partial(idle.append, (app, lent)))
        return app

    def take_back(self) -> None:
        """Take all apps back, as their tests have ended."""
        while self._lent:
            self._lent.pop()()

    def _built(self, services: Services) -> tuple[Flask, _LentServices]:
        lent = _LentServices(services.settings())
        lent.borrower = services
        return create_app(cast(Services, lent)), lent


LENT_APPS = LentApps()
