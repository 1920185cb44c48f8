"""Output of a terminal as markup: colours become classes, and lines that were written over are left out."""

import re
from collections.abc import Iterator

from markupsafe import Markup

from entrypoints.http.pages.visible import visible

_SEQUENCE = re.compile(
    r"\x1b\[(?P<colours>[\d;:]*)m"  # colours and styles
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # movements of the cursor and the like
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # titles, links
    r"|\x1b[ -/]*[0-~]?"
)
_STYLES = {1: "bold", 2: "dim", 3: "italic", 4: "underline"}
_ENDED = {22: ("bold", "dim"), 23: ("italic",), 24: ("underline",)}
_COLOURS = {
    30: "black", 31: "red", 32: "green", 33: "yellow", 34: "blue", 35: "magenta", 36: "cyan", 37: "white",
}  # fmt: skip
_BRIGHT = 60
_DEFAULT_COLOURS = 39
_EXTENDED = (38, 48)
_PARAMETERS = {5: 1, 2: 3}
"""The number of parameters of a colour by its kind: one of a palette, or red, green and blue."""


def terminal(text: str) -> Markup:
    """Show output as a terminal would at its end: the last version of each line, in colours."""
    return Markup("").join(_pieces(_last_versions(text)))


def _last_versions(text: str) -> str:
    if "\r" not in text:
        return text
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)


def _pieces(text: str) -> Iterator[Markup]:
    styles: dict[str, str] = {}
    position = 0
    for found in _SEQUENCE.finditer(text):
        yield _styled(text[position : found.start()], styles)
        if found["colours"] is not None:
            _change(styles, found["colours"])
        position = found.end()
    yield _styled(text[position:], styles)


def _styled(text: str, styles: dict[str, str]) -> Markup:
    if not text or not styles:
        return visible(text)
    return Markup('<span class="{}">{}</span>').format(" ".join(styles.values()), visible(text))


def _change(styles: dict[str, str], parameters: str) -> None:
    """Change the styles by the parameters of a sequence. Colours beyond the sixteen of a terminal are left out."""
    codes = iter([int(code[:4] or 0) for code in re.split("[;:]", parameters)])
    for code in codes:
        if code == 0:
            styles.clear()
        elif code in _STYLES:
            styles[_STYLES[code]] = f"ansi-{_STYLES[code]}"
        elif code in _ENDED:
            for style in _ENDED[code]:
                styles.pop(style, None)
        elif code in _COLOURS or code - _BRIGHT in _COLOURS:
            styles["colour"] = f"ansi-{_COLOURS.get(code) or _COLOURS[code - _BRIGHT]}"
        elif code == _DEFAULT_COLOURS:
            styles.pop("colour", None)
        elif code in _EXTENDED:
            for _ in range(_PARAMETERS.get(next(codes, 0), 0)):
                next(codes, None)
