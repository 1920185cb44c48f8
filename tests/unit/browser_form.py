"""The form of a page as a browser without scripts would send it."""

import re
from html.parser import HTMLParser

from entrypoints.http.pages.forms.submission import RENDERED

_LEADING_BREAK = re.compile("\n")


class _Reader(HTMLParser):
    """Reads the fields of the form with the class `task-form`."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.sent: dict[str, str] = {}
        self._is_inside = False
        self._textarea: str | None = None
        self._text = ""
        self._select: tuple[str, str | None, str | None] | None = None

    def handle_starttag(self, tag: str, given: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in given}
        if tag == "form":
            self._is_inside = "task-form" in attributes.get("class", "")
        if not self._is_inside:
            return
        name = attributes.get("name")
        if tag == "input" and name and (attributes.get("type") != "checkbox" or "checked" in attributes):
            value = _sanitized(attributes.get("type", "text"), attributes.get("value", ""))
            self.sent[name] = f"{self.sent[name]}\n{value}" if name in self.sent else value
        elif tag == "textarea" and name:
            self._textarea, self._text = name, ""
        elif tag == "select" and name:
            self._select = (name, None, None)
        elif tag == "option" and self._select:
            name, first, chosen = self._select
            value = attributes["value"]
            self._select = (name, first if first is not None else value, value if "selected" in attributes else chosen)

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False
        elif tag == "textarea" and self._textarea:
            text = self._text.replace("\r\n", "\n").replace("\r", "\n")
            self.sent[self._textarea] = _LEADING_BREAK.sub("", text, count=1) if text.startswith("\n") else text
            self.sent[self._textarea] = self.sent[self._textarea].replace("\n", "\r\n")
            self._textarea = None
        elif tag == "select" and self._select:
            name, first, chosen = self._select
            self.sent[name] = chosen if chosen is not None else first or ""
            self._select = None


def _sanitized(type: str, value: str) -> str:
    """The value that an input of this type sends."""
    if type in ("datetime-local", "time"):
        return re.sub(r"(?<=:\d\d):00$", "", re.sub(r"(\.\d*?)0+$", r"\1", value).removesuffix("."))
    return value.replace("\n", "").replace("\r", "")


def form_of_page(html: str) -> dict[str, str]:
    """The fields that a browser would send, by name; the buttons are left out."""
    reader = _Reader()
    reader.feed(html)
    assert RENDERED in reader.sent, html
    return reader.sent
