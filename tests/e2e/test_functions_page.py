"""docs/functions.md: its functions run in one handler."""

from collections.abc import Callable
from pathlib import Path

from tests.e2e.examples import blocks
from tests.e2e.service import Service

FUNCTIONS = [block for block in blocks("docs/functions.md", "python") if "@task" in block]


def test_every_function_of_the_page_runs(new_service: Callable[..., Service], tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text("\n\n".join(FUNCTIONS))
    service = new_service(TASKS=str(tmp_path / "tasks.py"))
    for name in ("http", "handler"):
        service.start(name)
    service.await_ready("fetch", "report", "fetch_all", "fall")
    assert service.run("report", {})["status"] == "done"
    assert service.run("fall", {"height": 4})["result"]["positions"] == [[0, 0, 3], [0, 0, 0]]
    (fall,) = [each for each in service.client.get("/types").json()["types"] if each["name"] == "fall"]
    assert fall["result"]["$defs"]["Fall"]["required"] == ["times", "positions"]
    submitted = service.run("fetch_all", {"urls": ["a", "b"], "day": "2026-01-01"})
    assert [service.await_status(id, "done")["args"]["url"] for id in submitted["result"]] == ["a", "b"]
