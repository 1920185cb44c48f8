"""docs/api.md: every request on it is sent, one after the other, and every answer is as it stands there."""

import json
import re
import subprocess
from collections.abc import Callable
from typing import Any

from tests.conftest import ROOT
from tests.e2e.service import Service as RealService
from tests.e2e.service import eventually
from tests.unit.http_service import Service

PAGE = (ROOT / "docs" / "api.md").read_text()
REQUEST, CODE = r"```sh\n(?P<request>[^\n]*curl .*?)\n```", r"`(?P<code>\d+)`(?P<more>(?:(?!```).)*?)"
ANSWER = r"```(?P<kind>json|text)\n(?P<answer>.*?)```"
EXAMPLE = re.compile(f"{REQUEST}\n\n{CODE}{ANSWER}", re.DOTALL)
OTHERS = "".join(
    (ROOT / "docs" / name).read_text()
    for name in ("access.md", "batches.md", "listing.md", "metrics.md", "webhooks.md")
)
REST = "…"
"""The mark on the page for an omitted part."""
LONG_AGO = 1_000_000_000


def test_every_answer_is_as_the_page_says(new_service: Callable[..., RealService]):
    service = new_service()
    for name in ("http", "handler", "janitor"):
        service.start(name)
    service.await_ready("default", "add", "mov3d")
    eventually(lambda: service.client.get("/handlers").json()["janitors"])
    examples = list(EXAMPLE.finditer(PAGE))
    assert len(examples) == PAGE.count("```sh") > 20
    for example in examples:
        code, headers, answer = asked(service, example["request"])
        assert code == example["code"], (example["request"], answer)
        for name, value in re.findall(r"`([\w-]+): ([^`]+)`", example["more"]):
            assert headers[name.lower()] == value
        compare = same_json if example["kind"] == "json" else same_text
        compare(answer, example["answer"])


def test_every_operation_has_an_example_on_some_page():
    document = Service().client.get("/openapi.json").get_json()
    shown = set(re.findall(r"curl (?:-N )?(?:-X (\w+) )?'?localhost:5000([^\s'?]*)", PAGE + OTHERS))
    shown = {(method.lower() or "get", re.sub(r"/(\d+|\$ID)", "/{id}", path)) for method, path in shown}
    shown = {(method, re.sub(r"/types/\w+/", "/types/{type}/", path)) for method, path in shown}
    wanted = {(method, path) for path, item in document["paths"].items() for method in item if method != "parameters"}
    assert wanted - {("post", "/task/new/{type}"), ("get", "/task/{id}")} <= shown


def asked(service: RealService, request: str) -> tuple[str, dict[str, str], str]:
    """The code of the answer, its headers, and what it says."""
    here = request.replace("localhost:5000", f"localhost:{service.port}")
    last = here.rindex("curl ") if "$(" not in here else 0
    here = f"{here[:last]}curl -s -D /dev/stderr -w '\n%{{http_code}}' {here[last + 5 :]}"
    done = subprocess.run(["bash", "-c", here], capture_output=True, text=True, check=True, timeout=60)
    answer, _, code = done.stdout.rpartition("\n")
    headers = dict(line.split(": ", 1) for line in done.stderr.splitlines() if ": " in line)
    return code, {name.lower(): value for name, value in headers.items()}, answer


def same_text(answer: str, shown: str) -> None:
    """Compare line by line; omitted parts may be anything, and versions differ each time."""
    for line, expected in zip(answer.strip().splitlines(), shown.strip().splitlines(), strict=True):
        beginning = re.sub(r"^id: \d+", "id: ", expected).removesuffix(REST + "}")
        assert line == expected or (beginning != expected and line.startswith(beginning)), (line, expected)


def same_json(answer: str, shown: str) -> None:
    """Members and their order too."""
    text = shown.replace("{" + REST + "}", f'"{REST}"').replace(", " + REST + "]", f', "{REST}"]')
    text = re.sub(f": {REST}(?=[,}}])", f': "{REST}"', text)
    assert_same(json.loads(answer), json.loads(text), "$")


def assert_same(found: Any, shown: Any, path: str) -> None:
    match shown:
        case dict():
            assert list(found) == list(shown), path
            for name in shown:
                assert_same(found[name], shown[name], f"{path}.{name}")
        case [*first, "…"]:
            for nth, each in enumerate(first):
                assert_same(found[nth], each, f"{path}.{nth}")
        case list():
            assert len(found) == len(shown), path
            for nth, each in enumerate(shown):
                assert_same(found[nth], each, f"{path}.{nth}")
        case str() if REST in shown:
            assert shown == REST or found.startswith(shown.partition(REST)[0]), path
        case int() | float() if shown > LONG_AGO:
            assert found > LONG_AGO, path
            assert type(found) is type(shown), path
        case _:
            assert (type(found), found) == (type(shown), shown), path
