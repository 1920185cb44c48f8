"""Clients that send all of a body before they read the answer: they see the answer, not a broken pipe."""

import json
import shutil
import subprocess
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.e2e.service import Service

NODE = shutil.which("node")
SIZES = (1_100_000, 8_000_000, 40_000_000)
FETCH = """
const [address, size] = process.argv.slice(1)
fetch(address, {method: 'POST', headers: {'Content-Type': 'application/json'}, body: ' '.repeat(Number(size))})
  .then(answer => answer.json()).then(error => console.log(error.code), error => console.log(error.cause ?? error))
"""


def code_by_urllib(address: str, size: int, **headers: str) -> int:
    request = Request(address, b" " * size, {"Content-Type": "application/json", **headers})
    with pytest.raises(HTTPError) as refusal:
        urlopen(request, timeout=60)
    return int(json.load(refusal.value)["code"])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("path", "code"), [("/task/new", 413), ("/nothing", 404), ("/task/new?x=1", 422)])
def test_urllib_reads_the_answer_to_a_body_that_is_refused(service: Service, path: str, code: int, size: int) -> None:
    for _ in range(3):
        assert code_by_urllib(f"http://127.0.0.1:{service.port}{path}", size) == code


def test_urllib_reads_the_answer_to_a_page_of_another_origin(service: Service) -> None:
    address = f"http://127.0.0.1:{service.port}/task/new"
    assert code_by_urllib(address, 5_000_000, Origin="https://evil.example.org") == 403


@pytest.mark.skipif(NODE is None, reason="this machine has no node")
@pytest.mark.parametrize("size", SIZES)
def test_fetch_of_node_reads_the_answer_to_a_body_that_is_refused(service: Service, size: int) -> None:
    address = f"http://127.0.0.1:{service.port}/task/new"
    done = subprocess.run([str(NODE), "-e", FETCH, address, str(size)], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "413"
