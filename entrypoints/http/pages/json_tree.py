"""JSON as a tree: a part of the text, as it stands there, that is small enough for a page however large the text is."""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from markupsafe import Markup

from application.json.scanning import Member, Start, Value, member_start, members, value_at
from entrypoints.http.pages.visible import visible

MAX_NODES = 300
MAX_CHARACTERS = 30_000
"""Characters of all keys and scalars of a tree, as markup."""
MAX_FIRST_MEMBERS, MAX_INNER_MEMBERS = 100, 20
"""Members of the outermost array or object that are shown, and of each one in it."""
MAX_SCALAR_CHARACTERS, MAX_KEY_CHARACTERS, MAX_LINE_CHARACTERS = 300, 80, 72
"""Characters of a scalar and of a key that are shown, and of an array or object that is shown as one line."""
MAX_SCANNED_CHARACTERS = 40_000_000
"""Characters of all arrays and objects that are opened: each level of a large text is scanned again."""
MAX_OPEN_NODES = 40
"""Nodes of a tree that is shown unfolded."""
_PLACE = re.compile(r"(?:\d{1,9}(?:\.\d{1,9}){0,199})?", re.ASCII)
_KINDS = {"[": "list", "{": "object", '"': "string", "t": "word", "f": "word", "n": "word"}


@dataclass(slots=True)
class Node:
    """A value of a tree.

    - `place`: the numbers of the members that lead to it, as in `0.17`.
    - `key`, `number`: its key in an object, or its number in an array; neither of the outermost value.
    - `kind`: list, object, string, number, or word.
    - `text`: the value itself; None of an array or object that has nodes of its own, or that is left closed.
    - `is_cut`: whether the text ends too early.
    - `members`: the number of members of an array or object.
    - `nodes`: those of its members that are shown, from number `first` on; `more`: the number of those after them.
    """

    place: str
    kind: str
    value: Value
    key: Markup | None = None
    number: int | None = None
    text: Markup | None = None
    is_cut: bool = False
    nodes: list["Node"] = field(default_factory=list)
    first: int = 0
    more: int = 0

    @property
    def members(self) -> int:
        """The number of members."""
        return self.value.members or 0


@dataclass(frozen=True, slots=True)
class Tree:
    """The part of a text that is shown. `is_small`: whether it needs no folding. `characters`: those of the value."""

    root: Node
    is_small: bool
    characters: int


@dataclass(frozen=True, slots=True)
class Step:
    """A step from the outermost value to a place: the key or number of a member, and its place."""

    name: Markup
    place: str


def tree_of(text: str, place: str = "", first: int = 0, most: int = MAX_FIRST_MEMBERS) -> Tree:
    """The tree of the value at a place of a JSON text, with at most so many of its members from number `first` on.

    Raises LookupError: no value is there.
    """
    value = _value_of(text, place)
    return _Builder(text).tree(value, place, first, most)


def steps_to(text: str, place: str) -> Sequence[Step]:
    """The steps to a place. Raises LookupError: no value is there."""
    return [Step(_name(each, number), at) for each, number, at in _walk(text, place)]


def _value_of(text: str, place: str) -> Value:
    walked = list(_walk(text, place))
    return value_at(text, walked[-1][0].value if walked else 0)


def _walk(text: str, place: str) -> Iterator[tuple[Start, int, str]]:
    """The beginnings of the members on the way to a place, with their numbers and places."""
    if not _PLACE.fullmatch(place):
        raise LookupError(place)
    numbers = [int(each) for each in place.split(".") if each]
    start = 0
    for depth, number in enumerate(numbers):
        found = member_start(text, start, number)
        if found is None:
            raise LookupError(place)
        start = found.value
        yield found, number, ".".join(map(str, numbers[: depth + 1]))


def _name(found: Start, number: int) -> Markup:
    return visible(number) if found.key is None else _cut(found.key, MAX_KEY_CHARACTERS)


def _cut(text: str, characters: int) -> Markup:
    return visible(text if len(text) <= characters else f"{text[: characters - 1]}…")


class _Builder:
    """Builds one tree: level by level, so that what lies deep takes no room from what lies above."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._nodes = 1
        self._characters = self._scanned = 0

    def tree(self, value: Value, place: str, first: int, most: int) -> Tree:
        root = self._node(value, place, max_line=0)
        self._open(root, first, most)
        inner = deque(root.nodes)
        while inner:
            node = inner.popleft()
            self._open(node, 0, MAX_INNER_MEMBERS)
            inner.extend(node.nodes)
        return Tree(root, self._nodes <= MAX_OPEN_NODES, value.end - value.start)

    def _open(self, node: Node, first: int, limit: int) -> None:
        """Give an array or object nodes of as many members as there is room for."""
        size = node.value.end - node.value.start
        if node.text is not None or self._scanned + size > MAX_SCANNED_CHARACTERS:
            return
        self._scanned += size
        node.first = first
        room = max(min(limit, MAX_NODES - self._nodes), 0)
        for number, each in enumerate(islice(members(self._text, node.value, first), room), first):
            if self._characters > MAX_CHARACTERS:
                break
            node.nodes.append(self._member_node(node, number, each))
        node.more = max(node.members - first - len(node.nodes), 0)

    def _member_node(self, parent: Node, number: int, each: Member) -> Node:
        node = self._node(each.value, f"{parent.place}.{number}".lstrip("."), MAX_LINE_CHARACTERS)
        if each.key is None:
            node.number = number
        else:
            node.key = _cut(each.key, MAX_KEY_CHARACTERS)
            self._characters += len(node.key)
        self._nodes += 1
        return node

    def _node(self, value: Value, place: str, max_line: int) -> Node:
        """The node of a value, with its text if it is a scalar, or so short that it is read best as one line."""
        size = value.end - value.start
        node = Node(place, _KINDS.get(self._text[value.start], "number"), value)
        if not value.members or size <= max_line:
            node.is_cut = size > MAX_SCALAR_CHARACTERS
            node.text = visible(self._text[value.start : value.start + min(size, MAX_SCALAR_CHARACTERS)])
            self._characters += len(node.text)
        return node
