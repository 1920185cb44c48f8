"""Accepted JSON comes back as it was sent: through the API, the database, a handler, its function and back."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.e2e.service import Service

numbers = (
    st.integers()
    | st.integers(-(10**4300) + 1, 10**4300 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([-0.0, 0.0, 5e-324, 1.7976931348623157e308, 2**53 + 1, 10**4300 - 1, 0.1 + 0.2])
)
JSON = {"Content-Type": "application/json"}
REMARKABLE = ["\0", "\u2028\ufeff\uffff", "😀", "'; DROP TABLE tasks; --", "%s :a \\", "é" * 5000]
texts = st.text() | st.sampled_from(REMARKABLE)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=20,
)


def exact(value: Any) -> str:
    """The JSON text of a value, which shows types, the order of keys and the sign of zero."""
    return json.dumps(value)


@settings(max_examples=40)
@given(st.lists(values, min_size=1, max_size=10))
def test_accepted_json_comes_back_as_it_was_sent(service: Service, sent: list[Any]):
    items = [{"type": "echo", "args": {"value": value}} for value in sent]
    answer = service.client.post("/tasks", content=exact(items), headers=JSON)
    assert answer.status_code == 201, answer.text
    for id, value in zip(answer.json()["ids"], sent, strict=True):
        task = service.client.get(f"/task/{id}?wait=20").json()
        assert task["status"] == "done", task["error"]
        assert exact(task["args"]) == exact(task["result"]) == exact({"value": value})
        assert exact(task["value"]) == exact(value)


def wrap(depth: int) -> str:
    return "[" * depth + "]" * depth


REFUSED = {
    "NaN": "NaN is not a JSON number",
    "-Infinity": "-Infinity is not a JSON number",
    "1e999": "1e999 is beyond a double",
    "1" * 4301: "an integer has at most 4300 digits",
    '"\\ud800"': "a lone surrogate is not a character",
    '{"a":1,"a":2}': "the key a stands twice",
}
HOLE = "HOLE"
refused = st.sampled_from(list(REFUSED))


@st.composite
def holes(draw: st.DrawFn) -> tuple[str, str]:
    """A JSON text with a hole in it, and the path of the hole."""
    text, path = HOLE, "$.value"
    for step in draw(st.lists(st.integers(0, 3) | st.sampled_from("ab"), max_size=5)):
        inner = "[" + "0," * step + HOLE + "]" if isinstance(step, int) else f'{{"z":0,"{step}":{HOLE}}}'
        text, path = text.replace(HOLE, inner), f"{path}.{step}"
    return f'{{"first": [1, {{}}], "value": {text}, "last": "NaN"}}', path


@given(holes(), refused)
def test_refused_json_is_named_by_its_path(service: Service, hole: tuple[str, str], value: str):
    text, path = hole
    answer = service.client.post("/task/new/echo", content=text.replace(HOLE, value), headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["errors"] == {"json": {path: [REFUSED[value]]}}


def test_json_nested_200_deep_is_accepted_and_201_deep_is_refused(service: Service):
    text = '{"value":' + wrap(199) + "}"
    answer = service.client.post("/task/new/echo?wait=20", content=text, headers=JSON)
    assert exact(answer.json()["result"]).replace(" ", "") == text
    deeper = service.client.post("/task/new/echo", content='{"value":' + wrap(200) + "}", headers=JSON)
    assert deeper.json()["errors"] == {"json": {"$": ["arrays and objects may be nested 200 deep"]}}
