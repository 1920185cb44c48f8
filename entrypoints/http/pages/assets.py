"""Files of the pages: read and compressed once, and kept by browsers for as long as their content is the same."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from flask import Response, abort, request

from entrypoints.http.responses.compression import ENCODINGS, SMALL, best_encoding, compressed

FOLDER = Path(__file__).parent
YEAR_SECONDS = 31_536_000
BUNDLES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "pages.css": (
        "text/css",
        (
            "vendor/uPlot.min.css",
            "static/pages.css",
            "static/plots.css",
            "static/overview.css",
            "static/task.css",
            "static/tasks.css",
            "static/forms.css",
            "static/limits.css",
        ),
    ),
    "pages.js": (
        "text/javascript",
        (
            "vendor/htmx.min.js",
            "vendor/hx-sse.min.js",
            "static/pages.js",
            "static/results.js",
            "static/task.js",
            "static/tasks.js",
            "static/forms.js",
            "static/ages.js",
        ),
    ),
    "plots.js": (
        "text/javascript",
        ("vendor/uPlot.iife.min.js", "static/figures.js", "static/plots.js", "static/heat.js"),
    ),
    "icon.svg": ("image/svg+xml", ("static/icon.svg",)),
}
"""The content type and the files of each asset; the files are joined, without the lines that are comments alone."""
COMMENT_LINE = re.compile(rb"^\s*(?://|/\*(?:(?!\*/).)*\*/\s*$).*\n", re.MULTILINE)
VENDORED = "vendor/"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent, by each encoding. `version` changes with its content."""

    content_type: str
    content: bytes
    compressed: Mapping[str, bytes]
    version: str


class Assets:
    """All assets by name."""

    def __init__(self) -> None:
        self._assets = {name: _read(content_type, files) for name, (content_type, files) in BUNDLES.items()}

    def version(self, name: str) -> str:
        """The version of an asset, which is a part of its address."""
        return self._assets[name].version

    def response(self, name: str) -> Response:
        """Answer with an asset. Raises NotFound: there is none of that name."""
        if name not in self._assets:
            abort(404)
        asset = self._assets[name]
        is_current = request.args.get("v") == asset.version
        encoding = best_encoding(request.headers.get("Accept-Encoding", ""))
        content = asset.compressed[encoding] if encoding else asset.content
        response = Response(content, content_type=asset.content_type)
        if encoding:
            response.headers["Content-Encoding"] = encoding
        response.vary.add("Accept-Encoding")
        response.headers["Cache-Control"] = f"max-age={YEAR_SECONDS}, immutable" if is_current else "no-cache"
        return response


@cache
def _read(content_type: str, files: tuple[str, ...]) -> Asset:
    content = b"\n".join(map(_content, files))
    smaller = {name: compressed(content, name, SMALL) for name in ENCODINGS}
    return Asset(f"{content_type}; charset=utf-8", content, smaller, sha256(content).hexdigest()[:12])


def _content(file: str) -> bytes:
    """A file as it is sent. Licences stand in the comments of vendored ones."""
    content = (FOLDER / file).read_bytes()
    return content if file.startswith(VENDORED) else COMMENT_LINE.sub(b"", content)
