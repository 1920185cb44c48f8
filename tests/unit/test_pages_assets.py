"""Assets of the pages: our own scripts are sent without their comments, and are small."""

import gzip

from entrypoints.http.pages.assets import BUNDLES, FOLDER
from tests.unit.http_service import Service

MAX_PLOT_SCRIPT_BYTES = 3_200
"""Bytes that our own scripts add to uPlot, compressed."""


def _sent(name: str) -> bytes:
    answer = Service().client.get(f"/dashboard/static/{name}")
    assert answer.status_code == 200
    return answer.data


def test_own_scripts_are_sent_without_comments_and_vendored_ones_as_they_are() -> None:
    sent = _sent("plots.js")
    assert (FOLDER / "vendor/uPlot.iife.min.js").read_bytes() in sent
    assert b"\n//" not in sent.split(b"\n", 2)[2]
    assert b"drawFigures(" in sent


def test_plot_scripts_are_small() -> None:
    vendored = (FOLDER / BUNDLES["plots.js"][1][0]).read_bytes()
    assert len(gzip.compress(_sent("plots.js"), 9)) - len(gzip.compress(vendored, 9)) < MAX_PLOT_SCRIPT_BYTES
