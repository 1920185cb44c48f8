"""A real browser before a service of real processes, with everything watched that a browser complains of."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests.browser.opened import Opened
from tests.e2e.conftest import new_database, new_migrated_database
from tests.e2e.service import Service, running_service
from tests.node import installed_packages

__all__ = ["new_database", "new_migrated_database"]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FOLDER = Path(__file__).parent
Open = Callable[..., Opened]


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright, whose event loop lives as long as it does."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium without a network beyond this machine."""
    if CHROMIUM is None:
        reason = "needs Chromium: apt-get install chromium"
        assert os.environ.get("TEST_NODE") != "required", reason
        pytest.skip(reason)
    arguments = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def service(new_migrated_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """API, handler and janitor over the functions that ship and those of tests/browser/functions.py."""
    folder = tmp_path_factory.mktemp("service")
    with running_service(new_migrated_database(), folder, FOLDER / "functions.py", "counting") as service:
        yield service


@pytest.fixture
def open_page(browser: Browser, service: Service) -> Iterator[Open]:
    """Open a page of the service, in a context with these options. No page may complain of anything."""
    contexts: list[BrowserContext] = []
    opened: list[Opened] = []

    def open_page(path: str = "/", **options: Any) -> Opened:
        context = browser.new_context(base_url=f"http://127.0.0.1:{service.port}", **options)
        context.set_default_timeout(15_000)
        contexts.append(context)
        opened.append(Opened(context.new_page()))
        opened[-1].go(path)
        return opened[-1]

    yield open_page
    for context in contexts:
        with suppress(Exception):
            context.close()
    for each in opened:
        assert each.complaints == []


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, which looks for what keeps people out."""
    return (installed_packages(FOLDER) / "axe-core" / "axe.min.js").read_text()


@pytest.fixture
def barriers(axe: str) -> Callable[[Page], list[str]]:
    """Barriers for people on a page, by axe-core."""

    def barriers(page: Page) -> list[str]:
        page.evaluate(axe)
        found: Mapping[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [f"{each['id']}: {node['html'][:200]}" for each in found["violations"] for node in each["nodes"]]

    return barriers
