"""A client that a public generator makes of the OpenAPI document: it submits, waits and reads."""

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.e2e.service import Service


@pytest.fixture(scope="module")
def generated(service: Service, tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The package that openapi-python-client makes, without a word of complaint."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "openapi.json").write_text(service.client.get("/openapi.json").text)
    generator = Path(sys.executable).with_name("openapi-python-client")
    said = subprocess.run(
        [generator, "generate", "--path", "openapi.json", "--output-path", "generated_client", "--meta", "none"],
        cwd=folder,
        env=os.environ | {"PATH": f"{generator.parent}:{os.environ['PATH']}"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert said.stdout.strip() == "Generating generated_client"
    sys.path.insert(0, str(folder))
    return importlib.import_module("generated_client")


def part(name: str) -> ModuleType:
    return importlib.import_module(f"generated_client.{name}")


@pytest.fixture
def client(service: Service, generated: ModuleType) -> Iterator[Any]:
    with generated.Client(base_url=str(service.client.base_url)) as client:
        yield client


def test_the_generated_client_submits_waits_and_reads(client: Any):
    arguments = part("models.add").Add(a=1, b=2)
    submitted = part("api.functions.new_add").sync(client=client, body=arguments, wait=20.0, priority=5)
    assert (submitted.status, submitted.result, submitted.priority) == ("done", 3, 5)
    seen = part("api.tasks.view_task").sync(submitted.id, client=client)
    assert seen.args.to_dict() == {"a": 1, "b": 2}
    page = part("api.tasks.list_tasks").sync(client=client, type_="add", limit=1)
    assert [task.id for task in page.tasks] == [submitted.id]


def test_the_generated_client_reads_refusals(client: Any):
    answer = part("api.tasks.view_task").sync_detailed(10**9, client=client)
    assert (answer.status_code, answer.parsed.message) == (404, "task id 1000000000 is not registered")
