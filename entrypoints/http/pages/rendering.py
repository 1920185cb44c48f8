"""Rendering: the templates, and the functions that all of them may use."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from domain.status import RULES, Status, Verb
from entrypoints.http.pages.addresses import Addresses
from entrypoints.http.pages.assets import Assets
from entrypoints.http.pages.formats import age, duration, labels, moment, number, percent
from entrypoints.http.pages.limits.words import WAITS_FOR_TYPE
from entrypoints.http.pages.results.shown import ResultGlobals
from entrypoints.http.pages.terminal import terminal
from entrypoints.http.pages.tracebacks import traceback_of
from entrypoints.http.pages.type_rows import state_of
from entrypoints.http.pages.visible import visible

TEMPLATES = Path(__file__).parent / "templates"
LIVE_BLOCK = "live"
"""The block of a template that the event stream of the page renders again."""


class Renderer:
    """Renders templates. Every value is escaped unless it is markup already."""

    def __init__(self, addresses: Addresses, assets: Assets) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
        formats = (age, duration, labels, moment, number, percent, terminal, visible)
        self._environment.filters |= {each.__name__: each for each in formats}
        self._environment.filters |= {"traceback": traceback_of, "state": state_of}
        self._environment.globals |= {
            "address": addresses,
            "api": addresses.of,
            "url": addresses.public,
            "asset": lambda name: addresses("static", name, query={"v": assets.version(name)}),
            "Status": Status,
            "waits_for_type": WAITS_FOR_TYPE,
            "statuses": list(Status),
            "allows": lambda verb, status: status in RULES[Verb(verb)],
        }
        self._environment.globals |= ResultGlobals(addresses).names()

    def page(self, template: str, context: Mapping[str, Any]) -> str:
        """Render a whole page."""
        return self._environment.get_template(template).render(context)

    def live(self, template: str, context: Mapping[str, Any]) -> str:
        """Render the live block of a page, without the page around it."""
        found = self._environment.get_template(template)
        return "".join(found.blocks[LIVE_BLOCK](found.new_context(dict(context)))).strip()

    def is_live(self, template: str) -> bool:
        """Whether a template has a live block of its own."""
        return LIVE_BLOCK in self._environment.get_template(template).blocks
