"""Paths to places in results: singular queries of JSONPath."""

import pytest

from domain.errors import InvalidPath
from domain.result_path import MAX_PATH_CHARACTERS, Step, steps_of


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("$", ()),
        ("$.trajectory", ("trajectory",)),
        ("$.a._b.ü9", ("a", "_b", "ü9")),
        ("$[0][-1][9007199254740991]", (0, -1, 2**53 - 1)),
        ("$['a b']['$.x'][\"it's\"]", ("a b", "$.x", "it's")),
        (r"""$['it\'s "so"']""", ('it\'s "so"',)),
        (r'$["\u00e9\n\\\"\/"]', ('é\n\\"/',)),
        (r"$['\ud83d\ude00']", ("😀",)),
        ("$ .a\t[ 0 ]\n[ 'b' ]", ("a", 0, "b")),
        ("$['']", ("",)),
    ],
)
def test_a_path_has_these_steps(path: str, steps: tuple[Step, ...]):
    assert steps_of(path) == steps


@pytest.mark.parametrize(
    ("path", "position"),
    [
        *(("", 0), ("a", 0), (" $", 0), ("$ ", 1), ("$.", 1), ("$a", 1), ("$.1", 1), ("$. a", 1), ("$.a.b-c", 5)),
        *(("$..a", 1), ("$[*]", 1), ("$.*", 1), ("$[0:2]", 1), ("$[0,1]", 1), ("$[?@.a]", 1), ("$[01]", 1)),
        *(("$[-0]", 1), ("$[1.0]", 1), ("$.a[9007199254740992]", 3), (f"$[{'9' * 900}]", 1), ("$['a", 1)),
        *((r"$['\x']", 1), (r"""$["\'"]""", 1), (r"$['\ud83d']", 1), ("$['\n']", 1), ("$.a]", 3)),
        ("$" + ".a" * MAX_PATH_CHARACTERS, MAX_PATH_CHARACTERS),
    ],
)
def test_another_text_is_refused_with_the_place_of_its_fault(path: str, position: int):
    with pytest.raises(InvalidPath) as refusal:
        steps_of(path)
    assert refusal.value.position == position
    assert f"character {position}" in str(refusal.value)
