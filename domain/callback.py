"""The callback: an address to which a message is sent when a task has finished."""

import re

from domain.errors import InvalidOption

MAX_ADDRESS_CHARACTERS = 2_000
TAKES = f"an http or https address with a host, at most {MAX_ADDRESS_CHARACTERS} printable ASCII characters"

# No label is empty, since a name with two dots in a row cannot be resolved.
_HOST = r"(?:[\w-]+\.)*[\w-]+\.?|\[[0-9a-f:.]+\]"
_ADDRESS = re.compile(rf'https?://(?:{_HOST})(?::(?P<port>\d{{1,5}}))?(?:[/?][!"$-~]*)?', re.ASCII | re.IGNORECASE)
"""Without a user before the host or a fragment after the path, so without `#`, and within printable ASCII."""


def check_address(address: str | None) -> None:
    """Raises InvalidOption: no message can be sent to this address. None is allowed: it stands for no callback."""
    if address is not None and not _is_address(address):
        raise InvalidOption("callback", repr(address[:100]), TAKES)


def _is_address(address: str) -> bool:
    found = _ADDRESS.fullmatch(address) if len(address) <= MAX_ADDRESS_CHARACTERS else None
    return found is not None and 0 < int(found["port"] or 1) < 65_536
