"""The search terms of a task, one for each of its arguments."""

import pytest

from application.json.parsing import parse
from application.json.search_terms import MAX_TERMS, term, terms


@pytest.mark.parametrize(
    ("args", "path", "value"),
    [
        ('{"name":"Köln"}', "name", "Köln"),
        ('{"n":5}', "n", "5"),
        ('{"n":"5"}', "n", "5"),
        ('{"n":-0.5e3}', "n", "-500.0"),
        ('{"n":%s}' % ("9" * 4300), "n", "9" * 4300),
        ('{"flag":true}', "flag", "true"),
        ('{"flag":false}', "flag", "false"),
        ('{"nothing":null}', "nothing", "null"),
        ('{"empty":""}', "empty", ""),
        ('{"nul\\u0000":"\\u0000"}', "nul\0", "\0"),
        ('{"to":{"city":{"zip":1}}}', "to.city.zip", "1"),
        ('{"to.city":1}', "to.city", "1"),
        ('{"long":"%s"}' % ("x" * 100_000), "long", "x" * 100_000),
    ],
)
def test_each_argument_has_a_term(args: str, path: str, value: str) -> None:
    assert terms(parse(args)) == (term(path, value),)


@pytest.mark.parametrize(
    ("path", "value"),
    [("n", "6"), ("m", "5"), ("n5", ""), ("", "n5"), ("n", " 5"), ("n", "5.0"), ("N", "5"), ("n.", "5")],
)
def test_no_other_path_or_value_has_that_term(path: str, value: str) -> None:
    assert term(path, value) not in terms({"n": 5})


@pytest.mark.parametrize("args", [{}, {"list": [1, {"a": 1}]}, {"empty": {}}, {"deep": {"list": []}}])
def test_list_members_and_empty_objects_have_no_term(args: dict[str, object]) -> None:
    assert terms(args) == ()


def test_equal_terms_are_given_once() -> None:
    assert terms({"a.b": 1, "a": {"b": "1"}}) == (term("a.b", "1"),)


def test_only_the_first_arguments_have_terms() -> None:
    many = {f"n{n}": {"m": n} for n in range(1000)}
    assert terms(many) == tuple(term(f"n{n}.m", str(n)) for n in range(MAX_TERMS))


def test_a_term_is_the_same_in_every_process_and_fits_a_bigint() -> None:
    assert term("n", "5") == TERM_OF_5
    assert all(-(2**63) <= term("n", str(n)) < 2**63 for n in range(1000))
    assert any(term("n", str(n)) < 0 for n in range(100))


def test_deep_arguments_have_terms() -> None:
    deep = parse('{"a":' * 199 + "1" + "}" * 199)
    assert terms(deep) == (term(".".join("a" * 199), "1"),)


TERM_OF_5 = -6895638795285486112
"""Kept terms must be found by any later version."""
