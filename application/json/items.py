"""The items of a long JSON array, parsed one at a time so that they are never all in memory."""

import re
from collections.abc import Callable, Iterator
from itertools import count
from json import JSONDecodeError
from typing import Any, TypeVar

from application.json.errors import NotJson, UnkeepableJson
from application.json.parsing import parse_at

Used = TypeVar("Used")
_SPACE = re.compile(r"[ \t\n\r]*")
_COMMA = re.compile(r"[ \t\n\r]*,[ \t\n\r]*")
_CUT_OFF_CHARACTERS = 16
"""Characters before the end of a window in which a mistake may come from the cut there."""


def items(text: str, max_characters: int) -> Iterator[Any]:
    """The parsed items. An item that cannot be kept, or has more characters, is replaced by its UnkeepableJson.

    The items before an error are yielded first.

    Raises NotJson: the text is not an array.
    Raises UnkeepableJson: an item is so much longer that its end is not looked for.
    """
    reader = _Reader(text, max_characters)
    yield from reader.items()
    reader.check_end()


def with_items(
    text: str, name: str, max_characters: int, use: Callable[[Iterator[Any]], Used]
) -> tuple[dict[str, Any], Used | None]:
    """The parsed members of an object but for one array, whose items are handed to `use` while they are parsed.

    It returns the other members, and the answer of `use`; None if the object has no such member. `use` is given each
    item as `items` yields it, and has to take all of them. The other members have at most `max_characters` too.

    Raises NotJson: the text is not an object.
    Raises UnkeepableJson: a member cannot be kept, or stands twice, or the member of that name is not an array.
    """
    reader = _Reader(text, max_characters)
    members: dict[str, Any] = {}
    used: Used | None = None
    reader.skip("{")
    more = not reader.is_next("}")
    while more:
        key = reader.value("$")
        reader.skip(":")
        path = f"$.{key}"
        if not isinstance(key, str):
            raise NotJson("the key of a member is no text")
        if key in members:
            raise UnkeepableJson("$", f"the key {key} stands twice")
        if key == name and reader.is_next("["):
            used = use(reader.items(path))
            members[key] = None
        else:
            members[key] = reader.value(path)
            if key == name:
                raise UnkeepableJson(path, "it must be an array")
        more = reader.skip_comma("}")
    reader.skip("}")
    reader.check_end()
    return {key: value for key, value in members.items() if key != name}, used


class _Reader:
    """A text and the position up to which it was read. Values are parsed in a window, which bounds their memory."""

    def __init__(self, text: str, max_characters: int) -> None:
        self._text = text
        self._max_characters = max_characters
        self._position = 0
        self._open_window()

    def items(self, path: str = "$") -> Iterator[Any]:
        """Yield the items of the array that comes next, whose path this is, and move behind it."""
        self.skip("[")
        indexes = count()
        more = not self.is_next("]")
        while more:
            yield self.item(f"{path}.{next(indexes)}")
            more = self.skip_comma("]")
        self.skip("]")

    def value(self, path: str) -> Any:
        """Parse the value that comes next. Raises UnkeepableJson: it cannot be kept; its path is below `path`."""
        self._skip_space()
        value = self.item(path)
        if isinstance(value, UnkeepableJson):
            raise UnkeepableJson(f"{path}{value.path[1:]}", value.why)
        return value

    def is_next(self, sign: str) -> bool:
        """Whether this sign comes next, after any space."""
        self._skip_space()
        return self._text.startswith(sign, self._position)

    def skip(self, sign: str) -> None:
        """Move behind this sign, which has to come next."""
        if not self.is_next(sign):
            raise self._not_json(f"Expecting {sign!r}", self._position)
        self._position += 1

    def skip_comma(self, end: str) -> bool:
        """Move behind the comma and its space. False if the sign of the end is next instead."""
        comma = _COMMA.match(self._text, self._position)
        if comma:
            self._position = comma.end()
        elif not self.is_next(end):
            raise self._not_json("Expecting ','", self._position)
        return comma is not None

    def item(self, path: str) -> Any:
        """Parse the item that begins here, and move behind it. Raises UnkeepableJson: its end was not found."""
        if self._position - self._window_start >= self._max_characters:
            self._open_window()
        start = self._position
        try:
            value, end = self._parsed()
        except UnkeepableJson as error:
            raise UnkeepableJson(f"{path}{error.path[1:]}", error.why) from None
        self._position = self._window_start + end
        return value if self._position - start <= self._max_characters else self._too_long()

    def check_end(self) -> None:
        """Raises NotJson: something follows but space."""
        self._skip_space()
        if self._position < len(self._text):
            raise self._not_json("Extra data", self._position)

    def _parsed(self) -> tuple[Any, int]:
        try:
            value, end = parse_at(self._window, self._position - self._window_start)
            # A number that the window cuts off would be taken for a shorter one.
            self._check_not_cut_off(end)
            return value, end
        except JSONDecodeError as error:
            is_open = error.msg.startswith("Unterminated string")
            self._check_not_cut_off(len(self._window) if is_open else error.pos + _CUT_OFF_CHARACTERS)
            raise self._not_json(error.msg, self._window_start + error.pos) from None

    def _check_not_cut_off(self, end: int) -> None:
        is_last_window = self._window_start + len(self._window) == len(self._text)
        if end >= len(self._window) and not is_last_window:
            raise self._too_long()

    def _too_long(self) -> UnkeepableJson:
        return UnkeepableJson("$", f"an item has at most {self._max_characters} characters")

    def _open_window(self) -> None:
        self._window_start = self._position
        self._window = self._text[self._position : self._position + 2 * self._max_characters]

    def _skip_space(self) -> None:
        space = _SPACE.match(self._text, self._position)
        self._position = space.end() if space else self._position

    def _not_json(self, mistake: str, position: int) -> NotJson:
        return NotJson(str(JSONDecodeError(mistake, self._text, position)))
