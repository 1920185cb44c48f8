"""Files of Swagger UI, served from its package, so that the page at /docs works without internet access."""

from pathlib import Path
from urllib.parse import urlsplit

import flask_swagger_ui  # type: ignore[import-untyped]
from flask import Blueprint, Response, redirect, send_from_directory
from werkzeug.wrappers import Response as WerkzeugResponse

from entrypoints.http.services import Services

FILES = Path(flask_swagger_ui.__file__).parent / "dist"
DAY_SECONDS = 86_400


def swagger_ui_blueprint(services: Services) -> Blueprint:
    """Build the blueprint of the files, and of the redirects to the page of flask-smorest."""
    blueprint = Blueprint("docs", __name__)
    prefix = urlsplit(services.settings().backend_url or "").path

    @blueprint.get("/")
    def redirect_to_page() -> WerkzeugResponse:
        return redirect(f"{prefix}/docs")

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
