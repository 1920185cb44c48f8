"""Exactness over HTTP: JSON comes back unchanged to the last bit, and any other input gets an answer."""

import json
import math
import string
import struct
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from entrypoints.task_json import FIELDS
from tests.unit.http_service import Service

characters = st.characters(exclude_categories=["Cs"])
texts = st.text(characters, max_size=20)
numbers = (
    st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(min_value=-(10**4300) + 1, max_value=10**4300 - 1)
)
names = texts | st.sampled_from(FIELDS)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(names, values, max_size=6)


@pytest.fixture(scope="module")
def service() -> Service:
    return Service(has_own_app=True)


def exact(value: Any) -> Any:
    """Distinguish values that Python takes for equal: 1, 1.0 and true, 0.0 and -0.0, and the order of keys."""
    if isinstance(value, dict):
        return [(key, exact(member)) for key, member in value.items()]
    if isinstance(value, list):
        return [exact(member) for member in value]
    return type(value).__name__, struct.pack(">d", value) if isinstance(value, float) else value


@given(objects, st.booleans())
@settings(max_examples=150, deadline=None)
def test_any_arguments_come_back_unchanged(service: Service, args: dict[str, Any], escaped: bool) -> None:
    sent = json.dumps(args, ensure_ascii=escaped)
    answer = service.client.post("/task/new", data=sent.encode(), content_type="application/json")
    assert answer.status_code == 201
    for seen in (answer.get_json(), service.client.get(f"/task/{answer.get_json()['id']}").get_json()):
        assert exact(seen["args"]) == exact(args)
        mine = {name: value for name, value in args.items() if name not in FIELDS}
        assert exact({name: value for name, value in seen.items() if name not in FIELDS}) == exact(mine)
        assert [name for name in seen if name in FIELDS] == list(FIELDS)


@given(values)
@settings(max_examples=50, deadline=None)
def test_any_result_comes_back_unchanged(value: Any) -> None:
    service = Service()
    service.submit({})
    service.succeed(json.dumps(value, ensure_ascii=False))
    assert exact(service.view()["result"]) == exact(value)


@given(st.floats(width=64))
@settings(max_examples=100, deadline=None)
def test_a_finite_number_is_accepted_and_any_other_is_422(service: Service, number: float) -> None:
    code = service.client.post("/task/new", data=json.dumps({"a": number}), content_type="application/json").status_code
    assert code == (201 if math.isfinite(number) else 422)


@given(st.binary(max_size=60) | st.text(string.printable, max_size=60).map(str.encode))
@settings(max_examples=150, deadline=None)
def test_any_body_gets_a_json_answer(service: Service, body: bytes) -> None:
    answer = service.client.post("/task/new", data=body, content_type="application/json")
    assert answer.status_code in (201, 400, 422)
    answer.get_json()


json_like = st.lists(
    st.sampled_from(['{', '}', '[', ']', '"', ':', ',', '1', '-', 'e9', '.', '\\', '\\u', 'd800', 'NaN', '"id":', '\0',
                     ' ', 'true', '\ufeff', '9' * 400, '"a"']), max_size=25,
).map("".join)  # fmt: skip


@given(json_like)
@settings(max_examples=150, deadline=None)
def test_any_text_like_json_gets_an_answer(service: Service, text: str) -> None:
    for body in (text, f'{{"a":{text}}}', f'{{"{text}":1}}'):
        answer = service.client.post("/task/new", data=body.encode(), content_type="application/json")
        assert answer.status_code in (201, 400, 422)


@given(st.text(max_size=30), st.text(max_size=30))
@settings(max_examples=100, deadline=None)
def test_any_path_or_query_gets_an_answer(service: Service, path: str, query: str) -> None:
    given = {"PATH_INFO": f"/task/{path}/view".encode("utf-8", "surrogatepass").decode("latin-1")}
    assert service.client.get("/", environ_overrides=given).status_code in (200, 404)
    given = {"QUERY_STRING": query.encode("utf-8", "surrogatepass").decode("latin-1")}
    assert service.client.get("/tasks", environ_overrides=given).status_code in (200, 422)
    assert service.client.post("/task/new", json={}, environ_overrides=given).status_code in (201, 422)


@example({"Host": "."})
@given(st.dictionaries(st.sampled_from(["Content-Type", "Content-Encoding", "Origin", "Accept", "Host"]),
                       st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=30)))  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_any_header_gets_an_answer(service: Service, headers: dict[str, str]) -> None:
    # HTTP requires 400 for a Host header that is not a host name, and the API serves names of this machine alone.
    bad_host = {400, 421} if "Host" in headers else set()
    bad_origin = {403} if "Origin" in headers else set()
    submitted = service.client.post("/task/new", data=b"{}", headers=headers)
    assert submitted.status_code in {201, 415} | bad_host | bad_origin
    assert service.client.get("/", headers=headers).status_code in {200} | bad_host
