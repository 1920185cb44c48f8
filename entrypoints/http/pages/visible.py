"""Text of users as markup: characters that have no sign of their own, or that turn the order of others, are shown."""

import re

from markupsafe import Markup, escape

_UNSEEN = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""Control characters but for tab and line break, bidirectional controls, and characters without width.

The joiners U+200C and U+200D are none of them: scripts and emoji need them.
"""


def visible(text: object) -> Markup:
    """Escape a text. Each unseen character becomes its number in a box, so that it can neither hide nor reorder."""
    return Markup(_UNSEEN.sub(_boxed, str(escape(str(text)))))


def encoded(html: str) -> bytes:
    """The bytes of a page. A lone surrogate, which only another program can have stored, has no form in UTF-8."""
    return html.encode(errors="replace")


def _boxed(found: re.Match[str]) -> str:
    return f'<span class="unseen-sign">U+{ord(found[0]):04X}</span>'
