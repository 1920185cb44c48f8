"""The page of Swagger UI at /docs, and its files, served from its package, so that it works without internet access."""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import flask_swagger_ui  # type: ignore[import-untyped]
from flask import Blueprint, Response, redirect, send_from_directory
from werkzeug.wrappers import Response as WerkzeugResponse

from entrypoints.http.requests.origin import origin_of

FILES = Path(flask_swagger_ui.__file__).parent / "dist"
DAY_SECONDS = 86_400
INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src {servers}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Swagger UI makes styles of its own. The one script in the page is allowed by its hash."""


def swagger_ui_response(html: str, backend_url: str | None) -> Response:
    """Answer with the page of flask-smorest, which runs its own scripts alone, and calls the API alone."""
    servers = ["'self'", *([origin_of(backend_url)] if backend_url else [])]
    scripts = map(_source_of, INLINE_SCRIPT.findall(html))
    policy = CONTENT_SECURITY_POLICY.format(scripts=" ".join(scripts), servers=" ".join(servers))
    return Response(html, headers={"Content-Security-Policy": policy})


def _source_of(script: str) -> str:
    """Name a script by its hash, as a policy does."""
    return f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"


def swagger_ui_blueprint() -> Blueprint:
    """Build the blueprint of the files beside the page of flask-smorest."""
    blueprint = Blueprint("docs", __name__)

    @blueprint.get("/docs/")
    def redirect_without_slash() -> WerkzeugResponse:
        # The links of the page are relative to /docs.
        return redirect("../docs")

    @blueprint.get("/docs/<path:name>")
    def file(name: str) -> Response:
        return send_from_directory(FILES, name, max_age=DAY_SECONDS)

    @blueprint.get("/favicon.ico")
    def icon() -> Response:
        return send_from_directory(FILES, "favicon-32x32.png", max_age=DAY_SECONDS)

    return blueprint
