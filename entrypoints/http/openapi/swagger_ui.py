"""Files of Swagger UI, served from its package, so that the page at /docs works without internet access."""

from pathlib import Path

import flask_swagger_ui  # type: ignore[import-untyped]
from flask import Blueprint, Response, redirect, send_from_directory
from werkzeug.wrappers import Response as WerkzeugResponse

FILES = Path(flask_swagger_ui.__file__).parent / "dist"
DAY_SECONDS = 86_400


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
