"""The address that is told when a task has finished."""

import re

from domain.errors import InvalidOption

MAX_ADDRESS_CHARACTERS = 2_000
TAKES = f"an http or https address with a host, at most {MAX_ADDRESS_CHARACTERS} printable ASCII characters"

# Labels are never empty: names with two dots in a row have no form that could be looked up.
_HOST = r"(?:[\w-]+\.)*[\w-]+\.?|\[[0-9a-f:.]+\]"
_ADDRESS = re.compile(rf'https?://(?:{_HOST})(?::(?P<port>\d{{1,5}}))?(?:[/?][!"$-~]*)?', re.ASCII | re.IGNORECASE)
"""No user in front of the host, no fragment behind the path: neither `#` nor anything beyond `~`."""


def check_address(address: str | None) -> None:
    """InvalidOption for what is no address to tell; None asks for nobody to be told."""
    if address is not None and not _is_address(address):
        raise InvalidOption("callback", repr(address[:100]), TAKES)


def _is_address(address: str) -> bool:
    found = _ADDRESS.fullmatch(address) if len(address) <= MAX_ADDRESS_CHARACTERS else None
    return found is not None and 0 < int(found["port"] or 1) < 65_536
