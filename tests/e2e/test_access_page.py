"""docs/access.md: every request on it is sent to real processes; and what the API says when it starts without keys."""

import json
import re
import subprocess
from collections.abc import Callable
from typing import Any

from tests.conftest import ROOT
from tests.e2e.service import Service, eventually
from tests.e2e.starts import Start

PAGE = (ROOT / "docs" / "access.md").read_text()
EXAMPLE = re.compile(r"```sh\n(curl .*?)\n```\n\n`(\d+)`\n\n```json\n(.*?)```", re.DOTALL)


def test_every_answer_is_as_the_page_says(new_service: Callable[..., Service]):
    service = new_service()
    service.start("http")
    eventually(lambda: service.status("/health/ready") == 200)
    known: dict[str, str] = {}
    examples = EXAMPLE.findall(PAGE)
    assert len(examples) == PAGE.count("```sh") > 5
    for request, code, shown in examples:
        found, answer = asked(service, request, known)
        assert found == code, (request, answer)
        assert same(answer, json.loads(shown.replace("[…]", '"…"'))), (request, answer)
        if "key" in answer:
            known = {"KEY": known.get("KEY", answer["key"]), "ID": answer["id"]}
            eventually(lambda: service.client.get("/tasks").status_code == 401)


def asked(service: Service, request: str, known: dict[str, str]) -> tuple[str, Any]:
    """The code of the answer, and the answer."""
    here = request.replace("localhost:5000", f"localhost:{service.port}")
    command = f"{here} -s -w '\\n%{{http_code}}'"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, timeout=60, env=known)
    answer, _, code = done.stdout.rpartition("\n")
    return code, json.loads(answer)


def same(answer: Any, shown: Any) -> bool:
    """Whether an answer has the shown members in their order; texts that are cut, and times, may differ."""
    if isinstance(shown, dict):
        return [*answer] == [*shown] and all(same(answer[name], shown[name]) for name in shown)
    if isinstance(shown, str) and shown.endswith("…"):
        return not isinstance(answer, str) or answer.startswith(shown[:-1])
    return type(answer) is type(shown) and (answer == shown or isinstance(shown, float))


def test_an_api_that_requires_keys_does_not_start_without_one(new_migrated_database: Callable[[], str], start: Start):
    end = start("http", DATABASE_URL=new_migrated_database(), REQUIRE_KEYS="1").end()
    assert end.status == 2
    assert "there is no API key: make the first one with `python -m entrypoints.admin keys create" in end.output


def test_an_open_api_that_others_reach_says_so_when_it_starts(new_service: Callable[..., Service]):
    service = new_service(HOST="0.0.0.0")
    service.start("http")
    eventually(lambda: "the API is open: whoever reaches 0.0.0.0" in service.logs())
