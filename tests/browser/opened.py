"""An open page, and all that the browser complains of in it."""

from playwright.sync_api import ConsoleMessage, Locator, Page

VIOLATIONS = """
    addEventListener("securitypolicyviolation", (event) => console.error(
        `policy: ${event.violatedDirective} ${event.blockedURI}`));
"""
HARMLESS = "Failed to load resource: the server responded with a status of 4"
"""The browser's own line about an answer that is an error page, which a test may ask for."""


class Opened:
    """A page in the browser. `complaints` has errors of scripts, and violations of the security policy."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.add_init_script(VIOLATIONS)
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def go(self, path: str) -> "Opened":
        self.page.goto(path)
        return self

    def find(self, selector: str, has_text: str | None = None) -> Locator:
        return self.page.locator(selector, has_text=has_text)

    @property
    def text(self) -> str:
        return self.page.inner_text("main")

    def await_text(self, text: str, selector: str = "main") -> None:
        """Wait until the text stands there."""
        self.page.wait_for_function(
            "([s, t]) => document.querySelector(s)?.innerText.includes(t)", arg=[selector, text]
        )

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(HARMLESS):
            self.complaints.append(message.text)
