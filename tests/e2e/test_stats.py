"""GET /stats with real processes: what they run is counted, and a janitor folds the counts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from tests.e2e.service import Service, eventually

FUNCTIONS = """
import time
from flask_tasks import task

@task(max_attempts=2)
def nap(seconds: float = 0.3, fails: bool = False):
    time.sleep(seconds)
    if fails:
        raise ValueError("bad dream")
"""
ENTRIES = "SELECT count(*) FROM task_event_counts"
MINUTES = "SELECT count(*) FROM (SELECT DISTINCT minute, type, event FROM task_event_counts) each"


def test_real_runs_are_counted_and_their_entries_are_folded(new_service: Callable[..., Service], tmp_path: Path):
    (tmp_path / "napping.py").write_text(FUNCTIONS)
    service = new_service(TASKS=str(tmp_path / "napping.py"))
    for name in ("http", "handler"):
        service.start(name)
    service.await_ready("nap")
    for _ in range(3):
        service.run("nap")
    cancelled = service.submit("nap", delay=60)
    service.client.post(f"/task/{cancelled['id']}/cancel")
    service.await_status(service.submit("nap", {"fails": True})["id"], "failed")
    counts = {"submitted": 5, "started": 5, "done": 3, "failed": 1, "cancelled": 1, "retried": 1, "lost": 0}
    total = eventually(lambda: total if (total := counted(service)).items() >= counts.items() else None)
    assert total["run_median"] == pytest.approx(0.3, rel=0.3)
    assert total["wait_median"] < 0.3
    assert asked(service, ENTRIES) > asked(service, MINUTES)
    service.start("janitor")
    eventually(lambda: asked(service, ENTRIES) == asked(service, MINUTES))
    assert counted(service).items() >= counts.items()


def counted(service: Service) -> dict[str, Any]:
    """The numbers of the type over two days, each of which is one step."""
    answer = service.client.get("/stats", params={"type": "nap", "step": 86400, "histograms": "true"}).json()
    total = answer["total"]
    counts = {name: sum(column) for name, column in total.items() if name in COUNTED}
    return counts | {name: total[name][-1] for name in ("run_median", "wait_median")}


COUNTED = ("submitted", "started", "done", "failed", "cancelled", "retried", "lost")


def asked(service: Service, question: str) -> int:
    connection = psycopg2.connect(service.environment["DATABASE_URL"])
    try:
        with connection.cursor() as cursor:
            cursor.execute(question)
            (number,) = cursor.fetchone() or (0,)
            return int(number)
    finally:
        connection.close()
