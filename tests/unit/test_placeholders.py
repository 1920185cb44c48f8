"""Placeholders in arguments: found, refused, named by ids, and filled by parts of results."""

import json
from typing import Any

import pytest

from application.errors import InvalidReferences
from application.json import placeholders as module
from application.json.placeholders import (
    cut,
    filled,
    parents_in_text,
    placeholders,
    placeholders_in_text,
    with_ids,
    without_placeholders,
)
from application.json.text import dump
from domain.ids import TaskId


def refused(args: dict[str, Any], **how: bool) -> Any:
    with pytest.raises(InvalidReferences) as refusal:
        placeholders(args, **how)
    return refusal.value.errors


class TestFound:
    def test_placeholders_are_found_at_any_depth_in_the_order_of_the_text(self):
        args = {"a": {"$result": 17}, "b": [1, {"c": {"path": "$.x[0]", "$result": "first"}}], "d": {"path": 1}}
        found = placeholders(args)
        assert [(each.shown_place, each.parent, each.path) for each in found] == [
            ("$.a", 17, "$"),
            ("$.b.1.c", "first", "$.x[0]"),
        ]
        assert placeholders_in_text(dump(args)) == found
        assert without_placeholders(args | {"e": {"f": {"$result": 1}, "g": 2}}) == {
            "b": args["b"],
            "d": {"path": 1},
            "e": {"g": 2},
        }

    @pytest.mark.parametrize("parent", [0, -1, 10**18, 1.0, True, None, [], {}])
    def test_a_result_of_no_task_is_refused(self, parent: object):
        assert refused({"a": [{"$result": parent}]}) == {
            "$.a.0.$result": ["it must be the id of a task or the ref of an item"]
        }

    def test_a_name_is_refused_where_there_are_no_items(self):
        assert refused({"a": {"$result": "b"}}, takes_names=False) == {"$.a.$result": ["it must be the id of a task"]}

    def test_other_members_and_wrong_paths_are_refused_by_their_places(self):
        assert refused({"a": {"$result": 1, "x": 2}, "b": {"$result": 1, "path": "$.a["}}) == {
            "$.a.x": ["is not expected here: a reference has $result and path alone"],
            "$.b.path": ["$.a[ is no path to one value, as $.a['b c'][0] is: it is wrong from character 3 on"],
        }
        assert refused({"a": {"$result": 1, "path": 5}}) == {"$.a.path": ["it must be a text"]}

    def test_the_arguments_themselves_are_no_reference(self):
        assert refused({"$result": 1}) == {"$": ["a reference is the value of an argument, or is within one"]}

    def test_their_number_and_that_of_named_mistakes_are_bounded(self, monkeypatch: pytest.MonkeyPatch):
        assert len(refused({"a": [{"$result": 0}] * 100})) == module.MAX_PLACES_NAMED
        monkeypatch.setattr(module, "MAX_PLACEHOLDERS", 2)
        assert refused({"a": [{"$result": 1}] * 3}) == {"$": ["it has more than 2 references"]}


class TestFilled:
    def test_names_become_ids_and_nothing_else_changes(self):
        args = {"a": {"$result": 'q"\\'}, "b": {"path": "$['}']", "$result": "b"}, "c": '{"$result":"b"}', "d": 17}
        text = with_ids(dump(args), {'q"\\': TaskId(5), "b": TaskId(6)})
        assert json.loads(text) == {
            "a": {"$result": 5},
            "b": {"path": "$['}']", "$result": 6},
            "c": args["c"],
            "d": 17,
        }
        assert [*parents_in_text(text)] == [(5, "$"), (6, "$['}']")]

    def test_parts_are_filled_in_as_they_stand_in_the_results(self):
        result = '{"n": 1.0E+2, "big": 123456789012345678901234567890, "t": "\\u00e9", "z": -0.0, "l": [1,{"x":[]},3]}'
        args = {
            "n": {"$result": 1, "path": "$.n"},
            "more": [{"$result": 1, "path": "$.big"}, {"$result": 1, "path": "$.t"}, {"$result": 1, "path": "$['z']"}],
            "s": "{'$result': 1}",
            "l": {"$result": 1, "path": "$.l[-2].x"},
        }
        text = filled(dump(args), lambda _, path: cut(result, path) or "")
        assert text == (
            '{"n":1.0E+2,"more":[123456789012345678901234567890,"\\u00e9",-0.0],"s":"{\'$result\': 1}","l":[]}'
        )

    @pytest.mark.parametrize(
        ("result", "path", "text"),
        [
            *(("5", "$", "5"), ("5", "$.a", None), ("5", "$[0]", None), ('"ab"', "$[0]", None)),
            *(("[]", "$[0]", None), ("[]", "$[-1]", None), ("[1]", "$[-1]", "1"), ("[1]", "$[-2]", None)),
            *(("[1,[2,3]]", "$[1][1]", "3"), ("[1,[2,3]]", "$[1][2]", None), ("[[1],2]", "$[0][1]", None)),
            *(("{}", "$.a", None), ('{"a":null}', "$.a", "null"), ('{"b":{"a":1},"a":2}', "$.a", "2")),
            *(('{"a":1}', "$[0]", None), ('["a"]', "$.a", None), ('{"a\\n":1}', r"$['a\n']", "1")),
            *((' { "a" : [ 1 , 2 ] } ', "$.a[1]", "2"), ('{"a":"]}","b":"x"}', "$.b", '"x"')),
        ],
    )
    def test_a_path_leads_to_one_value_or_to_none(self, result: str, path: str, text: str | None):
        assert cut(result, path) == text
